"""Rules 2, 5, 7 and the money of flexible and interruptible orders.

A result states an acceptance; which periods serve the order is read from its assignments.
"""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise

from orders.clearing.types import FlexibleOrder, FlexibleResultRow, Product
from orders.clearing.verification_facts import Class, Facts
from orders.clearing.verification_orders import STATUSES, OrderChecks

_ZERO = Decimal(0)
_ONE = Decimal(1)
_Source = tuple[str, Class, str]


class FlexibleChecks:
    """Walks through the flexible and interruptible orders."""

    def __init__(self, facts: Facts, orders: OrderChecks) -> None:
        self._facts = facts
        self._orders = orders
        self._profile: dict[str, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        self._sources: dict[str, set[_Source]] = defaultdict(set)

    def run(self) -> None:
        """Check all orders."""
        facts = self._facts
        jobs = {order.order_id: order for order in facts.auction.flexibles}
        rows = facts.result.flexible_results
        if len(rows) != len(jobs) or {row.order_id for row in rows} != jobs.keys():
            facts.report("8", "flexible_results", "not exactly one row for each order")
            return
        self._read_assignments(jobs)
        for row in rows:
            self._check(jobs[row.order_id], row)

    def _read_assignments(self, jobs: Mapping[str, FlexibleOrder]) -> None:
        facts = self._facts
        for row in facts.served(jobs.keys()):
            job = jobs[row.buy_order_id]
            place = facts.auction.hubs[job.hub], facts.auction.products[job.product].name
            if (row.hub, row.product) != place or row.option_id:
                facts.report("7", job.order_id, f"served at {row.hub} with {row.product}")
                continue
            self._profile[job.order_id][row.period] += row.quantity
            intensity = facts.intensity(row.sell_order_id, row.hub_of_supply)
            carbon = facts.supply_class(row.product, intensity)
            level = facts.active_class(row.product, carbon)
            self._sources[job.order_id].add((row.hub_of_supply, level, row.listing_id))

    def _check(self, job: FlexibleOrder, row: FlexibleResultRow) -> None:
        self._check_ratio(job, row)
        profile = dict(self._profile[job.order_id])
        if row.acceptance > 0:
            self._check_profile(job, row.acceptance, profile)
            self._check_listing(job)
            self._settle(job, row, profile)
            return
        if row.payment or row.surplus:
            self._facts.report("8", job.order_id, "a rejected order has money")
        if profile:
            self._facts.report("1", job.order_id, "a rejected order is served")
        if row.status == "rejected" and self._is_paradox(job):
            self._facts.report("5", job.order_id, "in the money and rejected, but not reported so")
        named = row.status == "paradoxically_rejected" and job.placement != "single"
        if named and not self._is_paradox(job):
            self._facts.report("5", job.order_id, "reported as in the money, which it is not")

    def _check_ratio(self, job: FlexibleOrder, row: FlexibleResultRow) -> None:
        facts, ratio = self._facts, row.acceptance
        if ratio < 0 or (ratio != 0 and not job.min_acceptance <= ratio <= 1):
            facts.report("7", job.order_id, f"acceptance {ratio}, minimum {job.min_acceptance}")
        if ratio > 0:
            expected = "accepted" if ratio == 1 else "partly_accepted"
            if row.status != expected:
                facts.report("5", job.order_id, f"status {row.status} where {expected} is meant")
        elif row.status not in STATUSES[2:]:
            facts.report("5", job.order_id, f"status {row.status} with acceptance {ratio}")

    def _product(self, job: FlexibleOrder) -> Product:
        return self._facts.auction.products[job.product]

    def _check_profile(
        self, job: FlexibleOrder, ratio: Decimal, profile: Mapping[int, Decimal]
    ) -> None:
        """Check window, contiguity and quantities against the acceptance."""
        facts = self._facts
        tick = self._product(job).quantity_tick
        window = range(job.earliest_period + 1, job.latest_period + 2)
        outside = sorted(set(profile) - set(window))
        if outside:
            facts.report("7", job.order_id, f"served in period {outside[0]}, outside its window")
        if job.interruptible:
            self._check_total(job, ratio, profile, len(window))
            return
        wanted = int(ratio * job.quantity_lots) * tick
        periods = sorted(profile)
        if wanted and len(periods) != job.duration:
            facts.report("7", job.order_id, f"runs for {len(periods)} periods of {job.duration}")
        if any(later - sooner != 1 for sooner, later in pairwise(periods)):
            facts.report("7", job.order_id, "its periods have a gap")
        for period, quantity in sorted(profile.items()):
            if quantity != wanted:
                facts.report("7", job.order_id, f"{quantity} in period {period}, not {wanted}")

    def _check_total(
        self, job: FlexibleOrder, ratio: Decimal, profile: Mapping[int, Decimal], window: int
    ) -> None:
        """An interruptible order gets its total; a part of it, less than a lot a period short."""
        facts = self._facts
        tick = self._product(job).quantity_tick
        most = job.quantity_lots * tick
        for period, quantity in sorted(profile.items()):
            if quantity > most:
                facts.report("2", job.order_id, f"{quantity} in period {period}, at most {most}")
        total = sum(profile.values(), _ZERO)
        wanted = ratio * job.quantity_lots * job.duration * tick
        slack = _ZERO if ratio == 1 else window * tick
        if total > wanted or (total <= wanted - slack and total != wanted):
            facts.report("7", job.order_id, f"{total} unit-periods where {wanted} are accepted")

    def _check_listing(self, job: FlexibleOrder) -> None:
        sources = self._sources[job.order_id]
        if job.placement != "single" or not sources:
            return
        if len(sources) > 1:
            self._facts.report("7", job.order_id, f"placed on {len(sources)} listings")
        for *_, listing in sources:
            if job.eligible_listings and listing not in job.eligible_listings:
                self._facts.report("7", job.order_id, f"the listing {listing} is not eligible")

    def _settle(
        self, job: FlexibleOrder, row: FlexibleResultRow, profile: Mapping[int, Decimal]
    ) -> None:
        """Check the money of an accepted order and note its quantities."""
        facts, product = self._facts, self._product(job)
        hub = facts.auction.hubs[job.hub]
        paid = _ZERO
        for period, quantity in profile.items():
            price = self._price(job, period)
            if price is None:
                facts.report("5", job.order_id, "accepted where there is no price")
                return
            paid += price * quantity
            key = (job.order_id, "", hub, product.name, period)
            self._orders.bought.add(key, quantity)
        total = sum(profile.values(), _ZERO)
        value = job.limit_price * total
        self._orders.value += value
        self._orders.paid += paid
        gain = value - paid
        if row.payment != paid or row.surplus != gain:
            stated = f"payment {row.payment}, surplus {row.surplus}"
            facts.report("8", job.order_id, f"{stated}; exact {paid}, {gain}")
        if gain < 0:
            facts.report("5", job.order_id, f"accepted at a loss of {-gain}")
        part_filled = job.min_acceptance < row.acceptance < 1
        if part_filled and abs(gain) > total * product.clearing_price_tick:
            facts.report("5", job.order_id, f"part-filled with a surplus of {gain}")

    def _price(self, job: FlexibleOrder, period: int) -> Decimal | None:
        hub, product = self._facts.auction.hubs[job.hub], self._product(job).name
        if job.placement == "single":
            source = min(self._sources[job.order_id], key=str)
            return self._orders.placed_price(source, hub, product, period)
        key = (hub, product, job.max_rtt_ms, job.max_carbon, period)
        return self._facts.delivered_price.get(key)

    def _is_paradox(self, job: FlexibleOrder) -> bool:
        """Whether an unplaced order is in the money somewhere in its window."""
        if job.placement == "single":
            return False
        window = range(job.earliest_period + 1, job.latest_period + 2)
        best = best_unit_surplus(job, {t: self._price(job, t) for t in window}, _ONE)
        return best is not None and best > 0


def best_unit_surplus(
    job: FlexibleOrder, prices: Mapping[int, Decimal | None], least: Decimal
) -> Decimal | None:
    """Return the best surplus of one unit over a window, None where the order does not fit.

    Args:
        job: the order.
        prices: by period of its window.
        least: the share of an interruptible order's total that must be taken, 0 to 1; what is
            beyond it is taken only where it pays.
    """
    periods = sorted(prices)
    if job.interruptible:
        known = sorted(price for price in prices.values() if price is not None)
        must = least * job.duration
        if len(known) < must:
            return None
        total = _ZERO
        for rank, price in enumerate(known[: job.duration]):
            forced = min(_ONE, max(_ZERO, must - rank))
            total += max(job.limit_price - price, _ZERO)
            total += min(job.limit_price - price, _ZERO) * forced
        return total
    best: Decimal | None = None
    for start in range(len(periods) - job.duration + 1):
        run = [prices[period] for period in periods[start : start + job.duration]]
        if all(price is not None for price in run):
            own = job.limit_price * job.duration - sum((p for p in run if p is not None), _ZERO)
            best = own if best is None else max(best, own)
    return best
