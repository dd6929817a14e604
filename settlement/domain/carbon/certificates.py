"""Green certificates (GEC): their life (R14), the order of their use (R15), whole units (R4)."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from settlement.domain.carbon.errors import (
    CarbonRuleBroken,
    CertificateExpired,
    ProductionYearMismatch,
)
from settlement.domain.carbon.serials import SerialRange

WH_PER_CERTIFICATE = 1_000_000
LIFE_MONTHS = 24
_RULES_FROM = date(2024, 1, 1)
_OLD_LAST_DAY = date(2025, 12, 31)


def last_valid_day(production_month: date) -> date:
    """Return the last day on which a certificate may be retired (R14).

    Args:
        production_month: any day of the month in which the energy was produced.
    """
    if production_month.replace(day=1) < _RULES_FROM:
        return _OLD_LAST_DAY
    months = production_month.year * 12 + production_month.month - 1 + LIFE_MONTHS - 1
    year, month = divmod(months, 12)
    return date(year, month + 1, calendar.monthrange(year, month + 1)[1])


def certificates_for(wh: int) -> int:
    """Return how many whole certificates cover so many watt-hours (R4): ceiled.

    Raises:
        ValueError: when the energy is below zero.
    """
    if wh < 0:
        raise ValueError("energy is never below zero")
    return -(-wh // WH_PER_CERTIFICATE)


@dataclass(frozen=True, slots=True)
class CertificateBlock:
    """Certificates of one batch in one hand, a range of sequence numbers.

    Attributes:
        batch: the caller's key of the batch.
        production_month: any day of the month of production.
        serials: the sequence numbers, inclusive.
    """

    batch: str
    production_month: date
    serials: SerialRange


@dataclass(frozen=True, slots=True)
class RefusedCertificates:
    """A block that may not serve a claim, with the code of the rule."""

    block: CertificateBlock
    code: str


@dataclass(frozen=True, slots=True)
class CertificateChoice:
    """Which certificates serve a claim.

    Attributes:
        used: parts of blocks in order of use.
        refused: blocks that may not serve it.
        count: how many certificates are used.
        missing: how many were asked for and could not be had.
    """

    used: tuple[CertificateBlock, ...]
    refused: tuple[RefusedCertificates, ...]
    count: int
    missing: int


def refusal_of(
    production_month: date, *, claim_month: date, retired_on: date, year_rule: bool = True
) -> type[CarbonRuleBroken] | None:
    """Return the rule that keeps a certificate from serving a claim (R14), or nothing.

    Args:
        production_month: month in which the energy was produced.
        claim_month: month of the consumption it would serve.
        retired_on: day of retirement in UTC+8; the last valid day is good.
        year_rule: whether production year and consumption year must be the same.
    """
    if retired_on > last_valid_day(production_month):
        return CertificateExpired
    if year_rule and production_month.year != claim_month.year:
        return ProductionYearMismatch
    return None


def check_certificate(
    production_month: date, *, claim_month: date, retired_on: date, year_rule: bool = True
) -> None:
    """Refuse a certificate that may not serve a claim (R14).

    Raises:
        CertificateExpired: its last valid day is past.
        ProductionYearMismatch: it was produced in another year than the claimed one.
    """
    refusal = refusal_of(
        production_month, claim_month=claim_month, retired_on=retired_on, year_rule=year_rule
    )
    if refusal is not None:
        raise refusal(
            production_month=f"{production_month:%Y-%m}",
            last_valid_day=last_valid_day(production_month).isoformat(),
        )


def choose_certificates(
    blocks: Iterable[CertificateBlock],
    *,
    count: int,
    claim_month: date,
    retired_on: date,
    year_rule: bool = True,
) -> CertificateChoice:
    """Choose certificates by production month, then sequence (R15); the order given is nothing.

    Raises:
        ValueError: when the count is below zero.
    """
    if count < 0:
        raise ValueError("a count is never below zero")
    used: list[CertificateBlock] = []
    refused: list[RefusedCertificates] = []
    missing = count
    for block in sorted(blocks, key=_order):
        refusal = refusal_of(
            block.production_month,
            claim_month=claim_month,
            retired_on=retired_on,
            year_rule=year_rule,
        )
        if refusal is not None:
            refused.append(RefusedCertificates(block, refusal.code))
        elif missing:
            part, _ = block.serials.split_lowest(min(missing, block.serials.count))
            used.append(CertificateBlock(block.batch, block.production_month, part))
            missing -= part.count
    return CertificateChoice(tuple(used), tuple(refused), count - missing, missing)


def _order(block: CertificateBlock) -> tuple[date, str, SerialRange]:
    return block.production_month.replace(day=1), block.batch, block.serials
