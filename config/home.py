"""The figures of the home page: what the market does now, and what it did last."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse

from marketplace.domain.periods import market_date
from marketplace.models import Link, Listing, ListingState, Product, ResourceClass
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_ui import group_digits
from marketplace.web.charts import Chart
from marketplace.web.hub_pages import network_picture
from orders.models import Auction, AuctionState, ClearingRun
from orders.selectors.dividend import latest_dividend
from orders.selectors.market_day import MarketDay, market_day, trading_days
from orders.selectors.market_runs import traded_runs
from orders.web.flow_charts import (
    FlowShare,
    network_chart,
    read_link_loads,
    shares_of,
)
from orders.web.names import auction_name
from orders.web.recent_prices import latest_run
from orders.web.strip import current_auctions, next_event

LATEST = 5
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ClassVolume:
    """Unit-hours of a class of compute; classes count in units of their own."""

    label: str
    unit_hours: Decimal
    product: Product


@dataclass(frozen=True, slots=True)
class LastDay:
    """What the last trading day that sold something says."""

    figures: MarketDay
    volumes: list[ClassVolume]
    flows: list[FlowShare]
    run: ClearingRun
    run_name: str
    run_url: str
    network: Chart


def describe_home() -> dict[str, Any]:
    """Return the context of the home page, in a fixed number of queries."""
    auctions = current_auctions(limit=3)
    listings = Listing.objects.filter(state=ListingState.ACTIVE)
    last = _describe_last_day()
    dividend = latest_dividend()
    return {
        "auctions": [_describe_auction(auction) for auction in auctions],
        "next_gate": next((a for a in auctions if a.state == AuctionState.OPEN), None),
        "last": last,
        "dividend": dividend,
        "dividend_name": auction_name(dividend.auction) if dividend else "",
        "network": None if last else _plain_network(),
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


def _describe_last_day() -> LastDay | None:
    """Return the last day with volume: an auction that sold nothing hides no figures."""
    days = trading_days(today=market_date(market_now()))
    figures = market_day(days[0]) if days else None
    run = latest_run()
    if figures is None or run is None:
        return None
    return LastDay(
        figures=figures,
        volumes=_class_volumes(figures),
        flows=shares_of(figures.flow_values_cny),
        run=run,
        run_name=auction_name(run.auction),
        run_url=reverse("auction", args=[run.auction.code]),
        network=network_chart(read_link_loads(run), busiest=14),
    )


def _class_volumes(figures: MarketDay) -> list[ClassVolume]:
    """Return unit-hours by class and unit: cards and cores are never added up."""
    sums: dict[tuple[str, str], ClassVolume] = {}
    for row in figures.products:
        key = (row.product.resource_class, row.product.unit_en)
        sofar = sums[key].unit_hours if key in sums else ZERO
        label = str(ResourceClass(row.product.resource_class).label)
        sums[key] = ClassVolume(label, sofar + row.traded.unit_hours, row.product)
    return list(sums.values())


def _plain_network() -> Chart:
    return network_picture(
        list(Link.objects.filter(active=True).select_related("from_hub", "to_hub"))
    )


def _latest_results() -> list[dict[str, Any]]:
    """Return the newest auctions that sold something."""
    return [
        {
            "name": auction_name(run.auction),
            "url": reverse("auction", args=[run.auction.code]),
            "value": group_digits(run.buyer_payments_cny or ZERO, 0),
            "orders": run.order_count,
            "published_at": run.published_at,
        }
        for run in traded_runs()[:LATEST]
    ]
