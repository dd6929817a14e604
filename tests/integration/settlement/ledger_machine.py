"""Random business on the ledger, for the state machine and for many clients at once.

Every operation goes through the real services. A refusal with a name is an outcome like any other;
what is never allowed is a refusal without one, a wrong balance or a finding of the sweep.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from uuid import uuid4

from marketplace.domain.errors import RuleBroken
from marketplace.domain.periods import market_date
from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from orders.ports.collateral import HoldChange
from settlement.models import (
    BookPeriod,
    DepositReceipt,
    Hold,
    HoldState,
    JournalEntry,
    PeriodChange,
    PeriodState,
    RequestState,
    WithdrawalRequest,
)
from settlement.services.accounts import account_for
from settlement.services.closing import (
    hard_close_period,
    post_correction,
    reopen_period,
    request_period_change,
    soft_close_period,
    take_back_entry,
)
from settlement.services.collateral import LedgerCollateral, reduce_holds
from settlement.services.funds import (
    approve_credit_limit,
    confirm_deposit,
    decide_withdrawal,
    propose_credit_limit,
    record_deposit,
    request_withdrawal,
)
from settlement.services.invariants import sweep_ledger
from settlement.services.ledger import PostingLine, post_entry, reverse_entry
from settlement.services.ledger_batches import EntryDraft, post_entries
from settlement.services.receivables import collect_receivable
from tests.factories.closing import bookkeepers, set_day
from tests.factories.ledger import make_member
from tests.factories.marketplace import member

TODAY = date(2026, 12, 10)
AMOUNTS = ("0.01", "1.00", "33.33", "250.00", "9999.99", "0", "-5.00", "0.001", "NaN", "1e13")


@dataclass
class Business:
    """Four members, two bookkeepers and everything they may do."""

    members: list[Organisation] = field(default_factory=list)
    clerks: list[Actor] = field(default_factory=list)
    people: list[Actor] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def opened(cls) -> "Business":
        """Return a business with some money; today is 10 December."""
        if market_date(market_now()) != TODAY:
            set_day(TODAY)
        members = [make_member() for _ in range(4)]
        people = [member(one, Role.FINANCE) for one in members]
        business = cls(members=members, clerks=list(bookkeepers()), people=people)
        for one in members:  # an earlier business may have closed the month before
            business.post(TODAY, one, Decimal(1000), f"opening:{one.pk}")
        return business

    def run(self, dice: Random, name: str = "") -> None:
        """Do one operation, the one named or any; count it under what came of it."""
        name = name or dice.choice(NAMES)
        try:
            OPERATIONS[name](self, dice)
            outcome = "done"
        except RuleBroken as refusal:
            outcome = refusal.code
        key = f"{name}: {outcome}"
        self.outcomes[key] = self.outcomes.get(key, 0) + 1

    def post(self, day: date, owner: Organisation, amount: Decimal, key: str) -> JournalEntry:
        """Post money onto a member's funds."""
        return post_entry(
            kind="deposit",
            effective_on=day,
            source_type="test",
            source_id=key,
            idempotency_key=key,
            postings=[
                PostingLine(account_for("bank").pk, amount),
                PostingLine(account_for("member_funds", organisation=owner).pk, -amount),
            ],
        )


def _amount(dice: Random) -> Decimal:
    return Decimal(dice.choice(AMOUNTS[:5] if dice.random() < 0.8 else AMOUNTS))


def _day(dice: Random) -> date:
    return TODAY - timedelta(days=dice.choice([0, 0, 0, 1, 15, 40, 65, 100]))


def _key(dice: Random) -> str:
    """Mostly a new key, now and then one that was used."""
    return f"key {dice.randint(0, 60)}" if dice.random() < 0.15 else str(uuid4())


def _post(business: Business, dice: Random) -> None:
    amount = Decimal(dice.choice(AMOUNTS[:5]))
    business.post(_day(dice), dice.choice(business.members), amount, _key(dice))


def _transfer(business: Business, dice: Random) -> None:
    parties = dice.sample(business.members, 2)
    amount = Decimal(dice.choice(AMOUNTS[:5]))
    off = Decimal("0.01") if dice.random() < 0.1 else Decimal(0)
    funds = [account_for("member_funds", organisation=one).pk for one in parties]
    post_entry(
        kind="test",
        effective_on=TODAY,
        source_type="test",
        source_id="transfer",
        idempotency_key=_key(dice),
        postings=[PostingLine(funds[0], amount), PostingLine(funds[1], off - amount)],
    )


def _batch(business: Business, dice: Random) -> None:
    bank = account_for("bank").pk
    drafts = []
    for _ in range(dice.randint(1, 6)):
        amount = Decimal(dice.choice(AMOUNTS[:4])) * dice.choice((1, -1))
        funds = account_for("member_funds", organisation=dice.choice(business.members)).pk
        drafts.append(
            EntryDraft(
                kind="test",
                effective_on=_day(dice),
                source_type="test",
                source_id="batch",
                idempotency_key=_key(dice),
                postings=[PostingLine(funds, amount), PostingLine(bank, -amount)],
            )
        )
    post_entries(entries=drafts)


def _deposit(business: Business, dice: Random) -> None:
    used = DepositReceipt.objects.order_by("-id").first()
    record_deposit(
        actor=business.clerks[0],
        organisation=dice.choice(business.members),
        amount_cny=_amount(dice),
        bank_reference=used.bank_reference if used and dice.random() < 0.15 else str(uuid4()),
        received_on=TODAY,
    )


