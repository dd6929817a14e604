"""The command-centre screen (大屏): the market at one look, live, for a wall of 1920 × 1080."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from marketplace.context_processors import clock_of
from marketplace.domain.periods import market_date
from marketplace.models import Link
from marketplace.selectors.clock import market_now
from marketplace.web.charts import Chart
from marketplace.web.hub_pages import network_picture
from marketplace.web.polling import fingerprint, polled, unchanged
from orders.models import Auction, AuctionState, ClearingRun
from orders.selectors.market_day import MarketDay, market_day, trading_days
from orders.selectors.market_runs import latest_traded_run
from orders.selectors.price_index import published_state
from orders.selectors.trades import latest_trades
from orders.web.auction_pages import way_of
from orders.web.flow_charts import network_chart, read_link_loads, shares_of
from orders.web.names import auction_name
from orders.web.strip import AT_WORK, current_auctions, next_event

TRADES = 10
BUSIEST = 16
FRESH_SHOWN = 3
JUST_NOW_S = 90


@dataclass(frozen=True, slots=True)
class Focus:
    """The auction that the hall looks at: one in clearing, else the one that closes next."""

    auction: Auction
    name: str
    event_label: str
    event_at: Any
    is_closing: bool
    steps: list[dict[str, Any]]


@require_safe
def show_screen(request: HttpRequest) -> HttpResponse:
    """Show the whole screen."""
    return render(request, "orders/screen.html", {"board": describe_board(request)})


@require_safe
def show_board(request: HttpRequest) -> HttpResponse:
    """Answer what changes by itself; 204 or 304 when the asker already shows it."""
    auctions = current_auctions()
    state = _state(request, auctions)
    answer = unchanged(request, state)
    if answer is not None:
        return answer
    board = describe_board(request, auctions)
    return polled(render(request, "orders/screen.html#board", {"board": board}), state=state)


def describe_board(request: HttpRequest, auctions: list[Auction] | None = None) -> dict[str, Any]:
    """Return the figures of the screen and the address that tells the next ones."""
    auctions = current_auctions() if auctions is None else auctions
    days = trading_days(today=market_date(market_now()))
    day = market_day(days[0]) if days else None
    run = latest_traded_run() if day else None
    return {
        "poll_url": f"{reverse('screen-board')}?seen={_state(request, auctions)}",
        "focus": _focus(auctions),
        "others": [_line(auction) for auction in auctions[1 : 1 + FRESH_SHOWN]],
        "day": day,
        "flows": shares_of(day.flow_values_cny) if day else [],
        "run": run,
        "run_name": auction_name(run.auction) if run else "",
        "just_published": _is_fresh(run),
        "network": _network(run),
        "trades": latest_trades(limit=TRADES) if day else [],
        "unit_hours": _card_hours(day),
    }


def _state(request: HttpRequest, auctions: list[Auction]) -> str:
    shown = ((a.pk, a.state, a.gate_closes_at) for a in auctions)
    return fingerprint(clock_of(request).setting, published_state(), *shown)


def _focus(auctions: list[Auction]) -> Focus | None:
    """Return the auction in clearing: the moment after the gate is what people came to see."""
    working = [a for a in auctions if a.state in AT_WORK and a.state != AuctionState.HALTED]
    auction = next(iter(working), None) or next(iter(auctions), None)
    if auction is None:
        return None
    label, moment = next_event(auction)
    return Focus(
        auction=auction,
        name=auction_name(auction),
        event_label=label,
        event_at=moment,
        is_closing=bool(working),
        steps=way_of(auction)[1:6],
    )


def _line(auction: Auction) -> dict[str, Any]:
    label, moment = next_event(auction)
    return {
        "auction": auction,
        "name": auction_name(auction),
        "event_label": label,
        "event_at": moment,
    }


def _is_fresh(run: ClearingRun | None) -> bool:
    """Tell whether the newest result came in just now, in market time."""
    if run is None or run.published_at is None:
        return False
    return (market_now() - run.published_at).total_seconds() < JUST_NOW_S


def _network(run: ClearingRun | None) -> Chart:
    if run is not None:
        return replace(network_chart(read_link_loads(run), busiest=BUSIEST), id="screen-network")
    links = Link.objects.filter(active=True).select_related("from_hub", "to_hub")
    return replace(network_picture(list(links)), id="screen-network")


def _card_hours(day: MarketDay | None) -> Decimal:
    """Return the accelerator card-hours of the day: the unit that a hall knows."""
    if day is None:
        return Decimal(0)
    sold = [row.traded.unit_hours for row in day.products if row.product.resource_class == "AI"]
    return sum(sold, Decimal(0))
