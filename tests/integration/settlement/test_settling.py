"""The worked example of `docs/explanation/settlement.md`, to the fen, and settling exactly once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from orders.models import Auction
from settlement.models import (
    Delivery,
    DeliveryState,
    EmissionRecord,
    Hold,
    Invoice,
    JournalEntry,
    Posting,
    RatedLine,
    RatedPeriod,
    SettlementRun,
)
from settlement.services.accounts import account_for
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.metering import record_reading
from settlement.services.settling import SettlementNotDue, settle_auction
from tests.factories.settlement import (
    DELIVERY_STARTS,
    Market,
    Trade,
    as_seller,
    deliver,
    funded,
    move_clock,
    published_auction,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def example() -> Auction:
    """Buyer A buys 10 cards for 3 hours of S and 7 of T; T delivers 5 of them in hour 2."""
    market = Market()
    buyer = funded("500", code="BUYA", name_zh="买方甲")
    seller_s = funded(code="SELS", name_zh="供方甲")
    seller_t = funded(code="SELT", name_zh="供方乙")
    auction = published_auction(
        market,
        [
            Trade(buyer, seller_s, ["10", "10", "10"], "5.3337", "5.01", "0.2", hold="171.77"),
            Trade(buyer, seller_t, ["7", "7", "7"], "5.3337", "5.01", "0.2", hold="120.24"),
        ],
    )
    deliveries = deliver(auction)
    move_clock(DELIVERY_STARTS + 3 * HOUR)
    for hour, quantity in enumerate(["7", "5", "7.5"]):
        record_reading(
            actor=as_seller(seller_t),
            delivery_public_id=deliveries[1].public_id,
            starts_at=DELIVERY_STARTS + hour * HOUR,
            ends_at=DELIVERY_STARTS + (hour + 1) * HOUR,
            quantity=Decimal(quantity),
        )
    move_clock(DELIVERY_STARTS + 9 * HOUR)
    complete_due_deliveries(DELIVERY_STARTS + 9 * HOUR)
    return auction


def _balance(purpose: str, code: str | None = None) -> Decimal:
    account = account_for(
        purpose,
        organisation=code and Invoice.objects.filter(organisation__code=code)[0].organisation,
    )
    return Posting.objects.filter(account=account).aggregate(s=Sum("amount"))["s"] or Decimal(0)


def test_the_worked_example_comes_out_to_the_fen(example: Auction) -> None:
    settle_auction(auction_id=example.pk)

    lines = RatedLine.objects.order_by("delivery__allocation__number").values_list(
        "billed_unit_hours", "buyer_net_cny", "seller_net_cny", "tariff_cny", "congestion_rent_cny"
    )
    assert [tuple(map(str, line)) for line in lines] == [
        ("30.000000", "160.01", "150.30", "6.00", "3.71"),
        ("19.000000", "101.34", "95.19", "3.80", "2.35"),
    ]
    bills = Invoice.objects.order_by("number").values_list(
        "organisation__code", "direction", "net", "vat", "gross", "state"
    )
    assert [tuple(map(str, bill)) for bill in bills] == [
        ("SELS", "payable", "149.55", "8.97", "158.52", "issued"),
        ("SELT", "payable", "94.71", "5.68", "100.39", "issued"),
        ("BUYA", "receivable", "262.66", "15.76", "278.42", "paid"),
    ]
    assert _balance("member_funds", "BUYA") == Decimal("-221.58")  # 500.00 − 278.42
    assert _balance("supplier_payable", "SELS") == Decimal("-158.52")
    assert _balance("supplier_payable", "SELT") == Decimal("-100.39")
    assert _balance("link_tariffs") == Decimal("-9.80")
    assert _balance("congestion_rent") == Decimal("-6.06")
    assert _balance("rounding") == Decimal("0.00")
    assert _balance("fee_income") == Decimal("-2.54")
    assert _balance("vat_output") == Decimal("-15.84")
    assert _balance("vat_input_pending") == Decimal("14.73")
    assert _balance("trade_clearing") == 0
    assert Posting.objects.aggregate(s=Sum("amount"))["s"] == 0


def test_holds_are_used_and_the_rest_is_freed(example: Auction) -> None:
    settle_auction(auction_id=example.pk)

    events = [
        (hold.state, [(e.kind, str(e.amount)) for e in hold.events.order_by("id")])
        for hold in Hold.objects.order_by("id")
    ]
    assert events == [
        ("captured", [("place", "171.770000"), ("capture", "171.770000")]),
        (
            "released",
            [("place", "120.240000"), ("capture", "106.650000"), ("release", "13.590000")],
        ),
    ]


def test_readings_decide_and_what_was_not_read_counts_as_contracted(example: Auction) -> None:
    """S-22: a gap is settled by the written rule."""
    settle_auction(auction_id=example.pk)

    periods = RatedPeriod.objects.order_by("id").values_list("sold", "metered", "billed")
    assert [tuple(period) for period in periods] == [
        (10, None, 10),
        (10, None, 10),
        (10, None, 10),
        (7, 7, 7),
        (7, 5, 5),
        (7, Decimal("7.5"), 7),
    ]


def test_emissions_follow_energy_pue_and_the_newest_factor_of_the_province(
    example: Auction,
) -> None:
    settle_auction(auction_id=example.pk)

    records = EmissionRecord.objects.order_by("delivery__allocation__number")
    # 30 and 19.5 unit-hours × 500 W × PUE 1.2 × Ningxia's newest factor.
    assert [(r.it_wh, r.facility_wh) for r in records] == [(15000, 18000), (9750, 11700)]
    factor = records[0].factor
    assert (factor.province_en, factor.year, factor.level) == ("Ningxia", 2023, "province")
    for record in records:
        grams = record.facility_wh * record.factor_kg_per_kwh
        assert record.location_based_t == (grams / 1_000_000).quantize(Decimal("0.000001"))
        assert record.is_estimated


def test_settling_again_changes_nothing(example: Auction) -> None:
    first = settle_auction(auction_id=example.pk)
    entries = list(JournalEntry.objects.values_list("id", "idempotency_key"))

    again = settle_auction(auction_id=example.pk)

    assert again == first
    assert list(JournalEntry.objects.values_list("id", "idempotency_key")) == entries
    assert SettlementRun.objects.count() == 1
    assert Invoice.objects.count() == 3
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.SETTLED}


def test_a_delivery_that_has_not_ended_keeps_the_auction_unsettled() -> None:
    auction = published_auction(Market(), [Trade(funded("100"), funded(), ["1"], "5", "5")])
    deliver(auction)

    with pytest.raises(SettlementNotDue):
        settle_auction(auction_id=auction.pk)

    assert not SettlementRun.objects.exists()


def test_a_delivery_never_handed_over_costs_nothing_and_frees_the_hold() -> None:
    """S-29: a supplier that delivers nothing is paid nothing."""
    buyer = funded("100")
    auction = published_auction(Market(), [Trade(buyer, funded(), ["1"], "5", "5", hold="10")])
    move_clock(DELIVERY_STARTS + HOUR)
    complete_due_deliveries(DELIVERY_STARTS + HOUR)

    settle_auction(auction_id=auction.pk)

    bill = Invoice.objects.get(direction="receivable")
    assert (bill.gross.amount, bill.entry, bill.state) == (0, None, "paid")
    assert Hold.objects.get().state == "released"


def test_a_bill_beyond_the_funds_stands_on_the_receivable_account() -> None:
    buyer = funded("3")
    auction = published_auction(Market(), [Trade(buyer, funded(), ["1"], "5", "5")])
    deliver(auction)
    move_clock(DELIVERY_STARTS + 9 * HOUR)
    complete_due_deliveries(DELIVERY_STARTS + 9 * HOUR)

    settle_auction(auction_id=auction.pk)

    bill = Invoice.objects.get(direction="receivable")
    receivable = account_for("member_receivable", organisation=buyer)
    assert bill.state == "issued"
    assert bill.gross.amount == Decimal("5.33")  # 5.00 + fee 0.03 + tax 0.30
    assert Posting.objects.get(account=receivable).amount == Decimal("2.33")
