"""Flexible orders are offered their best ways at the prices of a valid choice.

A relaxed programme that grows by columns takes too long in a national book. There the prices of a
valid choice are at hand all the time: at each, an order that is not served asks for the way that
would gain most, and comes in with the batch or not. In a smaller book the relaxed prices that the
ways were made for are not those of the choice: all orders ask once more at these.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from orders.clearing.candidates import Candidate
from orders.clearing.flexible_columns import Column, PricedColumn, Profile
from orders.clearing.flexible_orders import extend_book, joined
from orders.clearing.flexible_pricing import ColumnPricer
from orders.clearing.published import EMPTY
from orders.clearing.state import Book, Outcome
from orders.clearing.types import FloatArray


class FlexibleOffers:
    """The ways that were offered so far, which are candidates of the book."""

    def __init__(self, book: Book, pricer: ColumnPricer | None = None) -> None:
        self._orders = book.market.auction.flexibles
        self._pricer = pricer or (ColumnPricer(book) if self._orders else None)
        self._known = set(_known_columns(book))

    def extended(self, book: Book, outcome: Outcome, most: int) -> Book:
        """Return the book with the ways that would gain most at an outcome's prices.

        Args:
            book: the auction with what was offered before.
            outcome: a priced choice; orders that it serves ask for nothing.
            most: how many orders are offered a way at most, those that gain most first.
        """
        if self._pricer is None or outcome.prices is None:
            return book
        served = _profiles(book, outcome)
        waiting = [k for k, order in enumerate(self._orders) if order.order_id not in served]
        gaining = sorted(
            (-round(priced.surplus, 6), priced.column)
            for priced in self._best(book, outcome, waiting).values()
        )
        return self._with(book, [column for _, column in gaining[:most]])

    def reconsidered(self, book: Book, outcome: Outcome) -> Book:
        """Return the book with the best way of every order at an outcome's prices.

        An interruptible order that is served is offered the mean of its way and the best as well:
        where it would move as a whole, the prices may follow it.
        """
        if self._pricer is None or outcome.prices is None:
            return book
        served = _profiles(book, outcome)
        columns = []
        for number, priced in self._best(book, outcome, range(len(self._orders))).items():
            order, column = self._orders[number], priced.column
            columns.append(column)
            own = served.get(order.order_id)
            if own is not None and order.interruptible and order.placement != "single":
                columns.append(joined(order, [(0.5, column._replace(profile=own)), (0.5, column)]))
        return self._with(book, columns)

    def _best(
        self, book: Book, outcome: Outcome, numbers: Sequence[int]
    ) -> dict[int, PricedColumn]:
        """Return the ways that gain something, by order."""
        assert self._pricer is not None  # noqa: S101 - asked before
        found = self._pricer.best(*_finite_prices(book, outcome), numbers)
        return {number: priced for number, priced in found.items() if priced.surplus > 0}

    def _with(self, book: Book, columns: Sequence[Column]) -> Book:
        fresh = [column for column in dict.fromkeys(columns) if column not in self._known]
        self._known.update(fresh)
        return extend_book(book, fresh) if fresh else book


def _known_columns(book: Book) -> Iterator[Column]:
    blocks, jobs = book.market.auction.blocks, book.market.auction.flexibles
    number_of = {order.order_id: number for number, order in enumerate(jobs)}
    for candidate in book.candidates if jobs else ():
        number = number_of.get(blocks[candidate.order].order_id)
        if number is not None:
            yield Column(number, _profile(candidate), candidate.injections[0].node)


def _profile(candidate: Candidate) -> Profile:
    return tuple((item.period, abs(item.lots)) for item in candidate.injections)


def _profiles(book: Book, outcome: Outcome) -> dict[str, Profile]:
    """Return by order id in which periods and with how many lots an order is served."""
    blocks = book.market.auction.blocks
    found = {}
    for number in outcome.selection:
        candidate = book.candidates[number]
        found[blocks[candidate.order].order_id] = _profile(candidate)
    return found


def _finite_prices(book: Book, outcome: Outcome) -> tuple[FloatArray, FloatArray]:
    """Return prices and rents; where nothing can be had, the dearest price allowed."""
    assert outcome.prices is not None  # noqa: S101 - asked before
    price, rent = outcome.prices.as_floats()
    most = np.array([float(product.price_max) for product in book.market.auction.products])
    missing = outcome.prices.ticks == EMPTY
    return np.where(missing, most[book.market.node_product], price), rent
