"""Indicative figures on the page of an open auction, and as CSV."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from marketplace.web.csv_answers import csv_answer
from orders.models import Auction, AuctionState
from orders.selectors.indicative import cells_of, indicative_rows, latest_mark

CSV_HEAD = (
    "auction",
    "marked_at",
    "product",
    "hub",
    "period",
    "price_cny_per_unit_hour_excl_vat",
    "volume_units",
    "imbalance_units",
)


def describe_indicative(auction: Auction) -> dict[str, Any] | None:
    """Return the figures of the last mark; None where no figures are made or the gate is shut."""
    if auction.state != AuctionState.OPEN or not auction.calendar.indicative_minutes:
        return None
    mark = latest_mark(auction)
    rows = [] if mark is None else indicative_rows(mark)
    return {
        "mark": mark,
        "rows": rows,
        "minutes": auction.calendar.indicative_minutes,
    }


@require_safe
def export_indicative(request: HttpRequest, code: str) -> HttpResponse:
    """Answer the last indicative figures of an auction as CSV with machine names."""
    auction = get_object_or_404(Auction.objects.select_related("calendar"), code=code)
    mark = latest_mark(auction)
    if mark is None:
        raise Http404
    rows = (
        [
            auction.code,
            mark.marked_at.isoformat(),
            cell.product.code,
            cell.hub.code if cell.hub else "",
            cell.period,
            "" if cell.price is None else cell.price,
            cell.volume,
            cell.imbalance,
        ]
        for cell in cells_of(mark)
    )
    return csv_answer(f"indicative-{auction.code}.csv", CSV_HEAD, rows)
