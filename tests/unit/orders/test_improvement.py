"""A changed order is an improvement when it is at least as much at every price."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.domain.improvement import Job, block_improves, curve_improves, job_improves


def _steps(*pairs):
    return [(Decimal(price), Decimal(units)) for price, units in pairs]


@pytest.mark.parametrize(
    ("new", "is_improvement"),
    [
        ([(8, 10), (6, 5)], True),  # the same
        ([(8, 12), (6, 5)], True),  # more
        ([(9, 10), (6, 5)], True),  # dearer
        ([(8, 15)], True),  # the second step moved up
        ([(8, 10)], False),  # the second step gone
        ([(9, 5), (6, 10)], False),  # less at 8
        ([(7, 30)], False),  # nothing at 8 any more
    ],
)
def test_a_bid_improves(new, is_improvement) -> None:
    old = _steps((8, 10), (6, 5))

    assert curve_improves(old, _steps(*new), is_buy=True) is is_improvement


def test_an_ask_improves_towards_lower_prices() -> None:
    old = _steps((5, 10), (7, 10))

    assert curve_improves(old, _steps((5, 20)), is_buy=False)
    assert not curve_improves(old, _steps((6, 10), (7, 10)), is_buy=False)


def test_a_block_keeps_every_period() -> None:
    legs = [(1, 4, Decimal(10))]
    better = {"old_limit": Decimal(8), "old_legs": legs, "is_buy": True}

    assert block_improves(**better, new_limit=Decimal(8), new_legs=[(1, 4, Decimal(12))])
    assert not block_improves(**better, new_limit=Decimal(9), new_legs=[(1, 3, Decimal(12))])
    assert not block_improves(**better, new_limit=Decimal("7.5"), new_legs=legs)


JOB = Job(limit=Decimal(8), units=Decimal(10), duration=2, first=2, last=5)


@pytest.mark.parametrize(
    ("change", "is_improvement"),
    [
        ({}, True),
        ({"limit": Decimal(9)}, True),
        ({"units": Decimal(11)}, True),
        ({"duration": 4}, True),
        ({"first": 1}, True),
        ({"last": 6}, True),
        ({"limit": Decimal("7.99")}, False),
        ({"units": Decimal(9), "limit": Decimal(50)}, False),
        ({"duration": 1, "units": Decimal(50)}, False),
        ({"first": 3, "last": 9}, False),
        ({"first": 1, "last": 4}, False),
    ],
)
def test_a_job_improves_in_no_figure_at_the_cost_of_another(change, is_improvement) -> None:
    assert job_improves(JOB, replace(JOB, **change)) is is_improvement


@st.composite
def _job_and_a_wider_one(draw: st.DrawFn) -> tuple[Job, Job]:
    first = draw(st.integers(3, 6))
    last = draw(st.integers(first, 9))
    duration = draw(st.integers(1, last - first + 1))
    old = replace(JOB, first=first, last=last, duration=duration)
    first, last = draw(st.integers(1, first)), draw(st.integers(last, 12))
    duration = draw(st.integers(duration, last - first + 1))
    return old, replace(old, first=first, last=last, duration=duration)


@given(jobs=_job_and_a_wider_one())
def test_what_served_a_job_serves_its_improvement(jobs: tuple[Job, Job]) -> None:
    """Each run of the old job lies in a run of the new one, whichever way the window grew."""
    old, new = jobs
    assert job_improves(old, new)

    for run in _runs(old):
        assert any(run <= longer for longer in _runs(new))


def _runs(job: Job) -> list[set[int]]:
    starts = range(job.first, job.last - job.duration + 2)
    return [set(range(start, start + job.duration)) for start in starts]
