"""Money in and out and credit: two persons, holds first, audited."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection

from marketplace.domain.errors import NotPermitted, StateForbids
from marketplace.models import AuditEvent, Organisation, Role
from marketplace.permissions import Actor
from orders.ports.collateral import InsufficientCollateral
from settlement.models import CreditKind, DepositReceipt, Invoice, JournalEntry
from settlement.selectors.balances import funds_of
from settlement.services.collateral import LedgerCollateral
from settlement.services.credit_limits import lower_expired_limits
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.funds import (
    AmountInvalid,
    BankReferenceUsed,
    CreditLimitInUse,
    SamePerson,
    approve_credit_limit,
    confirm_deposit,
    decide_withdrawal,
    propose_credit_limit,
    record_deposit,
    request_withdrawal,
)
from settlement.services.settling import settle_auction
from settlement.services.supplier_invoices import (
    TaxInvoiceMismatch,
    TaxNumberInvalid,
    TaxNumberUsed,
    check_supplier_invoice,
    record_supplier_invoice,
)
from tests.factories.marketplace import member, operator
from tests.factories.settlement import (
    DELIVERY_STARTS,
    Market,
    Trade,
    as_buyer,
    as_seller,
    deliver,
    funded,
    move_clock,
    published_auction,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk() -> Actor:
    return operator(Role.FINANCE)


@pytest.fixture
def checker() -> Actor:
    return operator(Role.FINANCE)


def _receipt(actor: Actor, organisation: Organisation, amount: str = "100") -> DepositReceipt:
    return record_deposit(
        actor=actor,
        organisation=organisation,
        amount_cny=Decimal(amount),
        bank_reference=f"REF{DepositReceipt.objects.count()}",
        received_on=date(2026, 11, 22),
    )


def test_a_deposit_counts_once_a_second_person_confirms_it(clerk: Actor, checker: Actor) -> None:
    organisation = funded()
    receipt = _receipt(clerk, organisation)
    assert funds_of(organisation).available_cny == 0

    with pytest.raises(SamePerson):
        confirm_deposit(actor=clerk, deposit_public_id=receipt.public_id)
    confirm_deposit(actor=checker, deposit_public_id=receipt.public_id)

    assert funds_of(organisation).available_cny == 100
    with pytest.raises(StateForbids):
        confirm_deposit(actor=checker, deposit_public_id=receipt.public_id)
    assert list(AuditEvent.objects.order_by("id").values_list("action", flat=True)) == [
        "deposit.entered",
        "depositreceipt.approved",
    ]


def test_a_refused_deposit_books_nothing(clerk: Actor, checker: Actor) -> None:
    receipt = _receipt(clerk, funded())

    confirm_deposit(actor=checker, deposit_public_id=receipt.public_id, approve=False, reason="no")

    assert not JournalEntry.objects.exists()


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "Infinity", "1000000000000"])
def test_a_wrong_amount_is_refused(clerk: Actor, amount: str) -> None:
    with pytest.raises(AmountInvalid):
        _receipt(clerk, funded(), amount)


def test_a_bank_reference_counts_once(clerk: Actor) -> None:
    organisation = funded()
    receipt = _receipt(clerk, organisation)

    with pytest.raises(BankReferenceUsed):
        record_deposit(
            actor=clerk,
            organisation=organisation,
            amount_cny=Decimal(1),
            bank_reference=receipt.bank_reference,
            received_on=date(2026, 11, 22),
        )


def test_only_the_platforms_finance_moves_money(checker: Actor) -> None:
    organisation = funded()

    for actor in (as_buyer(organisation), operator(Role.OPERATOR), member(organisation)):
        with pytest.raises(NotPermitted):
            _receipt(actor, organisation)
    with pytest.raises(NotPermitted):
        request_withdrawal(actor=as_buyer(organisation), amount_cny=Decimal(1))


def test_the_database_wants_two_persons_too(clerk: Actor) -> None:
    receipt = _receipt(clerk, funded())

    with pytest.raises(IntegrityError, match="two_persons"):
        DepositReceipt.objects.filter(pk=receipt.pk).update(decided_by=clerk.user)


def _limit(
    maker: Actor, checker: Actor, organisation: Organisation, amount: str, **fields: object
) -> None:
    limit = propose_credit_limit(
        actor=maker, organisation=organisation, amount_cny=Decimal(amount), **fields
    )
    approve_credit_limit(actor=checker, limit_public_id=limit.public_id)


def test_limits_of_both_kinds_add_up_and_a_newer_one_replaces(clerk: Actor, checker: Actor) -> None:
    organisation = funded("10")
    _limit(clerk, checker, organisation, "100")
    _limit(
        clerk,
        checker,
        organisation,
        "50",
        kind=CreditKind.GUARANTEE,
        guarantee_number="BH-1",
        expires_on=date(2026, 11, 30),
    )
    _limit(clerk, checker, organisation, "70")

    funds = funds_of(organisation)
    assert (funds.credit_limit_cny, funds.available_cny) == (120, 130)
    assert lower_expired_limits(datetime(2026, 12, 1, tzinfo=UTC)) == 1
    assert funds_of(organisation).credit_limit_cny == 70


def test_a_limit_in_use_cannot_be_lowered(clerk: Actor, checker: Actor) -> None:
    organisation = funded("10")
    _limit(clerk, checker, organisation, "100")
    LedgerCollateral().place_hold(
        organisation_id=organisation.pk,
        amount_cny=Decimal(60),
        source_type="order",
        source_id="1",
    )

    with pytest.raises(CreditLimitInUse):
        _limit(clerk, checker, organisation, "49.99")
    _limit(clerk, checker, organisation, "50")

    assert funds_of(organisation).available_cny == 0


def test_a_withdrawal_is_held_first_and_paid_from_the_hold(checker: Actor) -> None:
    organisation = funded("100")
    request = request_withdrawal(
        actor=member(organisation, Role.FINANCE), amount_cny=Decimal("60.50")
    )
    assert funds_of(organisation).available_cny == Decimal("39.50")

    decide_withdrawal(actor=checker, withdrawal_public_id=request.public_id, approve=True)

    funds = funds_of(organisation)
    assert (funds.deposit_cny, funds.held_cny) == (Decimal("39.50"), 0)


def test_a_refused_withdrawal_frees_the_hold(checker: Actor) -> None:
    organisation = funded("100")
    request = request_withdrawal(actor=member(organisation, Role.FINANCE), amount_cny=Decimal(100))

    decide_withdrawal(actor=checker, withdrawal_public_id=request.public_id, approve=False)

    assert funds_of(organisation).available_cny == 100


def test_credit_cannot_be_withdrawn(clerk: Actor, checker: Actor) -> None:
    organisation = funded("10")
    _limit(clerk, checker, organisation, "100")

    with pytest.raises(InsufficientCollateral) as caught:
        request_withdrawal(actor=member(organisation, Role.FINANCE), amount_cny=Decimal(11))

    assert caught.value.available_cny == 10


def _settled(buyer: Organisation, seller: Organisation) -> None:
    auction = published_auction(Market(), [Trade(buyer, seller, ["2"], "5", "5")])
    deliver(auction)
    later = DELIVERY_STARTS.replace(day=24)
    move_clock(later)
    complete_due_deliveries(later)
    settle_auction(auction_id=auction.pk)


def test_an_open_bill_is_paid_by_the_next_deposits(clerk: Actor, checker: Actor) -> None:
    buyer = funded("3")
    _settled(buyer, funded())
    bill = Invoice.objects.get(direction="receivable")
    assert funds_of(buyer).receivable_cny == bill.gross.amount - 3

    for amount in ("4", "10"):
        receipt = _receipt(clerk, buyer, amount)
        confirm_deposit(actor=checker, deposit_public_id=receipt.public_id)

    bill.refresh_from_db()
    assert bill.state == "paid"
    assert funds_of(buyer).receivable_cny == 0
    assert funds_of(buyer).deposit_cny == 17 - bill.gross.amount


def test_a_suppliers_tax_invoice_is_matched_and_makes_the_tax_deductible(
    clerk: Actor, checker: Actor
) -> None:
    seller = funded()
    _settled(funded("100"), seller)
    statement = Invoice.objects.get(direction="payable")
    details = {
        "actor": as_seller(seller),
        "invoice_number": statement.number,
        "issued_on": date(2026, 11, 25),
        "vat_cny": Decimal("0.60"),
    }
    with pytest.raises(TaxNumberInvalid):
        record_supplier_invoice(**details, tax_number="12", amount_cny=Decimal("10.60"))
    record_supplier_invoice(**details, tax_number="1" * 20, amount_cny=Decimal("10.61"))
    record_supplier_invoice(**details, tax_number="2" * 20, amount_cny=Decimal("10.60"))
    with pytest.raises(TaxNumberUsed):
        record_supplier_invoice(**details, tax_number="2" * 20, amount_cny=Decimal("10.60"))

    with pytest.raises(TaxInvoiceMismatch):
        check_supplier_invoice(actor=checker, tax_number="1" * 20, approve=True)
    check_supplier_invoice(actor=checker, tax_number="1" * 20, approve=False, reason="wrong sum")
    check_supplier_invoice(actor=checker, tax_number="2" * 20, approve=True)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.purpose, sum(p.amount) FROM settlement_posting p"
            " JOIN settlement_account a ON a.id = p.account_id"
            " WHERE a.purpose LIKE 'vat_input%' GROUP BY 1 ORDER BY 1"
        )
        assert cursor.fetchall() == [("vat_input", Decimal("0.60")), ("vat_input_pending", 0)]
