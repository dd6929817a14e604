"""The bank on the settled day of the demonstration: statement, payouts, confirmation, tax invoice.

Everything goes through the real services; what is there already is left as it is.
"""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

from config.demo.cast import Cast, platform_actor
from config.demo.stage import Stage
from marketplace.domain.periods import market_date
from marketplace.models import Membership, Organisation, Role
from marketplace.permissions import Actor, actor_for
from marketplace.selectors.clock import market_now
from settlement.models import (
    BankAccount,
    BankMatch,
    BankMatchState,
    BankStatement,
    Invoice,
    InvoiceDirection,
    InvoiceKind,
    JournalEntry,
    MonthlyStatementState,
    PayoutBatch,
    Posting,
    SupplierInvoice,
    TaxInvoice,
    TaxInvoiceState,
    WithdrawalRequest,
)
from settlement.selectors.banking.reconciliation import reconcile
from settlement.services.accounts import account_for
from settlement.services.banking.matching import confirm_match
from settlement.services.banking.monthly_statements import (
    confirm_monthly_statement,
    issue_monthly_statement,
)
from settlement.services.banking.payouts import (
    NothingToPay,
    approve_payout_batch,
    make_payout_batch,
)
from settlement.services.banking.profiles import PROFILES, seed_profiles
from settlement.services.banking.statements import import_statement, register_bank_account
from settlement.services.banking.tax_invoices import record_issued, request_tax_invoice
from settlement.services.banking.workdays import seed_calendar
from settlement.services.supplier_invoices import check_supplier_invoice, record_supplier_invoice
from settlement.web.bill_pages import compute_sums

ACCOUNT = "MAIN"
SUPPLIERS_PAID = 2
HORIZON = timedelta(days=60)
_HEADS = PROFILES[0][4]["columns"]


def play_banking(cast: Cast, stage: Stage) -> list[str]:
    """Take the bank's statement in, pay two suppliers, confirm a month and issue a tax invoice."""
    if PayoutBatch.objects.exists() or not Invoice.objects.exists():
        return []
    seed_profiles()
    seed_calendar()
    maker = platform_actor(Role.FINANCE)
    batch = _pay(cast, maker)
    stage.watch()
    return [*_bank(batch, maker), *_month(maker)]


def _pay(cast: Cast, maker: Actor) -> PayoutBatch | None:
    owed = Invoice.objects.filter(
        direction=InvoiceDirection.PAYABLE,
        kind=InvoiceKind.BILL,
        gross__gt=0,
        organisation__in=cast.supplying,
        supplier_invoices__isnull=True,
    ).order_by("number")
    suppliers = []
    for statement in owed[:SUPPLIERS_PAID]:
        _check_tax_invoice(statement, cast, maker)
        suppliers.append(_with_bank(statement.organisation))
    try:
        batch = make_payout_batch(
            actor=maker,
            pay_on=market_date(market_now()) + HORIZON,
            profile_code="batch-transfer",
            suppliers=suppliers,
        )
    except NothingToPay:
        return None
    other = platform_actor(Role.FINANCE, number=1)
    return approve_payout_batch(actor=other, batch_public_id=batch.public_id)


def _check_tax_invoice(statement: Invoice, cast: Cast, maker: Actor) -> None:
    sums = compute_sums(statement)
    number = f"{market_date(market_now()):%y}11000000{SupplierInvoice.objects.count() + 1:010}"
    record_supplier_invoice(
        actor=cast.supplying[statement.organisation_id],
        invoice_number=statement.number,
        tax_number=number,
        issued_on=market_date(market_now()),
        amount_cny=sums["amount"],
        vat_cny=sums["vat"],
    )
    check_supplier_invoice(actor=maker, tax_number=number, approve=True)


def _with_bank(supplier: Organisation) -> Organisation:
    if not supplier.bank_account:
        supplier.bank_name = supplier.bank_name or "示例银行"
        supplier.bank_account = f"62220000{supplier.pk:08}"
        supplier.save(update_fields=["bank_name", "bank_account"])
    return supplier


