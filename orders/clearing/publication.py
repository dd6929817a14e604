"""Turns whole lots and rounded prices into the tables of a result; all money is exact."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np

from orders.clearing.assignment_rows import assignment_rows
from orders.clearing.bound import BoundVector
from orders.clearing.candidates import leg_lots
from orders.clearing.curve_results import curve_results
from orders.clearing.flexible_results import flexible_rows
from orders.clearing.market import Kind, Market
from orders.clearing.placement import Placements
from orders.clearing.published import EMPTY, PublishedPrices
from orders.clearing.quantities import PeriodLots
from orders.clearing.schema import ENGINE_VERSION
from orders.clearing.sharing import accepted_by_order
from orders.clearing.state import Book, Outcome, exact_payment, exact_surplus
from orders.clearing.types import (
    NONE,
    BlockResultRow,
    Bound,
    DeliveredPriceRow,
    FlexibleResultRow,
    FlowRow,
    IntArray,
    LinkRentRow,
    PriceRow,
    Result,
    Summary,
)

_ZERO = Decimal(0)
_RATIO = Decimal("0.000000001")
_SAFE = 2**62


@dataclass(frozen=True, eq=False)
class Cleared:
    """What the search left behind, ready to be published."""

    book: Book
    base_welfare: float
    outcome: Outcome
    lots: list[PeriodLots]
    placements: Placements
    bound: BoundVector
    bundle_sha256: str


def publish(cleared: Cleared) -> Result:
    """Return the result tables of a clearing."""
    return _Publisher(cleared).publish()


class _Publisher:
    def __init__(self, cleared: Cleared) -> None:
        assert cleared.outcome.prices is not None  # noqa: S101 - narrowed by the engine
        self._cleared = cleared
        self._book = cleared.book
        self._market: Market = cleared.book.market
        self._auction = cleared.book.market.auction
        self._prices: PublishedPrices = cleared.outcome.prices
        self._offered = self._book.offered(cleared.outcome.selection)
        steps = np.concatenate([part.steps for part in cleared.lots])
        self._accepted: IntArray = accepted_by_order(
            self._book.merit, steps, self._offered, cleared.placements.floors()
        )

    def publish(self) -> Result:
        """Build every table."""
        flows = self._flow_lots()
        blocks = self._block_rows()
        flexibles = flexible_rows(self._book, self._cleared.outcome, self._prices)
        return Result(
            summary=self._summary(flows, blocks, flexibles),
            bound=self._bound(),
            prices=self._price_rows(self._prices.ticks),
            delivered_prices=self._delivered_rows(),
            curve_results=curve_results(
                self._auction, self._offered, self._accepted, self._clearing_ticks()
            ),
            block_results=blocks,
            flexible_results=flexibles,
            assignments=assignment_rows(
                self._book,
                self._cleared.outcome,
                self._cleared.lots,
                self._cleared.placements,
                self._accepted,
            ),
            flows=self._flow_rows(flows),
            link_rents=self._rent_rows(self._prices.rent, self._prices.rent_quantum),
        )

    # -- prices ----------------------------------------------------------------------------------

    def _price_rows(self, ticks: IntArray) -> tuple[PriceRow, ...]:
        rows = []
        for item, product in enumerate(self._auction.products):
            levels = [(None, NONE)] + [(c, k) for k, c in enumerate(product.carbon_classes)]
            for hub, name in enumerate(self._auction.hubs):
                for limit, carbon in levels:
                    level = self._market.level_of_supply(item, carbon)
                    node = self._market.supply_node(hub, item, level)
                    for period in range(self._auction.terms.periods):
                        value = self._tick_price(int(ticks[period, node]), item)
                        rows.append(PriceRow(name, product.name, limit, period + 1, value))
        return tuple(rows)

    def _tick_price(self, ticks: int, product: int) -> Decimal | None:
        if ticks == EMPTY:
            return None
        return ticks * self._auction.products[product].clearing_price_tick

    def _delivered_rows(self) -> tuple[DeliveredPriceRow, ...]:
        rows = []
        nodes = [
            (node, number)
            for number, node in enumerate(self._market.nodes)
            if node.kind != Kind.SUPPLY
        ]
        nodes.sort(key=lambda pair: (pair[0].product, pair[0].hub, pair[0].kind, pair[0]))
        for node, number in nodes:
            product = self._auction.products[node.product]
            carbon = self._market.levels[node.product][node.level]
            rtt = None if node.rtt_class == NONE else product.rtt_classes[node.rtt_class]
            limit = None if carbon == NONE else product.carbon_classes[carbon]
            for period in range(self._auction.terms.periods):
                value = self._tick_price(int(self._prices.ticks[period, number]), node.product)
                rows.append(
                    DeliveredPriceRow(
                        self._auction.hubs[node.hub], product.name, rtt, limit, period + 1, value
                    )
                )
        return tuple(rows)

    def _rent_rows(self, rent: IntArray, quantum: Decimal) -> tuple[LinkRentRow, ...]:
        rows = []
        hubs = self._auction.hubs
        for number, link in enumerate(self._auction.links):
            for position, direction in enumerate(("forward", "reverse")):
                for period in range(self._auction.terms.periods):
                    value = int(rent[period, 2 * number + position]) * quantum
                    ends = (hubs[link.from_hub], hubs[link.to_hub])
                    rows.append(LinkRentRow(*ends, direction, period + 1, value))
        return tuple(rows)

    def _bound(self) -> Bound:
        bound = self._cleared.bound
        prices = [row for row in self._price_rows(bound.ticks) if row.price is not None]
        rents = [row for row in self._rent_rows(bound.rent, bound.quantum) if row.rent]
        return Bound(tuple(prices), tuple(rents), bound.value)

    # -- orders ----------------------------------------------------------------------------------

    def _clearing_ticks(self) -> IntArray:
        periods = self._auction.curves.period
        return self._prices.ticks[periods, self._book.merit.node_of_order]

    def _block_rows(self) -> tuple[BlockResultRow, ...]:
        chosen: dict[tuple[int, int], int] = {}
        for number in self._cleared.outcome.selection:
            candidate = self._book.candidates[number]
            chosen[candidate.order, candidate.option] = number
        served = {order for order, _ in chosen}
        rows = []
        flexible = {order.order_id for order in self._auction.flexibles}
        for number, order in enumerate(self._auction.blocks):
            if order.order_id in flexible:
                continue
            taken = number in served
            for position, option in enumerate(order.options):
                key = (number, position)
                if key in chosen:
                    rows.append(self._accepted_row(order.order_id, option.option_id, chosen[key]))
                else:
                    status, reason = self._rejection(number, position, taken=taken)
                    rows.append(
                        BlockResultRow(
                            order.order_id, option.option_id, _ZERO, status, reason, _ZERO, _ZERO
                        )
                    )
        return tuple(rows)

    def _accepted_row(self, order: str, option: str, number: int) -> BlockResultRow:
        ratio = self._cleared.outcome.selection[number]
        payment = exact_payment(self._book, number, ratio, self._prices)
        surplus = exact_surplus(self._book, number, ratio, self._prices)
        status = "accepted" if ratio == 1 else "partly_accepted"
        if surplus < 0:
            reason = "carried_by_linked_orders"
        else:
            reason = "in_the_money" if surplus else "at_the_money"
        return BlockResultRow(order, option, ratio, status, reason, payment, surplus)

    def _rejection(self, order: int, option: int, *, taken: bool) -> tuple[str, str]:
        """Say why an option is rejected; in the money without an excuse is paradoxical."""
        if taken:
            return "rejected", "another_option_accepted"
        candidates = self._by_option.get((order, option))
        if not candidates:
            return "not_placeable", "no_listing_can_serve_it"
        block = self._auction.blocks[order]
        if block.parent_order_id is not None and block.parent_order_id not in self._served:
            return "rejected", "parent_rejected"
        reachable = [
            k
            for k in candidates
            if all(
                self._prices.has_price(item.period, item.node)
                for item in self._book.candidates[k].injections
            )
        ]
        if not reachable:
            return "rejected", "not_reachable"
        best = max(exact_surplus(self._book, k, Decimal(1), self._prices) for k in reachable)
        if best > 0 and self._book.candidates[candidates[0]].is_single:
            return self._single_rejection(best)
        if best > 0:
            return "paradoxically_rejected", "in_the_money_but_not_accepted"
        return "rejected", "out_of_the_money"

    def _single_rejection(self, best: Decimal) -> tuple[str, str]:
        del best
        return "paradoxically_rejected", "in_the_money_but_not_accepted"

    @cached_property
    def _by_option(self) -> dict[tuple[int, int], list[int]]:
        """Return (order, option) to the numbers of its candidates."""
        found: dict[tuple[int, int], list[int]] = {}
        for number, candidate in enumerate(self._book.candidates):
            found.setdefault((candidate.order, candidate.option), []).append(number)
        return found

    @cached_property
    def _served(self) -> set[str]:
        """Return the ids of block orders that are accepted."""
        selection = self._cleared.outcome.selection
        orders = (self._book.candidates[number].order for number in selection)
        return {self._auction.blocks[order].order_id for order in orders}

    # -- flows and assignments -------------------------------------------------------------------

    def _flow_lots(self) -> dict[tuple[int, int, int, int], int]:
        """Return lots by (link, product, period, direction), gross over classes."""
        flows: dict[tuple[int, int, int, int], int] = {}

        def carry(steps: tuple[tuple[int, int], ...], product: int, period: int, lots: int) -> None:
            for link, direction in steps:
                key = (link, product, period, direction)
                flows[key] = flows.get(key, 0) + lots

        arcs = self._market.arcs
        for period, part in enumerate(self._cleared.lots):
            for arc in np.flatnonzero(part.arcs > 0).tolist():
                carry(arcs.steps[arc], int(arcs.product[arc]), period, int(part.arcs[arc]))
        for number, ratio in self._cleared.outcome.selection.items():
            candidate = self._book.candidates[number]
            if not candidate.is_single:
                continue
            hub = self._market.nodes[candidate.injections[0].node].hub
            for leg in self._auction.blocks[candidate.order].options[candidate.option].legs:
                steps = self._market.routes[hub, leg.hub].steps
                carry(steps, leg.product, leg.period, leg_lots(leg, ratio))
        return flows

    def _flow_rows(self, flows: dict[tuple[int, int, int, int], int]) -> tuple[FlowRow, ...]:
        rows = []
        hubs = self._auction.hubs
        for link, item, period in sorted({key[:3] for key, lots in flows.items() if lots}):
            product = self._auction.products[item]
            amounts = [
                flows.get((link, item, period, direction), 0) * product.quantity_tick
                for direction in (0, 1)
            ]
            ends = (
                hubs[self._auction.links[link].from_hub],
                hubs[self._auction.links[link].to_hub],
            )
            rows.append(FlowRow(*ends, product.name, period + 1, *amounts))
        return tuple(rows)

    # -- money -----------------------------------------------------------------------------------

    def _summary(
        self,
        flows: dict[tuple[int, int, int, int], int],
        blocks: tuple[BlockResultRow, ...],
        flexibles: tuple[FlexibleResultRow, ...],
    ) -> Summary:
        value, cost, paid, received = self._curve_money()
        for job in flexibles:
            paid += job.payment
            value += job.payment + job.surplus
        is_buy = {order.order_id: order.is_buy for order in self._auction.blocks}
        for row in blocks:
            if not row.acceptance:
                continue
            if is_buy[row.order_id]:
                paid += row.payment
                value += row.payment + row.surplus
            else:
                received += row.payment
                cost += row.payment - row.surplus
        statuses = [row.status for row in blocks] + [job.status for job in flexibles]
        tariffs = self._tariffs(flows)
        welfare = value - cost - tariffs
        upper = max(self._cleared.bound.value, welfare)
        return Summary(
            status="cleared",
            welfare=welfare,
            upper_bound=upper,
            gap=((upper - welfare) / upper).quantize(_RATIO) if upper else _ZERO,
            share_of_block_gain=self._share(welfare, upper),
            paradoxically_rejected=statuses.count("paradoxically_rejected"),
            buyer_payments=paid,
            seller_receipts=received,
            congestion_rent=paid - received - tariffs,
            tariffs=tariffs,
            engine_version=ENGINE_VERSION,
            bundle_sha256=self._cleared.bundle_sha256,
        )

    def _share(self, welfare: Decimal, upper: Decimal) -> Decimal | None:
        """Return the share of the possible block gain that was reached, None without blocks."""
        base = Decimal(self._cleared.base_welfare).quantize(Decimal("0.000001"))
        if not self._book.candidates or upper - base <= Decimal("0.000001"):
            return None
        return max(_ZERO, (welfare - base) / (upper - base)).quantize(_RATIO)

    def _curve_money(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Return value and cost at limit prices, payments and receipts at published prices."""
        curves = self._auction.curves
        sums = [_ZERO] * 4
        clearing = self._clearing_ticks()
        for item, product in enumerate(self._auction.products):
            for position, buy in ((0, True), (1, False)):
                chosen = (curves.product == item) & (curves.is_buy == buy) & (self._accepted > 0)
                lots = self._accepted[chosen]
                limit = _exact_dot(curves.price_ticks[chosen], lots)
                price = _exact_dot(clearing[chosen], lots)
                sums[position] += limit * product.price_tick * product.quantity_tick
                sums[position + 2] += price * product.clearing_price_tick * product.quantity_tick
        return sums[0], sums[1], sums[2], sums[3]

    def _tariffs(self, flows: dict[tuple[int, int, int, int], int]) -> Decimal:
        total = _ZERO
        for (link, item, _, _), lots in flows.items():
            product = self._auction.products[item]
            rate = self._auction.links[link].tariff * product.bandwidth * product.quantity_tick
            total += rate * lots
        return total


def _exact_dot(first: IntArray, second: IntArray) -> int:
    """Return the sum of products; in whole numbers of any size where 64 bits might not do."""
    if not len(first):
        return 0
    if int(np.abs(first).max()) * int(np.abs(second).sum()) < _SAFE:
        return int(first @ second)
    return sum(a * b for a, b in zip(first.tolist(), second.tolist(), strict=True))
