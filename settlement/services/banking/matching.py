"""Confirming, making and undoing matches; each posts what the money was, out of suspense."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from marketplace.domain.errors import NotFound, RuleBroken, StateForbids, gettext_noop
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition
from settlement.models import (
    BANK_MATCH_TRANSITIONS,
    BankLine,
    BankMatch,
    BankMatchKind,
    BankMatchState,
    Invoice,
    JournalEntry,
    Payout,
    Posting,
)
from settlement.services.accounts import account_for
from settlement.services.banking.deposits import settle_deposit, take_deposit_back
from settlement.services.banking.history import note_transition
from settlement.services.banking.payout_outcomes import (
    mark_paid,
    mark_returned,
    take_outcome_back,
)
from settlement.services.banking.proposals import propose_again
from settlement.services.banking.statements import open_day
from settlement.services.funds_requests import AmountInvalid, checked_amount, require_bookkeeper
from settlement.services.ledger import PostingLine, post_entry, reverse_entry
from settlement.services.receivables import collect_receivable

_TOO_MUCH = "23L31"


class LineExceeded(RuleBroken):
    """A match is larger than what is left of the bank line, or has the other sign."""

    code = "line_exceeded"
    message = gettext_noop("Only %(left)s CNY of this booking are not matched yet.")
    status = 409


class MatchDoesNotFit(RuleBroken):
    """What was chosen does not go with the booking."""

    code = "match_does_not_fit"
    message = gettext_noop("This does not fit the booking; its direction or amount differs.")


@dataclass(frozen=True)
class MatchTarget:
    """What a person says a bank line was; the kind says which field is needed."""

    kind: str
    organisation: Organisation | None = None
    payout: Payout | None = None
    booked_entry: JournalEntry | None = None
    invoice: Invoice | None = None


@transaction.atomic
def confirm_match(*, actor: Actor, match_public_id: UUID | str) -> BankMatch:
    """Confirm a proposal: post what the money was, out of suspense.

    Raises:
        NotPermitted, NotFound: the actor may not, or there is no such match.
        StateForbids: it was decided before.
        LineExceeded, MatchDoesNotFit: it does not go with the booking any more.
    """
    require_bookkeeper(actor)
    match = _locked(match_public_id)
    check_transition(BANK_MATCH_TRANSITIONS, match.state, BankMatchState.CONFIRMED)
    return _confirm(match, actor)


@transaction.atomic
def match_line(
    *, actor: Actor, line_public_id: UUID | str, target: MatchTarget, amount_cny: Decimal | None
) -> BankMatch:
    """Say what a bank line, or a part of it, was, and post it.

    Args:
        actor: of the market's finance.
        line_public_id: the booking.
        target: what it was.
        amount_cny: the part, above zero; None for all that is left.

    Raises:
        NotPermitted, NotFound: the actor may not, or there is no such line.
        AmountInvalid, LineExceeded, MatchDoesNotFit: with the field.
    """
    require_bookkeeper(actor)
    line = BankLine.objects.select_related("account").filter(public_id=line_public_id).first()
    if line is None:
        raise NotFound
    left = unmatched_of(line)
    if not left:
        raise LineExceeded(field="amount", left=left)
    part = abs(left) if amount_cny is None else checked_amount(amount_cny)
    if part > abs(left):
        raise LineExceeded(field="amount", left=abs(left))
    for proposal in line.matches.filter(state=BankMatchState.PROPOSED):
        _drop(proposal, actor)
    match = BankMatch.objects.create(
        line=line,
        kind=target.kind,
        amount_cny=part if line.amount_cny > 0 else -part,
        organisation=target.organisation or (target.payout.organisation if target.payout else None),
        payout=target.payout,
        booked_entry=target.booked_entry,
        invoice=target.invoice,
        reason="manual",
        made_by=actor.user,
    )
    return _confirm(match, actor)


@transaction.atomic
def drop_proposal(*, actor: Actor, match_public_id: UUID | str) -> BankMatch:
    """Drop a proposal; the money stays in suspense. Raises NotPermitted, NotFound, StateForbids."""
    require_bookkeeper(actor)
    match = _locked(match_public_id)
    check_transition(BANK_MATCH_TRANSITIONS, match.state, BankMatchState.DROPPED)
    _drop(match, actor)
    return match


@transaction.atomic
def undo_match(*, actor: Actor, match_public_id: UUID | str, reason: str) -> BankMatch:
    """Take a match back by the exact reversal of its entry; the money is in suspense again.

    Raises:
        NotPermitted, NotFound, Missing: the actor may not, or no reason was given.
        StateForbids: the match does not stand, or what followed from it cannot be taken back.
        InsufficientFunds: the member has spent the money.
    """
    require_bookkeeper(actor)
    why = check_text(reason, field="reason", max_length=200, required=True)
    match = _locked(match_public_id)
    source = match.state
    match.state = check_transition(BANK_MATCH_TRANSITIONS, source, BankMatchState.UNDONE)
    if match.entry is None:
        raise StateForbids(state=source)
    reverse_entry(
        entry=match.entry,
        effective_on=open_day(match.entry.effective_on),
        reason=why,
        actor=actor.user,
    )
    if match.deposit is not None:
        take_deposit_back(match.deposit, reason=why)
    if match.payout is not None:
        take_outcome_back(match, actor=actor, reason=why)
    _decide(match, source, actor, why)
    propose_again(match.line)
    return match


def unmatched_of(line: BankLine) -> Decimal:
    """Return what of a bank line is in suspense, with its sign."""
    matched = line.matches.filter(state=BankMatchState.CONFIRMED).aggregate(
        total=Sum("amount_cny")
    )["total"]
    return line.amount_cny - (matched or Decimal("0.00"))


def _locked(public_id: UUID | str) -> BankMatch:
    match = (
        BankMatch.objects.select_for_update(no_key=True, of=("self",))
        .select_related(
            "line__account", "deposit__organisation", "payout__batch", "organisation", "entry"
        )
        .filter(public_id=public_id)
        .first()
    )
    if match is None:
        raise NotFound
    return match


def _confirm(match: BankMatch, actor: Actor) -> BankMatch:
    left = unmatched_of(match.line)
    if abs(match.amount_cny) > abs(left):
        raise LineExceeded(field="amount", left=abs(left))
    _check_fit(match)
    _settle(match, actor)
    source, match.state = match.state, BankMatchState.CONFIRMED
    try:
        with transaction.atomic():
            _decide(match, source, actor, match.reason)
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "sqlstate", "") == _TOO_MUCH:
            raise LineExceeded(field="amount", left=abs(unmatched_of(match.line))) from error
        raise MatchDoesNotFit(field="target") from error
    if match.kind == BankMatchKind.DEPOSIT and match.organisation is not None:
        collect_receivable(match.organisation)
    return match


def _check_fit(match: BankMatch) -> None:
    is_in = match.amount_cny > 0
    needed = {
        BankMatchKind.DEPOSIT: is_in and match.organisation is not None,
        BankMatchKind.PAYOUT: not is_in
        and match.payout is not None
        and match.payout.amount_cny == -match.amount_cny,
        BankMatchKind.RETURNED: is_in
        and match.payout is not None
        and match.payout.amount_cny == match.amount_cny,
        BankMatchKind.BOOKED: match.booked_entry is not None
        and _on_bank(match.booked_entry, match.line) == match.amount_cny,
        BankMatchKind.CHARGE: not is_in,
        BankMatchKind.INTEREST: is_in,
    }
    if not needed[BankMatchKind(match.kind)]:
        raise MatchDoesNotFit(field="target")


def _on_bank(entry: JournalEntry, line: BankLine) -> Decimal:
    postings = Posting.objects.filter(entry=entry, account_id=line.account.ledger_account_id)
    return postings.aggregate(total=Sum("amount"))["total"] or Decimal(0)


def _settle(match: BankMatch, actor: Actor) -> None:
    """Post the match and move what it is about."""
    counter = _counter_account(match)
    memo = f"{match.line.reference} {match.line.counterparty_name}".strip()
    match.entry = post_entry(
        kind=f"bank_{match.kind}",
        effective_on=open_day(match.line.booked_on),
        source_type="bank_match",
        source_id=str(match.public_id),
        idempotency_key=f"bank-match:{match.public_id}",
        postings=[
            PostingLine(account_for("bank_suspense").pk, match.amount_cny, memo),
            PostingLine(counter, -match.amount_cny, memo),
        ],
        actor=actor.user,
    )
    if match.kind == BankMatchKind.DEPOSIT:
        match.deposit = settle_deposit(match, actor)
    elif match.kind == BankMatchKind.PAYOUT and match.payout is not None:
        mark_paid(match.payout, paid_on=match.line.booked_on, actor=actor)
    elif match.kind == BankMatchKind.RETURNED and match.payout is not None:
        mark_returned(match.payout, reason=match.line.purpose, actor=actor)


def _counter_account(match: BankMatch) -> int:
    if match.kind == BankMatchKind.DEPOSIT:
        return account_for("member_funds", organisation=match.organisation).pk
    if match.kind == BankMatchKind.PAYOUT:
        return account_for("payout_in_transit").pk
    if match.kind == BankMatchKind.RETURNED:
        return account_for("supplier_payable", organisation=match.organisation).pk
    if match.kind == BankMatchKind.BOOKED:
        return match.line.account.ledger_account_id
    return account_for(
        "bank_charges" if match.kind == BankMatchKind.CHARGE else "interest_income"
    ).pk


def _drop(match: BankMatch, actor: Actor) -> None:
    source, match.state = match.state, BankMatchState.DROPPED
    _decide(match, source, actor, "")


def _decide(match: BankMatch, source: str, actor: Actor, note: str) -> None:
    match.decided_by = actor.user
    match.decided_at = timezone.now()
    match.save(update_fields=["state", "entry", "deposit", "decided_by", "decided_at"])
    note_transition(match, source, actor=actor.user, note=note)
    record_audit(
        action=f"bank_match.{match.state}",
        subject=match,
        actor=actor.user,
        organisation=match.organisation,
        after={"kind": match.kind, "amount": format(match.amount_cny, "f")},
        reason=note,
    )


__all__ = [
    "AmountInvalid",
    "LineExceeded",
    "MatchDoesNotFit",
    "MatchTarget",
    "confirm_match",
    "drop_proposal",
    "match_line",
    "undo_match",
    "unmatched_of",
]
