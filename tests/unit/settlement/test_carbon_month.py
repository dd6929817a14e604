"""A month's figures: what they do not depend on, and that it may be cut anywhere."""

from hypothesis import given
from hypothesis import strategies as st

from settlement.domain.carbon.matching import SlotLength
from settlement.domain.carbon.monthly import DeliveryInputs, GreenSupply, state_month
from tests.unit.settlement.test_carbon_rules import WH, _cases, _plan

monthly_hours = st.lists(
    st.tuples(st.integers(0, 23), st.integers(0, 10**7), st.integers(0, 10**7)),
    min_size=1,
    max_size=12,
    unique_by=lambda row: row[0],
)


def _state(rows, green):
    cells = [(hour * 3600, 3600, 0, wh, 11_850) for hour, wh, _ in sorted(rows)]
    delivery = DeliveryInputs("D", "H", "P", 5683, 55_200, cells)
    return state_month([delivery], green, residual_e4=6096)


def _hours(rows):
    return [(hour * 3600, wh) for hour, _, wh in sorted(rows)]


@given(monthly_hours, WH, st.sampled_from(list(SlotLength)), _cases())
def test_inv_09_certificates_leave_location_and_credits_leave_both_alone(rows, wh, slot, case):
    """INV-09: location-based knows no certificates; neither figure knows of credits."""
    plain = _state(rows, GreenSupply(slot))
    green = _state(rows, GreenSupply(slot, whole_wh=wh, hours=_hours(rows)))
    _, terms, holdings = case

    assert (green.location_g, green.location_t) == (plain.location_g, plain.location_t)
    assert green.market_g <= plain.market_g
    before = (green.location_g, green.market_g, green.market_t)
    plan = _plan(green.market_t, terms, holdings, market_based_t=green.market_t)
    assert plan.applied_t + plan.net_residual_t == green.market_t
    again = _state(rows, GreenSupply(slot, whole_wh=wh, hours=_hours(rows)))
    assert (again.location_g, again.market_g, again.market_t) == before


@given(monthly_hours, st.integers(0, 24))
def test_inv_21_hourly_slots_split_anywhere_give_the_same(rows, cut):
    """INV-21: with hourly slots two periods have the watt-hours and grams of the whole."""
    whole = _state(rows, GreenSupply(SlotLength.HOUR, hours=_hours(rows)))
    parts = [
        _state(part, GreenSupply(SlotLength.HOUR, hours=_hours(part)))
        for part in ([r for r in rows if r[0] < cut], [r for r in rows if r[0] >= cut])
        if part
    ]

    for name in ("it_wh", "facility_wh", "matched_wh", "residual_wh", "location_g", "market_g"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name), name
