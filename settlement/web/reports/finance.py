"""The finance dashboard: what is due, what waits for whom, and whether the books are sound."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_ui import figure
from marketplace.web.access import require_finance
from settlement.selectors.reports.dashboard import FinanceFigures, finance_figures
from settlement.web.spans import present_month

CNY = _("CNY")


@require_finance
@require_safe
def show_finance(request: HttpRequest) -> HttpResponse:
    """Show the figures of the day, each leading to what is behind it."""
    today = market_date(market_now())
    figures = finance_figures(today)
    context = {
        "today": today,
        "money": _money(figures),
        "work": _work(figures),
        "books": _books(figures),
        "sweep": figures.sweep,
    }
    return render(request, "settlement/reports/finance.html", context)


def _money(figures: FinanceFigures) -> list[dict[str, Any]]:
    receivable = f"{reverse('report', args=['ageing'])}?side=receivable"
    payable = f"{reverse('report', args=['ageing'])}?side=payable"
    imbalance = f"{reverse('settlement-summary')}?by=period&{present_month().query}"
    return [
        _card(_("Receivables, not due"), figures.receivable_due, receivable, "clock"),
        _card(_("Receivables, overdue"), figures.receivable_overdue, receivable, "alert-triangle"),
        _card(_("Payables, not due"), figures.payable_due, payable, "clock"),
        _card(_("Payables, overdue"), figures.payable_overdue, payable, "alert-triangle"),
        _card(
            _("Ended and not billed"),
            figures.unbilled_cny,
            _address("settlement-runs", "settlement-summary"),
            "hourglass",
            note=_("%(count)s deliveries, before tax") % {"count": figures.unbilled_count},
        ),
        _card(
            _("Sold and not delivered this month"),
            figures.imbalance_cny,
            imbalance,
            "arrows-exchange",
            note=_("%(hours)s unit-hours, before tax")
            % {"hours": figure(figures.imbalance_unit_hours, 2)},
        ),
    ]


def _work(figures: FinanceFigures) -> list[dict[str, Any]]:
    amount = _("%(amount)s CNY") % {"amount": figure(figures.payout_cny, 2)}
    return [
        _card(_("Parked settlements"), figures.parked, _address("parked"), "player-pause"),
        _card(
            _("Payout batches to approve"),
            figures.payout_batches,
            _address("payout-batches"),
            "cash",
            note=amount if figures.payout_batches else "",
        ),
        _card(
            _("Suppliers' tax invoices to check"),
            figures.tax_in,
            _address("tax-queue"),
            "receipt-tax",
        ),
        _card(
            _("Tax invoices to issue"),
            figures.tax_out,
            _address("tax-requests"),
            "file-invoice",
        ),
        _card(
            _("Bank lines without match"),
            figures.unmatched,
            _address("bank"),
            "building-bank",
        ),
    ]


def _books(figures: FinanceFigures) -> list[dict[str, Any]]:
    return [
        _card(
            _("Months not closed for good"),
            figures.open_periods,
            _address("periods", "closing"),
            "calendar-event",
        ),
        _card(_("Journal"), "", reverse("ledger-explorer"), "search", note=_("Find an entry")),
        _card(_("Trial balance"), "", reverse("trial-balance"), "scale", note=_("This month")),
        _card(_("Reports"), "", reverse("reports"), "report-money", note=_("All of them")),
    ]


def _card(
    label: str | Promise,
    value: Decimal | int | str,
    url: str,
    icon: str,
    *,
    note: str | Promise = "",
) -> dict[str, Any]:
    is_money = isinstance(value, Decimal)
    return {
        "label": label,
        "value": figure(value, 2 if is_money else 0) if value != "" else "",
        "unit": CNY if is_money else "",
        "url": url,
        "icon": icon,
        "note": note,
    }


def _address(*names: str) -> str:
    """Return the address of the first page that there is; pages of other parts may have moved."""
    for name in names:
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return reverse("reports")
