"""Bank statements: taken in once, checked to the fen, on the ledger as not yet explained."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from settlement.domain.banking.statement_files import ParsedLine, ParsedStatement
from settlement.models import (
    BankAccount,
    BankLine,
    BankStatement,
    BookPeriod,
    FileProfile,
    FileProfileKind,
    JournalEntry,
    PeriodState,
    Posting,
)
from settlement.services.accounts import account_for
from settlement.services.banking.proposals import propose_matches
from settlement.services.banking.statement_reading import read_statement
from settlement.services.funds_requests import require_bookkeeper
from settlement.services.ledger import PostingLine, post_entry
from settlement.services.locks import lock_bank_account

_ZERO = Decimal("0.00")


class StatementKnown(RuleBroken):
    """The statement, or all of its bookings, was taken in before."""

    code = "statement_known"
    message = gettext_noop("This statement was imported before.")
    status = 409


class StatementGap(RuleBroken):
    """A statement does not open where the one before it closed."""

    code = "statement_gap"
    message = gettext_noop(
        "The statement opens with %(opening)s; the one before it closed with %(closing)s."
    )
    status = 409


class StatementInFuture(RuleBroken):
    """A booking lies after today."""

    code = "statement_in_future"
    message = gettext_noop("The statement has a booking after today (%(day)s).")


class BookedBeforeReconciling(RuleBroken):
    """A booking is older than the account's first day."""

    code = "booked_before_reconciling"
    message = gettext_noop("The account is reconciled from %(day)s on; older bookings stay out.")


@transaction.atomic
def register_bank_account(
    *,
    actor: Actor,
    code: str,
    bank_name: str,
    number: str,
    profile_code: str,
    reconciled_from: date,
) -> BankAccount:
    """Name the bank account behind the ledger's bank account; its books up to then are its opening.

    Raises:
        NotPermitted, NotFound, Missing: with the field.
    """
    require_bookkeeper(actor)
    profile = FileProfile.objects.filter(code=profile_code, kind=FileProfileKind.STATEMENT).first()
    if profile is None:
        raise NotFound
    ledger = account_for("bank")
    before = Posting.objects.filter(account=ledger, entry__effective_on__lt=reconciled_from)
    account = BankAccount.objects.create(
        code=check_text(code, field="code", max_length=20, required=True),
        bank_name=check_text(bank_name, field="bank_name", max_length=120, required=True),
        number=check_text(number, field="number", max_length=40, required=True),
        ledger_account=ledger,
        profile=profile,
        reconciled_from=reconciled_from,
        opening_cny=before.aggregate(total=Sum("amount"))["total"] or _ZERO,
    )
    record_audit(
        action="bank_account.registered",
        subject=account,
        actor=actor.user,
        organisation=actor.organisation,
        after={"code": account.code, "opening": format(account.opening_cny, "f")},
    )
    return account


@transaction.atomic
def import_statement(
    *,
    actor: Actor,
    account_code: str,
    filename: str,
    data: bytes,
    opening_cny: Decimal | None = None,
    closing_cny: Decimal | None = None,
) -> BankStatement:
    """Take in a statement: every new booking once, on the ledger against money not yet explained.

    A file that overlaps the statement before it adds only what that one lacks.

    Args:
        actor: of the market's finance.
        account_code: our bank account.
        filename: as uploaded.
        data: camt.053, or CSV or XLSX in the layout of the account.
        opening_cny: balance before the first booking, where the file does not say it.
        closing_cny: balance after the last booking, likewise.

    Raises:
        NotPermitted, NotFound: the actor may not, or there is no such account.
        ImportRefused: the file cannot be read, with the lines that are wrong.
        StatementOfOtherAccount, BalanceContradicted: it does not fit what is known.
        StatementKnown, StatementGap, StatementInFuture, BookedBeforeReconciling: it does not fit.
    """
    require_bookkeeper(actor)
    account = BankAccount.objects.select_related("profile").filter(code=account_code).first()
    if account is None:
        raise NotFound
    lock_bank_account(account.pk)
    sha256 = hashlib.sha256(data).hexdigest()
    if account.statements.filter(sha256=sha256).exists():
        raise StatementKnown(field="file")
    parsed = read_statement(account, data, opening=opening_cny, closing=closing_cny)
    fresh = _new_part(account, parsed)
    _check_days(account, fresh)
    statement = _store(account, fresh, filename, sha256, actor)
    propose_matches(statement)
    record_audit(
        action="bank_statement.imported",
        subject=statement,
        actor=actor.user,
        organisation=actor.organisation,
        after={
            "account": account.code,
            "lines": statement.line_count,
            "closing": format(statement.closing_cny, "f"),
        },
    )
    return statement


