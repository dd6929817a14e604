"""The figures of the home page: what the market does now, and what it did last."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse

from marketplace.models import Link, Listing, ListingState, Product
from marketplace.templatetags.market_ui import group_digits
from marketplace.web.charts import Chart
from marketplace.web.hub_pages import network_picture
from orders.models import Auction, AuctionState, ClearingRun, RunState
from orders.selectors.prices import ProductVolume, product_volumes
from orders.web.flow_charts import FlowShare, flow_shares, network_chart, read_link_loads
from orders.web.names import auction_name
from orders.web.recent_prices import latest_run, prices_of_run
from orders.web.strip import current_auctions, next_event

LATEST = 6
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ProductLine:
    """Last average price of a product, its change against the auction before, and volume."""

    product: Product
    price: Decimal | None
    change_percent: Decimal | None
    unit_hours: Decimal
    hubs: int


@dataclass(frozen=True, slots=True)
class LastResult:
    """What the newest published auction says."""

    run: ClearingRun
    name: str
    url: str
    lines: list[ProductLine]
    hubs_trading: int
    flows: list[FlowShare]
    network: Chart


def describe_home() -> dict[str, Any]:
    """Return the context of the home page, in a fixed number of queries."""
    auctions = current_auctions(limit=3)
    run = latest_run()
    listings = Listing.objects.filter(state=ListingState.ACTIVE)
    return {
        "auctions": [_describe_auction(auction) for auction in auctions],
        "next_gate": next((a for a in auctions if a.state == AuctionState.OPEN), None),
        "last": _describe_run(run) if run else None,
        "network": None if run else _plain_network(),
        "latest": _latest_results(),
        "listing_count": listings.count(),
        "supplier_count": listings.values("organisation").distinct().count(),
        "hub_count": listings.values("pool__hub").distinct().count(),
    }


def _describe_auction(auction: Auction) -> dict[str, Any]:
    label, moment = next_event(auction)
    return {
        "auction": auction,
        "name": auction_name(auction),
        "url": reverse("auction", args=[auction.code]),
        "event_label": label,
        "event_at": moment,
    }


def _describe_run(run: ClearingRun) -> LastResult:
    volumes = product_volumes(run=run)
    before = _prices_before(run)
    traded = {hub for (hub, _product), cell in prices_of_run(run).items() if cell.supplied > 0}
    return LastResult(
        run=run,
        name=auction_name(run.auction),
        url=reverse("auction", args=[run.auction.code]),
        lines=[_line(volume, before.get(volume.product.pk)) for volume in volumes],
        hubs_trading=len(traded),
        flows=flow_shares(run),
        network=network_chart(read_link_loads(run), busiest=14),
    )


def _prices_before(run: ClearingRun) -> dict[int, Decimal | None]:
    """Return the average prices of the auction of the same calendar before this one."""
    before = (
        ClearingRun.objects.filter(
            state=RunState.PUBLISHED,
            auction__calendar=run.auction.calendar,
            auction__delivery_starts_at__lt=run.auction.delivery_starts_at,
        )
        .select_related("auction")
        .order_by("-auction__delivery_starts_at", "-id")
        .first()
    )
    if before is None:
        return {}
    return {volume.product.pk: volume.average_price for volume in product_volumes(run=before)}


def _line(volume: ProductVolume, before: Decimal | None) -> ProductLine:
    change = None
    if before and volume.average_price is not None:
        change = (volume.average_price / before - 1) * 100
    return ProductLine(
        product=volume.product,
        price=volume.average_price,
        change_percent=change,
        unit_hours=volume.unit_hours,
        hubs=volume.hubs,
    )


def _plain_network() -> Chart:
    return network_picture(
        list(Link.objects.filter(active=True).select_related("from_hub", "to_hub"))
    )


def _latest_results() -> list[dict[str, Any]]:
    runs = (
        ClearingRun.objects.filter(state=RunState.PUBLISHED)
        .select_related("auction__calendar")
        .order_by("-published_at", "-id")[:LATEST]
    )
    return [
        {
            "name": auction_name(run.auction),
            "url": reverse("auction", args=[run.auction.code]),
            "value": group_digits(run.buyer_payments_cny or ZERO, 0),
            "orders": run.order_count,
            "published_at": run.published_at,
        }
        for run in runs
    ]
