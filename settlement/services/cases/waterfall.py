"""Carrying out the order of taking: every step an entry of its own, and back again later."""

from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.db.models import Max, Sum

from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.selectors.clock import market_now
from marketplace.services.checks import check_transition
from settlement.domain.cases.waterfall import (
    OWN_SOURCES,
    Debt,
    Taking,
    plan_recovery,
    plan_takings,
)
from settlement.models import (
    DEFAULT_TRANSITIONS,
    SECURITY_DEPOSIT_TRANSITIONS,
    DefaultCase,
    DefaultState,
    DefaultStep,
    GuaranteeCall,
    Invoice,
    InvoiceState,
    JournalEntry,
    SecurityDepositState,
)
from settlement.selectors.cases.debts import (
    FUNDS,
    PAYABLE,
    debts_of,
    free_funds,
    live_guarantee,
    lodged_deposits,
    sources_of,
)
from settlement.selectors.cases.holds import collection_block
from settlement.services.accounts import account_for
from settlement.services.ledger import PostingLine, post_entry
from settlement.services.locks import lock_balances

_ZERO = Decimal("0.00")
_PENALTY = "penalty"
_ACCOUNTS = {
    "free_funds": ("member_funds", True),
    "deposit": ("member_deposit", True),
    "guarantee": ("guarantee_receivable", False),
    "reserve": ("risk_reserve", False),
    "loss": ("default_loss", False),
}


def take_debts(case: DefaultCase) -> Decimal:
    """Cover everything the member owes now; return the sum. The funds' balance is locked."""
    debts = debts_of(case.organisation)
    sources = sources_of(case.organisation, market_date(market_now()))
    takings = plan_takings(debts, sources=sources)
    for taking in takings:
        _take(case, taking)
    _mark_paid(debts)
    return sum((debt.amount_cny for debt in debts), _ZERO)


def take_penalty(case: DefaultCase) -> Decimal:
    """Take what is still owed of the penalty from the member's own money only; return it."""
    owed = case.penalty_cny - _stepped(case, is_penalty=True)
    if owed <= 0:
        return _ZERO
    sources = sources_of(case.organisation, market_date(market_now()))
    takings = plan_takings([Debt(_PENALTY, owed)], sources=sources, order=OWN_SOURCES)
    for taking in takings:
        _take(case, taking)
    return sum((taking.amount_cny for taking in takings), _ZERO)


@transaction.atomic
def recover_default(organisation: Organisation) -> list[DefaultStep]:
    """Give a defaulted member's free funds back to what covered it: the loss first.

    What the reserve and the bank gave follows, then the rest of the penalty; a default fully paid
    back ends as recovered. Locks the stored balance of the member's funds.
    """
    case = (
        DefaultCase.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organisation")
        .filter(organisation=organisation, state=DefaultState.DECLARED)
        .first()
    )
    if case is None:
        return []
    lock_balances([account_for("member_funds", organisation=organisation).pk])
    taken = outstanding(case)
    plan = plan_recovery(taken, paid_cny=free_funds(organisation))
    steps = [_give(case, each) for each in plan]
    if not any(outstanding(case).values()):
        take_penalty(case)
        if case.penalty_cny == _stepped(case, is_penalty=True):
            case.state = check_transition(DEFAULT_TRANSITIONS, case.state, DefaultState.RECOVERED)
            case.save(update_fields=["state"])
    return steps


def outstanding(case: DefaultCase) -> dict[str, Decimal]:
    """Return what each source gave to the member's debts, less of what it got back, CNY."""
    rows = case.steps.filter(is_penalty=False).exclude(source__in=OWN_SOURCES)
    totals: dict[str, Decimal] = {}
    for source, is_recovery, amount in rows.values_list("source", "is_recovery", "amount_cny"):
        sign = -1 if is_recovery else 1
        totals[source] = totals.get(source, _ZERO) + sign * amount
    return totals


def _stepped(case: DefaultCase, *, is_penalty: bool) -> Decimal:
    rows = case.steps.filter(is_penalty=is_penalty, is_recovery=False)
    return rows.aggregate(total=Sum("amount_cny"))["total"] or _ZERO


