"""The rows of `flexible_results.csv`: what became of every flexible and interruptible order."""

from decimal import Decimal

from orders.clearing.flexible_surplus import best_run, flexible_node
from orders.clearing.placed_pricing import PlacedPricer
from orders.clearing.published import PublishedPrices
from orders.clearing.state import Book, Outcome, exact_payment, exact_surplus
from orders.clearing.types import FlexibleOrder, FlexibleResultRow

_ZERO = Decimal(0)


def flexible_rows(
    book: Book, outcome: Outcome, prices: PublishedPrices
) -> tuple[FlexibleResultRow, ...]:
    """Return a row for every order, in the order of ids."""
    return _FlexibleTable(book, outcome, prices).rows()


class _FlexibleTable:
    def __init__(self, book: Book, outcome: Outcome, prices: PublishedPrices) -> None:
        self._book = book
        self._auction = book.market.auction
        self._outcome = outcome
        self._prices = prices
        blocks = self._auction.blocks
        self._accepted = {blocks[book.candidates[k].order].order_id: k for k in outcome.selection}
        self._gain_of_single = self._gains_of_singles()

    def rows(self) -> tuple[FlexibleResultRow, ...]:
        """Return all rows."""
        return tuple(
            self._accepted_row(order.order_id, self._accepted[order.order_id])
            if order.order_id in self._accepted
            else self._rejected_row(number, order)
            for number, order in enumerate(self._auction.flexibles)
        )

    def _accepted_row(self, name: str, number: int) -> FlexibleResultRow:
        ratio = self._outcome.selection[number]
        payment = exact_payment(self._book, number, ratio, self._prices)
        surplus = exact_surplus(self._book, number, ratio, self._prices)
        status = "accepted" if ratio == 1 else "partly_accepted"
        reason = "in_the_money" if surplus else "at_the_money"
        return FlexibleResultRow(name, ratio, status, reason, payment, surplus)

    def _rejected_row(self, number: int, order: FlexibleOrder) -> FlexibleResultRow:
        status, reason = "rejected", "out_of_the_money"
        if order.placement == "single":
            gain = self._gain_of_single.get(number)
            if gain is None:
                status, reason = "not_placeable", "no_listing_can_serve_it"
        else:
            best = self._best_gain(order)
            gain = None if best is None else float(best)
            if gain is None:
                reason = "not_reachable"
        if gain is not None and gain > 0:
            status, reason = "paradoxically_rejected", "in_the_money_but_not_accepted"
        return FlexibleResultRow(order.order_id, _ZERO, status, reason, _ZERO, _ZERO)

    def _best_gain(self, order: FlexibleOrder) -> Decimal | None:
        """Return the best surplus of a unit taken whole, exactly; None where it cannot be."""
        node = flexible_node(self._book.market, order)
        gains = [
            order.limit_price - self._prices.price(period, node)
            if self._prices.has_price(period, node)
            else None
            for period in range(order.earliest_period, order.latest_period + 1)
        ]
        if not order.interruptible:
            return best_run(gains, order.duration)
        known = sorted((gain for gain in gains if gain is not None), reverse=True)
        if len(known) < order.duration:
            return None
        return sum(known[: order.duration], _ZERO)

    def _gains_of_singles(self) -> dict[int, float]:
        """Return the best surplus of each order that one listing could serve."""
        orders = self._auction.flexibles
        left = [
            number
            for number, order in enumerate(orders)
            if order.placement == "single" and order.order_id not in self._accepted
        ]
        if not left:
            return {}
        price, rent = self._prices.as_floats()
        best = PlacedPricer(self._book, left).best(price, rent)
        noise = 1e-9
        return {
            number: priced.surplus if abs(priced.surplus) > noise else 0.0
            for number, priced in best.items()
        }
