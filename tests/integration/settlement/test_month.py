"""The month of `docs/explanation/settlement-month.md`, compared line by line with the page."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import Q, Sum

from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from orders.models import Auction
from settlement.exports.producing import asked_report, kind_for
from settlement.models import (
    Delivery,
    Invoice,
    InvoiceLine,
    JournalEntry,
    RatedLine,
    SettlementRun,
)
from settlement.selectors.rederivation import rederive_run
from settlement.services.banking.payouts import approve_payout_batch, make_payout_batch
from settlement.services.banking.profiles import seed_profiles
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.invariants import broken_invariants
from settlement.services.metering import record_reading
from settlement.services.settling import settle_auction, settle_differences
from settlement.services.supplier_invoices import check_supplier_invoice, record_supplier_invoice
from settlement.web.bill_pages import compute_sums
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
from tests.integration.settlement.correcting import balance, promise
from tests.web.desks import platform_people

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
PAGE = Path(settings.BASE_DIR) / "docs" / "explanation" / "settlement-month.md"
LINE = {
    "billed unit-hours": "billed_unit_hours",
    "buyer net": "buyer_net_cny",
    "supplier net": "seller_net_cny",
    "tariff net": "tariff_cny",
    "rent": "congestion_rent_cny",
    "rounding": "rounding_cny",
    "buyer fee": "buyer_fee_cny",
    "supplier fee": "seller_fee_cny",
}


def _table(heading: str) -> list[dict[str, str]]:
    """Return the rows of the table below a heading, by column."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


def _read(delivery: Delivery, hour: int, quantity: str, reason: str = "") -> None:
    record_reading(
        actor=as_seller(delivery.allocation.seller),
        delivery_public_id=delivery.public_id,
        starts_at=DELIVERY_STARTS + hour * HOUR,
        ends_at=DELIVERY_STARTS + (hour + 1) * HOUR,
        quantity=Decimal(quantity),
        reason=reason,
    )


def _play() -> tuple[Auction, dict[str, Organisation]]:
    market = Market()
    rented = ProductFactory(vat_rate=None)
    rented.vat_rates.update(rate="0.13")
    promise([market.product, rented])
    members = {"A": funded("1000", code="A"), "S": funded(code="S"), "T": funded(code="T")}
    products = {"S": market.product, "T": rented}
    auction = published_auction(
        market,
        [
            Trade(
                members[row["buyer"]],
                members[row["supplier"]],
                [row["units"]] * 2,
                row["price buyer"],
                row["price supplier"],
                row["tariff"],
                product=products[row["supplier"]],
            )
            for row in _table("Deliveries at first settlement")
        ],
    )
    deliveries = deliver(auction)
    move_clock(DELIVERY_STARTS + 2 * HOUR)
    _read(deliveries[0], 0, "8")
    move_clock(DELIVERY_STARTS + 12 * HOUR)
    complete_due_deliveries(DELIVERY_STARTS + 12 * HOUR)
    settle_auction(auction_id=auction.pk)
    _read(deliveries[2], 1, "4.75", "recounted")
    settle_differences(auction_id=auction.pk)
    return auction, members


def test_the_month_comes_out_as_worked_by_hand() -> None:
    auction, members = _play()

    _compare_lines("Deliveries at first settlement", sequence=1)
    _compare_lines("The correction", sequence=2)
    documents = [
        {
            "run": str(bill.run.sequence),
            "member": bill.organisation.code,
            "document": bill.direction,
            "kind": bill.kind,
            "net": str(bill.net.amount),
            "VAT": str(bill.vat.amount),
            "gross": str(bill.gross.amount),
        }
        for bill in Invoice.objects.select_related("run", "organisation").order_by(
            "run__sequence", "-direction", "organisation__code"
        )
    ]
    assert documents == _table("Documents")
    for row in _table("Balances at the end"):
        found = balance(row["account"], members.get(row["member"]))
        assert (row["account"], row["member"], found) == (
            row["account"],
            row["member"],
            Decimal(row["balance"]),
        )
    assert _bill_lines() == _table("The lines of the bills")
    assert _debits() == [Decimal(row["debit"]) for row in _table("The journal")]
    for run in SettlementRun.objects.filter(auction=auction):
        assert rederive_run(run.pk).differences == ()
    _pay(members)
    assert broken_invariants() == []


