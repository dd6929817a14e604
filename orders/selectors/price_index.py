"""Spot prices by trading day and auction, and the index made of them. CNY, 不含税.

Spot is what day-ahead and intraday auctions sell; a trading day is the market's date of
publication. Definition: docs/reference/price-index.md.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Max

from marketplace.domain.periods import MARKET_TIME_ZONE, local_instant, market_date
from orders.domain.price_index import NOTHING, Traded, composite_index, index_of
from orders.models import CalendarKind, ClearingRun, RunState

SPOT_KINDS = (CalendarKind.DAY_AHEAD.value, CalendarKind.INTRADAY.value)
MIDNIGHT = time(0)
_CACHE_SECONDS = 3600
_DAY = "(r.published_at AT TIME ZONE %(zone)s)::date"
_BY_DAY = f"""
SELECT {_DAY}, s.product_id, s.hub_id, sum(s.unit_hours), sum(s.value_cny)
  FROM orders_pricesummary s
  JOIN orders_clearingrun r ON r.id = s.run_id
  JOIN orders_auction a ON a.id = r.auction_id
  JOIN orders_auctioncalendar c ON c.id = a.calendar_id
 WHERE r.state = 'published' AND c.kind = ANY(%(kinds)s)
   AND r.published_at >= %(since)s AND r.published_at < %(until)s
   AND (%(product)s::bigint IS NULL OR s.product_id = %(product)s)
 GROUP BY 1, 2, 3
"""  # noqa: S608 - built from constants
_FIRST_DAYS = f"""
SELECT DISTINCT ON (s.product_id) s.product_id, {_DAY} AS day
  FROM orders_pricesummary s
  JOIN orders_clearingrun r ON r.id = s.run_id
  JOIN orders_auction a ON a.id = r.auction_id
  JOIN orders_auctioncalendar c ON c.id = a.calendar_id
 WHERE r.state = 'published' AND c.kind = ANY(%(kinds)s)
 ORDER BY s.product_id, r.published_at
"""  # noqa: S608 - built from constants
_BASE = f"""
WITH first AS ({_FIRST_DAYS})
SELECT s.product_id, sum(s.value_cny) / sum(s.unit_hours)
  FROM orders_pricesummary s
  JOIN first f ON f.product_id = s.product_id
  JOIN orders_clearingrun r ON r.id = s.run_id
  JOIN orders_auction a ON a.id = r.auction_id
  JOIN orders_auctioncalendar c ON c.id = a.calendar_id
 WHERE r.state = 'published' AND c.kind = ANY(%(kinds)s) AND {_DAY} = f.day
 GROUP BY s.product_id
"""  # noqa: S608 - built from constants
_BY_AUCTION = """
WITH latest AS (
    SELECT r.id, r.published_at
      FROM orders_clearingrun r
      JOIN orders_auction a ON a.id = r.auction_id
      JOIN orders_auctioncalendar c ON c.id = a.calendar_id
     WHERE r.state = 'published' AND c.kind = ANY(%(kinds)s)
       AND EXISTS (SELECT FROM orders_pricesummary s
                    WHERE s.run_id = r.id AND s.product_id = %(product)s)
     ORDER BY r.published_at DESC, r.id DESC LIMIT %(limit)s
)
SELECT l.id, l.published_at, s.hub_id, s.unit_hours, s.value_cny
  FROM latest l
  JOIN orders_pricesummary s ON s.run_id = l.id AND s.product_id = %(product)s
 ORDER BY l.published_at, l.id
