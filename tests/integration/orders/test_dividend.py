"""The coupling dividend: computed after publication, and never in its way."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from orders import clearing
from orders.models import Auction, ClearingRun, CouplingDividend, DividendState, LinkDividend
from orders.selectors.dividend import dividend_of, latest_dividend
from orders.services import dividend as service
from settlement.services.grid_factors import load_grid_factors
from tests.factories.orders import bid, open_auction_now, published, stop_clock, verified
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    stop_clock()
    load_grid_factors()
    return two_hub_market(gbps="2")


@pytest.fixture
def auction(market: Market) -> Auction:
    """60 units wanted in the east at 20: 20 come from the west at 5, the rest costs 9."""
    auction = open_auction_now()
    bid(buyer("1000000"), auction, market.product, market.east, (20, 60))
    return auction


def _due(auction: Auction) -> CouplingDividend:
    return CouplingDividend.objects.get(run__auction=auction)


def test_gain_is_hubs_and_rent_and_the_link_has_its_value(market: Market, auction: Auction) -> None:
    published(auction)
    assert service.claim_due_dividend() == _due(auction).pk

    assert service.compute_dividend(dividend_id=_due(auction).pk)

    found = dividend_of(ClearingRun.objects.get(auction=auction))
    assert found is not None
    assert latest_dividend() == found
    tariff = market.product.bandwidth_gbps_per_unit * Decimal("0.02")
    # 20 units for four hours cost 5 and the carriage instead of 9.
    assert found.welfare_gain_cny == 20 * 4 * (4 - tariff)
    gains = sum((own.buyers_gain_cny + own.suppliers_gain_cny for own in found.hubs), Decimal(0))
    assert gains + found.congestion_rent_cny == found.welfare_gain_cny
    assert found.best_link is not None
    assert found.best_link.direction == "forward"
    # Ten units need a Gbit/s: ten times the price difference less the tariff, for four hours.
    assert found.best_link.cny_per_gbps == 4 * 10 * (4 - tariff)
    assert found.coupled_unit_hours == found.closed_unit_hours == 240
    assert found.avoided_co2_t is not None


def test_a_second_message_does_nothing(auction: Auction) -> None:
    published(auction)
    assert service.compute_dividend(dividend_id=_due(auction).pk)

    assert not service.compute_dividend(dividend_id=_due(auction).pk)
    assert service.claim_due_dividend() is None


def test_a_failure_of_the_second_clearing_touches_only_its_row(
    auction: Auction, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(auction)

    def fail(bundle: object) -> object:
        raise clearing.SolverFailed("no answer")

    monkeypatch.setattr(service.clearing, "clear", fail)
    assert service.compute_dividend(dividend_id=_due(auction).pk)

    row = _due(auction)
    auction.refresh_from_db()
    assert (row.state, row.failure) == (DividendState.FAILED, "SolverFailed: no answer")
    assert auction.state == "published"
    assert dividend_of(row.run) is None


def test_nothing_is_claimed_while_an_auction_is_being_cleared(
    market: Market, auction: Auction
) -> None:
    published(auction)
    other = verified(open_auction_now())

    assert service.claim_due_dividend() is None
    other.state = "published"
    other.save(update_fields=["state"])
    assert service.claim_due_dividend() == _due(auction).pk
    assert service.claim_due_dividend() is None


def test_the_figures_are_never_rewritten(auction: Auction) -> None:
    published(auction)
    service.compute_dividend(dividend_id=_due(auction).pk)

    with pytest.raises(DatabaseError), transaction.atomic():
        LinkDividend.objects.update(cny_per_gbps=0)
