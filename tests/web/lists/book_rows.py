"""More of everything that lists of deliveries, money, cases, units and statements show."""

from datetime import date, timedelta
from decimal import Decimal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from orders.models import Allocation
from settlement.models import (
    DefaultRule,
    DisputeRule,
    Invoice,
    InvoiceDirection,
    ParkedItem,
)
from settlement.services.banking.contracts import draw_up_contracts, send_contract
from settlement.services.banking.monthly_statements import issue_monthly_statement
from settlement.services.banking.payouts import approve_payout_batch, make_payout_batch
from settlement.services.banking.statements import import_statement
from settlement.services.banking.tax_invoices import request_tax_invoice
from settlement.services.carbon.pue import PueRow, record_pue
from settlement.services.carbon.statements import issue_month
from settlement.services.carbon.supply import SupplyRow, record_supply, register_source
from settlement.services.cases.defaults import propose_default
from settlement.services.cases.deposits import enter_deposit
from settlement.services.cases.disputes import open_dispute
from settlement.services.cases.dunning import remind_overdue
from settlement.services.counters import announce_reset
from settlement.services.credit_limits import propose_credit_limit
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.funds import record_deposit, request_withdrawal
from settlement.services.invariants import sweep_ledger
from settlement.services.meter_keys import register_meter_key
from settlement.services.metering import record_reading
from settlement.services.reports.export_jobs import request_export
from settlement.services.settling import settle_auction, settle_differences
from settlement.services.sla.terms import promise_service
from settlement.services.supplier_invoices import check_supplier_invoice, record_supplier_invoice
from settlement.web.bill_pages import compute_sums
from tests.factories.banking import Booking, bank_account, statement_csv
from tests.factories.cases import LATE, programme, voucher
from tests.factories.closing import post_on
from tests.factories.marketplace import ProductFactory
from tests.factories.settlement import (
    DELIVERY_STARTS,
    GATE_CLOSES,
    Trade,
    deliver,
    funded,
    published_auction,
)
from tests.web.desks import HOUR
from tests.web.lists.market_rows import NOW, World, turn_clock

NOVEMBER = date(2026, 11, 1)
UNREAD = DELIVERY_STARTS + 10 * HOUR  # when readings are not waited for any more


def add_settlement(world: World) -> None:
    """Add a settled auction of two deliveries, and what a late reading changes."""
    turn_clock(GATE_CLOSES)
    desk = world.desk
    if world.rounds:
        again = [
            Trade(desk.buying, desk.selling, ["10", "10", "8"], "9", "7", "1"),
            Trade(desk.buying, desk.selling, ["4", "4", "4"], "9", "7", "1"),
        ]
        desk.auction = published_auction(desk.market, again)
    desk.settled()
    record_reading(
        actor=desk.supplier,
        delivery_public_id=desk.delivery.public_id,
        starts_at=DELIVERY_STARTS,
        ends_at=DELIVERY_STARTS + HOUR,
        quantity=Decimal(8),
        reason="two nodes were off",
    )
    settle_differences(auction_id=desk.auction.pk)
    ParkedItem.objects.create(
        auction=desk.auction, stage="settlement", code="period_closed", last_tried_at=NOW
    )
    announce_reset(
        actor=desk.supplier,
        delivery_public_id=desk.delivery.public_id,
        reset_at=DELIVERY_STARTS + HOUR,
        reason="new meter",
    )
    key = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    register_meter_key(actor=desk.supplier, name=f"hall {world.rounds}", public_key=key)


def add_money(world: World) -> None:
    """Add bank statements, payouts, tax invoices, contracts, and wishes about funds."""
    desk, number = world.desk, world.rounds
    desk.buying.refresh_from_db()
    finance, second = desk.people["finance"], desk.people["second"]
    if not number:
        bank_account(finance)
    booking = Booking(date(2026, 11, 10 + number), "5.00", f"R{number}", desk.buying.name_zh)
    import_statement(
        actor=finance,
        account_code="MAIN",
        filename=f"bank{number}.csv",
        data=statement_csv([booking], opening=str(5 * number)),
    )
    _pay_supplier(world)
    month = date(2026, 11 - number, 1)
    issue_monthly_statement(actor=finance, organisation=desk.buying, month=month)
    bills = Invoice.objects.filter(
        run__auction=desk.auction, direction=InvoiceDirection.RECEIVABLE
    ).order_by("pk")
    request_tax_invoice(
        actor=desk.buyer, organisation=desk.buying, kind="ordinary", bills=[bills[0]]
    )
    allocation = Allocation.objects.filter(auction=desk.auction).order_by("pk")[0]
    sale = draw_up_contracts(actor=finance, allocation=allocation)[0]
    send_contract(actor=finance, public_id=sale.public_id, draw=lambda _one: b"%PDF-1.7")
    request_withdrawal(actor=desk.buyer, amount_cny=Decimal(1))
    record_deposit(
        actor=second,
        organisation=desk.buying,
        amount_cny=Decimal(2),
        bank_reference=f"B{number}",
        received_on=date(2026, 11, 20),
    )
    propose_credit_limit(actor=finance, organisation=desk.buying, amount_cny=Decimal(10 + number))
    post_on(date(2026, 10, 1 + number), "1", f"early-{number}", owner=desk.buying)


