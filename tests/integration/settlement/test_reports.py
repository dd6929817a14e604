"""Statements, summary, trial balance and re-derivation of a settled market."""

from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal

import pytest

from orders.models import Auction
from settlement.models import Delivery, SettlementRun
from settlement.selectors.balances import funds_of
from settlement.selectors.rederivation import rederive_run
from settlement.selectors.settlement_summary import (
    SummaryAmounts,
    SummaryBy,
    SummaryDoesNotTie,
    settlement_summary,
)
from settlement.selectors.statements import held_by_auction, participant_statement
from settlement.selectors.trial_balance import differences_by_asset, trial_balance
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.metering import record_reading
from settlement.services.settling import settle_auction
from tests.factories.ledger import TODAY
from tests.factories.marketplace import ProductFactory
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
from tests.integration.settlement.test_invariants import _tamper

pytestmark = pytest.mark.django_db
QUARTER = timedelta(minutes=15)
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture
def run() -> SettlementRun:
    """Two buyers, two sellers, two products, one of them taxed at 13 %, readings that differ."""
    market = Market()
    other = ProductFactory(vat_rate=None)
    other.vat_rates.update(rate="0.13")
    anna, ben = funded("5000", code="BA"), funded("5000", code="BB")
    sam, tess = funded(code="SA"), funded("100", code="SB")
    auction = published_auction(
        market,
        [
            Trade(anna, sam, ["1.5", "2", "2"], "7.123456", "6.9", "0.123", hold="300"),
            Trade(anna, tess, ["3", "3", "3"], "7.123456", "6.987654", "0.1", hold="400"),
            Trade(ben, tess, ["5", "5", "5"], "9.87654321", "9", "0.05", product=other),
            Trade(tess, sam, ["1", "1", "1"], "3.333333", "3.333333"),
        ],
        period_minutes=30,
    )
    deliveries = deliver(auction)
    move_clock(DELIVERY_STARTS + 6 * QUARTER)
    _read(deliveries[0], 0, "1.4")
    _read(deliveries[0], 1, "1.333")
    _read(deliveries[1], 2, "2.718")
    _read(deliveries[1], 2, "2.717")
    _read(deliveries[2], 5, "9")
    move_clock(DELIVERY_STARTS + timedelta(hours=12))
    complete_due_deliveries(DELIVERY_STARTS + timedelta(hours=12))
    return settle_auction(auction_id=auction.pk)


def _read(delivery: Delivery, quarter: int, quantity: str) -> None:
    record_reading(
        actor=as_seller(delivery.allocation.seller),
        delivery_public_id=delivery.public_id,
        starts_at=DELIVERY_STARTS + quarter * QUARTER,
        ends_at=DELIVERY_STARTS + (quarter + 1) * QUARTER,
        quantity=Decimal(quantity),
    )


def test_every_amount_is_derived_again_by_other_means(run: SettlementRun) -> None:
    again = rederive_run(run.pk)

    assert again.differences == ()
    assert len(again.comparisons) == 4 * 6 + 5 * 4 + 6


@pytest.mark.parametrize(
    ("table", "change", "what"),
    [
        ("settlement_ratedline", "billed_unit_hours = billed_unit_hours + 1", "billed_unit_hours"),
        (
            "settlement_ratedline",
            "buyer_net_cny = buyer_net_cny + 1, tariff_cny = tariff_cny + 1",
            "tariff_cny",
        ),
        ("settlement_invoice", "vat = vat + 1, gross = gross + 1", "gross"),
        ("settlement_posting", "amount = amount + 1", "ledger"),
        ("orders_allocationperiod", "seller_price = seller_price + 1", "seller_net_cny"),
        ("settlement_meterreading", "quantity = quantity / 2", "buyer_net_cny"),
    ],
)
def test_re_derivation_finds_a_changed_amount(
    run: SettlementRun, table: str, change: str, what: str
) -> None:
    _tamper(table, change)

    assert what in {difference.what for difference in rederive_run(run.pk).differences}


@pytest.mark.parametrize("by", list(SummaryBy))
def test_the_summary_ties_to_the_ledger_however_it_is_grouped(
    run: SettlementRun, by: SummaryBy
) -> None:
    summary = settlement_summary(*NOVEMBER, by=by)

    assert summary.total.buyer_net_cny == run.buyer_net_cny
    assert summary.total.seller_net_cny == run.seller_net_cny
    assert summary.total.buyer_fee_cny + summary.total.seller_fee_cny == run.fees_cny
    keys = {"period": 1, "member": 4, "product": 2, "auction": 1}
    assert len(summary.rows) == keys[by]


def test_a_summary_that_does_not_tie_is_not_given_out(run: SettlementRun) -> None:
    _tamper(
        "settlement_ratedline", "buyer_net_cny = buyer_net_cny + 1, tariff_cny = tariff_cny + 1"
    )

    with pytest.raises(SummaryDoesNotTie) as caught:
        settlement_summary(*NOVEMBER)

    assert caught.value.params == {"columns": "buyer_net_cny, tariff_cny"}


@pytest.mark.usefixtures("run")
def test_a_summary_of_other_days_is_empty() -> None:
    summary = settlement_summary(date(2026, 10, 1), date(2026, 10, 31))

    assert summary.rows == ()
    assert all(getattr(summary.total, f.name) == 0 for f in fields(SummaryAmounts))


def test_a_statement_goes_from_opening_to_closing_and_the_next_begins_there(
    run: SettlementRun,
) -> None:
    member = run.invoices.get(direction="receivable", organisation__code="BA").organisation

    first = participant_statement(member, NOVEMBER[0], TODAY - timedelta(days=1))
    second = participant_statement(member, TODAY, NOVEMBER[1])

    funds = {a.purpose: a for a in second.accounts}["member_funds"]
    assert [a.closing_cny for a in first.accounts] == [a.opening_cny for a in second.accounts]
    assert [line.kind for line in funds.lines] == ["deposit", "buyer_bill"]
    assert funds.opening_cny + sum(line.amount_cny for line in funds.lines) == funds.closing_cny
    assert funds.closing_cny == funds_of(member).deposit_cny
    assert [hold.remaining_cny for hold in second.holds] == []
    assert [hold.placed_cny for hold in first.holds] == [300, 400]
    assert all(h.captured_cny + h.released_cny == h.placed_cny for h in first.holds)
    (held,) = held_by_auction(member, NOVEMBER[0], TODAY - timedelta(days=1))
    assert (held.count, held.placed_cny) == (2, 700)
    for part in ("captured_cny", "released_cny", "remaining_cny"):
        assert getattr(held, part) == sum(getattr(hold, part) for hold in first.holds)


@pytest.mark.usefixtures("run")
def test_the_trial_balance_is_zero_and_goes_on_where_it_ended() -> None:
    before = trial_balance(NOVEMBER[0], TODAY - timedelta(days=1))
    after = trial_balance(TODAY, NOVEMBER[1])

    assert differences_by_asset(after) == {"CNY": 0}
    assert [row.closing for row in before] == [row.opening for row in after]
    assert sum(row.debit - row.credit for row in after) == 0
    clearing = next(row for row in after if row.code == "3001.01")
    assert clearing.closing == 0
    assert clearing.debit > 0


def test_an_unsettled_market_has_an_empty_trial_balance() -> None:
    Market()

    rows = trial_balance(*NOVEMBER)

    assert {row.closing for row in rows} == {0}
    assert not Auction.objects.exists()
