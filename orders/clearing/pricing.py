"""Prices of a choice: the admissible ones, rounded, and who would lose at them."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from orders.clearing.candidates import Candidate
from orders.clearing.price_system import Affine, PriceSystem
from orders.clearing.published import PublishedPrices, publish_prices
from orders.clearing.state import (
    Book,
    Choice,
    Outcome,
    Selection,
    clear_choice,
    exact_surplus,
    families,
)
from orders.clearing.types import FloatArray
from orders.clearing.uniform_price import PriceDemand, price_periods, prices_of

# Of a candidate's worth: closer to zero than this, a surplus is worked out exactly.
_NEAR_ZERO = 1e-7
_TOLERANCE = 1e-7


def evaluate(book: Book, selection: Selection, near: Choice | None = None) -> Outcome | None:
    """Clear everything divisible beside a choice and price it; None if it cannot be served.

    Args:
        book: the auction.
        selection: candidate number to acceptance ratio, all above zero.
        near: a similar choice; periods that do not differ are taken from it.
    """
    choice = clear_choice(book, selection, near)
    return None if choice is None else price_choice(book, choice)


def price_choice(book: Book, choice: Choice, *, most_losers: int | None = None) -> Outcome:
    """Price a choice: with a margin of half a tick for its blocks where rounding needs it.

    Args:
        book: the auction.
        choice: what is accepted, and everything divisible beside it.
        most_losers: where more orders than this lose at the prices of each period alone, no other
            prices are looked for that would suit them.
    """
    if most_losers is not None:
        prices, losers = _price_alone(book, choice, _systems(book, choice))
        if (not losers and prices is not None) or len(losers) > most_losers:
            return _outcome(choice, None if losers else prices, losers)
    return _outcome(choice, *_price(book, choice))


def _outcome(choice: Choice, prices: PublishedPrices | None, losers: tuple[int, ...]) -> Outcome:
    return Outcome(
        choice.selection,
        choice.welfare,
        choice.solutions,
        choice.lots,
        choice.injection,
        choice.link_use,
        prices,
        losers,
    )


def _systems(book: Book, choice: Choice) -> list[PriceSystem]:
    return [
        book.system(model, choice.lots, solution)
        for model, solution in zip(book.models, choice.solutions, strict=True)
    ]


def _price(book: Book, choice: Choice) -> tuple[PublishedPrices | None, tuple[int, ...]]:
    systems = _systems(book, choice)
    selection = choice.selection
    for margin in (0.0, 0.5):
        found = price_periods(systems, _Demands(book, selection, systems, margin).broken)
        if found is None:
            break
        prices = publish_prices(book.market, prices_of(systems, found))
        if not losing_orders(book, selection, prices):
            return prices, ()
    _, losers = _price_alone(book, choice, systems)
    return None, losers or tuple(sorted(k for k in selection if selection[k] < 1))


def _price_alone(
    book: Book, choice: Choice, systems: Sequence[PriceSystem]
) -> tuple[PublishedPrices | None, tuple[int, ...]]:
    """Price every period for itself; return the prices and who would lose at them."""
    alone = price_periods(systems)
    if alone is None:
        return None, tuple(sorted(choice.selection))
    prices = publish_prices(book.market, prices_of(systems, alone))
    return prices, losing_orders(book, choice.selection, prices)


def _is_at_the_money(candidate: Candidate, ratio: Decimal) -> bool:
    return candidate.min_acceptance < ratio < 1


class _Demands:
    """What accepted candidates ask of prices, written out only where prices break it."""

    def __init__(
        self, book: Book, selection: Selection, systems: Sequence[PriceSystem], margin: float
    ) -> None:
        self._book = book
        self._selection = selection
        self._systems = systems
        self._margin = margin
        self._families = families(book, selection)
        table = book.table
        self._ratios = table.ratios(selection)
        self._slack: FloatArray = np.zeros(len(table.worth))
        if margin:
            products = book.market.auction.products
            tick = np.array([float(p.clearing_price_tick) for p in products])
            ticks = tick[book.market.node_product[table.node]]
            rounding = np.bincount(
                table.owner, weights=np.abs(table.amount) * ticks, minlength=len(table.worth)
            )
            self._slack = np.asarray(margin * rounding, dtype=np.float64)

    def broken(self, found: Sequence[FloatArray]) -> list[PriceDemand]:
        """Return the demands that the unknowns of all periods break."""
        price = np.stack([s.values(x) for s, x in zip(self._systems, found, strict=True)])
        rent = np.stack([s.rents(x) for s, x in zip(self._systems, found, strict=True)])
        table = self._book.table
        gain = (table.surplus(price, rent) - self._slack) * self._ratios
        worth = np.abs(table.worth)
        fine = gain >= -_TOLERANCE * (1.0 + worth)
        out = []
        for head, members in sorted(self._families.items()):
            if len(members) == 1:
                if fine[head] and self._selection[head] == 1:
                    continue
                total, scale = float(gain[head]), _TOLERANCE * (1.0 + float(worth[head]))
            else:
                own = list(members)
                total = float(gain[own].sum())
                scale = _TOLERANCE * (1.0 + float(worth[own].sum()))
            if total < -scale or (self._is_equal(head, members) and total > scale):
                out.append(self._written(head, members))
        return out

    def _is_equal(self, head: int, members: tuple[int, ...]) -> bool:
        candidate = self._book.candidates[head]
        return len(members) == 1 and _is_at_the_money(candidate, self._selection[head])

    def _written(self, head: int, members: tuple[int, ...]) -> PriceDemand:
        terms: list[tuple[int, Affine, float]] = []
        limit = 0.0
        for member in members:
            limit += self._add_terms(member, float(self._selection[member]), terms)
        return PriceDemand(tuple(terms), limit, self._is_equal(head, members))

    def _add_terms(
        self, number: int, ratio: float, terms: list[tuple[int, Affine, float]]
    ) -> float:
        """Add what a candidate pays (sells: minus receipt) and return the most it may."""
        candidate, market = self._book.candidates[number], self._book.market
        products = market.auction.products
        limit = (candidate.worth - float(self._slack[number])) * ratio
        for item in candidate.injections:
            product = products[market.nodes[item.node].product]
            amount = -item.lots * ratio * float(product.quantity_tick)
            affine = self._systems[item.period].price_of.get(item.node)
            if affine is None:
                bound = product.price_max if candidate.is_buy else product.price_min
                affine = Affine(float(bound), ())
            terms.append((item.period, affine, amount))
        for use in candidate.link_uses:
            unknown = self._systems[use.period].rent_unknown.get(use.link)
            if unknown is not None:
                affine = Affine(0.0, ((unknown, 1.0),))
                terms.append((use.period, affine, use.bandwidth * ratio))
        return limit


def losing_orders(book: Book, selection: Selection, prices: PublishedPrices) -> tuple[int, ...]:
    """Return the accepted candidates whose family loses, or that are part-filled off the money."""
    rough, _ = book.table.published_surplus(prices)
    sure = rough > _NEAR_ZERO * (1.0 + np.abs(book.table.worth))
    losers: list[tuple[Decimal, int]] = []
    for head, members in families(book, selection).items():
        if all(sure[k] and selection[k] == 1 for k in members):
            continue
        surplus = {k: exact_surplus(book, k, selection[k], prices) for k in members}
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
