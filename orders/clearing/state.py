"""Evaluates a choice of indivisible orders exactly: welfare, prices, and who would lose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from orders.clearing.candidates import Candidate, build_candidates, leg_lots
from orders.clearing.market import Market
from orders.clearing.merit_order import (
    ListingPlace,
    MeritOrder,
    build_merit_order,
    offered_lots,
    step_lots,
)
from orders.clearing.period_clearing import PeriodModel, PeriodSolution, money_unit
from orders.clearing.price_system import Affine, PriceSystem, build_price_system
from orders.clearing.published import PublishedPrices, publish_prices
from orders.clearing.types import FloatArray, IntArray
from orders.clearing.uniform_price import PriceDemand, price_periods, prices_of

Selection = Mapping[int, Decimal]


@dataclass(frozen=True, eq=False)
class Outcome:
    """A choice with its welfare; `prices` is None when no admissible price vector exists.

    `losers` are the candidates that would lose money, worst first.
    """

    selection: dict[int, Decimal]
    welfare: float
    solutions: tuple[PeriodSolution, ...]
    lots: IntArray
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
    cache: dict[tuple[int, bytes], tuple[PeriodSolution, PriceSystem] | None] = field(
        default_factory=dict
    )

    def injections(
        self, selection: Selection, *, whole: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Return lots by (period, node) and Gbit/s by (period, link direction) of a choice.

        `whole` floors every leg to the lot, as it is published.
        """
        periods = len(self.models)
        lots = np.zeros((periods, len(self.market.nodes)))
        links = np.zeros((periods, self.market.capacity.shape[0]))
        for number, ratio in sorted(selection.items()):
            candidate = self.candidates[number]
            for item in candidate.injections:
                amount = float(item.lots * ratio)
                if whole:
                    amount = float(int(item.lots * ratio))
                lots[item.period, item.node] += amount
            for use in candidate.link_uses:
                links[use.period, use.link] += use.bandwidth * float(ratio)
        return lots, links

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


def evaluate(book: Book, selection: Selection) -> Outcome | None:
    """Clear everything divisible beside a choice and price it; None if it cannot be served.

    Args:
        book: the auction.
        selection: candidate number to acceptance ratio, all above zero.
    """
    if book.exceeds_listing(selection) or book.breaks_links(selection):
        return None
    lots = step_lots(book.merit, book.offered(selection))
    injections, links = book.injections(selection)
    solved = []
    for model in book.models:
        period = model.period
        found = _solve_period(book, model, lots, injections[period], links[period])
        if found is None:
            return None
        solved.append(found)
    welfare = sum(solution.welfare for solution, _ in solved)
    welfare += sum(book.candidates[k].worth * float(ratio) for k, ratio in selection.items())
    prices, losers = _price(book, dict(selection), [system for _, system in solved])
    return Outcome(
        selection=dict(selection),
        welfare=welfare,
        solutions=tuple(solution for solution, _ in solved),
        lots=lots,
        prices=prices,
        losers=losers,
    )


def _solve_period(
    book: Book,
    model: PeriodModel,
    lots: IntArray,
    injection: FloatArray,
    links: FloatArray,
) -> tuple[PeriodSolution, PriceSystem] | None:
    own = lots[model.steps]
    key = (model.period, injection.tobytes() + links.tobytes() + own.tobytes())
    if key not in book.cache:
        solution = model.solve(own, injection, links)
        book.cache[key] = (
            None if solution is None else (solution, build_price_system(model, own, solution))
        )
    return book.cache[key]


def _price(
    book: Book, selection: dict[int, Decimal], systems: list[PriceSystem]
) -> tuple[PublishedPrices | None, tuple[int, ...]]:
    for margin in (0.0, 0.5):
        demands = _demands(book, selection, systems, margin)
        found = price_periods(systems, demands)
        if found is None:
            break
        prices = publish_prices(book.market, prices_of(systems, found))
        losers = losing_orders(book, selection, prices)
        if not losers:
            return prices, ()
    alone = price_periods(systems)
    if alone is None:
        return None, tuple(sorted(selection))
    prices = publish_prices(book.market, prices_of(systems, alone))
    losers = losing_orders(book, selection, prices)
    return None, losers or tuple(sorted(k for k in selection if selection[k] < 1))


