"""Proposing what new bank lines were: by references first, then bank accounts, then names."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from marketplace.models import Organisation, OrganisationState
from settlement.domain.banking.matching import Candidate, Ground, Money, best_candidate
from settlement.models import (
    BankLine,
    BankMatch,
    BankMatchKind,
    BankMatchState,
    BankStatement,
    DepositReceipt,
    Invoice,
    InvoiceDirection,
    InvoiceState,
    Payout,
    PayoutBatch,
    PayoutBatchState,
    PayoutState,
    RequestState,
    WithdrawalRequest,
)

_CHARGE_WORDS = ("手续费", "账户管理费", "工本费", "service charge", "bank charge")
_INTEREST_WORDS = ("结息", "利息", "interest")
_LIVE = (BankMatchState.PROPOSED, BankMatchState.CONFIRMED)


def propose_matches(statement: BankStatement) -> list[BankMatch]:
    """Write a proposal for each line of a statement that has one clear explanation."""
    lines = list(statement.lines.order_by("line"))
    incoming = _incoming_candidates()
    outgoing = _outgoing_candidates()
    made: list[BankMatch] = []
    taken: set[tuple[str, int]] = set()
    for line in lines:
        candidates = incoming if line.amount_cny > 0 else outgoing
        left = [c for c in candidates if _key(c) not in taken]
        matches = _propose(line, left)
        for match in matches:
            subject = match.payout or match.booked_entry or match.deposit
            if subject is not None:
                taken.add((match.kind, subject.pk))
        made += matches
    return BankMatch.objects.bulk_create(made)


def propose_again(line: BankLine) -> list[BankMatch]:
    """Propose anew for a line whose match was undone or dropped; none while one is live."""
    if line.matches.filter(state__in=_LIVE).exists():
        return []
    candidates = _incoming_candidates() if line.amount_cny > 0 else _outgoing_candidates()
    return BankMatch.objects.bulk_create(_propose(line, candidates))


def _key(candidate: Candidate) -> tuple[str, int]:
    subject = candidate.subject
    entry = getattr(subject, "entry", None)
    if candidate.kind == BankMatchKind.BOOKED and entry is not None:
        return candidate.kind, entry.pk
    if isinstance(subject, Organisation | Invoice):
        return candidate.kind, 0  # a member may pay any number of times
    return candidate.kind, subject.pk


def _propose(line: BankLine, candidates: Sequence[Candidate]) -> list[BankMatch]:
    money = Money(
        line.amount_cny,
        (line.reference, line.purpose),
        line.counterparty_account,
        line.counterparty_name,
    )
    found = best_candidate(money, candidates)
    if found is not None:
        return _matches(line, found.candidate, found.ground)
    words = line.purpose.casefold()
    if line.amount_cny < 0 and any(word in words for word in _CHARGE_WORDS):
        return [_match(line, BankMatchKind.CHARGE, Ground.REFERENCE)]
    if line.amount_cny > 0 and any(word in words for word in _INTEREST_WORDS):
        return [_match(line, BankMatchKind.INTEREST, Ground.REFERENCE)]
    return []


def _matches(line: BankLine, candidate: Candidate, ground: Ground) -> list[BankMatch]:
    subject = candidate.subject
    if isinstance(subject, PayoutBatch):
        ordered = subject.payouts.filter(state=PayoutState.ORDERED).select_related("organisation")
        return [
            _match(
                line,
                BankMatchKind.PAYOUT,
                ground,
                amount=-payout.amount_cny,
                payout=payout,
                organisation=payout.organisation,
            )
            for payout in ordered
        ]
    fields: dict[str, Any] = {}
    if isinstance(subject, Payout):
        fields = {"payout": subject, "organisation": subject.organisation}
    elif candidate.kind == BankMatchKind.BOOKED:
        fields = {"booked_entry": subject.entry, "organisation": subject.organisation}
    elif isinstance(subject, DepositReceipt):
        fields = {"deposit": subject, "organisation": subject.organisation}
    elif isinstance(subject, Invoice):
        fields = {"invoice": subject, "organisation": subject.organisation}
    elif isinstance(subject, Organisation):
        fields = {"organisation": subject}
    return [_match(line, candidate.kind, ground, **fields)]


def _match(
    line: BankLine, kind: str, ground: Ground, *, amount: Decimal | None = None, **fields: object
) -> BankMatch:
    return BankMatch(
        line=line,
        kind=kind,
        amount_cny=line.amount_cny if amount is None else amount,
        reason=ground.value,
        **fields,
    )


def _incoming_candidates() -> list[Candidate]:
    members = Organisation.objects.filter(
        state__in=(OrganisationState.APPROVED, OrganisationState.SUSPENDED), is_platform=False
    )
    receipts = DepositReceipt.objects.select_related("organisation", "entry")
    return [
        *(_receipt(one) for one in receipts.filter(state=RequestState.ENTERED)),
        *(_booked(one, one.amount.amount) for one in _unmatched(receipts)),
        *(_returned(payout) for payout in _payouts()),
        *(_bill(bill) for bill in _open_bills()),
        *(_member(member) for member in members),
    ]


def _outgoing_candidates() -> list[Candidate]:
    withdrawals = WithdrawalRequest.objects.select_related("organisation", "entry")
    batches = PayoutBatch.objects.filter(state=PayoutBatchState.APPROVED)
    return [
        *(_paid(payout) for payout in _payouts() if payout.state == PayoutState.ORDERED),
        *(_batch(batch) for batch in batches),
        *(_booked(one, -one.amount.amount) for one in _unmatched(withdrawals)),
    ]


def _unmatched(rows: object) -> list[DepositReceipt | WithdrawalRequest]:
    """Return approved requests that are booked on the bank account without a bank line."""
    taken = BankMatch.objects.filter(state__in=_LIVE, booked_entry__isnull=False)
    posted_from_bank = BankMatch.objects.filter(state=BankMatchState.CONFIRMED, entry__isnull=False)
    return list(
        rows.filter(state=RequestState.APPROVED, entry__isnull=False)  # type: ignore[attr-defined]
        .exclude(entry__in=taken.values("booked_entry"))
        .exclude(entry__in=posted_from_bank.values("entry"))
    )


def _payouts() -> list[Payout]:
    states = (PayoutState.ORDERED, PayoutState.PAID)
    return list(
        Payout.objects.filter(state__in=states)
        .select_related("organisation", "batch")
        .order_by("-pk")[:2000]
    )


def _open_bills() -> list[Invoice]:
    return list(
        Invoice.objects.filter(
            direction=InvoiceDirection.RECEIVABLE, state=InvoiceState.ISSUED
        ).select_related("organisation")
    )


def _receipt(one: DepositReceipt) -> Candidate:
    return Candidate(
        BankMatchKind.DEPOSIT,
        one,
        one.amount.amount,
        references=(one.bank_reference,),
        account=one.organisation.bank_account,
        name=one.organisation.name_zh,
    )


def _booked(one: DepositReceipt | WithdrawalRequest, amount: Decimal) -> Candidate:
    reference = getattr(one, "bank_reference", "")
    return Candidate(
        BankMatchKind.BOOKED,
        one,
        amount,
        references=(reference,) if reference else (),
        account=one.organisation.bank_account,
        name=one.organisation.name_zh,
    )


def _returned(payout: Payout) -> Candidate:
    return Candidate(
        BankMatchKind.RETURNED,
        payout,
        payout.amount_cny,
        references=(payout.number,),
        needs_reference=True,
    )


def _paid(payout: Payout) -> Candidate:
    return Candidate(
        BankMatchKind.PAYOUT,
        payout,
        -payout.amount_cny,
        references=(payout.number,),
        account=payout.bank_account,
        name=payout.payee_name,
    )


def _batch(batch: PayoutBatch) -> Candidate:
    return Candidate(
        BankMatchKind.PAYOUT,
        batch,
        -batch.total_cny,
        references=(batch.number,),
        needs_reference=True,
    )


def _bill(bill: Invoice) -> Candidate:
    return Candidate(
        BankMatchKind.DEPOSIT, bill, None, references=(bill.number,), needs_reference=True
    )


def _member(member: Organisation) -> Candidate:
    return Candidate(
        BankMatchKind.DEPOSIT,
        member,
        None,
        references=(member.code, member.credit_code),
        account=member.bank_account,
        name=member.name_zh,
    )