def _pay_supplier(world: World) -> None:
    desk = world.desk
    finance, tax_number = desk.people["finance"], f"2611{world.rounds:016}"
    owed = Invoice.objects.filter(
        run__auction=desk.auction, direction=InvoiceDirection.PAYABLE
    ).order_by("pk")[0]
    sums = compute_sums(owed)
    record_supplier_invoice(
        actor=desk.supplier,
        invoice_number=owed.number,
        tax_number=tax_number,
        issued_on=date(2026, 11, 23),
        amount_cny=sums["amount"],
        vat_cny=sums["vat"],
    )
    check_supplier_invoice(actor=finance, tax_number=tax_number, approve=True)
    batch = make_payout_batch(
        actor=finance, pay_on=date(2026, 12, 31), profile_code="batch-transfer"
    )
    approve_payout_batch(actor=desk.people["second"], batch_public_id=batch.public_id)


def add_cases(world: World) -> None:
    """Add a dispute, a programme with its voucher, a deposit, a default, and dated rules."""
    desk, number = world.desk, world.rounds
    finance, second = desk.people["finance"], desk.people["second"]
    open_dispute(
        actor=desk.buyer,
        delivery_public_id=desk.delivery.public_id,
        ground="quality",
        claim="Slow.",
        claimed_net_cny=Decimal(4),
    )
    of = programme(first=finance, second=second, code=f"SH{number}")
    voucher(of, desk.buying, "100", first=finance, second=second)
    enter_deposit(
        actor=finance,
        organisation=desk.buying,
        amount_cny=Decimal(1),
        expires_on=date(2027, 11, 23),
    )
    promise_service([ProductFactory()], valid_from=date(2026, 12, 1))
    DisputeRule.objects.create(
        effective_from=date(2026, 12, 1 + number),
        open_days=11 + number,
        answer_days=6,
        insist_days=7,
        ruling_days=12,
    )
    DefaultRule.objects.create(
        effective_from=date(2026, 12, 1 + number),
        first_reminder_days=2,
        second_reminder_days=4,
        default_days=8 + number,
        penalty_rate_per_day=Decimal("0.0007"),
        penalty_cap_rate=Decimal("0.3"),
    )
    _let_somebody_fail(world)


def _let_somebody_fail(world: World) -> None:
    """A member that cannot pay is reminded, and proposed to be declared in default."""
    desk = world.desk
    turn_clock(GATE_CLOSES)
    poor = funded("1")
    auction = published_auction(desk.market, [Trade(poor, desk.selling, ["2", "2"], "5", "4")])
    deliver(auction)
    turn_clock(UNREAD)
    complete_due_deliveries(UNREAD)
    settle_auction(auction_id=auction.pk)
    turn_clock(LATE)
    remind_overdue(LATE)
    propose_default(actor=desk.people["operator"], organisation=poor, reason="Unpaid.")
    turn_clock(NOW)


def add_files(world: World) -> None:
    """Add a sweep, exports, metered PUE, and carbon statements of whoever had none."""
    desk, number = world.desk, world.rounds
    sweep_ledger()
    for actor in world.people.values():
        request_export(
            actor=actor,
            report="bill-lines",
            parameters={},
            file_format="csv",
            rows_total=1,
        )
    row = PueRow(
        line=2,
        place=desk.delivery.allocation.listing.pool.identifier,
        starts_at=DELIVERY_STARTS + timedelta(days=number),
        ends_at=DELIVERY_STARTS + timedelta(days=number, hours=1),
        pue=Decimal("1.2"),
    )
    record_pue(actor=desk.supplier, rows=[row], source="DCIM")
    _add_green_supply(world)
    issue_month(month=NOVEMBER, only_missing=True)


def _add_green_supply(world: World) -> None:
    """Add a source and two of its hours."""
    desk, number = world.desk, world.rounds
    source = register_source(
        actor=desk.supplier,
        pool=desk.delivery.allocation.listing.pool.identifier,
        kind="own_solar",
        name=f"光伏 {number}",
        capacity_w=10_000_000,
        valid_from=NOVEMBER,
        evidence="并网验收意见书",
    )
    hours = [
        SupplyRow(index, source.code, DELIVERY_STARTS + timedelta(hours=index), "metered", 1000)
        for index in range(2)
    ]
    record_supply(actor=desk.supplier, rows=hours)
