"""The market settlement summary (结算汇总) and the way down to run, bill and register."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.services.error_texts import error_text
from marketplace.templatetags.market_ui import localname
from marketplace.web.access import require_finance
from orders.web.names import auction_name
from settlement.exports.entry_words import entry_kind_words
from settlement.models import Invoice, JournalEntry, RatedLine, SettlementRun
from settlement.selectors.invoices import invoice_register
from settlement.selectors.settlement_summary import (
    SettlementSummary,
    SummaryBy,
    SummaryDoesNotTie,
    settlement_summary,
)
from settlement.web.bill_pages import BillFilter
from settlement.web.spans import Span, quick_spans, read_span

PAGE_SIZE = 50
GROUPINGS = {
    SummaryBy.AUCTION: _("By auction"),
    SummaryBy.MEMBER: _("By member"),
    SummaryBy.PRODUCT: _("By product"),
    SummaryBy.PERIOD: _("By day of delivery"),
}

# What a row is about, for the head of its column.
ROW_HEADS = {
    SummaryBy.AUCTION: _("Auction"),
    SummaryBy.MEMBER: _("Member"),
    SummaryBy.PRODUCT: _("Product"),
    SummaryBy.PERIOD: _("Day of delivery"),
}


def read_grouping(request: HttpRequest) -> SummaryBy:
    """Return how the summary is asked for; by auction unless it says otherwise."""
    asked = request.GET.get("by", "")
    return SummaryBy(asked) if asked in set(SummaryBy) else SummaryBy.AUCTION


@require_finance
@require_safe
def show_summary(request: HttpRequest) -> HttpResponse:
    """Show the summary; when it does not tie to the ledger, say so and show nothing."""
    form, span = read_span(request.GET)
    by = read_grouping(request)
    summary, failure = _summary(span, by)
    runs = _runs_of(summary) if summary else {}
    context = {
        "filter_form": form,
        "span": span,
        "by": by,
        "row_head": ROW_HEADS[by],
        "summary": summary,
        "failure": failure,
        "rows": [_row(row, by, span, runs) for row in summary.rows] if summary else [],
        "tabs": _tabs(by, span),
        "months": quick_spans(reverse("settlement-summary"), span, extra=f"&by={by.value}"),
        "by_label": GROUPINGS[by],
        "fees": summary.total.buyer_fee_cny + summary.total.seller_fee_cny if summary else None,
    }
    return render(request, "settlement/summary.html", context)


def _summary(span: Span, by: SummaryBy) -> tuple[SettlementSummary | None, str]:
    try:
        return settlement_summary(span.starts_on, span.ends_on, by=by), ""
    except SummaryDoesNotTie as error:
        return None, error_text(error)


def _runs_of(summary: SettlementSummary) -> dict[str, SettlementRun]:
    if summary.by != SummaryBy.AUCTION:
        return {}
    codes = [row.key for row in summary.rows]
    runs = SettlementRun.objects.filter(auction__code__in=codes)
    found = runs.select_related("auction__calendar").order_by("-sequence")
    return {run.auction.code: run for run in found}


def _row(row: Any, by: SummaryBy, span: Span, runs: dict[str, SettlementRun]) -> dict[str, Any]:
    url, name, code = "", localname(row), ""
    if by == SummaryBy.MEMBER:
        url = f"{reverse('bill-register')}?member={row.key}&{span.query}"
    elif row.key in runs:
        url = reverse("settlement-run", args=[runs[row.key].public_id])
        name, code = auction_name(runs[row.key].auction), row.key
    return {"row": row, "url": url, "name": name, "code": code}


def _tabs(active: SummaryBy, span: Span) -> list[dict[str, Any]]:
    own = reverse("settlement-summary")
    return [
        {"label": label, "url": f"{own}?by={by.value}&{span.query}", "active": by == active}
        for by, label in GROUPINGS.items()
    ]


@require_finance
@require_safe
def show_run(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a settlement run: its sums, its bills, its entries, its rated deliveries."""
    runs = SettlementRun.objects.select_related("auction__calendar")
    run = get_object_or_404(runs, public_id=public_id)
    lines = RatedLine.objects.filter(run=run).select_related(
        "delivery__allocation__buyer",
        "delivery__allocation__seller",
        "delivery__allocation__product",
    )
    page = Paginator(lines.order_by("id"), PAGE_SIZE).get_page(request.GET.get("page"))
    entries = JournalEntry.objects.filter(
        Q(idempotency_key__startswith=f"bill:{run.pk}:")
    ).order_by("id")
    context = {
        "run": run,
        "adjustments": run.adjustments.aggregate(
            buyer=Sum("buyer_net_cny"), seller=Sum("seller_net_cny")
        ),
        "sequences": list(runs.filter(auction=run.auction_id).order_by("sequence")),
        "page_obj": page,
        "bills": run.invoices.select_related("organisation").order_by("number"),
        "entries": [
            {"entry": entry, "kind": entry_kind_words(entry.kind)} for entry in entries[:200]
        ],
        "crumbs": [(gettext("Settlement summary"), reverse("settlement-summary"))],
    }
    return render(request, "settlement/run.html", context)


class RegisterFilter(BillFilter):
    """Narrows the register of bills by member as well."""

    member = forms.CharField(label=_("Member code or name"), required=False, max_length=60)
    field_order = ("member", "direction", "state", "since", "until")

    def narrow(self, invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
        """Return the bills asked for; wrong values narrow nothing."""
        invoices = super().narrow(invoices)
        text = self.cleaned_data.get("member") if self.is_valid() else ""
        if not text:
            return invoices
        return invoices.filter(
            Q(organisation__code__iexact=text)
            | Q(organisation__name_zh__icontains=text)
            | Q(organisation__name_en__icontains=text)
        )


@require_finance
@require_safe
def list_register(request: HttpRequest) -> HttpResponse:
    """Show every bill issued in a span of days."""
    _form, span = read_span(request.GET)
    given = {**request.GET.dict(), "since": str(span.starts_on), "until": str(span.ends_on)}
    form = RegisterFilter(given)
    found = form.narrow(invoice_register(span.starts_on, span.ends_on))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "filter_form": form,
        "span": span,
        "page_obj": page,
        "result_text": gettext("%(count)s bills") % {"count": page.paginator.count},
        "crumbs": [(gettext("Settlement summary"), reverse("settlement-summary"))],
    }
    return render(request, "settlement/bill_register.html", context)
