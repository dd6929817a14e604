"""Multilateral netting of obligations between data centres (R17, R18).

One cycle is one fungibility class, one cut-off, one reference price. Whole credits move, fractions
settle in cash, the platform's rounding account takes what the fen leave.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import apportion, round_money, round_quotient
from settlement.domain.carbon.energy import RATIO_PLACES, TONNE_PLACES, floor_quotient

_ZERO = Decimal(0)
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, order=True)
class Obligation:
    """What one participant owes another in a cycle.

    Raises:
        ValueError: when the tonnes are not above zero, finer than a gram, or owed to oneself.
    """

    payer: str
    payee: str
    tonnes: Decimal

    def __post_init__(self) -> None:
        if self.payer == self.payee:
            raise ValueError("nobody owes himself")
        if self.tonnes <= 0 or self.tonnes != round_money(self.tonnes, TONNE_PLACES):
            raise ValueError("an obligation is tonnes above zero with at most 6 decimals")


@dataclass(frozen=True, slots=True)
class NetPosition:
    """A participant after netting.

    Attributes:
        participant: its code.
        tonnes: receivable minus payable, exact; below zero for a debtor.
        delivered: whole credits it gives.
        received: whole credits it gets.
        cash_cny: CNY it receives; below zero when it pays.
    """

    participant: str
    tonnes: Decimal
    delivered: int
    received: int
    cash_cny: Decimal


@dataclass(frozen=True, slots=True)
class Delivery:
    """Whole credits from one participant to another."""

    debtor: str
    creditor: str
    credits: int


@dataclass(frozen=True, slots=True)
class NettingResult:
    """A cycle: positions by participant code, and the measures of netting.

    Attributes:
        obligations: those that were netted, in order.
        removed: those taken out with a failed debtor.
        positions: by participant code; tonnes add up to zero.
        deliveries: whole credits from debtors to creditors, in order of their codes.
        gross_t: sum of the obligations.
        net_t: sum of the creditors' positions.
        rounding_cny: what the platform's rounding account receives; with it cash adds up to zero.
    """

    obligations: tuple[Obligation, ...]
    removed: tuple[Obligation, ...]
    positions: tuple[NetPosition, ...]
    deliveries: tuple[Delivery, ...]
    gross_t: Decimal
    net_t: Decimal
    rounding_cny: Decimal

    @property
    def netting_ratio(self) -> Decimal | None:
        """1 − net / gross, 4 decimals; nothing when nothing is owed."""
        if not self.gross_t:
            return None
        return round_quotient(add_exactly([self.gross_t, -self.net_t]), self.gross_t, RATIO_PLACES)


def net_tonnes(obligations: Iterable[Obligation]) -> dict[str, Decimal]:
    """Return receivable minus payable by participant code, exact (R17); they add up to zero."""
    net: dict[str, Decimal] = {}
    for item in obligations:
        net[item.payer] = add_exactly([net.get(item.payer, _ZERO), -item.tonnes])
        net[item.payee] = add_exactly([net.get(item.payee, _ZERO), item.tonnes])
    return dict(sorted(net.items()))


def net_cycle(
    obligations: Iterable[Obligation], *, price_cny: Decimal, failed: Collection[str] = ()
) -> NettingResult:
    """Net a cycle from scratch; the order of the obligations makes no difference (R17, R18).

    Args:
        obligations: confirmed obligations of one fungibility class.
        price_cny: reference price of a tonne, for fractions.
        failed: participants that did not deliver: all obligations with them are taken out.

    Raises:
        ValueError: when the price is below zero.
    """
    if price_cny < 0:
        raise ValueError("a price is never below zero")
    ordered = sorted(obligations)
    kept = [o for o in ordered if o.payer not in failed and o.payee not in failed]
    net = net_tonnes(kept)
    delivered = {code: floor_quotient(-t, _ONE) for code, t in net.items() if t < 0}
    received = _apportion_credits(net, sum(delivered.values()))
    positions = tuple(
        NetPosition(
            participant=code,
            tonnes=tonnes,
            delivered=delivered.get(code, 0),
            received=received.get(code, 0),
            cash_cny=_cash(tonnes, delivered.get(code, 0), received.get(code, 0), price_cny),
        )
        for code, tonnes in net.items()
    )
    return NettingResult(
        obligations=tuple(kept),
        removed=tuple(item for item in ordered if item not in set(kept)),
        positions=positions,
        deliveries=_pair(delivered, received),
        gross_t=add_exactly(item.tonnes for item in kept),
        net_t=add_exactly(t for t in net.values() if t > 0),
        rounding_cny=add_exactly([_ZERO, *(-row.cash_cny for row in positions)]),
    )


def net_obligations(net: dict[str, Decimal]) -> list[Obligation]:
    """Return the fewest obligations in order of codes that leave the same positions (INV-17)."""
    debts = [[code, -tonnes] for code, tonnes in sorted(net.items()) if tonnes < 0]
    claims = [[code, tonnes] for code, tonnes in sorted(net.items()) if tonnes > 0]
    return [Obligation(payer, payee, tonnes) for payer, payee, tonnes in _match(debts, claims)]


def _apportion_credits(net: dict[str, Decimal], credits: int) -> dict[str, int]:
    """Share whole credits among creditors by largest remainder, ties to the lower code (R18)."""
    claims = {code: Fraction(tonnes) for code, tonnes in net.items() if tonnes > 0}
    whole = sum(claims.values(), Fraction(0))
    if not whole:
        return {}
    quotas = [claim * credits / whole for claim in claims.values()]
    parts = apportion(quotas, Decimal(credits), 0)
    return {code: int(part) for code, part in zip(claims, parts, strict=True)}


def _cash(tonnes: Decimal, delivered: int, received: int, price_cny: Decimal) -> Decimal:
    """Return CNY a participant receives for the fraction that no whole credit settled."""
    open_tonnes = add_exactly([tonnes, Decimal(delivered - received)])
    return round_money(multiply_exactly(open_tonnes, price_cny))


def _pair(delivered: dict[str, int], received: dict[str, int]) -> tuple[Delivery, ...]:
    debts = [[code, Decimal(count)] for code, count in sorted(delivered.items()) if count]
    claims = [[code, Decimal(count)] for code, count in sorted(received.items()) if count]
    return tuple(Delivery(a, b, int(count)) for a, b, count in _match(debts, claims))


def _match(debts: list[list], claims: list[list]) -> list[tuple[str, str, Decimal]]:
    """Serve claims from debts, both in the order given."""
    flows = []
    while debts and claims:
        amount = min(debts[0][1], claims[0][1])
        flows.append((debts[0][0], claims[0][0], amount))
        for queue in (debts, claims):
            queue[0][1] = add_exactly([queue[0][1], -amount])
            if not queue[0][1]:
                queue.pop(0)
    return flows
