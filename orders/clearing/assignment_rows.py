"""The rows of `assignments.csv`: parties of every period, and what single placement fixed."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from orders.clearing.assignment import Pair, Party, pair_period
from orders.clearing.candidates import leg_lots, seller_keys
from orders.clearing.placement import Placements
from orders.clearing.quantities import PeriodLots
from orders.clearing.state import Book, Outcome
from orders.clearing.types import AssignmentRow, IntArray

_ZERO = Decimal(0)


def assignment_rows(
    book: Book,
    outcome: Outcome,
    lots: Sequence[PeriodLots],
    placements: Placements,
    accepted: IntArray,
) -> tuple[AssignmentRow, ...]:
    """Return who serves whom, for every accepted buy.

    Args:
        book: the auction.
        outcome: the accepted blocks.
        lots: whole lots by period.
        placements: which rows serve single-placed buys.
        accepted: accepted lots of every curve row.
    """
    return _AssignmentTable(book, outcome, lots, placements, accepted).rows()


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
        self._keys = seller_keys(book.market)

    def rows(self) -> tuple[AssignmentRow, ...]:
        """Return all rows, sorted."""
        buyers, sellers = self._parties()
        rows = self._placed_rows()
        for period, part in enumerate(self._lots):
            pairs = pair_period(self._market, part, buyers[period], sellers[period])
            rows.extend(self._assignment_row(pair, period) for pair in pairs)
        return tuple(sorted(rows, key=lambda row: (row.period, row)))

    def _assignment_row(self, pair: Pair, period: int) -> AssignmentRow:
        market = self._market
        node = market.nodes[pair.buyer.node]
        product = self._auction.products[node.product]
        return AssignmentRow(
            pair.buyer.order_id,
            pair.buyer.option_id,
            pair.seller.order_id,
            pair.seller.option_id,
            pair.seller.listing_id,
            self._auction.hubs[market.nodes[pair.seller.node].hub],
            self._auction.hubs[node.hub],
            product.name,
            period + 1,
            pair.lots * product.quantity_tick,
        )

    def _placed_rows(self) -> list[AssignmentRow]:
        """Assign each single-placed buy to the one listing found for it."""
        rows = []
        curves = self._auction.curves
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
                    product = self._auction.products[leg.product]
                    rows.append(
                        AssignmentRow(
                            order.order_id,
                            option.option_id,
                            curves.order_id[row],
                            "",
                            self._keys[row],
                            self._auction.hubs[int(curves.hub[row])],
                            self._auction.hubs[leg.hub],
                            product.name,
                            leg.period + 1,
                            lots * product.quantity_tick,
                        )
                    )
        return _merged(rows)

    def _parties(self) -> tuple[list[list[Party]], list[list[Party]]]:
        """Return buyers and sellers by period, without what single placement already assigned."""
        periods = self._auction.terms.periods
        buyers: list[list[Party]] = [[] for _ in range(periods)]
        sellers: list[list[Party]] = [[] for _ in range(periods)]
        placed = self._placements.floors()
        curves = self._auction.curves
        totals: dict[str, int] = {}
        rows = np.flatnonzero(self._accepted > 0).tolist()
        for row in rows:
            if not curves.is_buy[row]:
                key = self._keys[row]
                totals[key] = totals.get(key, 0) + int(self._accepted[row])
        merged: dict[tuple[int, int, str], int] = {}
        for row in rows:
            place = (int(curves.period[row]), int(self._book.merit.node_of_order[row]))
            spot = (*place, curves.order_id[row])
            lots = int(self._accepted[row]) - placed.get(row, 0)
            merged[spot] = merged.get(spot, 0) + lots
        first_row = {curves.order_id[row]: row for row in reversed(rows)}
        for (period, node, name), lots in merged.items():
            row = first_row[name]
            if curves.is_buy[row]:
                buyers[period].append(Party(node, (1, 0, name, ""), lots, name, "", ""))
            else:
                key = self._keys[row]
                rank = (1, -totals[key], key, name)
                sellers[period].append(Party(node, rank, lots, name, "", key))
        self._add_blocks(buyers, sellers)
        return buyers, sellers

    def _add_blocks(self, buyers: list[list[Party]], sellers: list[list[Party]]) -> None:
        for number, ratio in sorted(self._outcome.selection.items()):
            candidate = self._book.candidates[number]
            if candidate.is_single:
                continue
            order = self._auction.blocks[candidate.order]
            option = order.options[candidate.option].option_id
            for item in candidate.injections:
                lots = int(abs(item.lots) * ratio)
                rank = (0, 0, order.order_id, option)
                if order.is_buy:
                    party = Party(item.node, rank, lots, order.order_id, option, "")
                    buyers[item.period].append(party)
                else:
                    key = order.listing_id or order.order_id
                    party = Party(item.node, rank, lots, order.order_id, option, key)
                    sellers[item.period].append(party)


def _merged(rows: list[AssignmentRow]) -> list[AssignmentRow]:
    """Add up rows that differ in quantity only."""
    total: dict[AssignmentRow, Decimal] = {}
    for row in rows:
        key = row._replace(quantity=_ZERO)
        total[key] = total.get(key, _ZERO) + row.quantity
    return [key._replace(quantity=quantity) for key, quantity in total.items()]
