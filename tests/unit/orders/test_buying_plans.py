"""The worked example of docs/explanation/buying-plans.md, and the rules around it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from orders.domain.buying_plans import Candidate, PlanKind, choose_plans, limit_for
from orders.domain.latency_classes import snapped_class
from orders.domain.price_chance import (
    RecentAuction,
    curve_chance,
    flexible_means,
    hours_of_window,
    interruptible_means,
    share_at_most,
    window_means,
)

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
BAND = {"tick": Decimal("0.01"), "price_min": Decimal(0), "price_max": Decimal(100)}


def _candidate(hub: str, hour: int, *samples: str, grams: str | None = None) -> Candidate:
    return Candidate(
        auction="DA",
        hub=hub,
        rtt_ms=Decimal(10),
        first_period=hour,
        last_period=hour + 3,
        starts_at=START + timedelta(hours=hour),
        samples=tuple(map(Decimal, samples)),
        grams=None if grams is None else Decimal(grams),
    )


WORKED = [
    _candidate("QY", 6, "5.00", "5.20", "5.40", "6.00", grams="60"),
    _candidate("WH", 0, "7.00", "7.10", "7.30", "8.00", grams="210"),
    _candidate("GA", 2, "5.90", "6.10", "6.10", "6.30", grams="20"),
]


def test_the_worked_example() -> None:
    plans = {plan.kind: plan for plan in choose_plans(WORKED, **BAND)}

    cheapest = plans[PlanKind.CHEAPEST]
    assert (cheapest.candidate.hub, cheapest.candidate.expected_price) == ("QY", Decimal("5.4000"))
    assert (cheapest.limit_price, cheapest.chance) == (Decimal("5.40"), Decimal("0.75"))
    fastest = plans[PlanKind.FASTEST]
    assert (fastest.candidate.hub, fastest.limit_price) == ("WH", Decimal("8.00"))
    assert fastest.chance == 1
    greenest = plans[PlanKind.GREENEST]
    assert (greenest.candidate.hub, greenest.limit_price) == ("GA", Decimal("6.30"))


def test_without_declared_carbon_nothing_is_greenest() -> None:
    plans = choose_plans([_candidate("WH", 0, "7")], **BAND)

    assert [plan.kind for plan in plans] == [PlanKind.CHEAPEST, PlanKind.FASTEST]


def test_nothing_to_choose_from_is_no_plan() -> None:
    assert choose_plans([], **BAND) == []


def test_a_limit_is_on_the_tick_and_within_the_band() -> None:
    wanted = {"tick": Decimal("0.05"), "price_min": Decimal(1), "price_max": Decimal(6)}

    assert limit_for([Decimal("5.01")], Decimal(1), **wanted) == Decimal("5.05")
    assert limit_for([Decimal(9)], Decimal(1), **wanted) == Decimal(6)
    assert limit_for([Decimal("0.2")], Decimal(1), **wanted) == Decimal(1)


prices = st.decimals(min_value=0, max_value=50, places=4, allow_nan=False)


@given(st.lists(prices, min_size=1, max_size=30), st.sampled_from(["0.5", "0.75", "0.9", "1"]))
def test_a_limit_reaches_the_wanted_share_and_no_cheaper_tick_does(samples, share) -> None:
    wanted = Decimal(share)
    limit = limit_for(samples, wanted, **BAND)
    reached = share_at_most(samples, limit)
    below = share_at_most(samples, limit - BAND["tick"])

    assert reached is not None
    assert reached >= wanted
    assert below is not None
    assert below < wanted or limit == 0


candidates = st.lists(
    st.builds(
        _candidate,
        st.sampled_from("ABCDE"),
        st.integers(0, 20),
        st.sampled_from(["1.00", "2.00", "3.50"]),
        grams=st.sampled_from([None, "0", "50", "200"]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda candidate: (candidate.hub, candidate.first_period),
)


@given(candidates, st.randoms(use_true_random=False))
def test_plans_do_not_depend_on_the_order_and_nothing_beats_them(found, chance) -> None:
    plans = choose_plans(found, **BAND)
    shuffled = list(found)
    chance.shuffle(shuffled)

    assert choose_plans(shuffled, **BAND) == plans
    for plan in plans:
        chosen = plan.candidate
        if plan.kind is PlanKind.CHEAPEST:
            assert chosen.expected_price == min(c.expected_price for c in found)
        elif plan.kind is PlanKind.FASTEST:
            assert chosen.starts_at == min(c.starts_at for c in found)
        else:
            assert chosen.grams == min(c.grams for c in found if c.grams is not None)


AUCTIONS = [
    RecentAuction(1, {9: Decimal(5), 10: Decimal(7)}),
    RecentAuction(2, {9: Decimal(6), 10: Decimal(10), 11: Decimal(4)}),
]


def test_window_means_take_the_hours_an_auction_had() -> None:
    assert window_means(AUCTIONS, (9, 10)) == [Decimal(6), Decimal(8)]
    assert window_means(AUCTIONS, (11,)) == [Decimal(4)]
    assert window_means(AUCTIONS, (3,)) == []


def test_a_curve_counts_each_hour_and_step_by_itself() -> None:
    # Hours 9 and 10 cost 5, 7, 6, 10. At 8 three of four are reached, at 6 two of four.
    steps = [(Decimal(8), Decimal(10)), (Decimal(6), Decimal(30))]

    assert curve_chance(AUCTIONS, (9, 10), steps) == Decimal("0.5625")
    assert curve_chance([], (9, 10), steps) is None


def test_flexible_and_interruptible_take_the_cheapest_hours() -> None:
    window = (9, 10, 11)

    assert flexible_means(AUCTIONS, window, 2) == [Decimal(6), Decimal(7)]
    assert interruptible_means(AUCTIONS, window, 2) == [Decimal(6), Decimal(5)]


def test_a_long_window_sees_each_hour_of_the_day_once() -> None:
    assert hours_of_window(22, 4) == (22, 23, 0, 1)
    assert sorted(hours_of_window(7, 60)) == list(range(24))


def test_latency_is_snapped_to_the_stricter_class() -> None:
    classes = [Decimal(1), Decimal(5), Decimal(20)]

    assert snapped_class(Decimal(10), classes) == (True, Decimal(5))
    assert snapped_class(None, classes) == (True, None)
    assert snapped_class(Decimal("0.5"), classes) == (False, None)
    assert snapped_class(Decimal(7), []) == (True, Decimal(7))
