"""Defaults: reminders, declaration by two persons, the order of taking, recovery."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from marketplace.models import Organisation, OrganisationState, Role
from marketplace.permissions import Actor
from settlement.domain.cases.waterfall import penalty_of
from settlement.models import (
    CreditKind,
    DefaultCase,
    DunningStep,
    GuaranteeCall,
    Posting,
    SecurityDeposit,
)
from settlement.selectors.balances import funds_of
from settlement.selectors.cases.debts import balance_of
from settlement.services.accounts import account_for
from settlement.services.cases.defaults import (
    DefaultLiveAlready,
    NothingInDefault,
    continue_default,
    decide_default,
    propose_default,
)
from settlement.services.cases.deposits import (
    MemberOwes,
    ask_for_return,
    decide_deposit,
    decide_return,
    enter_deposit,
    return_ended_deposits,
)
from settlement.services.cases.dunning import remind_overdue
from settlement.services.collateral import LedgerCollateral
from settlement.services.credit_limits import (
    approve_credit_limit,
    lower_expired_limits,
    propose_credit_limit,
)
from settlement.services.funds import confirm_deposit, record_deposit
from settlement.services.funds_requests import SamePerson
from settlement.services.ledger import PostingLine, post_entry
from tests.factories import ledger
from tests.factories.cases import LATE, TODAY, Settled, assert_ledger_clean, clerk
from tests.factories.marketplace import member, operator
from tests.factories.settlement import DELIVERY_STARTS, funded, move_clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def first() -> Actor:
    return clerk()


@pytest.fixture
def second() -> Actor:
    return clerk()


def _guarantee(
    organisation: Organisation, amount: str, first: Actor, second: Actor, until: date | None = None
) -> None:
    limit = propose_credit_limit(
        actor=first,
        organisation=organisation,
        amount_cny=Decimal(amount),
        kind=CreditKind.GUARANTEE,
        guarantee_number="BH-1",
        guarantor="中国建设银行",
        expires_on=until,
    )
    approve_credit_limit(actor=second, limit_public_id=limit.public_id)


def _lodge(organisation: Organisation, amount: str, first: Actor, second: Actor) -> SecurityDeposit:
    deposit = enter_deposit(
        actor=first,
        organisation=organisation,
        amount_cny=Decimal(amount),
        expires_on=date(2027, 6, 30),
    )
    return decide_deposit(actor=second, public_id=deposit.public_id, approve=True)


def _fill_reserve(amount: str) -> None:
    post_entry(
        kind="reserve_funded",
        effective_on=TODAY,
        source_type="test",
        source_id="1",
        idempotency_key="test-reserve",
        postings=[
            PostingLine(account_for("reserve_expense").pk, Decimal(amount)),
            PostingLine(account_for("risk_reserve").pk, -Decimal(amount)),
        ],
    )


def _declare(organisation: Organisation) -> DefaultCase:
    case = propose_default(actor=operator(), organisation=organisation, reason="Unpaid.")
    return decide_default(actor=operator(), public_id=case.public_id, approve=True)


def _steps(case: DefaultCase) -> list[tuple[str, str]]:
    rows = case.steps.order_by("position").values_list("source", "amount_cny")
    return [(source, str(amount)) for source, amount in rows]


def _balance(purpose: str, organisation: Organisation | None = None) -> str:
    return str(balance_of(purpose, organisation))


def test_reminders_come_step_by_step_and_once() -> None:
    settled = Settled(funds="60")
    due = settled.bill.due_on
    at = datetime.combine(due, time(8), UTC)

    assert remind_overdue(at) == 0
    assert remind_overdue(at + timedelta(days=3)) == 1
    assert remind_overdue(at + timedelta(days=3)) == 0
    assert remind_overdue(at + timedelta(days=60)) == 2
    assert list(DunningStep.objects.order_by("step").values_list("step", "owed_cny")) == [
        (1, Decimal("46.53")),
        (2, Decimal("46.53")),
        (3, Decimal("46.53")),
    ]


def test_the_waterfall_takes_in_the_written_order(first: Actor, second: Actor) -> None:
    """S-29: the worked example of docs/explanation/defaults.md, in the written order."""
    settled = Settled(funds="40")
    buyer = settled.buyer
    ledger.deposit(buyer, "0.01")  # posted past the services that would collect the bill from it
    _fill_reserve("10")
    move_clock(LATE)
    remind_overdue(LATE)

    case = _declare(buyer)

    case.refresh_from_db()
    assert case.owed_cny == Decimal("66.53")
    assert _steps(case) == [
        ("free_funds", "0.01"),
        ("reserve", "10.00"),
        ("loss", "56.52"),
    ]
    buyer.refresh_from_db()
    assert buyer.state == OrganisationState.SUSPENDED
    assert settled.bill.state == "paid"
    assert _balance("supplier_payable", settled.seller) == "94.92"
    assert _balance("member_receivable", buyer) == "0.00"
    assert _balance("default_loss") == "-56.52"
    assert_ledger_clean()
    with pytest.raises(DefaultLiveAlready):
        propose_default(actor=operator(), organisation=buyer, reason="Again.")


def test_deposit_and_guarantee_stand_before_the_reserve(first: Actor, second: Actor) -> None:
    settled = Settled(funds="40")
    buyer = settled.buyer
    _fill_reserve("10")
    move_clock(LATE)
    remind_overdue(LATE)
    # Lodged and guaranteed without paying the bill: posted past the services that collect first.
    _deposit_past_collection(buyer, "20")
    _guarantee_past_collection(buyer, "30", first, second)

    case = _declare(buyer)

    assert _steps(case) == [
        ("deposit", "20.00"),
        ("guarantee", "30.00"),
        ("reserve", "10.00"),
        ("loss", "6.53"),
    ]
    assert _balance("guarantee_receivable") == "-30.00"
    assert GuaranteeCall.objects.aggregate(total=Sum("amount_cny"))["total"] == 30
    assert funds_of(buyer).credit_limit_cny == 0
    assert_ledger_clean()


def test_recovery_goes_back_in_the_opposite_order(first: Actor, second: Actor) -> None:
    settled = Settled(funds="40")
    buyer = settled.buyer
    _fill_reserve("10")
    move_clock(LATE)
    remind_overdue(LATE)
    _guarantee_past_collection(buyer, "30", first, second)
    case = _declare(buyer)
    assert _steps(case) == [("guarantee", "30.00"), ("reserve", "10.00"), ("loss", "26.53")]

    _pay_in(buyer, "40", first, second)

    given = case.steps.filter(is_recovery=True).order_by("position")
    assert list(given.values_list("source", "amount_cny")) == [
        ("loss", Decimal("26.53")),
        ("reserve", Decimal("10.00")),
        ("guarantee", Decimal("3.47")),
    ]
    assert (_balance("default_loss"), _balance("risk_reserve")) == ("0.00", "10.00")

    _pay_in(buyer, "100", first, second)

    case.refresh_from_db()
    assert case.state == "recovered"
    assert case.penalty_cny > 0
    assert _balance("default_penalty") == str(case.penalty_cny)
    assert funds_of(buyer).available_cny == Decimal("73.47") - case.penalty_cny
    assert_ledger_clean()


def test_the_penalty_is_capped(first: Actor, second: Actor) -> None:
    """S-29: the penalty is capped by the rule."""
    settled = Settled(funds="40")
    far = DELIVERY_STARTS + timedelta(days=3000)
    remind_overdue(LATE)
    case = propose_default(actor=operator(), organisation=settled.buyer, reason="Unpaid.")
    assert penalty_of(
        [(Decimal("66.53"), date(2026, 1, 1))],
        on=far.date(),
        rate_per_day=Decimal("0.0005"),
        cap_rate=Decimal("0.2"),
    ) == Decimal("13.31")
    assert case.state == "entered"


def test_one_person_declares_nothing_and_without_reminders_nobody() -> None:
    settled = Settled(funds="40")
    judge = operator()
    with pytest.raises(NothingInDefault):
        propose_default(actor=judge, organisation=settled.buyer, reason="Unpaid.")
    remind_overdue(LATE)
    case = propose_default(actor=judge, organisation=settled.buyer, reason="Unpaid.")

    with pytest.raises(SamePerson):
        decide_default(actor=judge, public_id=case.public_id, approve=True)
    decide_default(actor=operator(), public_id=case.public_id, approve=False, reason="They paid.")

    settled.buyer.refresh_from_db()
    assert settled.buyer.state == OrganisationState.APPROVED


def test_a_supplier_that_owes_is_covered_alike(first: Actor, second: Actor) -> None:
    """S-29: a supplier whose penalties exceed its earnings; the buyer has had its money."""
    settled = Settled()
    seller = settled.seller
    post_entry(
        kind="penalty",
        effective_on=TODAY,
        source_type="test",
        source_id="1",
        idempotency_key="test-penalty",
        postings=[
            PostingLine(account_for("supplier_payable", organisation=seller).pk, Decimal(120)),
            PostingLine(account_for("member_funds", organisation=settled.buyer).pk, Decimal(-120)),
        ],
    )
    ledger.deposit(seller, "5")

    case = _declare(seller)

    assert _steps(case) == [("free_funds", "5.00"), ("loss", "20.08")]
    assert _balance("supplier_payable", seller) == "0.00"
    journal = [
        (p.account.purpose, str(p.amount.quantize(Decimal("0.01"))))
        for step in case.steps.order_by("position")
        for p in Posting.objects.filter(entry=step.entry).order_by("line")
    ]
    assert journal == [
        ("member_funds", "5.00"),
        ("supplier_payable", "-5.00"),
        ("default_loss", "20.08"),
        ("supplier_payable", "-20.08"),
    ]
    assert_ledger_clean()


def test_what_becomes_owed_later_is_covered_by_the_same_case() -> None:
    settled = Settled(funds="40")
    move_clock(LATE)
    remind_overdue(LATE)
    case = _declare(settled.buyer)

    again = continue_default(actor=operator(), public_id=case.public_id)

    assert again.owed_cny == case.owed_cny
    assert _steps(again) == _steps(case)


def test_a_security_deposit_needs_own_money_and_goes_back(first: Actor, second: Actor) -> None:
    organisation = funded("100")
    lodged = _lodge(organisation, "60", first, second)
    assert funds_of(organisation).available_cny == 40
    assert _balance("member_deposit", organisation) == "60.00"

    with pytest.raises(SamePerson):
        _lodge(organisation, "10", first, first)
    ask_for_return(actor=member(organisation, Role.FINANCE), public_id=lodged.public_id)
    decide_return(actor=second, public_id=lodged.public_id, approve=True)

    assert funds_of(organisation).available_cny == 100
    assert_ledger_clean()


def test_a_deposit_stays_while_its_member_owes(first: Actor, second: Actor) -> None:
    settled = Settled(funds="40")
    move_clock(LATE)
    _deposit_past_collection(settled.buyer, "20")
    lodged = SecurityDeposit.objects.get()
    ask_for_return(actor=member(settled.buyer, Role.FINANCE), public_id=lodged.public_id)

    with pytest.raises(MemberOwes):
        decide_return(actor=second, public_id=lodged.public_id, approve=True)
    assert return_ended_deposits(LATE + timedelta(days=3000)) == 0


def test_an_expired_guarantee_falls_to_what_is_in_use(first: Actor, second: Actor) -> None:
    organisation = funded("10")
    _guarantee(organisation, "100", first, second, until=date(2026, 11, 30))
    hold = LedgerCollateral().place_hold(
        organisation_id=organisation.pk,
        amount_cny=Decimal(60),
        source_type="order",
        source_id="1",
    )

    assert lower_expired_limits(DELIVERY_STARTS + timedelta(days=20)) == 1
    funds = funds_of(organisation)
    assert (funds.credit_limit_cny, funds.available_cny) == (50, 0)
    assert lower_expired_limits(DELIVERY_STARTS + timedelta(days=20)) == 0

    LedgerCollateral().release_hold(reference=hold, event_key="test")
    assert lower_expired_limits(DELIVERY_STARTS + timedelta(days=20)) == 1
    assert funds_of(organisation).credit_limit_cny == 0


def test_a_new_guarantee_replaces_the_expiring_one(first: Actor, second: Actor) -> None:
    organisation = funded("10")
    _guarantee(organisation, "100", first, second, until=date(2026, 11, 30))
    _guarantee(organisation, "80", first, second, until=date(2027, 11, 30))

    assert funds_of(organisation).credit_limit_cny == 80
    lower_expired_limits(DELIVERY_STARTS + timedelta(days=20))
    assert funds_of(organisation).credit_limit_cny == 80


def _pay_in(organisation: Organisation, amount: str, first: Actor, second: Actor) -> None:
    receipt = record_deposit(
        actor=first,
        organisation=organisation,
        amount_cny=Decimal(amount),
        bank_reference=f"R{amount}",
        received_on=TODAY,
    )
    confirm_deposit(actor=second, deposit_public_id=receipt.public_id)


def _deposit_past_collection(organisation: Organisation, amount: str) -> None:
    """A deposit lodged earlier than the bill, as if by history."""
    ledger.deposit(organisation, amount)
    person, other = clerk(), clerk()
    _lodge(organisation, amount, person, other)


def _guarantee_past_collection(
    organisation: Organisation, amount: str, first: Actor, second: Actor
) -> None:
    """A guarantee in force whose limit has not been drawn for the bill yet."""
    limit = propose_credit_limit(
        actor=first,
        organisation=organisation,
        amount_cny=Decimal(amount),
        kind=CreditKind.GUARANTEE,
        guarantee_number="BH-2",
        guarantor="中国建设银行",
    )
    limit.state, limit.decided_by = "approved", second.user
    limit.save(update_fields=["state", "decided_by"])
