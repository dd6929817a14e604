"""Fixtures of the marketplace's integration tests."""

import pytest

from marketplace.models import Role
from marketplace.permissions import Actor
from tests.factories.market import make_actor, make_operator, market_with_reference


@pytest.fixture
def market(db: None) -> None:
    """A market with its reference data, at a fixed time."""
    market_with_reference()


@pytest.fixture
def seller(market: None) -> Actor:
    """Somebody who lists capacity for an approved supplier."""
    return make_actor(Role.SUPPLIER)


@pytest.fixture
def buyer(market: None) -> Actor:
    """Somebody who bids for an approved buyer."""
    return make_actor(Role.BUYER)


@pytest.fixture
def operator(market: None) -> Actor:
    """Somebody who runs the market."""
    return make_operator()
