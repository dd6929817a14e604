"""The rows of `assignments.csv`: parties of every period, and what single placement fixed."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np

from orders.clearing.assignment import Parties, pair_period
from orders.clearing.candidates import leg_lots
from orders.clearing.curve_results import amounts, quantity_tick
from orders.clearing.placement import Placements
from orders.clearing.quantities import PeriodLots
from orders.clearing.row_tables import Column, RowTable, combined, first_rows, sums
from orders.clearing.state import Book, Outcome
from orders.clearing.types import NONE, AssignmentRow, Auction, IntArray


def assignment_rows(
    book: Book,
    outcome: Outcome,
    lots: Sequence[PeriodLots],
    placements: Placements,
    accepted: IntArray,
) -> RowTable[AssignmentRow]:
    """Return who serves whom, for every accepted buy.

    Args:
        book: the auction.
        outcome: the accepted blocks.
        lots: whole lots by period.
        placements: which rows serve single-placed buys.
        accepted: accepted lots of every curve row.
    """
    return _AssignmentTable(book, outcome, lots, placements, accepted).rows()


class _Names:
    """Every text that an assignment may hold, sorted, so that places sort as the texts do."""

    def __init__(self, auction: Auction) -> None:
        curves = auction.curves
        # In canonical order the steps of an order stand together, and orders are sorted by id.
        own = list(dict.fromkeys(curves.order_id))
        others = {""} | {listing.listing_id for listing in auction.listings}
        for order in auction.blocks:
            others |= {order.order_id, *(option.option_id for option in order.options)}
        known = {text for text in others if self._is_among(own, text)}
        fresh = sorted(others - known)
        self.texts = sorted(own + fresh)
        shift = np.array([bisect_left(own, text) for text in fresh], dtype=np.int64)
        places = np.arange(len(own))
        places = places + np.searchsorted(np.sort(shift), places, side="right")
        steps = np.ones(len(curves), dtype=np.int64)
        if len(own) < len(curves):
            ids = curves.order_id
            steps[1:] = [a != b for a, b in zip(ids[1:], ids, strict=False)]
        steps[:1] = 0
        self.of_row: IntArray = places[np.cumsum(steps)] if len(own) else places

    def of(self, text: str) -> int:
        """Return the place of a text."""
        return bisect_left(self.texts, text)

    @staticmethod
    def _is_among(texts: Sequence[str], text: str) -> bool:
        place = bisect_left(texts, text)
        return place < len(texts) and texts[place] == text


class _AssignmentTable:
    def __init__(
        self,
        book: Book,
        outcome: Outcome,
        lots: Sequence[PeriodLots],
        placements: Placements,
        accepted: IntArray,
    ) -> None:
        self._book = book
        self._market = book.market
        self._auction = book.market.auction
        self._outcome = outcome
        self._lots = lots
        self._placements = placements
        self._accepted = accepted
        self._names = _Names(self._auction)
        self._listings = self._listing_names()

    def rows(self) -> RowTable[AssignmentRow]:
        """Return all rows, sorted."""
        periods = self._auction.terms.periods
        buyers, sellers = (side.in_line().periods(periods) for side in self._parties())
        parts = [self._placed_rows()]
        for period, lots in enumerate(self._lots):
            buyer, seller, amount = pair_period(self._market, lots, buyers[period], sellers[period])
            parts.append(
                self._paired(buyers[period].taken(buyer), sellers[period].taken(seller), amount)
            )
        return self._table(np.concatenate(parts, axis=1))

    def _paired(self, buyer: Parties, seller: Parties, lots: IntArray) -> IntArray:
        """Return a row of numbers for each column of the table, with lots as quantity."""
        market = self._market
        return np.stack(
            [
                buyer.name,
                buyer.option,
                seller.name,
                seller.option,
                seller.listing,
                market.node_hub[seller.node],
                market.node_hub[buyer.node],
                market.node_product[buyer.node],
                buyer.period,
                lots,
            ]
        )

    def _table(self, numbers: IntArray) -> RowTable[AssignmentRow]:
        auction, texts = self._auction, self._names.texts
        products = [product.name for product in auction.products]
        sortable = numbers.copy()
        sortable[5:7] = _ranks(auction.hubs)[numbers[5:7]]
        sortable[7] = _ranks(products)[numbers[7]]
        # By period first; most columns say nothing that those before them have not said.
        keys = (sortable[9], *sortable[7::-1], sortable[8])
        telling = [key for key in keys if key.size and np.ptp(key)]
        numbers = numbers[:, np.lexsort(telling)] if telling else numbers
        codes = numbers.astype(np.int32)
        columns = dict(zip(AssignmentRow._fields[:5], codes[:5], strict=True))
        return RowTable(
            AssignmentRow,
            {
                **{name: Column(texts, own) for name, own in columns.items()},
                "hub_of_supply": Column(auction.hubs, codes[5]),
                "hub": Column(auction.hubs, codes[6]),
                "product": Column(products, codes[7]),
                "period": Column(tuple(range(1, auction.terms.periods + 1)), codes[8]),
                "quantity": amounts(auction.products, numbers[7], numbers[9], quantity_tick),
            },
        )

    def _listing_names(self) -> IntArray:
        """Return by curve row the name of what it sells from: its listing, or itself."""
        names = [self._names.of(listing.listing_id) for listing in self._auction.listings]
        own = self._auction.curves.listing
        return np.where(own == NONE, self._names.of_row, np.array([*names, 0])[own])

    # -- what single placement fixed -------------------------------------------------------------

    def _placed_rows(self) -> IntArray:
        """Assign each single-placed buy to the one listing found for it."""
        total: dict[tuple[int, ...], int] = {}
        curves, names = self._auction.curves, self._names
        for number, served in sorted(self._placements.served.items()):
            candidate = self._book.candidates[number]
            order = self._auction.blocks[candidate.order]
            option = order.options[candidate.option]
            ratio = self._outcome.selection[number]
            stock = [list(item) for item in served]
            for leg in option.legs:
                wanted = leg_lots(leg, ratio)
                for item in stock:
                    lots = min(wanted, item[2]) if item[0] == leg.period else 0
                    if lots <= 0:
                        continue
                    item[2] -= lots
                    wanted -= lots
                    row = item[1]
                    key = (
                        names.of(order.order_id),
                        names.of(option.option_id),
                        int(names.of_row[row]),
                        names.of(""),
                        int(self._listings[row]),
                        int(curves.hub[row]),
                        leg.hub,
                        leg.product,
                        leg.period,
                    )
                    total[key] = total.get(key, 0) + lots
        return _whole([(*key, lots) for key, lots in total.items()], 10).T

    # -- parties ---------------------------------------------------------------------------------

    def _parties(self) -> tuple[Parties, Parties]:
        """Return buyers and sellers, without what single placement already assigned."""
        curves, accepted = self._auction.curves, self._accepted
        rows = np.flatnonzero(accepted > 0)
        sells = ~curves.is_buy
        size = sums(self._listings[sells], accepted[sells], len(self._names.texts))
        left = accepted.copy()
        for row, lots in self._placements.floors().items():
            left[row] -= lots
        blocks = self._block_parties()
        sides = []
        for own, is_buy in ((rows[curves.is_buy[rows]], True), (rows[sells[rows]], False)):
            listing = (self._names.of_row if is_buy else self._listings)[own]
            found = Parties(
                period=curves.period[own],
                node=self._book.merit.node_of_order[own],
                kind=np.ones(len(own), dtype=np.int64),
                size=np.zeros(len(own), dtype=np.int64) if is_buy else size[listing],
                name=self._names.of_row[own],
                option=np.full(len(own), self._names.of("")),
                listing=listing,
                lots=left[own],
            )
            sides.append(_joined(_merged(found), blocks[is_buy]))
        return sides[0], sides[1]

    def _block_parties(self) -> dict[bool, Parties]:
        found: dict[bool, list[tuple[int, ...]]] = {True: [], False: []}
        of = self._names.of
        for number, ratio in sorted(self._outcome.selection.items()):
            candidate = self._book.candidates[number]
            if candidate.is_single:
                continue
            order = self._auction.blocks[candidate.order]
            name, option = of(order.order_id), of(order.options[candidate.option].option_id)
            listing = name if order.is_buy else of(order.listing_id or order.order_id)
            for item in candidate.injections:
                lots = int(abs(item.lots) * ratio)
                found[order.is_buy].append(
                    (item.period, item.node, 0, 0, name, option, listing, lots)
                )
        return {side: Parties(*_whole(rows, 8).T) for side, rows in found.items()}


def _merged(parties: Parties) -> Parties:
    """Add up the steps of an order at the same node and period."""
    if len(np.unique(parties.name)) == len(parties):
        return parties
    group = combined((parties.period, parties.node, parties.name))
    first = first_rows(group)
    found = parties.taken(first)
    found.lots[:] = sums(group, parties.lots, len(first))
    return found


def _joined(first: Parties, second: Parties) -> Parties:
    names = Parties.__dataclass_fields__
    return Parties(*(np.concatenate([getattr(first, n), getattr(second, n)]) for n in names))


def _whole(rows: Iterable[tuple[int, ...]], width: int) -> IntArray:
    return np.array(list(rows), dtype=np.int64).reshape(-1, width)


def _ranks(names: Sequence[str]) -> IntArray:
    """Return each name's place when they are sorted."""
    out = np.empty(len(names), dtype=np.int64)
    out[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return out
