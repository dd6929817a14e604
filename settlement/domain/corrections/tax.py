"""Tax of a correction: what brings bill and corrections together to the tax of their common sum.

A bill is taxed per rate on the sum of its lines. A correction is taxed so that, over the bill and
all of its corrections, the tax of a rate is again the rounded tax of the sum; a line credited in
full gives back exactly the tax it was charged, and when everything is credited nothing remains.
A fen that no corrected line can carry stands on a line of its own.
Worked example: `docs/explanation/corrections.md`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor

from marketplace.domain.decimals import add_exactly
from marketplace.domain.money import apportion, vat_of


@dataclass(frozen=True, slots=True)
class TaxedShare:
    """What a line came to so far: its net and its tax, over the bill and its corrections."""

    net: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True)
class CorrectionTax:
    """Tax of the lines of a correction at one rate.

    Attributes:
        line_vats: tax of each change, in the order given.
        rest: what no line can carry, a fen or so; for a line of its own.
    """

    line_vats: tuple[Decimal, ...]
    rest: Decimal

    @property
    def vat(self) -> Decimal:
        """Tax of the correction at this rate."""
        return add_exactly([*self.line_vats, self.rest])


def correct_tax(
    *,
    rate: Decimal,
    billed: Mapping[Hashable, TaxedShare],
    changes: Sequence[tuple[Hashable, Decimal]],
) -> CorrectionTax:
    """Tax the changes of lines at one rate.

    Args:
        rate: the tax rate of all of them.
        billed: every line billed at this rate so far, by its key.
        changes: key and net difference, each key once; a new key is a new line.

    Raises:
        ValueError: when a key is changed twice.
    """
    if len({key for key, _ in changes}) != len(changes):
        raise ValueError("a line is corrected once in a document")
    net = add_exactly([*(s.net for s in billed.values()), *(change for _, change in changes)])
    wanted = vat_of(net, rate) - add_exactly(share.vat for share in billed.values())
    quotas = [_quota(rate, billed.get(key), change) for key, change in changes]
    fixed = [quota is None for quota in quotas]
    given_back = [-billed[key].vat if key in billed else Decimal(0) for key, _ in changes]
    open_quotas = [quota for quota in quotas if quota is not None]
    back = add_exactly(vat for vat, is_fixed in zip(given_back, fixed, strict=True) if is_fixed)
    shares = _nearest(open_quotas, wanted - back)
    rest = wanted - back - add_exactly(shares)
    parts = iter(shares)
    vats = tuple(
        vat if is_fixed else next(parts) for vat, is_fixed in zip(given_back, fixed, strict=True)
    )
    return CorrectionTax(vats, rest)


def _quota(rate: Decimal, before: TaxedShare | None, change: Decimal) -> Fraction | None:
    """Return the exact tax still missing on a line; None when it is credited in full."""
    net = (before.net if before else Decimal(0)) + change
    if before is not None and not net:
        return None
    charged = Fraction(before.vat) if before else Fraction(0)
    return Fraction(net) * Fraction(rate) - charged


def _nearest(quotas: Sequence[Fraction], total: Decimal) -> list[Decimal]:
    """Round the quotas to fen so that they come as near to the total as rounding allows."""
    if not quotas:
        return []
    least = sum(floor(quota * 100) for quota in quotas)
    most = least + len(quotas)
    fen = min(max(int(total * 100), least), most)
    return apportion(quotas, Decimal(fen).scaleb(-2), 2)
