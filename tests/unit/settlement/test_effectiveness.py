"""PUE, CUE, REF and SCI: what the standards say, and what unknown figures do."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.reference import load_table
from settlement.domain.carbon.effectiveness import (
    WORK_PER_UNIT_HOUR,
    EmbodiedCarbon,
    Work,
    cue_of,
    embodied_grams,
    intensity_of,
    pue_of,
    ref_of,
)

CARD = EmbodiedCarbon(164_000, 35_040)
works = st.builds(
    Work,
    amount=st.integers(1, 10**15),
    operational_g=st.decimals(0, 10**9, places=4),
    hardware=st.just("card"),
    embodied=st.just(CARD),
)


def test_nothing_used_has_no_effectiveness() -> None:
    empty = intensity_of([])

    assert (pue_of(0, 0), cue_of(Decimal(0), 0), ref_of(0, 0)) == (None, None, None)
    assert (empty.sci_g, empty.operational_g_per_unit_hour) == (None, None)


def test_renewable_energy_beyond_the_load_counts_no_more_than_the_load() -> None:
    assert ref_of(3_100, 6_000) == Decimal("0.5167")
    assert ref_of(7_000, 6_000) == Decimal("1.0000")


def test_unknown_embodied_carbon_is_missing_and_never_zero() -> None:
    hour = WORK_PER_UNIT_HOUR
    known = Work(hour, Decimal(400), "known", CARD)
    unknown = Work(hour, Decimal(400), "unknown")

    mixed = intensity_of([known, unknown])

    assert (mixed.embodied_g, mixed.sci_g, mixed.missing) == (None, None, ("unknown",))
    assert mixed.operational_g_per_unit_hour == Decimal("400.000")
    assert intensity_of([known]).sci_g == Decimal("404.680")


@given(st.lists(works, min_size=1, max_size=8), st.integers(1, 8))
def test_work_of_one_model_may_be_cut_into_deliveries(rows: list[Work], cut: int) -> None:
    whole = intensity_of(rows)
    one = Work(sum(r.amount for r in rows), sum(r.operational_g for r in rows), "card", CARD)

    assert intensity_of([one]) == whole
    assert whole.embodied_g == embodied_grams(one.amount, CARD)
    assert intensity_of(rows[cut:] + rows[:cut]) == whole
    assert whole.sci_g >= whole.operational_g_per_unit_hour


def test_every_embodied_figure_is_of_a_model_of_the_catalogue_and_names_its_source() -> None:
    models = {row["name"] for row in load_table("accelerators")}
    rows = load_table("embodied_carbon")

    assert {row["hardware"] for row in rows} <= models
    assert all(row["source"] and int(row["lifetime_h"]) > 0 for row in rows)
    assert all(Decimal(row["kg_per_unit"]) * 1000 % 1 == 0 for row in rows)
