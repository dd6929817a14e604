"""Units in which compute is sold, their names in both languages, and prices per hour and period.

A price is always per unit and delivery period where it is stored and cleared; pages show it per
hour. The two are tied by the length of the period, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from marketplace.domain.decimals import divide_exactly, multiply_exactly
from marketplace.domain.money import round_quotient

MINUTES_PER_HOUR = 60


class ResourceClass(StrEnum):
    """The kinds of compute the market tells apart; the values stand in resource identifiers."""

    GENERAL = "GP"
    AI = "AI"
    SUPER = "HP"
    STORAGE = "ST"


RESOURCE_CLASS_NAMES_ZH = {
    ResourceClass.GENERAL: "通用算力",
    ResourceClass.AI: "智能算力",
    ResourceClass.SUPER: "超级算力",
    ResourceClass.STORAGE: "存储",
}
RESOURCE_CLASS_NAMES_EN = {
    ResourceClass.GENERAL: "General compute",
    ResourceClass.AI: "AI compute",
    ResourceClass.SUPER: "Supercomputing",
    ResourceClass.STORAGE: "Storage",
}


@dataclass(frozen=True, slots=True)
class UnitNames:
    """How one unit is written in one language.

    Attributes:
        quantity: what is counted while it runs, such as `cards`.
        volume: the quantity held for an hour, such as `card·h`.
        price: a price per unit and hour, such as `CNY/card·h`.
    """

    quantity: str
    volume: str
    price: str


class Unit(StrEnum):
    """The unit of a product; the value is what tables and exports carry."""

    VCPU_HOUR = "vcpu_hour"
    CARD_HOUR = "card_hour"
    CORE_HOUR = "core_hour"
    PFLOPS_HOUR = "pflops_hour"

    @property
    def zh(self) -> UnitNames:
        """Names in Chinese market words."""
        return _NAMES_ZH[self]

    @property
    def en(self) -> UnitNames:
        """Names in English."""
        return _NAMES_EN[self]

    def names(self, language: str) -> UnitNames:
        """Return the names for a language code; every Chinese code gets Chinese."""
        return self.zh if language.lower().startswith("zh") else self.en


_NAMES_ZH = {
    Unit.VCPU_HOUR: UnitNames("核（vCPU）", "核时", "元/核时"),
    Unit.CARD_HOUR: UnitNames("卡", "卡时", "元/卡时"),
    Unit.CORE_HOUR: UnitNames("核", "核时", "元/核时"),
    Unit.PFLOPS_HOUR: UnitNames("P", "P·时", "元/P·时"),
}
_NAMES_EN = {
    Unit.VCPU_HOUR: UnitNames("vCPU", "vCPU·h", "CNY/vCPU·h"),
    Unit.CARD_HOUR: UnitNames("cards", "card·h", "CNY/card·h"),
    Unit.CORE_HOUR: UnitNames("cores", "core·h", "CNY/core·h"),
    Unit.PFLOPS_HOUR: UnitNames("PFLOPS", "PFLOPS·h", "CNY/PFLOPS·h"),
}


def price_per_period(price_per_hour: Decimal, *, period_minutes: int) -> Decimal:
    """Return the price of one unit for one period, exactly.

    Raises:
        decimal.Inexact: when the period's share of an hour has no finite decimal (such as 5 min).
        ValueError: when the period has no length.
    """
    _require_length(period_minutes)
    return divide_exactly(multiply_exactly(price_per_hour, period_minutes), MINUTES_PER_HOUR)


def price_per_hour(
    price_per_period: Decimal, *, period_minutes: int, places: int | None = None
) -> Decimal:
    """Return the hourly price behind the price of one unit for one period.

    Args:
        price_per_period: price of one unit held through one period, CNY.
        period_minutes: length of the period.
        places: decimals for a display; without it the result is exact or refused.

    Raises:
        decimal.Inexact: without `places`, when the exact price does not end (a day's price by 24).
        ValueError: when the period has no length.
    """
    _require_length(period_minutes)
    minutes_price = multiply_exactly(price_per_period, MINUTES_PER_HOUR)
    if places is None:
        return divide_exactly(minutes_price, period_minutes)
    return round_quotient(minutes_price, period_minutes, places)


def unit_hours(quantity: Decimal, *, period_minutes: int, periods: int = 1) -> Decimal:
    """Return the volume of a quantity held through some periods, in unit-hours, exactly.

    Raises:
        decimal.Inexact: when the volume has no finite decimal.
        ValueError: when the period has no length.
    """
    _require_length(period_minutes)
    return divide_exactly(multiply_exactly(quantity, period_minutes, periods), MINUTES_PER_HOUR)


def _require_length(period_minutes: int) -> None:
    if period_minutes <= 0:
        raise ValueError("a period must last at least a minute")