def _bill_lines() -> list[dict[str, str]]:
    """Return every line of every document as the page writes it."""
    numbers = {pk: f"D{n}" for n, pk in enumerate(_delivery_keys(), start=1)}
    lines = InvoiceLine.objects.select_related("invoice__run", "invoice__organisation").order_by(
        "invoice__run__sequence", "-invoice__direction", "invoice__organisation__code", "line"
    )
    return [
        {
            "run": str(line.invoice.run.sequence),
            "member": line.invoice.organisation.code,
            "document": line.invoice.direction,
            "line": str(line.line),
            "kind": line.kind,
            "delivery": numbers[line.delivery_id],
            "net": f"{line.net_cny:.2f}",
            "rate": f"{line.vat_rate:.2f}",
            "VAT": f"{line.vat_cny:.2f}",
        }
        for line in lines
    ]


def _delivery_keys() -> list[int]:
    return list(Delivery.objects.order_by("pk").values_list("pk", flat=True))


def _debits() -> list[Decimal]:
    """Return what each entry of the journal debits, in the order of posting."""
    entries = JournalEntry.objects.order_by("pk")
    debited = entries.annotate(debit=Sum("postings__amount", filter=Q(postings__amount__gt=0)))
    return [entry.debit for entry in debited]


def _pay(members: dict[str, Organisation]) -> None:
    """Check the suppliers' tax invoices, pay both in one batch, and read the reports."""
    people = platform_people()
    seed_profiles()
    for number, statement in enumerate(
        Invoice.objects.filter(direction="payable").order_by("number"), start=1
    ):
        _check_tax_invoice(statement, f"26110000000000{number:06}", people["finance"])
    for code in "ST":
        members[code].bank_name, members[code].bank_account = "示例银行", f"622200000000{code}"
        members[code].save(update_fields=["bank_name", "bank_account"])
    batch = make_payout_batch(
        actor=people["finance"],
        pay_on=market_date(market_now()) + timedelta(days=60),
        profile_code="batch-transfer",
        suppliers=[members["S"], members["T"]],
    )
    batch = approve_payout_batch(actor=people["second"], batch_public_id=batch.public_id)
    paid = [Decimal(row["paid"]) for row in _table("The payout")]
    assert [payout.amount_cny for payout in batch.payouts.order_by("number")] == paid
    for row in _table("What the reports say"):
        kind = kind_for(people["finance"], row["report"])
        with asked_report(people["finance"], kind, {}) as asked:
            found = Decimal(asked.report.control_totals()[row["figure"]])
        assert (row["report"], row["figure"], found) == (
            row["report"],
            row["figure"],
            Decimal(row["total"]),
        )


def _check_tax_invoice(statement: Invoice, number: str, finance: Actor) -> None:
    sums = compute_sums(statement)
    record_supplier_invoice(
        actor=as_seller(statement.organisation),
        invoice_number=statement.number,
        tax_number=number,
        issued_on=market_date(market_now()),
        amount_cny=sums["amount"],
        vat_cny=sums["vat"],
    )
    check_supplier_invoice(actor=finance, tax_number=number, approve=True)


def _compare_lines(heading: str, *, sequence: int) -> None:
    lines = RatedLine.objects.filter(run__sequence=sequence).order_by("delivery_id")
    rows = _table(heading)
    assert lines.count() == len(rows)
    for row, line in zip(rows, lines, strict=True):
        for column in LINE.keys() & row.keys():
            found = getattr(line, LINE[column])
            assert (row["delivery"], column, found) == (
                row["delivery"],
                column,
                Decimal(row[column]),
            )
        if "penalty" in row:
            penalty = line.delivery.penalties.filter(run__sequence=sequence).first()
            assert Decimal(row["penalty"]) == (penalty.amount_cny if penalty else 0)
