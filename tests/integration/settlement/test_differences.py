"""Later sequences: only differences are posted, exactly, once, and a second derivation agrees."""

from datetime import timedelta
from decimal import Decimal

import pytest

from marketplace.domain.errors import RuleBroken
from marketplace.models import Role
from settlement.models import (
    Adjustment,
    BookPeriod,
    EmissionRecord,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    JournalEntry,
    RatedLine,
    SettlementRun,
)
from settlement.selectors.corrections.due import auctions_with_differences
from settlement.selectors.settlement_summary import SummaryBy, settlement_summary
from settlement.services.adjustments import order_adjustment
from settlement.services.invariants import broken_invariants
from settlement.services.settling import settle_differences
from settlement.tasks import settle_due_differences
from tests.factories.marketplace import operator
from tests.factories.settlement import DELIVERY_STARTS, move_clock
from tests.integration.settlement.correcting import (
    AFTER,
    Floor,
    assert_sound,
    balance,
    documents,
    money_of,
    promise,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    """A settled market without penalties."""
    made = Floor()
    made.settle()
    return made


def test_nothing_changed_posts_nothing(floor: Floor) -> None:
    """S-23: a rerun posts nothing if nothing changed."""
    entries = JournalEntry.objects.count()

    assert settle_differences(auction_id=floor.auction.pk) is None
    floor.read(0, 0, "10")  # what was contracted and taken for delivered is now read
    assert settle_differences(auction_id=floor.auction.pk) is not None  # metered is known now
    floor.read(0, 0, "10")
    assert auctions_with_differences() == [floor.auction.pk]
    assert settle_differences(auction_id=floor.auction.pk) is None

    assert auctions_with_differences() == []
    assert JournalEntry.objects.count() == entries
    assert Invoice.objects.filter(run__sequence__gt=1).count() == 0


def test_a_correction_down_is_credited_to_buyer_and_taken_from_supplier(floor: Floor) -> None:
    before = balance("member_funds", floor.anna), balance("supplier_payable", floor.sam)
    floor.read(0, 1, "4", reason="two nodes were off")

    run = settle_differences(auction_id=floor.auction.pk)

    assert run is not None
    assert run.sequence == 2
    # 16 units fewer would be 5.3337 × 16; here 6: 74.67 − 106.67 = −32.00, fee −0.16, VAT −1.93.
    assert documents()[-2:] == [
        ("2", "BA", "receivable", "credit_note", "-32.16", "-1.93", "-34.09"),
        ("2", "SA", "payable", "credit_note", "-29.91", "-1.79", "-31.70"),
    ]
    credit = Invoice.objects.get(direction="receivable", kind=InvoiceKind.CREDIT_NOTE)
    assert credit.number.startswith("CX-")
    assert credit.number.endswith("-000001")
    assert credit.refers_to == Invoice.objects.get(
        organisation=floor.anna, direction="receivable", kind=InvoiceKind.BILL
    )
    assert credit.state == "paid"
    assert balance("member_funds", floor.anna) - before[0] == Decimal("-34.09")
    assert balance("supplier_payable", floor.sam) - before[1] == Decimal("31.70")
    records = EmissionRecord.objects.filter(delivery=floor.deliveries[0]).order_by("version")
    assert [(r.version, r.it_wh) for r in records] == [(1, 10000), (2, 7000)]
    assert_sound(floor.auction, run.pk)
    assert broken_invariants() == []
    assert settle_differences(auction_id=floor.auction.pk) is None


def test_up_and_down_come_as_a_credit_note_and_an_additional_bill(floor: Floor) -> None:
    floor.read(1, 0, "1")
    first = settle_differences(auction_id=floor.auction.pk)
    floor.read(1, 0, "3")
    floor.read(0, 0, "9.5")

    second = settle_differences(auction_id=floor.auction.pk)

    assert first is not None
    assert second is not None
    kinds = [(row[1], row[2], row[3]) for row in documents() if row[0] == "3"]
    assert kinds == [
        ("BA", "receivable", "credit_note"),
        ("BA", "receivable", "additional"),
        ("SA", "payable", "credit_note"),
        ("SB", "payable", "additional"),
    ]
    for run in (first, second):
        assert_sound(floor.auction, run.pk)
    assert broken_invariants() == []
    for by in SummaryBy:
        settlement_summary(DELIVERY_STARTS.date(), AFTER.date() + timedelta(days=1), by=by)


def test_partial_credits_until_nothing_is_left_give_every_fen_back(floor: Floor) -> None:
    """S-26: credit notes in parts give back every fen."""
    steps = [("9.9", "2.5", "4.999", "0.7"), ("3.333", "1", "1.001", "0.1"), ("0", "0", "0", "0")]
    for step in steps:
        for index, quantity in enumerate(step):
            for hour in range(2):
                floor.read(index, hour, quantity)
        run = settle_differences(auction_id=floor.auction.pk)
        assert run is not None
        assert_sound(floor.auction, run.pk)

    assert {amount for row in money_of(floor.auction) for amount in row} == {Decimal(0)}
    for member in (floor.anna, floor.ben, floor.sam, floor.tess):
        bills = Invoice.objects.filter(organisation=member)
        assert sum(bill.net.amount for bill in bills) == 0
        assert sum(bill.vat.amount for bill in bills) == 0
        lines = InvoiceLine.objects.filter(invoice__in=bills)
        by_line: dict[tuple[str, int], Decimal] = {}
        for line in lines:
            key = (line.kind, line.delivery_id)
            by_line[key] = by_line.get(key, Decimal(0)) + line.vat_cny
        assert not any(vat for (kind, _), vat in by_line.items() if kind != "rounding")
    assert balance("member_funds", floor.anna) == -1000
    assert balance("vat_output") == balance("fee_income") == balance("congestion_rent") == 0
    assert broken_invariants() == []


def test_an_adjustment_is_taken_in_once(floor: Floor) -> None:
    order = {
        "delivery": floor.deliveries[2],
        "buyer_net_cny": Decimal("-10.00"),
        "seller_net_cny": Decimal("-6.00"),
        "kind": "dispute_ruling",
        "source_type": "dispute",
        "source_id": "ZY-1",
        "reason": "slow network",
        "actor": operator(Role.FINANCE),
    }
    first = order_adjustment(**order)
    assert order_adjustment(**order) == first
    with pytest.raises(RuleBroken, match="other amounts"):
        order_adjustment(**{**order, "buyer_net_cny": Decimal("-11.00")})

    assert settle_due_differences() == 1
    assert settle_due_differences() == 0

    assert Adjustment.objects.get().run.sequence == 2
    assert documents()[-2:] == [
        ("2", "BB", "receivable", "credit_note", "-10.00", "-1.30", "-11.30"),
        ("2", "SB", "payable", "credit_note", "-6.00", "-0.78", "-6.78"),
    ]
    assert balance("settlement_adjustments") == Decimal("4.00")
    assert_sound(floor.auction, Adjustment.objects.get().run_id)
    assert broken_invariants() == []


def test_a_credit_pays_what_the_buyer_still_owes() -> None:
    floor = Floor(deposit="130")
    floor.settle()
    bill = Invoice.objects.get(organisation=floor.anna)
    assert bill.state == "issued"
    assert balance("member_receivable", floor.anna) == bill.gross.amount - 130
    floor.read(0, 0, "0")

    settle_differences(auction_id=floor.auction.pk)

    bill.refresh_from_db()
    assert bill.state == "paid"
    assert balance("member_receivable", floor.anna) == 0


def test_in_a_closed_month_the_difference_goes_into_the_next(floor: Floor) -> None:
    floor.read(0, 1, "4")
    BookPeriod.objects.filter(days__contains=AFTER.date()).update(state="soft_closed")

    run = settle_differences(auction_id=floor.auction.pk)

    assert run is not None
    assert str(run.settled_on) == "2026-12-01"
    entry = JournalEntry.objects.latest("id")
    assert str(entry.effective_on) == "2026-12-01"
    credit = Invoice.objects.filter(kind=InvoiceKind.CREDIT_NOTE).first()
    assert credit is not None
    assert credit.refers_to.issued_on.month == 11


def test_a_failure_half_way_leaves_nothing_and_the_next_run_does_it_once(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-23: a run killed half-way leaves nothing; the next does it once."""
    floor.read(0, 1, "4")
    entries = JournalEntry.objects.count()
    target = "settlement.services.corrections.differences.post_network_part"
    with monkeypatch.context() as patch:
        patch.setattr(target, lambda **_: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError):
            settle_differences(auction_id=floor.auction.pk)
    assert JournalEntry.objects.count() == entries
    assert SettlementRun.objects.count() == 1

    assert settle_differences(auction_id=floor.auction.pk) is not None
    assert settle_differences(auction_id=floor.auction.pk) is None
    assert RatedLine.objects.filter(run__sequence=2).count() == 1


def test_penalties_follow_the_readings_through_the_sequences() -> None:
    floor = Floor()
    promise([floor.market.product, floor.rented])
    move_clock(DELIVERY_STARTS + timedelta(hours=2))
    floor.read(0, 0, "8", reason="")  # 2 of 10 missing: 2 × 5.3337 × 0.25 = 2.666850
    floor.read(2, 1, "0", reason="")  # lost: 5 × 9.87 × 0.5 = 24.675, capped at 19.74
    floor.settle()
    first = SettlementRun.objects.get()

    assert str(first.penalties_cny) == "22.41"  # 2.67 + 19.74
    assert_sound(floor.auction, first.pk)
    lines = InvoiceLine.objects.filter(kind="sla_penalty").order_by("pk")
    assert [(str(line.net_cny), str(line.vat_rate)) for line in lines] == [
        ("-2.67", "0.0600"),
        ("-19.74", "0.1300"),
        ("-2.67", "0.0600"),
        ("-19.74", "0.1300"),
    ]
    assert balance("settlement_adjustments") == 0

    floor.read(0, 0, "10", reason="counted again")
    second = settle_differences(auction_id=floor.auction.pk)

    assert second is not None
    assert str(second.penalties_cny) == "-2.67"
    assert_sound(floor.auction, second.pk)
    assert broken_invariants() == []
