"""What became of every step of a curve order, and why, as a table."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from math import floor

import numpy as np

from orders.clearing.published import EMPTY
from orders.clearing.row_tables import Column, RowTable, numbered
from orders.clearing.types import Auction, BoolArray, CurveResultRow, IntArray, Product

_STATUSES = ("rejected", "partly_accepted", "accepted")
_REASONS = ("not_reachable", "out_of_the_money", "at_the_money", "in_the_money", "listing_full")
_UNREACHED, _OUT, _AT, _IN, _FULL = range(5)


def curve_results(
    auction: Auction, offered: IntArray, accepted: IntArray, clearing: IntArray
) -> RowTable[CurveResultRow]:
    """Return a row for each step, in the order of the book.

    Args:
        auction: the book.
        offered: lots by step that its listing's capacity leaves.
        accepted: lots by step.
        clearing: price by step in clearing ticks, EMPTY where there is none.
    """
    curves, products = auction.curves, auction.products
    status, reason = _outcome(auction, offered, accepted, clearing)
    steps = np.arange(len(curves))
    periods = tuple(range(1, auction.terms.periods + 1))
    return RowTable(
        CurveResultRow,
        {
            "order_id": Column(curves.order_id, _short(steps)),
            "side": Column(("sell", "buy"), _short(curves.is_buy)),
            "hub": Column(auction.hubs, _short(curves.hub)),
            "product": Column([product.name for product in products], _short(curves.product)),
            "period": Column(periods, _short(curves.period)),
            "price": amounts(products, curves.product, curves.price_ticks, _price_tick),
            "quantity": amounts(products, curves.product, curves.quantity_lots, quantity_tick),
            "accepted_quantity": amounts(products, curves.product, accepted, quantity_tick),
            "status": Column(_STATUSES, _short(status)),
            "reason": Column(_REASONS, _short(reason)),
        },
    )


def amounts(
    products: Sequence[Product],
    product: IntArray,
    number: IntArray,
    tick_of: Callable[[Product], Decimal],
) -> Column:
    """Return whole numbers of ticks of each row's product as exact amounts."""
    count = max(1, len(products))
    found, codes = numbered(number * count + product)
    ticks = [tick_of(item) for item in products]
    values = [key // count * ticks[key % count] for key in found.tolist()]
    return Column(values, _short(codes))


def quantity_tick(product: Product) -> Decimal:
    """Return the lot of a product."""
    return product.quantity_tick


def _price_tick(product: Product) -> Decimal:
    return product.price_tick


def _outcome(
    auction: Auction, offered: IntArray, accepted: IntArray, clearing: IntArray
) -> tuple[IntArray, IntArray]:
    """Return status and reason by step, as places in their lists."""
    lots = auction.curves.quantity_lots
    whole = (accepted == lots) & (lots > 0)
    part = ~whole & (accepted > 0)
    edge = _edges(auction, clearing)
    full = offered < lots
    held = np.where(part, (accepted == offered) & full, ~whole & full & (edge != _OUT))
    return np.where(whole, 2, np.where(part, 1, 0)), np.where(held, _FULL, edge)


def _edges(auction: Auction, clearing: IntArray) -> IntArray:
    """Say on which side of the price each limit lies; exact, since prices are whole ticks."""
    curves, products = auction.curves, auction.products
    count = max(1, len(products))
    known = clearing != EMPTY
    found, cell = numbered(np.where(known, clearing, 0) * count + curves.product)
    border = np.zeros(len(found), dtype=np.int64)
    meets = np.zeros(len(found), dtype=bool)
    for place, key in enumerate(found.tolist()):
        product = products[key % count]
        price = key // count * product.clearing_price_tick
        border[place] = floor(price / product.price_tick)
        meets[place] = int(border[place]) * product.price_tick == price
    limit, border = curves.price_ticks, border[cell]
    inside = np.where(curves.is_buy, limit > border, limit <= border)
    edge = np.where(meets[cell] & (limit == border), _AT, np.where(inside, _IN, _OUT))
    return np.where(known, edge, _UNREACHED)


def _short(codes: IntArray | BoolArray) -> np.ndarray:
    return codes.astype(np.int32)
