"""The benchmark credits nothing that came too late and leaves nothing out of a mean."""

from dataclasses import fields
from subprocess import CalledProcessError
from typing import Any

import pytest

from tools.bench import HUGE, Course, Measure, mean_share, run_apart


def measured(share: float | None, longer: float = 0.9) -> Measure:
    blank: dict[str, Any] = {item.name: 0 for item in fields(Measure)}
    return Measure(**{**blank, "share_10": share, "share_longer": longer})


def test_a_seed_that_reached_nothing_counts() -> None:
    found = {f"{HUGE}, seed 1": measured(0.8), f"{HUGE}, seed 2": measured(0.0)}

    assert "over the 2 seeds" in mean_share({**found, "another": measured(1.0)})
    assert mean_share(found).endswith(": 40.00%; of the longer search: 90.00%.")


def test_a_seed_that_was_not_finished_counts() -> None:
    found = {f"{HUGE}, seed {k}": measured(0.6) if k else None for k in range(3)}

    assert mean_share(found).endswith(": 40.00%; of the longer search: 60.00%.")


def test_only_what_was_there_in_time_is_credited() -> None:
    course = Course(found=[(2.0, 100.0), (9.0, 150.0), (11.0, 200.0)])

    assert [course.best_by(seconds) for seconds in (1, 2, 10, 15)] == [0.0, 100.0, 150.0, 200.0]
    assert [course.share_by(seconds, 200.0) for seconds in (1, 10, 15)] == [0.0, 0.5, 1.0]
    assert course.share_by(15, 100.0) is None


def test_an_instance_that_cannot_be_drawn_is_told_at_once() -> None:
    with pytest.raises(CalledProcessError) as failed:
        run_apart("no such instance")

    assert "--draw" in failed.value.cmd