def _is_at_the_money(candidate: Candidate, ratio: Decimal) -> bool:
    return candidate.min_acceptance < ratio < 1


def families(book: Book, selection: Selection) -> dict[int, tuple[int, ...]]:
    """Return for every accepted candidate itself and its accepted descendants."""
    blocks = book.market.auction.blocks
    accepted = {blocks[book.candidates[k].order].order_id: k for k in selection}
    out: dict[int, list[int]] = {k: [k] for k in selection}
    for k in selection:
        parent = blocks[book.candidates[k].order].parent_order_id
        by_id = {order.order_id: order for order in blocks} if parent else {}
        while parent is not None:
            if parent in accepted:
                out[accepted[parent]].append(k)
            parent = by_id[parent].parent_order_id
    return {k: tuple(members) for k, members in out.items()}


def _demands(
    book: Book, selection: Selection, systems: list[PriceSystem], margin: float
) -> list[PriceDemand]:
    out = []
    for head, members in sorted(families(book, selection).items()):
        terms: list[tuple[int, Affine, float]] = []
        limit = 0.0
        for member in members:
            own, value = _payment_terms(book, member, selection[member], systems, margin)
            terms.extend(own)
            limit += value
        equal = _is_at_the_money(book.candidates[head], selection[head]) and len(members) == 1
        out.append(PriceDemand(tuple(terms), limit, equal))
    return out


def _payment_terms(
    book: Book, number: int, ratio: Decimal, systems: list[PriceSystem], margin: float
) -> tuple[list[tuple[int, Affine, float]], float]:
    """Return the terms of what a candidate pays (sells: minus receipt) and the most it may."""
    candidate = book.candidates[number]
    market = book.market
    products = market.auction.products
    terms: list[tuple[int, Affine, float]] = []
    limit = candidate.worth * float(ratio)
    for item in candidate.injections:
        product = products[market.nodes[item.node].product]
        amount = -item.lots * float(ratio) * float(product.quantity_tick)
        affine = systems[item.period].price_of.get(item.node)
        if affine is None:
            affine = Affine(float(product.price_max if candidate.is_buy else product.price_min), ())
        terms.append((item.period, affine, amount))
        limit -= margin * abs(amount) * float(product.clearing_price_tick)
    for use in candidate.link_uses:
        unknown = systems[use.period].rent_unknown.get(use.link)
        if unknown is not None:
            affine = Affine(0.0, ((unknown, 1.0),))
            terms.append((use.period, affine, use.bandwidth * float(ratio)))
    return terms, limit


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


def losing_orders(book: Book, selection: Selection, prices: PublishedPrices) -> tuple[int, ...]:
    """Return the accepted candidates whose family loses, or that are part-filled off the money."""
    surplus = {k: exact_surplus(book, k, ratio, prices) for k, ratio in selection.items()}
    losers: list[tuple[Decimal, int]] = []
    for head, members in families(book, selection).items():
        total = sum((surplus[k] for k in members), Decimal(0))
        if total < 0:
            losers.append((total, head))
        elif _is_off_the_money(book, head, selection[head], total) and len(members) == 1:
            losers.append((-total, head))
    return tuple(k for _, k in sorted(losers))


def _is_off_the_money(book: Book, number: int, ratio: Decimal, surplus: Decimal) -> bool:
    """Whether a part-filled candidate has a surplus that rounding does not explain."""
    if not _is_at_the_money(book.candidates[number], ratio):
        return False
    return surplus > _tick_allowance(book, number, ratio)


def _tick_allowance(book: Book, number: int, ratio: Decimal) -> Decimal:
    products = book.market.auction.products
    total = Decimal(0)
    for item in book.candidates[number].injections:
        product = products[book.market.nodes[item.node].product]
        total += abs(item.lots) * ratio * product.quantity_tick * product.clearing_price_tick
    return total