"""


@dataclass
class Sold:
    """What was sold of the products at each hub in one trading day or one auction."""

    label_at: date | datetime
    cells: dict[tuple[int, int], Traded] = field(default_factory=dict)

    def of_product(self, product_id: int) -> Traded:
        """Return the sum over all hubs."""
        return self._sum(product_id, None)

    def at_hub(self, product_id: int, hub_id: int) -> Traded:
        """Return what one hub sold."""
        return self.cells.get((product_id, hub_id), NOTHING)

    def by_product(self) -> dict[int, Traded]:
        """Return the sums over all hubs by product."""
        return {product: self._sum(product, None) for product, _hub in self.cells}

    def _sum(self, product_id: int, hub_id: int | None) -> Traded:
        total = NOTHING
        for (product, hub), sums in self.cells.items():
            if product == product_id and hub_id in (None, hub):
                total = total + sums
        return total


def published_state() -> str:
    """Return a name for the set of published runs, which only grows; caches are kept under it."""
    found = ClearingRun.objects.filter(state=RunState.PUBLISHED).aggregate(Count("id"), Max("id"))
    return f"{found['id__count']}-{found['id__max'] or 0}"


def sold_by_day(*, since: date, until: date, product_id: int | None = None) -> list[Sold]:
    """Return the trading days in [since, until] on which something was sold, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            _BY_DAY,
            {
                "zone": str(MARKET_TIME_ZONE),
                "kinds": list(SPOT_KINDS),
                "since": local_instant(since, MIDNIGHT),
                "until": local_instant(until + timedelta(days=1), MIDNIGHT),
                "product": product_id,
            },
        )
        rows = cursor.fetchall()
    days: dict[date, Sold] = {}
    for day, product, hub, unit_hours, value in rows:
        days.setdefault(day, Sold(day)).cells[product, hub] = Traded(unit_hours, value)
    return [days[day] for day in sorted(days)]


def sold_by_auction(*, product_id: int, limit: int) -> list[Sold]:
    """Return the newest spot auctions that sold a product, oldest first, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            _BY_AUCTION, {"kinds": list(SPOT_KINDS), "product": product_id, "limit": limit}
        )
        rows = cursor.fetchall()
    runs: dict[int, Sold] = {}
    for run, published_at, hub, unit_hours, value in rows:
        runs.setdefault(run, Sold(published_at)).cells[product_id, hub] = Traded(unit_hours, value)
    return list(runs.values())


def base_prices() -> dict[int, Decimal]:
    """Return the price of each product on its first trading day, all hubs together.

    Kept until another run is published: only while a product's first day lasts can they change.
    """
    key = f"index-base:{published_state()}"
    found: dict[int, Decimal] | None = cache.get(key)
    if found is None:
        with connection.cursor() as cursor:
            cursor.execute(_BASE, {"zone": str(MARKET_TIME_ZONE), "kinds": list(SPOT_KINDS)})
            found = dict(cursor.fetchall())
        cache.set(key, found, _CACHE_SECONDS)
    return found


@dataclass(frozen=True)
class CompositeDay:
    """The index over all products on one trading day, and its change against the day before."""

    day: date
    index: Decimal
    change_percent: Decimal | None


def composite_days(*, today: date) -> list[CompositeDay]:
    """Return the index over all products for every trading day until today.

    Finished days are chained once a day; what was published since is added to them.
    """
    key = f"composite-index:{published_state()}:{today.isoformat()}"
    found: list[CompositeDay] | None = cache.get(key)
    if found is None:
        days = sold_by_day(since=date(2000, 1, 1), until=today)
        found = _composite(days)
        cache.set(key, found, _CACHE_SECONDS)
    return found


def _composite(days: list[Sold]) -> list[CompositeDay]:
    levels = composite_index([day.by_product() for day in days])
    rows: list[CompositeDay] = []
    for day, level in zip(days, levels, strict=True):
        if level is None or not isinstance(day.label_at, date):
            continue
        change = (level / rows[-1].index - 1) * 100 if rows else None
        rows.append(CompositeDay(day.label_at, level, change))
    return rows


def product_index(sold: Sold, product_id: int, base_price: Decimal | None) -> Decimal | None:
    """Return a product's index over all hubs."""
    return index_of(sold.of_product(product_id).price, base_price)


def hub_index(
    sold: Sold, product_id: int, hub_id: int, base_price: Decimal | None
) -> Decimal | None:
    """Return a hub's index against the product's base over all hubs: hubs can be compared."""
    return index_of(sold.at_hub(product_id, hub_id).price, base_price)


def trading_day_of(instant: datetime) -> date:
    """Return the trading day of a publication."""
    return market_date(instant)
