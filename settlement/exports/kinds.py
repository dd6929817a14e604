"""What a kind of report is: its words, its readers, its parameters, and how it is built."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.models import Organisation
from marketplace.permissions import Actor
from settlement.exports.parameters import Parameter, Values
from settlement.exports.report import Report

# The two time axes of the books; each report says which one its span is on.
BY_ACCOUNTING_DATE = _("by accounting date")
BY_RECORDING = _("by the instant of recording")
BY_DELIVERY = _("by day of delivery")


def keeps_books(actor: Actor) -> bool:
    """Tell whether the actor reads the whole market's books."""
    return actor.is_platform_finance or actor.is_platform_auditor


def keeps_books_or_own_money(actor: Actor) -> bool:
    """Tell whether the actor reads the books, or the own organisation's part of them."""
    if keeps_books(actor):
        return True
    organisation = actor.organisation
    return organisation is not None and not organisation.is_platform and actor.can_see_own_money


def reads_reports(actor: Actor) -> bool:
    """Tell whether the actor may read any report: operators read those of the market's running."""
    return keeps_books_or_own_money(actor) or actor.is_operator


@dataclass(frozen=True)
class ReportKind:
    """A row of the catalogue of reports.

    Attributes:
        code: stable name, in addresses and file names.
        title: for people.
        description: one line: what it holds and what it agrees with.
        permission: whether an actor may read it; members see their own figures only.
        parameters: what it can be asked for.
        build: makes the report; called in one snapshot of the database.
        axis: which of the two times its span is on.
        ties_to: what in the ledger it agrees with.
        leads_to: where its rows lead, down to the readings.
        is_operators_too: whether operators read every member's figures, as the books' keepers do.
    """

    code: str
    title: str | Promise
    description: str | Promise
    permission: Callable[[Actor], bool]
    parameters: tuple[Parameter, ...]
    build: Callable[[Values], Report]
    axis: str | Promise
    ties_to: str | Promise
    leads_to: str | Promise
    is_operators_too: bool = False

    def reads_all(self, actor: Actor) -> bool:
        """Tell whether the actor reads every member's figures in this report."""
        return keeps_books(actor) or (self.is_operators_too and actor.is_operator)

    def own_organisation(self, actor: Actor) -> Organisation | None:
        """Return the only organisation whose figures the actor may ask for; None for every one."""
        return None if self.reads_all(actor) else actor.organisation