def _take(case: DefaultCase, taking: Taking) -> DefaultStep:
    entry = _post(
        case,
        kind=f"default_{taking.source}",
        debit=_source_account(case, taking.source),
        credit=_debt_account(case, taking.debt),
        amount=taking.amount_cny,
        debt=taking.debt,
    )
    if taking.source == "deposit":
        _use_deposits(case.organisation, taking.amount_cny)
    elif taking.source == "guarantee":
        _call_guarantee(case.organisation, taking.amount_cny, entry)
    return _step(case, taking, entry, is_recovery=False)


def _give(case: DefaultCase, giving: Taking) -> DefaultStep:
    entry = _post(
        case,
        kind="default_recovery",
        debit=account_for("member_funds", organisation=case.organisation).pk,
        credit=_source_account(case, giving.source),
        amount=giving.amount_cny,
        debt="",
    )
    return _step(case, giving, entry, is_recovery=True)


def _post(
    case: DefaultCase, *, kind: str, debit: int, credit: int, amount: Decimal, debt: str
) -> JournalEntry:
    """A bill's debt is booked under the bill, so that its account can be read bill by bill."""
    is_bill = debt not in ("", FUNDS, PAYABLE, _PENALTY)
    return post_entry(
        kind=kind,
        effective_on=market_date(market_now()),
        source_type="invoice" if is_bill else "default",
        source_id=debt if is_bill else case.number,
        idempotency_key=f"default:{case.number}:{_next_position(case)}",
        postings=[
            PostingLine(debit, amount, f"{case.number} {debt}".strip()),
            PostingLine(credit, -amount, f"{case.number} {debt}".strip()),
        ],
        reason=case.number,
    )


def _step(
    case: DefaultCase, taking: Taking, entry: JournalEntry, *, is_recovery: bool
) -> DefaultStep:
    return DefaultStep.objects.create(
        case=case,
        position=_next_position(case),
        source=taking.source,
        is_recovery=is_recovery,
        is_penalty=taking.debt == _PENALTY,
        amount_cny=taking.amount_cny,
        debt=taking.debt,
        entry=entry,
        market_at=market_now(),
    )


def _next_position(case: DefaultCase) -> int:
    last = case.steps.aggregate(last=Max("position"))["last"]
    return (last or 0) + 1


def _source_account(case: DefaultCase, source: str) -> int:
    purpose, is_members = _ACCOUNTS[source]
    return account_for(purpose, organisation=case.organisation if is_members else None).pk


def _debt_account(case: DefaultCase, debt: str) -> int:
    if debt == _PENALTY:
        return account_for("default_penalty").pk
    purpose = {FUNDS: "member_funds", PAYABLE: "supplier_payable"}.get(debt, "member_receivable")
    return account_for(purpose, organisation=case.organisation).pk


def _use_deposits(organisation: Organisation, amount: Decimal) -> None:
    left = amount
    for deposit in lodged_deposits(organisation).select_for_update(no_key=True, of=("self",)):
        used = min(left, deposit.remaining_cny)
        deposit.remaining_cny -= used
        if not deposit.remaining_cny:
            deposit.state = check_transition(
                SECURITY_DEPOSIT_TRANSITIONS, deposit.state, SecurityDepositState.TAKEN
            )
        deposit.save(update_fields=["remaining_cny", "state"])
        left -= used
        if not left:
            break


def _call_guarantee(organisation: Organisation, amount: Decimal, entry: JournalEntry) -> None:
    guarantee = live_guarantee(organisation, market_date(market_now()))
    if guarantee is not None:
        GuaranteeCall.objects.create(limit=guarantee, amount_cny=amount, entry=entry)


def _mark_paid(debts: Sequence[Debt]) -> None:
    """Bills are covered in full, unless a part of them is disputed."""
    bills = Invoice.objects.filter(
        number__in=[debt.name for debt in debts], state=InvoiceState.ISSUED
    )
    for bill in bills:
        if not collection_block(bill):
            bill.state = InvoiceState.PAID
            bill.save(update_fields=["state"])
