from decimal import Decimal, Inexact

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.units import (
    RESOURCE_CLASS_NAMES_EN,
    RESOURCE_CLASS_NAMES_ZH,
    ResourceClass,
    Unit,
    price_per_hour,
    price_per_period,
    unit_hours,
)


def test_every_unit_and_class_is_named_in_both_languages() -> None:
    for unit in Unit:
        assert unit.zh.price.startswith("元/")
        assert unit.en.price.startswith("CNY/")
    assert set(RESOURCE_CLASS_NAMES_ZH) == set(RESOURCE_CLASS_NAMES_EN) == set(ResourceClass)


def test_market_words_of_the_units() -> None:
    assert Unit.CARD_HOUR.zh.price == "元/卡时"
    assert Unit.CORE_HOUR.zh.price == "元/核时"
    assert Unit.PFLOPS_HOUR.zh.price == "元/P·时"
    assert Unit("card_hour").names("zh-hans").volume == "卡时"
    assert Unit("card_hour").names("en-gb").volume == "card·h"


@given(st.decimals(0, 10**6, places=6), st.sampled_from([15, 30, 60]))
def test_hourly_and_period_prices_convert_both_ways(price: Decimal, minutes: int) -> None:
    per_period = price_per_period(price, period_minutes=minutes)

    assert price_per_hour(per_period, period_minutes=minutes) == price


@pytest.mark.parametrize(
    ("minutes", "per_period"), [(15, "1.875"), (30, "3.75"), (60, "7.5"), (1440, "180")]
)
def test_a_period_costs_its_share_of_the_hour(minutes: int, per_period: str) -> None:
    assert price_per_period(Decimal("7.5"), period_minutes=minutes) == Decimal(per_period)


def test_a_price_without_end_is_refused_or_rounded_for_display() -> None:
    with pytest.raises(Inexact):
        price_per_hour(Decimal(100), period_minutes=1440)
    assert price_per_hour(Decimal(100), period_minutes=1440, places=4) == Decimal("4.1667")


def test_volume_is_quantity_times_time() -> None:
    assert unit_hours(Decimal(64), period_minutes=15, periods=96) == Decimal(1536)


@pytest.mark.parametrize("minutes", [0, -15])
def test_a_period_without_length_is_refused(minutes: int) -> None:
    with pytest.raises(ValueError, match="at least a minute"):
        price_per_period(Decimal(1), period_minutes=minutes)