def _bank(batch: PayoutBatch | None, maker: Actor) -> list[str]:
    """Let the bank report what was paid in and out, and explain it."""
    if BankStatement.objects.exists():
        return []
    data = _statement(batch)
    if data is None:
        return []
    if not BankAccount.objects.exists():
        platform = maker.organisation
        register_bank_account(
            actor=maker,
            code=ACCOUNT,
            bank_name=(platform.bank_name if platform else "") or "示例银行",
            number=(platform.bank_account if platform else "") or "6222000000000001",
            profile_code="two-columns",
            reconciled_from=_first_day(),
        )
    statement = import_statement(
        actor=maker, account_code=ACCOUNT, filename="bank-statement.csv", data=data
    )
    for match in BankMatch.objects.filter(state=BankMatchState.PROPOSED).order_by("pk"):
        confirm_match(actor=maker, match_public_id=match.public_id)
    report = reconcile(statement)
    paid = f"{batch.number} {batch.total_cny:,.2f}" if batch else "–"
    return [
        f"银行对账 bank: {statement.line_count} 笔 bookings, 待查 in suspense"
        f" {report.suspense_cny:,.2f} CNY, 差额 difference {report.difference_cny:,.2f} CNY",
        f"付款批次 payout batch: {paid} CNY",
    ]


def _first_day() -> date:
    first = JournalEntry.objects.order_by("effective_on").first()
    return first.effective_on if first else market_date(market_now())


def _statement(batch: PayoutBatch | None) -> bytes | None:
    """Return the bank's file: what finance booked by hand, the payouts, and one unknown payment."""
    booked = Posting.objects.filter(account=account_for("bank")).exclude(
        entry__source_type__in=("bank_line", "bank_match")
    )
    payees = dict(WithdrawalRequest.objects.values_list("entry_id", "organisation__name_zh"))
    rows = [
        (
            posting.entry.effective_on,
            posting.amount,
            posting.memo[:60],
            payees.get(posting.entry_id, ""),
            "",
        )
        for posting in booked.select_related("entry").order_by("entry__effective_on", "pk")
    ]
    today = market_date(market_now())
    rows += [
        (today, -payout.amount_cny, payout.number, payout.payee_name, payout.bank_account)
        for payout in (batch.payouts.order_by("number") if batch else ())
    ]
    if not rows:
        return None
    rows.append((max(row[0] for row in rows), Decimal("1280.00"), "D-1280", "示例科技服务部", ""))
    return _file(sorted(rows, key=lambda row: row[0]))


def _file(rows: list[tuple[date, Decimal, str, str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    names = (
        "booked_on",
        "reference",
        "amount_out",
        "amount_in",
        "balance",
        "counterparty_name",
        "counterparty_account",
        "purpose",
    )
    writer.writerow([_HEADS[name] for name in names])
    balance = Decimal(0)
    for day, amount, reference, name, account in rows:
        balance += amount
        sums = (-amount, "") if amount < 0 else ("", amount)
        writer.writerow([day.isoformat(), reference, *sums, balance, name, account, reference])
    return out.getvalue().encode("gb18030")


def _month(maker: Actor) -> list[str]:
    """Let a buyer confirm its month and get its tax invoice."""
    bill = (
        Invoice.objects.filter(
            direction=InvoiceDirection.RECEIVABLE,
            kind=InvoiceKind.BILL,
            gross__gt=0,
            organisation__is_demo_bot=True,
        )
        .select_related("organisation")
        .order_by("number")
        .first()
    )
    clerk = _finance_of(bill.organisation) if bill else None
    if bill is None or clerk is None or TaxInvoice.objects.exists():
        return []
    month = bill.issued_on.replace(day=1)
    statement = issue_monthly_statement(actor=maker, organisation=bill.organisation, month=month)
    if statement.state == MonthlyStatementState.SENT:
        statement = confirm_monthly_statement(actor=clerk, public_id=statement.public_id)
    asked = request_tax_invoice(
        actor=clerk, organisation=bill.organisation, kind="special", bills=[bill]
    )
    today = market_date(market_now())
    issued = record_issued(
        actor=maker,
        public_id=asked.public_id,
        tax_number=f"{today:%y}11000099{1:010}",
        issued_on=today,
    )
    is_issued = issued.state == TaxInvoiceState.ISSUED
    return [
        f"月度对账 statement confirmed: {statement.number} {bill.organisation.name_zh}",
        f"数电票 tax invoice {'issued' if is_issued else issued.state}: {issued.tax_number}",
    ]


def _finance_of(organisation: Organisation) -> Actor | None:
    found = Membership.objects.filter(organisation=organisation, role=Role.FINANCE).first()
    return actor_for(user=found.user, organisation_id=organisation.pk) if found else None
