"""Fixtures of the interface's tests."""

import pytest

from marketplace.api.throttles import CourtesyThrottle
from tests.api.callers import Day, open_day


@pytest.fixture(autouse=True)
def _no_calls_counted() -> None:
    CourtesyThrottle.forget()


@pytest.fixture
def day(db: None) -> Day:
    """A market at a standing clock with an open auction."""
    return open_day()
