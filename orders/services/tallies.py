"""What a published result says about each order, before it is put into words."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from orders.domain.cheapest_periods import cheapest_average
from orders.models import OrderSide
from orders.services.price_books import PriceBooks, price_at
from orders.services.run_context import RunContext

# (hub, product, period, units)
Leg = tuple[str, str, int, Decimal]


@dataclass(frozen=True)
class Missed:
    """Units that were not taken, at their own limit; prices per period.

    With a `duration` only so many of the periods are wanted, in a row or not.
    """

    limit: Decimal
    price: Decimal
    legs: tuple[Leg, ...]
    duration: int | None = None
    in_a_row: bool = True

    def average(self, price_at: Callable[[str, str, int], Decimal | None]) -> Decimal | None:
        """Return what a unit would cost a period at other prices, None where there is none."""
        prices = [price_at(hub, product, period) for hub, product, period, _ in self.legs]
        if self.duration is not None:
            return cheapest_average(prices, self.duration, in_a_row=self.in_a_row)
        units = sum((leg[3] for leg in self.legs), Decimal(0))
        if not units or any(price is None for price in prices):
            return None
        pairs = zip(prices, self.legs, strict=True)
        return sum(((price or Decimal(0)) * leg[3] for price, leg in pairs), Decimal(0)) / units


@dataclass
class Tally:
    """What a result says about one order, in unit-periods."""

    wanted: Decimal = Decimal(0)
    accepted: Decimal = Decimal(0)
    cut_at_margin: bool = False
    cut_by_listing: bool = False
    # Of the units that were not taken, those whose limit is nearest to the price.
    missed: Missed | None = None
    miss: Decimal = Decimal(0)
    has_price: bool = False
    status: str = ""
    reason: str = ""
    options: list[dict[str, object]] = field(default_factory=list)

    def note(self, missed: Missed, *, is_buy: bool) -> None:
        """Remember units that were not taken if they came nearer than those before."""
        gap = missed.price - missed.limit if is_buy else missed.limit - missed.price
        gap = max(gap, Decimal(0))
        if self.missed is None or gap < self.miss:
            self.missed, self.miss = missed, gap


def read_tallies(context: RunContext, books: PriceBooks) -> dict[str, Tally]:
    """Return the tally of every order of the result, by its name in the bundle."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    taken = _taken(context)
    _tally_curves(context, tallies, books)
    _tally_blocks(context, tallies, taken, books)
    _tally_windowed(context, tallies, taken, books)
    return tallies


def _taken(context: RunContext) -> Mapping[str, Decimal]:
    """Return the unit-periods of every order in the assignments."""
    taken: dict[str, Decimal] = defaultdict(Decimal)
    for assignment in context.result.assignments:
        taken[assignment.buy_order_id] += assignment.quantity
        taken[assignment.sell_order_id] += assignment.quantity
    return taken


def _tally_curves(context: RunContext, tallies: dict[str, Tally], books: PriceBooks) -> None:
    for row in context.result.curve_results:
        tally = tallies[row.order_id]
        tally.wanted += row.quantity
        tally.accepted += row.accepted_quantity
        is_buy = row.side == OrderSide.BUY
        limits = context.limits_of(context.orders[row.order_id], row.product)
        book = books.buys if is_buy else books.sells
        price = book.get((row.hub, row.product, limits, row.period))
        if price is None:
            continue
        tally.has_price = True
        if row.accepted_quantity < row.quantity:
            tally.cut_at_margin |= row.price == price
            tally.cut_by_listing |= row.reason == "listing_full"
            legs = ((row.hub, row.product, row.period, row.quantity),)
            tally.note(Missed(row.price, price, legs), is_buy=is_buy)


def _tally_blocks(
    context: RunContext,
    tallies: dict[str, Tally],
    taken: Mapping[str, Decimal],
    books: PriceBooks,
) -> None:
    profiles = _profiles(context)
    for row in context.result.block_results:
        tally = tallies[row.order_id]
        order = context.orders[row.order_id]
        limit, legs = profiles[row.order_id, row.option_id]
        wanted = sum((units for *_, units in legs), Decimal(0))
        if row.acceptance or not tally.accepted:
            tally.wanted = wanted if row.acceptance else max(tally.wanted, wanted)
        tally.accepted = taken.get(row.order_id, Decimal(0))
        tally.status = _stronger(tally.status, row.status)
        tally.reason = row.reason if tally.status == row.status else tally.reason
        option: dict[str, object] = {
            "option": row.option_id,
            "status": row.status,
            "reason": row.reason,
        }
        tally.options.append(option)
        is_buy = order.side == OrderSide.BUY
        limits = context.limits_of(order, legs[0][1])
        missed = Missed(limit, Decimal(0), legs)
        average = missed.average(price_at(books.buys if is_buy else books.sells, limits))
        if average is not None:
            tally.has_price = True
            tally.note(Missed(limit, average, legs), is_buy=is_buy)


def _tally_windowed(
    context: RunContext,
    tallies: dict[str, Tally],
    taken: Mapping[str, Decimal],
    books: PriceBooks,
) -> None:
    """Read what became of flexible and interruptible orders."""
    bundle = context.bundle
    jobs = {job.order_id: job for job in bundle.flexibles}
    for row in context.result.flexible_results:
        job, tally = jobs[row.order_id], tallies[row.order_id]
        product, hub = bundle.products[job.product], bundle.hubs[job.hub]
        units = job.quantity_lots * product.quantity_tick
        tally.wanted = units * job.duration
        tally.accepted = taken.get(row.order_id, Decimal(0))
        tally.status, tally.reason = row.status, row.reason
        limits = context.limits_of(context.orders[row.order_id], product.name)
        window = range(job.earliest_period + 1, job.latest_period + 2)
        legs = tuple((hub, product.name, period, units) for period in window)
        shape = (job.duration, not job.interruptible)
        missed = Missed(job.limit_price, Decimal(0), legs, *shape)
        average = missed.average(price_at(books.buys, limits))
        if average is not None:
            tally.has_price = True
            tally.note(Missed(job.limit_price, average, legs, *shape), is_buy=True)


def _profiles(
    context: RunContext,
) -> dict[tuple[str, str], tuple[Decimal, tuple[Leg, ...]]]:
    bundle = context.bundle
    found = {}
    for block in bundle.blocks:
        for option in block.options:
            legs = tuple(
                (
                    bundle.hubs[leg.hub],
                    bundle.products[leg.product].name,
                    leg.period + 1,
                    leg.quantity_lots * bundle.products[leg.product].quantity_tick,
                )
                for leg in option.legs
            )
            found[block.order_id, option.option_id] = (option.limit_price, legs)
    return found


_STRENGTH = (
    *("", "rejected", "not_placeable", "paradoxically_rejected"),
    *("partly_accepted", "accepted"),
)


def _stronger(one: str, other: str) -> str:
    return max(one, other, key=_STRENGTH.index)
