"""What an order may expect from prices that recent auctions published, and from whom.

CNY per unit and hour, 不含税. An estimate (`docs/explanation/buying-plans.md`), never a promise.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings

from marketplace.domain.decimals import add_exactly
from marketplace.domain.money import round_quotient
from marketplace.models import Hub, Product
from marketplace.selectors.hubs import hubs_within, routes_from
from orders.domain.price_chance import (
    PRICE_PLACES,
    RecentAuction,
    curve_chance,
    flexible_means,
    interruptible_means,
    share_at_most,
    window_means,
)
from orders.models import Auction, OrderKind
from orders.selectors.buying_plans import transport_price
from orders.selectors.capacity import period_starts
from orders.selectors.price_samples import (
    delivered_samples,
    prices_here,
    recent_runs,
    supply_samples,
)
from orders.selectors.supply_in_reach import declared_carbon, hubs_within_carbon

MINUTES_PER_HOUR = 60


@dataclass(frozen=True)
class Wish:
    """The part of an order that one price decides on.

    Attributes:
        product: what is bought.
        hub: where it is used.
        max_rtt_ms: latency class; None for no limit.
        periods: the periods it touches, in order.
        steps: (limit price, units) pairs; one for everything but a curve.
        duration: periods that a flexible or interruptible order needs.
        max_carbon_g: carbon class, g per unit-hour; None for no limit.
    """

    product: Product
    hub: Hub
    max_rtt_ms: Decimal | None
    periods: Sequence[int]
    steps: Sequence[tuple[Decimal, Decimal]]
    duration: int = 0
    max_carbon_g: Decimal | None = None


@dataclass(frozen=True)
class Outlook:
    """What recent auctions say about a wish.

    Attributes:
        seen: auctions of the last days that had any of these hours.
        lowest: lowest mean price of the window among them; None without any.
        mean: mean of the means.
        highest: highest of them.
        chance: share of those auctions (of a curve: of units and hours) within the limit.
        hub: hub that recent supply prices and tariffs make the cheapest; None without any.
        grams: declared carbon there, g per unit-hour.
    """

    seen: int
    lowest: Decimal | None
    mean: Decimal | None
    highest: Decimal | None
    chance: Decimal | None
    hub: Hub | None
    grams: Decimal | None


def price_outlook(*, auction: Auction, kind: str, wish: Wish, now: datetime) -> Outlook:
    """Return what recent auctions say about a wish, in a fixed number of queries."""
    runs = recent_runs(product=wish.product, now=now)
    hours = hours_of_periods(auction, wish.periods)
    reached = _hubs_that_may_serve(wish)
    routes = routes_from(wish.hub.code)
    transport = {
        key: transport_price(wish.product, routes[hub.code]) for key, hub in reached.items()
    }
    product, most_grams = wish.product, wish.max_carbon_g
    supply = supply_samples(product=product, hubs=reached, runs=runs, max_carbon_g=most_grams)
    delivered = delivered_samples(
        product=product,
        hub=wish.hub,
        max_rtt_ms=wish.max_rtt_ms,
        runs=runs,
        max_carbon_g=most_grams,
    )
    recent = prices_here(delivered=delivered, supply=supply, transport=transport)
    means = _means(kind, recent, hours, _hours_long(auction, wish.duration))
    best = max((limit for limit, _ in wish.steps), default=Decimal(0))
    chance = (
        curve_chance(recent, hours, wish.steps)
        if kind == OrderKind.CURVE
        else share_at_most(means, best)
    )
    hub = _expected_hub(supply, transport, hours, reached)
    carbon = declared_carbon(product=product, max_carbon_g=most_grams)
    return Outlook(
        seen=len(means),
        lowest=min(means, default=None),
        mean=round_quotient(add_exactly(means), len(means), PRICE_PLACES) if means else None,
        highest=max(means, default=None),
        chance=chance,
        hub=hub,
        grams=carbon.get(hub.pk) if hub else None,
    )


def _hubs_that_may_serve(wish: Wish) -> dict[int, Hub]:
    """Return the hubs within the latency class that list something within the carbon class."""
    reached = {hub.pk: hub for hub, _ in hubs_within(wish.hub, wish.max_rtt_ms)}
    if wish.max_carbon_g is None:
        return reached
    within = hubs_within_carbon(product=wish.product, hubs=reached, max_carbon_g=wish.max_carbon_g)
    return {key: hub for key, hub in reached.items() if key in within}


def hours_of_periods(auction: Auction, periods: Iterable[int]) -> tuple[int, ...]:
    """Return the hours of the day that periods of an auction touch, each once, in order."""
    zone = ZoneInfo(settings.MARKET_TIME_ZONE)
    starts = period_starts(auction)
    steps = max(1, -(-auction.period_minutes // MINUTES_PER_HOUR))
    found: dict[int, None] = {}
    for period in periods:
        for step in range(min(steps, 24)):
            moment = starts[period - 1] + timedelta(hours=step)
            found[moment.astimezone(zone).hour] = None
    return tuple(found)


def _hours_long(auction: Auction, duration: int) -> int:
    return max(1, -(-duration * auction.period_minutes // MINUTES_PER_HOUR))


def _means(
    kind: str, recent: Sequence[RecentAuction], hours: Sequence[int], duration: int
) -> list[Decimal]:
    if kind == "flexible":
        return flexible_means(recent, hours, duration)
    if kind == "interruptible":
        return interruptible_means(recent, hours, duration)
    return window_means(recent, hours)


def _expected_hub(
    supply: Mapping[int, Sequence[RecentAuction]],
    transport: Mapping[int, Decimal],
    hours: Sequence[int],
    reached: Mapping[int, Hub],
) -> Hub | None:
    """Return the hub whose supply, brought here, was cheapest lately; ties by code."""
    costs: list[tuple[Decimal, str, Hub]] = []
    for hub_id, recent in supply.items():
        means = window_means(recent, hours)
        if means:
            mean = round_quotient(add_exactly(means), len(means), PRICE_PLACES)
            costs.append((mean + transport[hub_id], reached[hub_id].code, reached[hub_id]))
    return min(costs, key=lambda cost: cost[:2])[2] if costs else None
