"""How much of a bill a voucher pays, and how much of it a credit note gives back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal

from marketplace.domain.decimals import multiply_exactly
from settlement.domain.cases.parts import matching_part

_FEN = Decimal("0.01")
_ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class VoucherTerms:
    """What a programme asks of a bill line.

    Attributes:
        share_of_bill: at most this share of the eligible part is paid, above 0, at most 1.
        valid_from: first day of the bills it may be used on.
        valid_until: last day.
        regions: provinces of delivery; empty: all.
        resource_classes: classes of products; empty: all.
    """

    share_of_bill: Decimal
    valid_from: date
    valid_until: date
    regions: frozenset[str] = frozenset()
    resource_classes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BilledPart:
    """A line of a bill as eligibility sees it; `gross_cny` includes tax."""

    gross_cny: Decimal
    region: str
    resource_class: str


def eligible_gross(parts: Collection[BilledPart], *, terms: VoucherTerms) -> Decimal:
    """Return how much of a bill, tax included, the programme supports."""
    return sum(
        (
            part.gross_cny
            for part in parts
            if (not terms.regions or part.region in terms.regions)
            and (not terms.resource_classes or part.resource_class in terms.resource_classes)
        ),
        _ZERO,
    )


def redeemable(
    *, eligible_cny: Decimal, already_cny: Decimal, remaining_cny: Decimal, terms: VoucherTerms
) -> Decimal:
    """Return what a voucher pays of a bill, CNY: never above its share, what is left, or the part.

    Args:
        eligible_cny: the part of the bill that the programme supports, tax included.
        already_cny: what vouchers of the same programme paid of it before.
        remaining_cny: what is left of the voucher.
        terms: the programme's.
    """
    most = multiply_exactly(eligible_cny, terms.share_of_bill).quantize(_FEN, ROUND_DOWN)
    return max(min(most - already_cny, remaining_cny), _ZERO)


def to_give_back(
    *, redeemed_cny: Decimal, bill_cny: Decimal, credited_cny: Decimal, returned_cny: Decimal
) -> Decimal:
    """Return what a further credit note gives back of what a voucher paid of a bill.

    The share is taken of everything credited so far and less of what went back before, so that the
    last credit note of a bill returns the rest exactly.

    Args:
        redeemed_cny: what the voucher paid of the bill.
        bill_cny: the bill, tax included.
        credited_cny: all its credit notes so far, tax included, above zero.
        returned_cny: what was given back before.
    """
    wanted = matching_part(redeemed_cny, part=credited_cny, of=bill_cny)
    return max(wanted - returned_cny, _ZERO)
