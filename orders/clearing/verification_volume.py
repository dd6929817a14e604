"""Rule 4 at the money: the largest volume, shared pro rata."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from orders.clearing.verification_facts import Class, Facts, KnownRoute, Tolls
from orders.clearing.verification_rounding import Rounding

_ZERO = Decimal(0)
_Flow = Mapping[tuple[int, int, str, int], Decimal]
# (order id, lots offered, lots accepted, lots placed on it) of the steps at one price of a cell.
Marginal = Mapping[tuple[object, ...], Sequence[tuple[str, int, int, Decimal]]]


def check_share(
    facts: Facts, key: tuple[object, ...], members: Sequence[tuple[str, int, int, Decimal]]
) -> None:
    """Check the pro-rata split at the money, by largest remainder, ties by order id."""
    if any(placed for *_, placed in members):
        return
    members = sorted(members)
    total, whole = sum(m[2] for m in members), sum(m[1] for m in members)
    exact = [(total * offer // whole, total * offer % whole) for _, offer, _, _ in members]
    left = total - sum(base for base, _ in exact)
    ranked = sorted(range(len(members)), key=lambda k: (-exact[k][1], k))[:left]
    for k, (order, _, accepted, _) in enumerate(members):
        share = exact[k][0] + (1 if k in ranked else 0)
        if share != accepted:
            facts.report("4", order, f"{accepted} lots where pro rata gives {share}: {key}")


class _Rest(NamedTuple):
    """Lots at the money that nobody took, at one place and price."""

    hub: str
    rtt: Class
    carbon: Class
    price: Decimal
    lots: int


class VolumeCheck:
    """Looks for a buy and a sell at the money that could still trade over the stated route."""

    def __init__(
        self,
        facts: Facts,
        routes: Mapping[tuple[str, str], KnownRoute],
        tolls: Tolls,
        flow: _Flow,
    ) -> None:
        self._facts = facts
        self._routes = routes
        self._tolls = tolls
        self._flow = flow
        self._rounding = Rounding(facts)

    def run(self, marginal: Marginal) -> None:
        """Report every pair whose trade whole lots do not rule out."""
        buys: dict[tuple[str, int], list[_Rest]] = defaultdict(list)
        sells: dict[tuple[str, int], list[_Rest]] = defaultdict(list)
        for key, members in marginal.items():
            lots = sum(offer - accepted for _, offer, accepted, _ in members)
            side, hub, product, *limits, period, price = key
            rest = _Rest(str(hub), _class(limits, 0), _class(limits, -1), Decimal(str(price)), lots)
            if lots > 0:
                where = str(product), int(str(period))
                (buys if side == "buy" else sells)[where].append(rest)
        for where, wanted in buys.items():
            for buy in wanted:
                for sell in sells.get(where, ()):
                    self._check_pair(buy, sell, *where)

    def _check_pair(self, buy: _Rest, sell: _Rest, product: str, period: int) -> None:
        if buy.carbon is not None and (sell.carbon is None or sell.carbon > buy.carbon):
            return
        route = self._routes.get((sell.hub, buy.hub))
        if route is None or (buy.rtt is not None and route.rtt > buy.rtt):
            return
        item = self._facts.products[product]
        toll = self._tolls.along(route.steps, period, item.bandwidth)
        if not toll.is_finite() or buy.price - sell.price != item.bandwidth * toll:
            return
        lots = min([buy.lots, sell.lots, *self._room(route, product, period)])
        if lots > self._rounding.lots(product, period):
            place = f"{product} from {sell.hub} to {buy.hub} in period {period}"
            self._facts.report("4", place, f"{lots} lots at the money are not traded")

    def _room(self, route: KnownRoute, product: str, period: int) -> list[int]:
        """Return the whole lots that each step of a route could carry besides what it does."""
        facts, item = self._facts, self._facts.products[product]
        need = item.bandwidth * item.quantity_tick
        out = []
        for link, direction in route.steps if need else ():
            terms = facts.auction.links[link]
            capacity = (terms.forward_capacity, terms.reverse_capacity)[direction][period - 1]
            for name, other in facts.products.items():
                carried = self._flow.get((link, direction, name, period), _ZERO)
                capacity -= carried * other.bandwidth
            out.append(int(capacity / need))
        return out


def _class(limits: Sequence[object], at: int) -> Class:
    value = limits[at]
    return None if value is None else Decimal(str(value))
