"""Rules in force: deadlines of disputes, reminders and penalties of unpaid bills, dated."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_ui import market_time, percent
from settlement.selectors.cases.deadlines import DefaultTerms
from settlement.selectors.cases.rules import DatedRule, default_rules, dispute_rules
from settlement.web.banking.tables import Action, Cell, Head, Page, Table, TableRow
from settlement.web.terms.standing import require_signed_in, show_page, standing_cell

VALID_FROM = Head(_("Valid from"))
STATE = Head(_("State"))
DISPUTE_HEADS = (
    VALID_FROM,
    Head(_("Days to open, from the bill's date"), is_number=True),
    Head(_("Days to answer"), is_number=True),
    Head(_("Days to insist, from the answer"), is_number=True),
    Head(_("Days to rule"), is_number=True),
    STATE,
)
DEFAULT_HEADS = (
    VALID_FROM,
    Head(_("First reminder, workdays after due"), is_number=True),
    Head(_("Second reminder, workdays after due"), is_number=True),
    Head(_("Default, workdays after due"), is_number=True),
    Head(_("Penalty per calendar day overdue"), is_number=True),
    Head(_("Penalty at most, of the debt"), is_number=True),
    STATE,
)


@require_signed_in
@require_safe
def show_rules(request: HttpRequest) -> HttpResponse:
    """Show the dated rules of disputes and of defaults, the latest first."""
    today = market_date(market_now())
    page = Page(
        title=gettext("Rules in force"),
        lead=gettext(
            "Deadlines of disputes and consequences of unpaid bills, each from its day on."
        ),
        actions=[
            Action(gettext("Service terms"), reverse("service-terms")),
            Action(gettext("Rule book"), reverse("rulebook")),
        ],
    )
    wide = [
        Table(gettext("Disputes"), DISPUTE_HEADS, [_dispute_row(r) for r in dispute_rules(today)]),
        Table(
            gettext("Overdue bills and defaults"),
            DEFAULT_HEADS,
            [_default_row(rule) for rule in default_rules(today)],
        ),
        _consequences_table(),
    ]
    return show_page(request, page, wide=wide)


def _dispute_row(dated: DatedRule[Any]) -> TableRow:
    rule = dated.rule
    days = (rule.open_days, rule.answer_days, rule.insist_days, rule.ruling_days)
    return TableRow([_from(dated), *(Cell(str(n)) for n in days), standing_cell(dated.standing)])


def _default_row(dated: DatedRule[DefaultTerms]) -> TableRow:
    rule = dated.rule
    days = (rule.first_reminder_days, rule.second_reminder_days, rule.default_days)
    return TableRow(
        [
            _from(dated),
            *(Cell(str(number)) for number in days),
            Cell(percent(rule.penalty_rate_per_day, 3)),
            Cell(percent(rule.penalty_cap_rate, 1)),
            standing_cell(dated.standing),
        ]
    )


def _from(dated: DatedRule[Any]) -> Cell:
    if dated.starts_on is None:
        return Cell(gettext("from the beginning"))
    return Cell(market_time(dated.starts_on))


def _consequences_table() -> Table:
    pairs = [
        (_("A side does not answer"), _("The ruling is left to what is on file.")),
        (_("Nobody insists after the answer"), _("The dispute expires.")),
        (
            _("A default is declared"),
            _(
                "Two operators declare it; the debt is taken from funds, deposit, guarantee and "
                "the risk reserve, in this order."
            ),
        ),
    ]
    heads = [Head(pgettext_lazy("rules", "If")), Head(pgettext_lazy("rules", "Then"))]
    rows = [TableRow([Cell(case), Cell(what)]) for case, what in pairs]
    return Table(gettext("What follows"), heads, rows)
