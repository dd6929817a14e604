"""Flexible and interruptible orders as candidates: profiles are offered only where they can pay.

A flexible order could start in many periods, an interruptible one could take very many choices of
periods. Each way to serve an order whole is a column. Columns are made against the prices of a
relaxed programme, a few for each order, until no order has a better one; the search then sees each
order as an exclusive group of its columns.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from orders.clearing.block_orders import Relaxation
from orders.clearing.candidate_table import CandidateTable
from orders.clearing.candidates import Candidate, Injection, LinkUse
from orders.clearing.flexible_columns import Column, PricedColumn, Profile
from orders.clearing.flexible_master import FlexibleMaster
from orders.clearing.flexible_pricing import ColumnPricer, profile_worth
from orders.clearing.market import Market, link_direction
from orders.clearing.state import Book, Outcome
from orders.clearing.types import BlockLeg, BlockOption, BlockOrder, FlexibleOrder, FloatArray

# A column is worth adding only if it beats what the order has by this share of its value.
_GAIN = 1e-6
# Columns kept for the search although the relaxed programme left them unused: at most this share of
# the order's value out of the money.
_NEAR = 0.02
_USED = 1e-6


def offer_columns(book: Book, base: Outcome) -> tuple[Book, Relaxation | None]:
    """Return the book with the flexible orders' columns among its candidates.

    With it the relaxed prices at which no order had a better column: the lowest bound as a rule,
    since later programmes know only the columns that were kept.

    Args:
        book: the auction as models, its flexible orders not yet among the candidates.
        base: the outcome with every indivisible order rejected.
    """
    if not book.market.auction.flexibles:
        return book, None
    return _ColumnPool(book, base).offer()


class _ColumnPool:
    """Columns by order; grows until no order has a better way to be served."""

    def __init__(self, book: Book, base: Outcome) -> None:
        self._book = book
        self._base = base
        self._orders = book.market.auction.flexibles
        self._pricer = ColumnPricer(book)
        self._columns: dict[int, list[Column]] = {}
        self._worth = [profile_worth(book.market, order) for order in self._orders]

    def offer(self) -> tuple[Book, Relaxation | None]:
        """Make columns; return the book with those worth a search, and the relaxed prices."""
        grown = FlexibleMaster(self._book, self._base).grow(self._ask)
        found = grown.relaxation
        if found is None or not grown.columns:
            return self._book, found
        kept = self._worth_searching(grown.columns, grown.ratios, found.node_price, found.rent)
        return extend_book(self._book, kept), found

    def _ask(self, price: FloatArray, rent: FloatArray) -> list[tuple[Column, Candidate]]:
        """Return each order's best column where it pays and beats the order's columns so far."""
        fresh = []
        for number, best in self._pricer.best(price, rent).items():
            enough = _GAIN * self._worth[number]
            if best.surplus <= enough:
                continue
            own = self._columns.setdefault(number, [])
            known = [self._pricer.surplus(column, price, rent) for column in own]
            if best.column not in own and best.surplus > enough + max([0.0, *known]):
                own.append(best.column)
                order = self._orders[number]
                fresh.append((best.column, _candidate(self._book.market, order, best.column, 0, 0)))
        return fresh

    def _worth_searching(
        self,
        listed: Sequence[Column],
        ratios: FloatArray,
        price: FloatArray,
        rent: FloatArray,
    ) -> list[Column]:
        """Keep used columns and near misses; join the used ones of a divisible profile."""
        by_order: dict[int, list[tuple[float, Column]]] = {}
        for column, ratio in zip(listed, ratios.tolist(), strict=True):
            by_order.setdefault(column.order, []).append((ratio, column))
        best = self._pricer.best(price, rent)
        kept: list[Column] = []
        for number, members in by_order.items():
            order = self._orders[number]
            used = [(ratio, column) for ratio, column in members if ratio > _USED]
            chosen = [column for _, column in used]
            if order.interruptible and order.placement != "single" and len(used) > 1:
                chosen = [joined(order, used)]
            near = best.get(number)
            if near is not None and self._is_near(order, near):
                chosen.append(near.column)
            kept.extend(dict.fromkeys(chosen))
        return kept

    def _is_near(self, order: FlexibleOrder, best: PricedColumn) -> bool:
        return best.surplus > -_NEAR * profile_worth(self._book.market, order)


def joined(order: FlexibleOrder, used: Sequence[tuple[float, Column]]) -> Column:
    """Return the mean of several profiles of an interruptible order, in whole lots.

    Any mean of its profiles is a profile too; shares are rounded by largest remainder.
    """
    total = sum(ratio for ratio, _ in used)
    lots: dict[int, float] = {}
    for ratio, column in used:
        for period, amount in column.profile:
            lots[period] = lots.get(period, 0.0) + amount * ratio / total
    whole = {period: int(amount + _USED) for period, amount in lots.items()}
    left = order.quantity_lots * order.duration - sum(whole.values())
    for period in sorted(lots, key=lambda t: (round(whole[t] - lots[t], 6), t))[: max(left, 0)]:
        whole[period] += 1
    profile = tuple((period, amount) for period, amount in sorted(whole.items()) if amount)
    return used[0][1]._replace(profile=profile)


def extend_book(book: Book, columns: Sequence[Column]) -> Book:
    """Return the book with columns as candidates; the models and their answers are shared.

    Each order with columns appears as a block order with an option for each profile; one that is
    among the block orders already gets more options. Candidates keep their numbers.
    """
    auction = book.market.auction
    by_order: dict[int, list[Column]] = {}
    for column in sorted(columns):
        by_order.setdefault(column.order, []).append(column)
    blocks, found = list(auction.blocks), list(book.candidates)
    places = {order.order_id: place for place, order in enumerate(blocks)}
    for number, members in by_order.items():
        order = auction.flexibles[number]
        profiles = list(dict.fromkeys(column.profile for column in members))
        place = places.get(order.order_id, len(blocks))
        first = 0
        if place == len(blocks):
            blocks.append(_as_group(order, profiles))
        else:
            known = blocks[place].options
            first = len(known)
            blocks[place] = replace(blocks[place], options=known + _options(order, profiles))
        for column in members:
            option = first + profiles.index(column.profile)
            found.append(_candidate(book.market, order, column, place, option))
    market = replace(book.market, auction=replace(auction, blocks=tuple(blocks)))
    candidates = tuple(found)
    flat = CandidateTable(market, candidates, len(book.models), book.table)
    return replace(book, market=market, candidates=candidates, flat=flat)


def _options(order: FlexibleOrder, profiles: Sequence[Profile]) -> tuple[BlockOption, ...]:
    return tuple(
        BlockOption(
            "",
            order.limit_price,
            tuple(BlockLeg(order.hub, order.product, period, lots) for period, lots in profile),
        )
        for profile in profiles
    )


def _as_group(order: FlexibleOrder, profiles: Sequence[Profile]) -> BlockOrder:
    return BlockOrder(
        order_id=order.order_id,
        is_buy=True,
        min_acceptance=order.min_acceptance,
        options=_options(order, profiles),
        placement=order.placement,
        max_rtt_ms=order.max_rtt_ms,
        max_carbon=order.max_carbon,
        eligible_listings=order.eligible_listings,
        participant=order.participant,
        line=order.line,
    )


def _candidate(
    market: Market, order: FlexibleOrder, column: Column, position: int, option: int
) -> Candidate:
    product = market.auction.products[order.product]
    lots = sum(amount for _, amount in column.profile)
    uses: list[LinkUse] = []
    tariff = Decimal(0)
    is_single = order.placement == "single"
    if is_single:
        route = market.routes[market.nodes[column.node].hub, order.hub]
        for period, amount in column.profile:
            bandwidth = amount * product.quantity_tick * product.bandwidth
            tariff += route.tariff * bandwidth
            uses.extend(
                LinkUse(period, link_direction(*step), float(bandwidth)) for step in route.steps
            )
    return Candidate(
        order=position,
        option=option,
        is_buy=True,
        min_acceptance=order.min_acceptance,
        value=order.limit_price * lots * product.quantity_tick,
        tariff=tariff,
        injections=tuple(Injection(t, column.node, -amount) for t, amount in column.profile),
        link_uses=tuple(uses),
        is_single=is_single,
    )
