"""What a statement still needs: its market-based tonnes less what recognition applied before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from marketplace.domain.decimals import add_exactly
from marketplace.models import Organisation
from settlement.domain.carbon.errors import NoAgreement, StatementClosed
from settlement.models import (
    EmissionStatement,
    Recognition,
    Registry,
    SchemeMembership,
    StatementClosing,
)


@dataclass(frozen=True)
class StatementNeed:
    """A statement as recognition sees it.

    Attributes:
        statement: the newest version of it.
        organisation: whose emissions they are; it is the beneficiary of what is retired.
        scheme: the scheme it reports in.
        subject_key: what the statement is about; versions of one statement share it.
        claim_month: first day of the month.
        market_based_t: market-based tonnes, 6 decimals; recognition never changes them.
        applied_t: tonnes that earlier recognitions applied.
    """

    statement: EmissionStatement
    organisation: Organisation
    scheme: Registry
    subject_key: str
    claim_month: date
    market_based_t: Decimal
    applied_t: Decimal

    @property
    def need_t(self) -> Decimal:
        """Tonnes not covered yet; a correction downwards may leave none."""
        return max(Decimal(0), add_exactly([self.market_based_t, -self.applied_t]))


def subject_key_of(statement: EmissionStatement) -> str:
    """Return the key that all versions of a statement share: subject and month."""
    about = statement.order_id or statement.pool_id or ""
    return f"{statement.subject}:{statement.organisation_id}:{about}:{statement.month:%Y-%m}"


def need_of(statement: EmissionStatement, *, on: date) -> StatementNeed:
    """Return what a statement needs on a market date.

    Raises:
        StatementClosed: it is closed, or a newer version has replaced it.
        NoAgreement: its organisation reports in no scheme.
    """
    if is_closed(statement):
        raise StatementClosed
    scheme = scheme_of(statement.organisation, on)
    if scheme is None:
        raise NoAgreement
    key = subject_key_of(statement)
    return StatementNeed(
        statement=statement,
        organisation=statement.organisation,
        scheme=scheme,
        subject_key=key,
        claim_month=statement.month,
        market_based_t=statement.market_based_t,
        applied_t=applied_before(key),
    )


def is_closed(statement: EmissionStatement) -> bool:
    """Tell whether a statement takes no more recognition."""
    return (
        EmissionStatement.objects.filter(supersedes=statement).exists()
        or StatementClosing.objects.filter(statement=statement).exists()
    )


def closed_among(statements: Sequence[EmissionStatement]) -> set[int]:
    """Return which of these statements take no more recognition."""
    superseded = EmissionStatement.objects.filter(supersedes__in=statements)
    closings = StatementClosing.objects.filter(statement__in=statements)
    return {
        *superseded.values_list("supersedes_id", flat=True),
        *closings.values_list("statement_id", flat=True),
    }


def statement_of(organisation: Organisation, public_id: UUID | str) -> EmissionStatement | None:
    """Return one of an organisation's own statements, or nothing."""
    rows = EmissionStatement.objects.filter(organisation=organisation).defer("inputs")
    return rows.select_related("organisation").filter(public_id=public_id).first()


def applied_before(subject_key: str) -> Decimal:
    """Return the tonnes that recognitions applied to a subject and month so far."""
    rows = Recognition.objects.filter(subject_key=subject_key)
    return rows.aggregate(total=Sum("applied_t"))["total"] or Decimal(0)


def scheme_of(organisation: Organisation, on: date) -> Registry | None:
    """Return the scheme that an organisation reports in on a day; nothing when none is set."""
    rows = SchemeMembership.objects.filter(organisation=organisation, valid_from__lte=on)
    row = rows.select_related("scheme").order_by("-valid_from").first()
    return row.scheme if row else None
