"""Where, when and at what price some work could be bought: the candidates of the three plans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings

from marketplace.domain.decimals import multiply_exactly
from marketplace.domain.routes import Route
from marketplace.models import Hub, Product
from marketplace.selectors.hubs import hubs_within, routes_from
from orders.domain.buying_plans import Candidate
from orders.domain.price_chance import HOURS_OF_DAY, RecentAuction, hours_of_window
from orders.models import Auction
from orders.selectors.auctions import open_auctions
from orders.selectors.capacity import period_starts
from orders.selectors.price_samples import (
    delivered_samples,
    prices_here,
    recent_runs,
    supply_samples,
)
from orders.selectors.supply_in_reach import HubCarbonProfile, carbon_profiles, room_in_reach

PRICE_STEP = Decimal("0.0001")


@dataclass(frozen=True)
class Need:
    """Work to be done in one go.

    Attributes:
        product: what it runs on.
        hub: where its users or data are.
        max_rtt_ms: latency class; None for no limit.
        quantity: units at a time.
        hours: how long, in whole hours.
        finish_by: market time by which it must be over; None for any time.
    """

    product: Product
    hub: Hub
    max_rtt_ms: Decimal | None
    quantity: Decimal
    hours: int
    finish_by: datetime | None = None


def plan_candidates(*, need: Need, now: datetime) -> list[Candidate]:
    """Return every hub and window of the open auctions that could serve the need.

    A candidate's hub lies within the latency class and has enough listed, unsold units in every
    period. Its sample for a recent auction is the higher of two published prices over the same
    hours of the day: the hub's supply price with the tariff of the way, and the delivered price at
    the place of consumption, which holds the rent of full links. Hubs without a published price
    are left out.
    """
    reached = {hub.pk: (hub, rtt) for hub, rtt in hubs_within(need.hub, need.max_rtt_ms)}
    if not reached:
        return []
    samples = _Samples(need, reached, now)
    carbon = carbon_profiles(product=need.product)
    found: list[Candidate] = []
    auctions = open_auctions(now=now).filter(products=need.product)
    for auction in auctions.select_related("calendar"):
        rooms = room_in_reach(auction=auction, product=need.product, hubs=reached).by_hub()
        for first, last, starts_at in _windows(auction, need, now):
            for hub_id, room in rooms.items():
                if _least(room, first, last) < need.quantity:
                    continue
                prices = samples.of(hub_id, starts_at, need.hours)
                if not prices:
                    continue
                hub, rtt = reached[hub_id]
                grams, worst = _carbon(carbon.get(hub_id), starts_at, need.hours)
                found.append(
                    Candidate(
                        *(auction.code, hub.code, rtt, first, last, starts_at, prices),
                        grams=grams,
                        class_grams=worst,
                    )
                )
    return found


def _carbon(
    profile: HubCarbonProfile | None, starts_at: datetime, hours: int
) -> tuple[Decimal | None, Decimal | None]:
    """Return declared carbon of a window's own hours, and what holds in every hour."""
    if profile is None:
        return None, None
    first = starts_at.astimezone(ZoneInfo(settings.MARKET_TIME_ZONE)).hour
    wanted = ((first + step) % HOURS_OF_DAY for step in range(hours))
    return profile.mean(wanted), profile.worst


def _windows(auction: Auction, need: Need, now: datetime) -> list[tuple[int, int, datetime]]:
    """Return first and last period and start of each window that fits, soonest first."""
    count = -(-need.hours * 60 // auction.period_minutes)
    length = timedelta(minutes=auction.period_minutes)
    starts = period_starts(auction)
    return [
        (index + 1, index + count, start)
        for index, start in enumerate(starts[: len(starts) - count + 1])
        if start >= now and (need.finish_by is None or start + count * length <= need.finish_by)
    ]


def _least(room: Mapping[int, Decimal], first: int, last: int) -> Decimal:
    return min(room.get(period, Decimal(0)) for period in range(first, last + 1))


class _Samples:
    """Window prices by hub, looked up once for each hour of the day."""

    def __init__(
        self, need: Need, reached: Mapping[int, tuple[Hub, Decimal]], now: datetime
    ) -> None:
        runs = recent_runs(product=need.product, now=now)
        routes = routes_from(need.hub.code)
        self._transport = {
            hub_id: transport_price(need.product, routes[hub.code])
            for hub_id, (hub, _rtt) in reached.items()
        }
        self._supply = supply_samples(product=need.product, hubs=reached, runs=runs)
        delivered = delivered_samples(
            product=need.product, hub=need.hub, max_rtt_ms=need.max_rtt_ms, runs=runs
        )
        here = prices_here(delivered=delivered, supply=self._supply, transport=self._transport)
        self._delivered = {auction.run: auction for auction in here}
        self._zone = ZoneInfo(settings.MARKET_TIME_ZONE)
        self._known: dict[tuple[int, tuple[int, ...]], tuple[Decimal, ...]] = {}

    def of(self, hub_id: int, starts_at: datetime, hours: int) -> tuple[Decimal, ...]:
        """Return what the window would have cost from a hub in each recent auction."""
        first = starts_at.astimezone(self._zone).hour
        key = hub_id, hours_of_window(first, min(hours, HOURS_OF_DAY))
        if key not in self._known:
            self._known[key] = tuple(self._prices(hub_id, key[1]))
        return self._known[key]

    def _prices(self, hub_id: int, hours: Sequence[int]) -> list[Decimal]:
        found = []
        for auction in self._supply.get(hub_id, []):
            supply = auction.mean(hours)
            if supply is not None:
                price = supply + self._transport[hub_id]
                found.append(max(price, self._delivered_mean(auction, hours, price)))
        return found

    def _delivered_mean(
        self, auction: RecentAuction, hours: Sequence[int], otherwise: Decimal
    ) -> Decimal:
        delivered = self._delivered.get(auction.run)
        mean = delivered.mean(hours) if delivered else None
        return otherwise if mean is None else mean


def transport_price(product: Product, route: Route) -> Decimal:
    """Return the tariffs of a route for one unit of a product, CNY per hour."""
    return multiply_exactly(route.tariff, product.bandwidth_gbps_per_unit).quantize(PRICE_STEP)
