"""The auction as models, and everything divisible cleared beside a choice of the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from orders.clearing.candidate_table import CandidateTable
from orders.clearing.candidates import Candidate, build_candidates, leg_lots
from orders.clearing.market import Market
from orders.clearing.merit_order import (
    ListingPlace,
    MeritOrder,
    build_merit_order,
    offered_lots,
    step_lots,
)
from orders.clearing.money_unit import money_unit
from orders.clearing.period_clearing import PeriodModel
from orders.clearing.period_solution import PeriodSolution, PeriodStart
from orders.clearing.price_system import PriceSystem, build_price_system
from orders.clearing.published import PublishedPrices
from orders.clearing.types import FloatArray, IntArray

Selection = Mapping[int, Decimal]
# Answers of periods that are kept; far more than a search of an ordinary book asks for.
_KEPT = 20_000


@dataclass(frozen=True, eq=False)
class Choice:
    """Accepted candidates with everything divisible cleared beside them, prices still open."""

    selection: dict[int, Decimal]
    welfare: float
    solutions: tuple[PeriodSolution, ...]
    lots: IntArray
    injection: FloatArray
    link_use: FloatArray


@dataclass(frozen=True, eq=False)
class Outcome(Choice):
    """A priced choice; `prices` is None when no admissible price vector exists.

    `losers` are the candidates that would lose money, worst first.
    """

    prices: PublishedPrices | None
    losers: tuple[int, ...]


@dataclass(eq=False)
class Book:
    """The auction as models: built once, then asked about many choices."""

    market: Market
    merit: MeritOrder
    candidates: tuple[Candidate, ...]
    models: list[PeriodModel]
    unit: float
    cache: dict[tuple[int, bytes], PeriodSolution | None] = field(default_factory=dict)
    systems: dict[PeriodSolution, PriceSystem] = field(default_factory=dict)
    flat: CandidateTable | None = None
    free_lots: IntArray | None = None

    @property
    def table(self) -> CandidateTable:
        """Return the candidates as arrays."""
        if self.flat is None or self.flat.candidates is not self.candidates:
            self.flat = CandidateTable(self.market, self.candidates, len(self.models))
        return self.flat

    def injections(
        self, selection: Selection, *, whole: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Return lots by (period, node) and Gbit/s by (period, link direction) of a choice.

        `whole` floors every leg to the lot, as it is published.
        """
        exact, links = self.table.injections(self.table.ratios(selection))
        if not whole or all(ratio == 1 for ratio in selection.values()):
            return exact, links
        lots = np.zeros_like(exact)
        for number, ratio in sorted(selection.items()):
            for item in self.candidates[number].injections:
                lots[item.period, item.node] += int(item.lots * ratio)
        return lots, links

    def step_lots(self, selection: Selection) -> IntArray:
        """Return the quantity of each step beside a choice."""
        if self.table.has_places:
            reserved = self.reserved(selection)
            if reserved:
                return step_lots(self.merit, self.offered(selection))
        if self.free_lots is None:
            self.free_lots = step_lots(self.merit, self.offered({}))
        return self.free_lots

    def system(self, model: PeriodModel, lots: IntArray, solution: PeriodSolution) -> PriceSystem:
        """Return the price conditions of a period's answer, built once."""
        if solution not in self.systems:
            self.systems[solution] = build_price_system(model, lots[model.steps], solution)
        return self.systems[solution]

    def reserved(self, selection: Selection) -> dict[ListingPlace, int]:
        """Return the listing capacity that accepted block sells use."""
        used: dict[ListingPlace, int] = {}
        for number, ratio in selection.items():
            for place, lots in self.candidates[number].listing_places:
                used[place] = used.get(place, 0) + int(lots * ratio)
        return used

    def offered(self, selection: Selection) -> IntArray:
        """Return what each curve row can trade beside a choice."""
        return offered_lots(self.market.auction, self.reserved(selection))

    def exceeds_listing(self, selection: Selection) -> bool:
        """Whether accepted blocks sell more than a listing has."""
        for (listing, product, period), lots in self.reserved(selection).items():
            capacity = self.market.auction.listings[listing].capacity_lots.get((product, period))
            if capacity is not None and lots > capacity:
                return True
        return False

    def breaks_links(self, selection: Selection) -> bool:
        """Whether a child is accepted beyond its parent's ratio."""
        blocks = self.market.auction.blocks
        ratio = {blocks[self.candidates[k].order].order_id: r for k, r in selection.items()}
        for number, own in selection.items():
            parent = blocks[self.candidates[number].order].parent_order_id
            if parent is not None and own > ratio.get(parent, Decimal(0)):
                return True
        return False


def open_book(market: Market) -> Book:
    """Build the models of all periods."""
    merit = build_merit_order(market)
    unit = money_unit(market)
    models = [
        PeriodModel(market, merit, period, unit) for period in range(market.auction.terms.periods)
    ]
    return Book(market, merit, build_candidates(market), models, unit)


def begin_periods(book: Book, starts: Mapping[int, PeriodStart]) -> None:
    """Clear every period beside nothing indivisible, except where another process did already.

    Every model goes on from its start as from one that was read, whoever made it: what degenerate
    programmes answer later depends on where the solver stood.
    """
    lots = book.step_lots({})
    injection, links = book.injections({})
    for model in book.models:
        period, own = model.period, lots[model.steps]
        start = starts[period] if period in starts else model.begin(own)
        model.go_on_from(start)
        book.cache[_key(period, own, injection[period], links[period])] = start.solution


