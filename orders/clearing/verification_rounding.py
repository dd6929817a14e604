"""How many lots off the exact answer whole lots may leave a cell of the published result."""

from collections import defaultdict
from decimal import Decimal

from orders.clearing.verification_facts import Facts

_ZERO = Decimal(0)
# Ratios are published with nine digits; what rounding up the last one adds is no fraction.
_RATIO_NOISE = Decimal("0.00000001")


class Rounding:
    """Counts what may leave fractions: full link directions and profiles filled in part.

    Without either, orders, offers and flows are a pure network with whole bounds, whose best
    answer is whole: then nothing may be off.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._full = self._full_directions()
        self._cut = self._cut_legs()

    def lots(self, product: str, period: int) -> int:
        """Return the lots that a cell may be off: one for each cause and one more, or none."""
        causes = self._cut[product, period]
        if self._facts.products[product].bandwidth:
            causes += self._full[period]
        return causes + 1 if causes else 0

    def _full_directions(self) -> dict[int, int]:
        """Return period to the number of directions with a rent or without room for a lot."""
        facts = self._facts
        used: dict[tuple[int, int, int], Decimal] = defaultdict(Decimal)
        for row in facts.result.flows:
            link = facts.link_number.get((row.from_hub, row.to_hub))
            if link is None or row.product not in facts.products:
                continue
            bandwidth = facts.products[row.product].bandwidth
            used[link, 0, row.period] += bandwidth * row.forward_quantity
            used[link, 1, row.period] += bandwidth * row.reverse_quantity
        need = max((p.bandwidth * p.quantity_tick for p in facts.products.values()), default=_ZERO)
        found: dict[int, int] = defaultdict(int)
        for number, link_terms in enumerate(facts.auction.links):
            sides = (link_terms.forward_capacity, link_terms.reverse_capacity)
            for direction, capacities in enumerate(sides):
                for period, capacity in enumerate(capacities, start=1):
                    key = (number, direction, period)
                    is_tight = used[key] > 0 and capacity - used[key] < need
                    found[period] += bool(is_tight or facts.rent.get(key, _ZERO) > 0)
        return found

    def _cut_legs(self) -> dict[tuple[str, int], int]:
        """Return (product, period) to what is filled in part and not in whole lots."""
        facts = self._facts
        found: dict[tuple[str, int], int] = defaultdict(int)
        for key, ratio in facts.acceptance.items():
            if not 0 < ratio < 1 or key not in facts.options:
                continue
            for leg in facts.options[key].legs:
                share = ratio * leg.quantity_lots
                if share - int(share) > _RATIO_NOISE * leg.quantity_lots:
                    _, product, period = facts.leg_place(leg)
                    found[product, period] += 1
        part = {r.order_id for r in facts.result.flexible_results if 0 < r.acceptance < 1}
        for row in facts.served(part):
            found[row.product, row.period] += 1
        return found
