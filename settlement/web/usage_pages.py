"""A buyer's usage: hours bought and delivered, and what was spent, with a chart and a file."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.models import Role
from marketplace.permissions import Actor
from marketplace.templatetags.market_ui import figure, localname, unit_text
from marketplace.web.access import acting_organisation, require
from marketplace.web.charts import Chart
from marketplace.web.csv_answers import csv_answer
from settlement.selectors.usage import UsageBy, UsageRow, usage_of
from settlement.web.spans import Span, quick_spans, read_span

GROUPINGS = {
    UsageBy.PRODUCT: _("By product"),
    UsageBy.PROJECT: _("By project"),
    UsageBy.MONTH: _("By month"),
    UsageBy.DAY: _("By day of delivery"),
}
HEADS = {
    UsageBy.PROJECT: _("Project"),
    UsageBy.MONTH: pgettext_lazy("span of time", "Month"),
    UsageBy.DAY: pgettext_lazy("span of time", "Day"),
}
# A longer span is drawn by month: more bars than this are no picture any more.
MOST_BARS = 62
CSV_HEAD = (
    *("group", "product", "unit", "bought_unit_hours", "settled_unit_hours"),
    *("delivered_unit_hours", "spent_cny_incl_vat"),
)


def _uses(actor: Actor) -> bool:
    organisation = actor.organisation
    return (
        organisation is not None
        and organisation.is_buyer
        and not organisation.is_platform
        and actor.has(Role.BUYER, Role.FINANCE, Role.AUDITOR)
    )


require_user_of_capacity = require(_uses)


@require_user_of_capacity
@require_safe
def show_usage(request: HttpRequest) -> HttpResponse:
    """Show what was bought, delivered and spent in a span of days."""
    form, span = read_span(request.GET)
    by = _grouping(request)
    rows = _rows(request, span, by)
    own = reverse("usage")
    context = {
        "filter_form": form,
        "span": span,
        "by": by,
        "rows": [_named(row) for row in rows],
        "head": HEADS.get(by, ""),
        "spent": sum((row.spent_cny for row in rows), Decimal(0)),
        "chart": _chart(_rows(request, span, _bars(span))) if rows else None,
        "tabs": [
            {"label": label, "url": f"{own}?by={kind.value}&{span.query}", "active": kind == by}
            for kind, label in GROUPINGS.items()
        ],
        "months": quick_spans(own, span, extra=f"&by={by.value}"),
        "by_label": GROUPINGS[by],
    }
    return render(request, "settlement/usage.html", context)


@require_user_of_capacity
@require_safe
def export_usage(request: HttpRequest) -> HttpResponse:
    """Answer the same rows as CSV with machine names."""
    _form, span = read_span(request.GET)
    rows = _rows(request, span, _grouping(request))
    return csv_answer("usage.csv", CSV_HEAD, [_csv_row(row) for row in rows])


def _grouping(request: HttpRequest) -> UsageBy:
    asked = request.GET.get("by", "")
    return UsageBy(asked) if asked in set(UsageBy) else UsageBy.PRODUCT


def _rows(request: HttpRequest, span: Span, by: UsageBy) -> list[UsageRow]:
    return usage_of(
        organisation=acting_organisation(request),
        starts_on=span.starts_on,
        ends_on=span.ends_on,
        by=by,
    )


def _bars(span: Span) -> UsageBy:
    return UsageBy.DAY if (span.ends_on - span.starts_on).days < MOST_BARS else UsageBy.MONTH


def _named(row: UsageRow) -> dict[str, Any]:
    return {"row": row, "name": row.name or gettext("no project")}


def _chart(rows: list[UsageRow]) -> Chart:
    """Return what was billed, a bar a day or month, a colour a product."""
    labels = sorted({row.name for row in rows})
    products = {row.product.pk: row.product for row in rows}
    spent = {(row.product.pk, row.name): row.spent_cny for row in rows}
    names = [localname(product) for product in products.values()]
    total = figure(sum(spent.values(), Decimal(0)), 2)
    return Chart(
        id="usage-chart",
        kind="stacked_bars",
        title=gettext("Billed by day of delivery and product"),
        summary=gettext("%(total)s CNY, incl. VAT, was billed for deliveries of this span.")
        % {"total": total},
        data={
            "x": labels,
            "series": [
                {
                    "name": localname(product),
                    "values": [float(spent.get((key, label), 0)) for label in labels],
                }
                for key, product in products.items()
            ],
            "unit": gettext("CNY"),
        },
        table_head=[gettext("Delivery"), *names],
        table_rows=[
            [label, *(figure(spent.get((key, label), Decimal(0)), 2) for key in products)]
            for label in labels
        ],
    )


def _csv_row(row: UsageRow) -> list[object]:
    return [
        row.name,
        row.product.code,
        unit_text(row.product),
        f"{row.bought_unit_hours:f}",
        f"{row.settled_unit_hours:f}",
        f"{row.delivered_unit_hours:f}",
        f"{row.spent_cny:f}",
    ]
