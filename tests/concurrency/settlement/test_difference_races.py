"""Difference runs at once, and corrections that the runtime role tries to rewrite."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from marketplace.models import Role
from settlement.models import Invoice, JournalEntry, SettlementRun, SlaPenalty
from settlement.services.adjustments import order_adjustment
from settlement.services.invariants import broken_invariants
from settlement.services.settling import settle_differences
from tests.concurrency.settlement.threads import run_at_once
from tests.factories.marketplace import operator
from tests.integration.settlement.correcting import Floor, promise

pytestmark = pytest.mark.runtime_role


def test_differences_settled_by_many_at_once_are_settled_once() -> None:
    """S-23: two runs started at once post the difference once."""
    floor = Floor()
    floor.settle()
    floor.read(0, 1, "4")
    entries = JournalEntry.objects.count()

    runs = run_at_once(lambda _: settle_differences(auction_id=floor.auction.pk), 6, workers=6)

    assert len([run for run in runs if run is not None]) == 1
    assert SettlementRun.objects.count() == 2
    assert Invoice.objects.filter(kind="credit_note").count() == 2
    assert JournalEntry.objects.count() == entries + 3
    assert broken_invariants() == []


STATEMENTS = (
    "UPDATE settlement_slapenalty SET amount_cny = 0",
    "DELETE FROM settlement_slapenalty",
    "UPDATE settlement_slaterms SET cap_share = 0",
    "UPDATE settlement_adjustment SET buyer_net_cny = 0",
    "UPDATE settlement_adjustment SET run_id = NULL",
    "DELETE FROM settlement_adjustment",
    "UPDATE settlement_ratedline SET buyer_fee_cny = 1",
    "UPDATE settlement_invoice SET refers_to_id = NULL",
    "UPDATE settlement_invoice SET kind = 'bill'",
    "TRUNCATE settlement_readingbatch",
    "TRUNCATE settlement_meterkey",
    "UPDATE settlement_counterreset SET reason = 'x'",
)


def test_the_database_keeps_corrections_as_they_were() -> None:
    _corrected()

    for statement in STATEMENTS:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    assert SlaPenalty.objects.count() == 1


def _corrected() -> Floor:
    floor = Floor()
    promise([floor.market.product])
    floor.settle()
    floor.read(0, 0, "5")
    order_adjustment(
        delivery=floor.deliveries[1],
        buyer_net_cny=Decimal("-1.00"),
        seller_net_cny=Decimal("-1.00"),
        kind="goodwill",
        source_type="letter",
        source_id="1",
        reason="late answer",
        actor=operator(Role.FINANCE),
    )
    settle_differences(auction_id=floor.auction.pk)
    return floor
