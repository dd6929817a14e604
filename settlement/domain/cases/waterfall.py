"""The order of taking when a member does not pay, and of giving back when it pays later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from marketplace.domain.decimals import multiply_exactly

# The member's own money first, then whoever vouched for it, then the market's.
ORDER_OF_TAKING = ("free_funds", "deposit", "guarantee", "reserve", "loss")
OWN_SOURCES = ("free_funds", "deposit")
_FEN = Decimal("0.01")
_ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Debt:
    """Something a member owes, CNY; `name` says what (a bill's number, `funds`, `payable`)."""

    name: str
    amount_cny: Decimal


@dataclass(frozen=True, slots=True)
class Taking:
    """An amount taken from a source for a debt, CNY."""

    source: str
    debt: str
    amount_cny: Decimal


def plan_takings(
    debts: Sequence[Debt],
    *,
    sources: Mapping[str, Decimal],
    order: Sequence[str] = ORDER_OF_TAKING,
) -> list[Taking]:
    """Cover debts in the order given from the sources in the order of taking.

    `loss` takes whatever no source covers, when it is in the order; without it the rest stays owed.

    Args:
        debts: what is owed, each above zero.
        sources: what each source can give.
        order: the sources that may be used.
    """
    left = {name: sources.get(name, _ZERO) for name in order}
    owed = [debt.amount_cny for debt in debts]
    takings = []
    for source in order:
        for number, debt in enumerate(debts):
            taken = owed[number] if source == "loss" else min(owed[number], left[source])
            if taken <= 0:
                continue
            takings.append(Taking(source, debt.name, taken))
            left[source] -= taken
            owed[number] -= taken
    return takings


def plan_recovery(taken: Mapping[str, Decimal], *, paid_cny: Decimal) -> list[Taking]:
    """Give money that came in later back to where it was taken, in the opposite order.

    Funds and deposit were the member's own money: nothing goes back to them.

    Args:
        taken: what each source gave, less of what it got back.
        paid_cny: what came in.
    """
    left, given = paid_cny, []
    for source in reversed(ORDER_OF_TAKING[len(OWN_SOURCES) :]):
        amount = min(taken.get(source, _ZERO), left)
        if amount > 0:
            given.append(Taking(source, "", amount))
            left -= amount
    return given


def penalty_of(
    debts: Sequence[tuple[Decimal, date]],
    *,
    on: date,
    rate_per_day: Decimal,
    cap_rate: Decimal,
) -> Decimal:
    """Return the penalty for paying late, in fen, half up, capped at a share of the debt.

    Args:
        debts: amount owed and due date of each.
        on: the day it is reckoned.
        rate_per_day: share of the debt a calendar day.
        cap_rate: the most, as a share of the debt.
    """
    owed = sum((amount for amount, _ in debts), _ZERO)
    exact = sum(
        (
            multiply_exactly(multiply_exactly(amount, rate_per_day), Decimal((on - due).days))
            for amount, due in debts
            if on > due
        ),
        _ZERO,
    )
    return min(exact, multiply_exactly(owed, cap_rate)).quantize(_FEN, ROUND_HALF_UP)
