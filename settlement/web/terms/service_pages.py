"""Service terms (服务条款): what each product promises and what falling short costs."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_ui import figure, localname, market_time, percent
from marketplace.web.access import current_actor, require
from settlement.domain.sla.penalty import ShortfallKind
from settlement.domain.sla.standard import EXAMPLE_PRICE, EXAMPLE_UNITS, STANDARD, worked_example
from settlement.models import SlaTerms
from settlement.selectors.sla import newest_begun, terms_from, terms_history
from settlement.web.banking.doing import page_of, show_list
from settlement.web.banking.tables import Action, Cell, Facts, Head, Page, Table, TableRow
from settlement.web.funds_desk import sees_desk
from settlement.web.terms.standing import require_signed_in, show_page, standing_cell

require_desk = require(sees_desk)
HEADS = (
    Head(_("Product")),
    Head(_("Valid from")),
    Head(_("Start may be late, minutes"), is_number=True),
    Head(_("Short below, of the units"), is_number=True),
    Head(_("Late hour costs"), is_number=True),
    Head(_("Short hour costs"), is_number=True),
    Head(_("Lost hour costs"), is_number=True),
    Head(_("At most, of the contract"), is_number=True),
    Head(_("State")),
)


@require_signed_in
@require_safe
def show_terms(request: HttpRequest) -> HttpResponse:
    """Show the terms in force and to come, how a penalty is computed, and an example."""
    today = market_date(market_now())
    actions = [Action(gettext("Rules in force"), reverse("case-rules"))]
    if sees_desk(current_actor(request)):
        actions.append(Action(gettext("Every version"), reverse("service-terms-history")))
    page = Page(
        title=gettext("Service terms"),
        lead=gettext(
            "What a product promises hour by hour; those in force when the gate closed apply."
        ),
        actions=actions,
        tables=[_rule_table(), _example_table()],
        facts=[_example_facts()],
    )
    return show_page(request, page, wide=[_terms_table(terms_from(today), today)])


@require_desk
@require_safe
def list_history(request: HttpRequest) -> HttpResponse:
    """Show every version of the terms to the market's people."""
    page_obj = page_of(request, terms_history())
    today = market_date(market_now())
    page = Page(
        title=gettext("Versions of the service terms"),
        lead=gettext("Terms are dated and added to, never changed."),
        crumbs=[(gettext("Service terms"), reverse("service-terms"))],
        tables=[_terms_table(list(page_obj), today)],
        empty_title=gettext("No terms yet"),
        empty_text=gettext("A product without terms has no penalties."),
        icon="book-2",
    )
    return show_list(request, page, page_obj)


def _terms_table(rows: list[SlaTerms], today: date) -> Table:
    begun = newest_begun(today)
    return Table(
        gettext("Terms by product"),
        HEADS,
        [_terms_row(row, _standing(row, begun, today)) for row in rows],
        gettext("A product without terms has no penalties."),
    )


def _standing(row: SlaTerms, begun: set[int], today: date) -> str:
    if row.valid_from > today:
        return "coming"
    return "in_force" if row.pk in begun else "past"


def _terms_row(row: SlaTerms, standing: str) -> TableRow:
    return TableRow(
        [
            Cell(localname(row.product)),
            Cell(market_time(row.valid_from)),
            Cell(str(row.late_minutes)),
            Cell(percent(row.short_threshold, 1)),
            Cell(percent(row.late_rate, 1)),
            Cell(percent(row.short_rate, 1)),
            Cell(percent(row.lost_rate, 1)),
            Cell(percent(row.cap_share, 1)),
            standing_cell(standing),
        ]
    )


def _rule_table() -> Table:
    pairs = [
        (
            pgettext_lazy("of an hour", "late"),
            _("It began before a hand-over that came later than allowed; all units count."),
        ),
        (pgettext_lazy("of an hour", "lost"), _("Nothing of it was delivered.")),
        (
            pgettext_lazy("of an hour", "short"),
            _("Less than the stated share of its units was delivered."),
        ),
        (
            _("Every hour"),
            _("falls in one class at most, the first that fits; not read counts as contracted."),
        ),
        (_("Penalty of an hour"), _("rate × units missing × hours × the buyer's price")),
        (
            pgettext_lazy("service terms", "Penalty"),
            _(
                "the sum over all hours, rounded once, at most the cap; it lowers the buyer's bill "
                "and the supplier's statement alike"
            ),
        ),
    ]
    heads = [Head(pgettext_lazy("rules", "What")), Head(pgettext_lazy("rules", "How"))]
    rows = [TableRow([Cell(case), Cell(what)]) for case, what in pairs]
    return Table(gettext("How a penalty is computed"), heads, rows)


def _example_facts() -> Facts:
    cap = worked_example()[0].rating.cap
    pairs = [
        (gettext("Contracted"), gettext("4 hours of %(units)s units") % {"units": EXAMPLE_UNITS}),
        (gettext("Price, CNY"), figure(EXAMPLE_PRICE, 4)),
        (gettext("Start may be late, minutes"), STANDARD.late_minutes),
        (gettext("Short below, of the units"), percent(STANDARD.short_threshold, 0)),
        (gettext("Late hour costs"), percent(STANDARD.late_rate, 0)),
        (gettext("Short hour costs"), percent(STANDARD.short_rate, 0)),
        (gettext("Lost hour costs"), percent(STANDARD.lost_rate, 0)),
        (gettext("Cap, CNY"), figure(cap)),
    ]
    return Facts(gettext("What the example assumes"), pairs)


def _example_table() -> Table:
    kinds = {
        ShortfallKind.LATE: pgettext("of an hour", "late"),
        ShortfallKind.LOST: pgettext("of an hour", "lost"),
        ShortfallKind.SHORT: pgettext("of an hour", "short"),
    }
    heads = [
        Head(_("Units in each hour")),
        Head(_("Handed over after, minutes"), is_number=True),
        Head(_("Classes")),
        Head(pgettext_lazy("of penalties", "Sum, CNY"), is_number=True),
        Head(pgettext_lazy("of penalties", "Due, CNY"), is_number=True),
    ]
    rows = [
        TableRow(
            [
                Cell(case.delivered.replace(" ", " / ")),
                Cell(str(case.late_minutes)),
                Cell(" / ".join(kinds[each.kind] for each in case.rating.shortfalls)),
                Cell(figure=case.rating.uncapped),
                Cell(figure=case.rating.amount),
            ]
        )
        for case in worked_example()
    ]
    return Table(gettext("Worked example"), heads, rows)
