"""Shares marginal steps among their orders pro rata, by largest remainder on the lot."""

from collections.abc import Mapping, Sequence

import numpy as np

from orders.clearing.merit_order import MeritOrder
from orders.clearing.row_tables import sums
from orders.clearing.types import IntArray


def share_pro_rata(total: int, offers: Sequence[int], floors: Sequence[int]) -> list[int]:
    """Split a total in proportion to offers, by largest remainder, ties to the first.

    Args:
        total: lots to give out, at most the sum of the offers.
        offers: lots of each order, in order of their ids.
        floors: lots an order must get because something is placed on it.
    """
    shares = _by_largest_remainder(total, offers)
    raised = {k for k, floor in enumerate(floors) if floor > shares[k]}
    if not raised:
        return shares
    rest = [0 if k in raised else offer for k, offer in enumerate(offers)]
    kept = [0 if k in raised else floor for k, floor in enumerate(floors)]
    left = total - sum(floors[k] for k in raised)
    inner = share_pro_rata(left, rest, kept)
    return [floors[k] if k in raised else share for k, share in enumerate(inner)]


def _by_largest_remainder(total: int, offers: Sequence[int]) -> list[int]:
    whole = sum(offers)
    if whole == 0:
        return [0] * len(offers)
    shares = [total * offer // whole for offer in offers]
    remainders = [total * offer % whole for offer in offers]
    order = sorted(range(len(offers)), key=lambda k: (-remainders[k], k))
    for k in order[: total - sum(shares)]:
        shares[k] += 1
    return shares


def accepted_by_order(
    merit: MeritOrder, accepted: IntArray, offered: IntArray, floors: Mapping[int, int]
) -> IntArray:
    """Return the accepted lots of every curve row.

    Args:
        merit: the steps.
        accepted: lots of every step.
        offered: lots of every row.
        floors: row to lots that a placement on it needs.
    """
    step_total = sums(merit.step_of_order, offered, len(merit.period))
    full = accepted[merit.step_of_order] >= step_total[merit.step_of_order]
    lots = np.where(full, offered, 0)
    partial = np.flatnonzero((accepted > 0) & (accepted < step_total))
    is_partial = np.zeros(len(merit.period), dtype=bool)
    is_partial[partial] = True
    rows = np.flatnonzero(is_partial[merit.step_of_order]) if len(lots) else np.zeros(0, np.int64)
    by_step: dict[int, list[int]] = {}
    for row in rows.tolist():
        by_step.setdefault(int(merit.step_of_order[row]), []).append(row)
    for step, members in by_step.items():
        offers = [int(offered[row]) for row in members]
        needs = [floors.get(row, 0) for row in members]
        lots[members] = share_pro_rata(int(accepted[step]), offers, needs)
    return lots