@dataclass(frozen=True)
class _NewPart:
    opening: Decimal
    closing: Decimal
    lines: tuple[ParsedLine, ...]
    previous: BankStatement | None


def _new_part(account: BankAccount, parsed: ParsedStatement) -> _NewPart:
    """Cut off what the statement before this one holds already."""
    previous = account.statements.order_by("-sequence").first()
    closed_with = previous.closing_cny if previous else account.opening_cny
    balance, known = parsed.opening, _known_occurrences(account, parsed)
    seen: Counter[str] = Counter()
    for position, line in enumerate(parsed.lines):
        if balance == closed_with:
            return _NewPart(balance, parsed.closing, parsed.lines[position:], previous)
        seen[line.fingerprint] += 1
        if seen[line.fingerprint] > known[line.fingerprint]:
            raise StatementGap(field="file", opening=parsed.opening, closing=closed_with)
        balance += line.amount
    if balance == closed_with:
        raise StatementKnown(field="file")
    raise StatementGap(field="file", opening=parsed.opening, closing=closed_with)


def _known_occurrences(account: BankAccount, parsed: ParsedStatement) -> Counter[str]:
    prints = {line.fingerprint for line in parsed.lines}
    rows = account.lines.filter(fingerprint__in=prints).values_list("fingerprint", flat=True)
    return Counter(rows)


def _check_days(account: BankAccount, part: _NewPart) -> None:
    today = market_date(market_now())
    newest = max(line.booked_on for line in part.lines)
    if newest > today:
        raise StatementInFuture(field="file", day=newest.isoformat())
    if min(line.booked_on for line in part.lines) < account.reconciled_from:
        raise BookedBeforeReconciling(field="file", day=account.reconciled_from.isoformat())


def _store(
    account: BankAccount, part: _NewPart, filename: str, sha256: str, actor: Actor
) -> BankStatement:
    days = [line.booked_on for line in part.lines]
    statement = BankStatement.objects.create(
        account=account,
        sequence=part.previous.sequence + 1 if part.previous else 1,
        starts_on=min(days),
        ends_on=max(days),
        opening_cny=part.opening,
        closing_cny=part.closing,
        line_count=len(part.lines),
        filename=check_text(filename[-160:], field="file", max_length=160),
        sha256=sha256,
        imported_by=actor.user,
    )
    counts = Counter(
        account.lines.filter(fingerprint__in={line.fingerprint for line in part.lines}).values_list(
            "fingerprint", flat=True
        )
    )
    rows = []
    for number, line in enumerate(part.lines, 1):
        counts[line.fingerprint] += 1
        rows.append(_bank_line(statement, number, line, counts[line.fingerprint], actor))
    BankLine.objects.bulk_create(rows)
    return statement


def _bank_line(
    statement: BankStatement, number: int, line: ParsedLine, occurrence: int, actor: Actor
) -> BankLine:
    row = BankLine(
        account=statement.account,
        statement=statement,
        line=number,
        booked_on=line.booked_on,
        amount_cny=line.amount,
        balance_cny=line.balance,
        reference=line.reference,
        counterparty_name=line.counterparty_name,
        counterparty_account=line.counterparty_account,
        purpose=line.purpose,
        fingerprint=line.fingerprint,
        occurrence=occurrence,
    )
    row.entry = _post_line(row, actor)
    return row


def _post_line(row: BankLine, actor: Actor) -> JournalEntry:
    memo = " ".join(part for part in (row.reference, row.purpose, row.counterparty_name) if part)
    return post_entry(
        kind="bank_line",
        effective_on=open_day(row.booked_on),
        source_type="bank_line",
        source_id=str(row.public_id),
        idempotency_key=f"bank-line:{row.public_id}",
        postings=[
            PostingLine(row.account.ledger_account_id, row.amount_cny, memo),
            PostingLine(account_for("bank_suspense").pk, -row.amount_cny, memo),
        ],
        actor=actor.user,
    )


def open_day(day: date) -> date:
    """Return the day when its accounting month takes entries, else today."""
    closed = BookPeriod.objects.filter(book="main", days__contains=day).exclude(
        state=PeriodState.OPEN
    )
    return market_date(market_now()) if closed.exists() else day
