"""The sweep and the hash chain find what went around the guards."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from settlement.models import InvariantRun, LedgerBlock
from settlement.services.chain import broken_blocks, seal_blocks
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.invariants import broken_invariants
from settlement.services.settling import settle_auction
from tests.factories.ledger import deposit, make_member
from tests.factories.settlement import (
    DELIVERY_STARTS,
    Market,
    Trade,
    deliver,
    funded,
    move_clock,
    published_auction,
)


@contextmanager
def _without_guards(table: str) -> Iterator[None]:
    """What only the owner of the tables can do: switch the triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _tamper(table: str, change: str) -> None:
    with _without_guards(table), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {change}")


@pytest.fixture
def settled(db: None) -> None:
    market = Market()
    auction = published_auction(
        market, [Trade(funded("100"), funded(), ["2", "3"], "5.4321", "5", "0.1", hold="40")]
    )
    deliver(auction)
    later = DELIVERY_STARTS.replace(day=24)
    move_clock(later)
    complete_due_deliveries(later)
    settle_auction(auction_id=auction.pk)


@pytest.mark.usefixtures("settled")
def test_a_settled_market_breaks_nothing() -> None:
    assert broken_invariants() == []
    call_command("verify_ledger", verbosity=0)
    assert InvariantRun.objects.get().passed


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    ("table", "change", "codes"),
    [
        ("settlement_posting", "amount = amount + 1 WHERE line = 1", {"I-01", "I-02", "I-04"}),
        ("settlement_posting", "amount = amount + 0.001 WHERE line = 1", {"I-03"}),
        ("settlement_accountbalance", "credit = credit + 1", {"I-04"}),
        ("settlement_hold", "placed = placed + 1", {"I-06"}),
        ("settlement_ratedperiod", "billed = sold + 1", {"I-09"}),
        ("settlement_invoiceline", "net_cny = net_cny + 1", {"I-11"}),
        (
            "settlement_invoice",
            "number = 'JS-20261124-000009' WHERE direction = 'receivable'",
            {"I-11-numbers"},
        ),
        ("settlement_settlementrun", "buyer_net_cny = buyer_net_cny + 1", {"I-13"}),
        ("orders_order", "state = 'active', worst_case_cny = 1 WHERE side = 'buy'", {"I-19"}),
    ],
)
def test_each_fault_is_found(table: str, change: str, codes: set[str]) -> None:
    _tamper(table, change)

    assert codes <= {str(finding["code"]) for finding in broken_invariants()}
    with pytest.raises(CommandError):
        call_command("verify_ledger", verbosity=0, stderr=StringIO())


def _seal(patience_s: float = 60) -> None:
    """Seal what was committed; a transaction of any database of the server may hold that up."""
    deadline = time.monotonic() + patience_s
    while not seal_blocks():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.django_db(transaction=True)
def test_the_chain_names_the_first_block_that_was_tampered_with() -> None:
    entries = []
    for _ in range(3):
        entries.append(deposit(make_member(), "5"))
        _seal()
    assert seal_blocks() == 0
    assert broken_blocks() == []

    _tamper("settlement_journalentry", f"reason = 'x' WHERE id = {entries[1].pk}")

    assert [finding["sample"] for finding in broken_blocks()] == [["2"]]
    assert LedgerBlock.objects.count() == 3