def clear_choice(book: Book, selection: Selection, near: Choice | None = None) -> Choice | None:
    """Clear everything divisible beside a choice; None if it cannot be served.

    Args:
        book: the auction.
        selection: candidate number to acceptance ratio, all above zero.
        near: a similar choice; periods that do not differ are taken from it.
    """
    if book.exceeds_listing(selection) or book.breaks_links(selection):
        return None
    lots = book.step_lots(selection)
    ratios = book.table.ratios(selection)
    injection, links = book.table.injections(ratios)
    same = np.zeros(len(book.models), dtype=bool)
    if near is not None and near.lots is lots:
        same = np.all(near.injection == injection, axis=1) & np.all(near.link_use == links, axis=1)
    solutions: list[PeriodSolution] = []
    for model in book.models:
        period = model.period
        if near is not None and same[period]:
            solutions.append(near.solutions[period])
            continue
        found = _solve_period(book, model, lots, injection[period], links[period])
        if found is None:
            return None
        solutions.append(found)
    welfare = sum(solution.welfare for solution in solutions) + float(book.table.worth @ ratios)
    return Choice(dict(selection), welfare, tuple(solutions), lots, injection, links)


def missing_lots(book: Book, selection: Selection) -> FloatArray:
    """Return by (period, node) the lots of a choice that cannot be served however little is paid.

    Args:
        book: the auction.
        selection: candidate number to acceptance ratio, all above zero.
    """
    lots = book.step_lots(selection)
    injection, links = book.table.injections(book.table.ratios(selection))
    missing = np.zeros_like(injection)
    for model in book.models:
        period = model.period
        own = (lots[model.steps], injection[period], links[period])
        if book.cache.get(_key(period, *own)) is None:
            missing[period] = model.missing(*own)
    return missing


def _solve_period(
    book: Book,
    model: PeriodModel,
    lots: IntArray,
    injection: FloatArray,
    links: FloatArray,
) -> PeriodSolution | None:
    own = lots[model.steps]
    key = _key(model.period, own, injection, links)
    if key not in book.cache:
        if len(book.cache) >= _KEPT:
            book.cache.clear()
            book.systems.clear()
        book.cache[key] = model.solve(own, injection, links)
    return book.cache[key]


def _key(
    period: int, lots: IntArray, injection: FloatArray, links: FloatArray
) -> tuple[int, bytes]:
    return period, injection.tobytes() + links.tobytes() + lots.tobytes()


def families(book: Book, selection: Selection) -> dict[int, tuple[int, ...]]:
    """Return for every accepted candidate itself and its accepted descendants."""
    blocks = book.market.auction.blocks
    accepted = {blocks[book.candidates[k].order].order_id: k for k in selection}
    out: dict[int, list[int]] = {k: [k] for k in selection}
    children = [k for k in selection if blocks[book.candidates[k].order].parent_order_id]
    by_id = {order.order_id: order for order in blocks} if children else {}
    for k in children:
        parent = blocks[book.candidates[k].order].parent_order_id
        while parent is not None:
            if parent in accepted:
                out[accepted[parent]].append(k)
            parent = by_id[parent].parent_order_id
    return {k: tuple(members) for k, members in out.items()}


def exact_payment(book: Book, number: int, ratio: Decimal, prices: PublishedPrices) -> Decimal:
    """Return what an accepted candidate pays at published prices (a sell: what it receives)."""
    candidate = book.candidates[number]
    auction = book.market.auction
    total = Decimal(0)
    for item in candidate.injections:
        product = auction.products[book.market.nodes[item.node].product]
        lots = int(abs(item.lots) * ratio)
        total += lots * product.quantity_tick * prices.price(item.period, item.node)
    if candidate.is_single:
        total += _route_payment(book, candidate, ratio, prices)
    return total


def _route_payment(
    book: Book, candidate: Candidate, ratio: Decimal, prices: PublishedPrices
) -> Decimal:
    auction = book.market.auction
    order = auction.blocks[candidate.order]
    hub = book.market.nodes[candidate.injections[0].node].hub
    total = Decimal(0)
    for leg in order.options[candidate.option].legs:
        product = auction.products[leg.product]
        bandwidth = leg_lots(leg, ratio) * product.quantity_tick * product.bandwidth
        for link, direction in book.market.routes[hub, leg.hub].steps:
            rent = prices.rent_of(leg.period, 2 * link + direction)
            total += bandwidth * (auction.links[link].tariff + rent)
    return total


def exact_surplus(book: Book, number: int, ratio: Decimal, prices: PublishedPrices) -> Decimal:
    """Return the surplus of an accepted candidate at published prices, an exact sum of money."""
    candidate = book.candidates[number]
    option = book.market.auction.blocks[candidate.order].options[candidate.option]
    products = book.market.auction.products
    value = sum(
        (
            option.limit_price * leg_lots(leg, ratio) * products[leg.product].quantity_tick
            for leg in option.legs
        ),
        Decimal(0),
    )
    payment = exact_payment(book, number, ratio, prices)
    return value - payment if candidate.is_buy else payment - value
