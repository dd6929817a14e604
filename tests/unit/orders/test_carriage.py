"""Tariffs on trades: they add up, and nobody bears more than its price spread."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from orders.domain.carriage import Parcel, share_tariffs

rates = st.fractions(min_value=0, max_value=5, max_denominator=100)
parcels = st.lists(
    st.builds(Parcel, units=st.integers(1, 900).map(Fraction), spread=rates, tariff=rates),
    min_size=1,
    max_size=6,
)


def _paid(carried: list[Parcel], shares: list[Fraction]) -> Fraction:
    return sum((p.units * share for p, share in zip(carried, shares, strict=True)), Fraction(0))


@given(parcels, st.fractions(min_value=0, max_value=1, max_denominator=50))
def test_tariffs_add_up_and_stay_within_the_spread(carried: list[Parcel], share: Fraction) -> None:
    due = share * sum((p.units * p.spread for p in carried), Fraction(0))
    shares = share_tariffs(carried, due)
    assert _paid(carried, shares) == due
    assert all(0 <= rate <= p.spread for p, rate in zip(carried, shares, strict=True))


@given(parcels, rates)
def test_tariffs_add_up_where_the_spreads_do_not_cover_them(
    carried: list[Parcel], excess: Fraction
) -> None:
    due = excess + sum((p.units * p.spread for p in carried), Fraction(0))
    assert _paid(carried, share_tariffs(carried, due)) == due


def test_a_trade_bears_the_tariff_of_its_route_where_flows_took_it() -> None:
    carried = [
        Parcel(units=Fraction(10), spread=Fraction("0.8"), tariff=Fraction("0.5")),
        Parcel(units=Fraction(4), spread=Fraction(0), tariff=Fraction(0)),
    ]
    assert share_tariffs(carried, Fraction(5)) == [Fraction("0.5"), 0]


def test_a_route_dearer_than_the_spread_is_paid_by_those_who_have_room() -> None:
    carried = [
        Parcel(units=Fraction(32), spread=Fraction("0.5"), tariff=Fraction("0.7")),
        Parcel(units=Fraction(16), spread=Fraction(1), tariff=Fraction("0.4")),
    ]
    due = Fraction(32) * Fraction("0.7") + Fraction(16) * Fraction("0.4")
    assert share_tariffs(carried, due) == [Fraction("0.5"), Fraction("0.8")]
