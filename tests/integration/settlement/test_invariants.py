"""The sweep and the hash chain find what went around the guards."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from settlement.models import InvariantRun, LedgerBlock
from settlement.services.chain import broken_blocks, seal_blocks
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.invariants import (
    INVARIANTS,
    broken_invariants,
    ledger_is_trusted,
    sweep_ledger,
)
from settlement.services.settling import settle_auction
from tests.factories.closing import seal_everything
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
        ("settlement_journalentry", "source_id = '' WHERE reverses_id IS NULL", {"I-12"}),
        (
            "settlement_journalentry",
            "fingerprint = '' WHERE id = (SELECT min(id) FROM settlement_journalentry)",
            {"I-08"},
        ),
        ("settlement_journalentry", "effective_on = effective_on - 40", {"I-10"}),
        (
            "settlement_posting",
            "account_id = (SELECT id FROM settlement_account WHERE purpose = 'member_receivable'"
            " LIMIT 1) WHERE amount < 0",
            {"I-14"},
        ),
        ("orders_order", "state = 'active' WHERE side = 'sell'", {"I-16"}),
        ("orders_clearingrun", "bundle_sha256 = ''", {"I-17"}),
        ("orders_order", "limit_price = limit_price - 1 WHERE side = 'buy'", {"I-18"}),
        ("orders_order", "quantity = 2.5 WHERE side = 'sell'", {"I-18"}),
        ("settlement_deliverytransition", "to_state = 'settled'", {"I-25"}),
        ("marketplace_outboxevent", "recorded_at = now() - interval '2 hours'", {"I-22"}),
    ],
)
def test_each_fault_is_found(table: str, change: str, codes: set[str]) -> None:
    _tamper(table, change)

    assert codes <= {str(finding["code"]) for finding in broken_invariants()}
    with pytest.raises(CommandError):
        call_command("verify_ledger", verbosity=0, stderr=StringIO())


@pytest.mark.usefixtures("settled")
def test_the_sweep_keeps_what_each_invariant_showed() -> None:
    out = StringIO()

    call_command("sweep", stdout=out)

    run = InvariantRun.objects.get()
    assert [result.code for result in run.results.order_by("code")] == [i.code for i in INVARIANTS]
    assert not run.results.exclude(finding_count=0).exists()
    assert all(invariant.code in out.getvalue() for invariant in INVARIANTS)
    _tamper("settlement_accountbalance", "credit = credit + 1")
    with pytest.raises(CommandError, match=f"1 of {len(INVARIANTS)} invariants are broken"):
        call_command("sweep", stdout=StringIO())
    found = InvariantRun.objects.latest("id").results.get(code="I-04")
    assert (found.finding_count, len(found.sample)) == (2, 2)


def test_every_rule_of_the_book_is_asked() -> None:
    asked = {invariant.code[:4] for invariant in INVARIANTS}

    assert {f"I-{number:02}" for number in range(1, 26)} <= asked
    assert len({invariant.code for invariant in INVARIANTS}) == len(INVARIANTS)


def test_a_table_that_may_be_rewritten_is_found(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE settlement_posting DISABLE TRIGGER settlement_posting_keeps_rows"
        )

    assert [finding["code"] for finding in broken_invariants()] == ["I-07"]


@pytest.mark.django_db(transaction=True)
def test_the_chain_names_the_first_block_that_was_tampered_with() -> None:
    entries = []
    for _ in range(3):
        entries.append(deposit(make_member(), "5"))
        assert seal_everything() == 1
    assert seal_blocks() == 0
    assert broken_blocks() == []

    _tamper("settlement_journalentry", f"reason = 'x' WHERE id = {entries[1].pk}")

    assert [finding["sample"] for finding in broken_blocks()] == [["2"]]
    assert not ledger_is_trusted()
    assert LedgerBlock.objects.count() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("DELETE FROM settlement_ledgerblock WHERE number = 2", "2"),
        ("DELETE FROM settlement_ledgerblock WHERE number = 3", "3"),
        (
            "UPDATE settlement_posting SET amount = amount * 2 WHERE entry_id ="
            " (SELECT first_entry_id FROM settlement_ledgerblock WHERE number = 1)",
            "1",
        ),
        (
            "UPDATE settlement_journalentry SET idempotency_key = idempotency_key || 'x',"
            " transaction_number = (SELECT sum(transaction_number) FROM settlement_journalentry o"
            " JOIN settlement_ledgerblock b ON b.first_entry_id = o.id WHERE b.number IN (2, 3))"
            " - transaction_number WHERE id IN (SELECT first_entry_id FROM settlement_ledgerblock"
            " WHERE number IN (2, 3))",
            "2",
        ),
    ],
    ids=["a block is gone", "the last block is gone", "an amount is doubled", "two are swapped"],
)
def test_tampering_by_a_superuser_is_named_and_stops_payouts(change: str, named: str) -> None:
    """S-27: the first bad block is named and payouts stop."""
    for _ in range(3):
        deposit(make_member(), "5")
        seal_everything()
    assert sweep_ledger().passed
    assert ledger_is_trusted()

    with connection.cursor() as cursor:
        for table in ("ledgerblock", "posting", "journalentry"):
            cursor.execute(f"ALTER TABLE settlement_{table} DISABLE TRIGGER USER")
        cursor.execute(change)
        for table in ("ledgerblock", "posting", "journalentry"):
            cursor.execute(f"ALTER TABLE settlement_{table} ENABLE TRIGGER USER")

    found = {finding["code"]: finding["sample"] for finding in broken_invariants()}
    assert found["I-23"][0] == named
    assert not ledger_is_trusted()