def _confirm(business: Business, dice: Random) -> None:
    waiting = list(DepositReceipt.objects.filter(state=RequestState.ENTERED)[:10])
    if waiting:
        confirm_deposit(
            actor=dice.choice(business.clerks),
            deposit_public_id=dice.choice(waiting).public_id,
            approve=dice.random() < 0.8,
            reason="looked at",
        )


def _withdraw(business: Business, dice: Random) -> None:
    request_withdrawal(actor=dice.choice(business.people), amount_cny=_amount(dice))


def _pay_withdrawal(business: Business, dice: Random) -> None:
    waiting = list(WithdrawalRequest.objects.filter(state=RequestState.ENTERED)[:10])
    if waiting:
        decide_withdrawal(
            actor=dice.choice(business.clerks),
            withdrawal_public_id=dice.choice(waiting).public_id,
            approve=dice.random() < 0.7,
            reason="looked at",
        )


def _limit(business: Business, dice: Random) -> None:
    limit = propose_credit_limit(
        actor=business.clerks[0],
        organisation=dice.choice(business.members),
        amount_cny=_amount(dice),
        expires_on=TODAY + timedelta(days=30),
    )
    approve_credit_limit(
        actor=dice.choice(business.clerks), limit_public_id=limit.public_id, approve=True
    )


def _hold(business: Business, dice: Random) -> None:
    owner = dice.choice(business.members)
    LedgerCollateral().place_hold(
        organisation_id=owner.pk,
        amount_cny=Decimal(dice.choice(AMOUNTS[:5])),
        source_type="test",
        source_id=f"{owner.pk} {_key(dice)}",
    )


def _reduce(kind: str) -> Callable[[Business, Random], None]:
    def reduce(business: Business, dice: Random) -> None:
        # Ended ones are asked for as well: nothing may come of them.
        holds = list(Hold.objects.filter(source_type="test").order_by("-id")[:10])
        if not holds:
            return
        hold = dice.choice(holds)
        keep = hold.remaining * dice.choice([0, 0, Decimal("0.5")])
        change = HoldChange(hold.reference, keep.quantize(Decimal("0.01")), _key(dice))
        reduce_holds([change], kind=kind)

    return reduce


def _bill(business: Business, dice: Random) -> None:
    """Use a hold for a bill, and owe what it does not cover."""
    hold = Hold.objects.filter(source_type="test", state=HoldState.OPEN).order_by("?").first()
    if hold is None:
        return
    owner = hold.account.organisation
    number, extra = _key(dice), Decimal(dice.choice(["0", "5.00"]))
    post_entry(
        kind="buyer_bill",
        effective_on=TODAY,
        source_type="invoice",
        source_id=number,
        idempotency_key=number,
        postings=[
            PostingLine(hold.account_id, hold.remaining),
            PostingLine(account_for("member_receivable", organisation=owner).pk, extra),
            PostingLine(account_for("fee_income").pk, -hold.remaining - extra),
        ],
        captures=[HoldChange(hold.reference, Decimal(0), f"capture {number}")],
    )


def _pay(business: Business, dice: Random) -> None:
    collect_receivable(dice.choice(business.members))


def _reverse(business: Business, dice: Random) -> None:
    entry = JournalEntry.objects.filter(kind="test").order_by("?").first()
    if entry is not None:
        reverse_entry(entry=entry, effective_on=_day(dice), reason="taken back")


def _correct(business: Business, dice: Random) -> None:
    entry = JournalEntry.objects.filter(kind="deposit").order_by("?").first()
    clerk = dice.choice([*business.clerks, business.people[0]])
    if entry is None:
        return
    if dice.random() < 0.3:
        take_back_entry(entry=entry, reason="not ours", actor=clerk)
        return
    lines = [
        PostingLine(account_for("rounding").pk, Decimal("0.01")),
        PostingLine(account_for("bank").pk, Decimal("-0.01")),
    ]
    post_correction(
        corrects=entry, postings=lines, idempotency_key=_key(dice), reason="a fen", actor=clerk
    )


def _close(business: Business, dice: Random) -> None:
    """Move the earliest month that is not closed for good one step on, or ask for it."""
    period = (
        BookPeriod.objects.filter(book="main")
        .exclude(state=PeriodState.HARD_CLOSED)
        .order_by("days")
        .first()
    )
    if period is None:
        return
    clerk = dice.choice(business.clerks)
    change = PeriodChange.objects.filter(period=period, state=RequestState.ENTERED).first()
    if change is not None:
        act = hard_close_period if change.kind == "hard_close" else reopen_period
        act(change_id=change.public_id, actor=clerk)
    elif period.state == PeriodState.OPEN:
        soft_close_period(period_id=period.pk, actor=clerk)
    else:
        kind = dice.choice(["reopen", "hard_close"])
        if kind == "hard_close":
            sweep_ledger()
        request_period_change(period_id=period.pk, kind=kind, actor=clerk, reason="random")


OPERATIONS: dict[str, Callable[[Business, Random], None]] = {
    "post": _post,
    "transfer": _transfer,
    "batch": _batch,
    "deposit": _deposit,
    "confirm": _confirm,
    "withdraw": _withdraw,
    "pay withdrawal": _pay_withdrawal,
    "limit": _limit,
    "hold": _hold,
    "capture": _reduce("capture"),
    "release": _reduce("release"),
    "expire": _reduce("expire"),
    "bill": _bill,
    "pay": _pay,
    "reverse": _reverse,
    "correct": _correct,
    "close": _close,
}
# Closing is rare: it makes the sweep run.
NAMES = [name for name in OPERATIONS if name != "close"] * 6 + ["close"]
