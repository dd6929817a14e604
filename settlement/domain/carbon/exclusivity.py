"""One megawatt-hour serves one instrument: green certificates or CCER credits (R20).

The rules come from a dated public notice; a rule set says until when it is known to hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from marketplace.domain.decimals import add_exactly, multiply_exactly
from settlement.domain.carbon.errors import CertificateFrozen, MwhAlreadyClaimed


@dataclass(frozen=True, slots=True)
class ExclusivityRules:
    """A dated rule set.

    Attributes:
        code: name of the rule set.
        valid_from: first day.
        valid_to: last day stated by the notice, inclusive.
        renewal_verified: whether somebody checked that it holds beyond that day.
    """

    code: str
    valid_from: date
    valid_to: date
    renewal_verified: bool = False

    def needs_warning(self, on: date) -> bool:
        """Say whether the rules are used beyond their stated life without a check."""
        return on > self.valid_to and not self.renewal_verified


@dataclass(frozen=True, slots=True)
class ProjectMonth:
    """Energy of a project in a month and what it serves already.

    Attributes:
        metered_mwh: energy produced.
        certificates: GECs issued for it.
        sold: GECs sold or claimed.
        frozen: GECs frozen since the CCER project was registered.
        cancelled: GECs cancelled on CCER issue.
        credited_mwh: energy that CCER credits were issued for.

    Raises:
        ValueError: when the counts do not fit together.
    """

    metered_mwh: Decimal
    certificates: int
    sold: int = 0
    frozen: int = 0
    cancelled: int = 0
    credited_mwh: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if min(self.sold, self.frozen, self.cancelled) < 0 or self.credited_mwh < 0:
            raise ValueError("counts are never below zero")
        if self.sold + self.frozen + self.cancelled > self.certificates:
            raise ValueError("more certificates than were issued")
        if self.sold + self.credited_mwh > self.metered_mwh:
            raise ValueError("more energy claimed than was metered")

    @property
    def unclaimed_mwh(self) -> Decimal:
        """Energy that serves nothing yet."""
        return add_exactly([self.metered_mwh, Decimal(-self.sold), -self.credited_mwh])

    @property
    def unsold(self) -> int:
        """Certificates that are neither sold nor cancelled."""
        return self.certificates - self.sold - self.cancelled


def freeze_on_registration(month: ProjectMonth) -> ProjectMonth:
    """Freeze the unsold certificates of a month in the crediting period."""
    return ProjectMonth(
        metered_mwh=month.metered_mwh,
        certificates=month.certificates,
        sold=month.sold,
        frozen=month.unsold,
        cancelled=month.cancelled,
        credited_mwh=month.credited_mwh,
    )


def check_sale(month: ProjectMonth, count: int) -> None:
    """Refuse to sell or claim certificates that are frozen or whose energy is spent.

    Raises:
        CertificateFrozen: fewer than `count` certificates are free of the freeze.
        MwhAlreadyClaimed: the energy serves something else.
    """
    if count > month.unsold - month.frozen:
        raise CertificateFrozen(asked=count, free=month.unsold - month.frozen)
    if count > month.unclaimed_mwh:
        raise MwhAlreadyClaimed(asked=count, free_mwh=month.unclaimed_mwh)


def issue_credits(
    month: ProjectMonth, *, mwh: Decimal, baseline_factor: Decimal
) -> tuple[int, ProjectMonth]:
    """Return the credits for so much energy and the month after issue.

    Credits are floored; as many frozen certificates die as the energy had.

    Raises:
        MwhAlreadyClaimed: the energy is more than what is unsold; nothing is issued.
        ValueError: when energy or factor is below zero.
    """
    if mwh < 0 or baseline_factor < 0:
        raise ValueError("energy and factor are never below zero")
    if mwh > month.unclaimed_mwh:
        raise MwhAlreadyClaimed(asked_mwh=mwh, free_mwh=month.unclaimed_mwh)
    dying = min(int(mwh.to_integral_value(rounding=ROUND_CEILING)), month.unsold)
    after = ProjectMonth(
        metered_mwh=month.metered_mwh,
        certificates=month.certificates,
        sold=month.sold,
        frozen=max(0, month.frozen - dying),
        cancelled=month.cancelled + dying,
        credited_mwh=add_exactly([month.credited_mwh, mwh]),
    )
    exact = multiply_exactly(mwh, baseline_factor)
    return int(exact.to_integral_value(rounding=ROUND_FLOOR)), after


def rules_on(rule_sets: Iterable[ExclusivityRules], on: date) -> ExclusivityRules | None:
    """Return the newest rule set that has begun; one past its end still holds, with a warning."""
    begun = [rules for rules in rule_sets if rules.valid_from <= on]
    return max(begun, key=lambda rules: (rules.valid_from, rules.code), default=None)
