from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.reference import load_table
from settlement.domain.carbon.effectiveness import cue_of
from settlement.domain.carbon.energy import (
    EnergyInterval,
    facility_energy_wh,
    it_energy_wh,
    state_location_based,
    tonnes_of,
)

intervals = st.builds(
    EnergyInterval,
    it_wh=st.integers(0, 10**9),
    pue=st.decimals(1, 2, places=4),
    factor_kg_per_kwh=st.decimals(0, 1, places=4),
)


def test_card_hours_at_guian_worked_example() -> None:
    # 512 card-hours, 552 W card average and 118 W host share, PUE 1.1850, Guizhou 2023: 0.5683.
    it_wh = it_energy_wh([(Decimal(512), Decimal(552) + Decimal(118))])

    statement = state_location_based([EnergyInterval(it_wh, Decimal("1.1850"), Decimal("0.5683"))])

    assert statement.it_wh == 343_040
    assert statement.facility_wh == 406_502
    assert statement.grams == Decimal("231015.0866")
    assert statement.tonnes == Decimal("0.231015")
    assert cue_of(statement.grams, statement.it_wh) == Decimal("0.6734")


def test_the_published_factor_of_the_example_is_in_the_reference_data() -> None:
    factors = {
        (row["area_zh"], row["year"]): row["factor_kg_per_kwh"]
        for row in load_table("grid_emission_factors")
        if row["level"] == "province"
    }

    assert factors["贵州", "2023"] == "0.5683"
    assert len(factors) == 90


def test_estimated_energy_is_rounded_once_over_all_usages() -> None:
    third = (Decimal("0.25"), Decimal("1.2"))

    assert it_energy_wh([third]) == 0
    assert it_energy_wh([third] * 5) == 2  # 1.5, half-up
    assert facility_energy_wh(10, pue=Decimal("1.25")) == 13


@given(st.lists(intervals, max_size=20), st.integers(0, 20))
def test_a_period_cut_in_two_gives_the_same_energy_and_grams(
    rows: list[EnergyInterval], cut: int
) -> None:
    whole = state_location_based(rows)
    first, second = state_location_based(rows[:cut]), state_location_based(rows[cut:])

    assert first.facility_wh + second.facility_wh == whole.facility_wh
    assert first.grams + second.grams == whole.grams
    assert whole.tonnes == tonnes_of(whole.grams)


@pytest.mark.parametrize(
    ("it_wh", "pue", "factor"),
    [(-1, "1.2", "0.5"), (1, "0.99", "0.5"), (1, "1.2", "-0.1"), (1, "1.20001", "0.5")],
)
def test_impossible_figures_are_refused(it_wh: int, pue: str, factor: str) -> None:
    with pytest.raises(ValueError, match=r"energy|PUE|factor"):
        EnergyInterval(it_wh, Decimal(pue), Decimal(factor))
