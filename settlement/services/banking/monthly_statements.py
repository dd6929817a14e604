"""Monthly statements (月度对账单): issued by version, then confirmed, objected to or left."""

import hashlib
import json
from calendar import monthrange
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.selectors.rules import rules_at
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from settlement.domain.numbering import DocumentSeries
from settlement.models import (
    MONTHLY_STATEMENT_TRANSITIONS,
    Account,
    Invoice,
    JournalEntry,
    MonthlyStatement,
    MonthlyStatementState,
)
from settlement.selectors.statements import StatementAccount, statement_accounts
from settlement.services.banking.history import move_document, note_transition
from settlement.services.banking.workdays import workday_calendar
from settlement.services.funds_requests import require_bookkeeper
from settlement.services.locks import lock_monthly_statements
from settlement.services.numbering import take_numbers

_STATE = MonthlyStatementState


class MonthNotBegun(RuleBroken):
    """A statement is for a month that has begun."""

    code = "month_not_begun"
    message = gettext_noop("This month has not begun.")


@transaction.atomic
def issue_monthly_statement(
    *, actor: Actor, organisation: Organisation, month: date
) -> MonthlyStatement:
    """Issue a member's statement of a month; unchanged, the one that stands is returned.

    A statement whose figures changed since gets a new version, which is to be confirmed anew.

    Raises:
        NotPermitted: the actor does not keep the market's books.
        MonthNotBegun: with the field.
        StatementDoesNotTie: it does not agree with the ledger.
    """
    require_bookkeeper(actor)
    first = month.replace(day=1)
    now = market_now()
    today = market_date(now)
    if first > today:
        raise MonthNotBegun(field="month")
    lock_monthly_statements(organisation.pk)
    accounts = statement_accounts(organisation, first, _last_day(first))
    content = _content(organisation, first, accounts)
    sha256 = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    standing = (
        MonthlyStatement.objects.filter(organisation=organisation, month=first)
        .exclude(state=_STATE.SUPERSEDED)
        .first()
    )
    if standing is not None and standing.content_sha256 == sha256:
        return standing
    if standing is not None:
        move_document(standing, MONTHLY_STATEMENT_TRANSITIONS, _STATE.SUPERSEDED, actor=actor.user)
    issued = MonthlyStatement.objects.create(
        number=take_numbers(series=DocumentSeries.STATEMENT, day=today)[0],
        organisation=organisation,
        month=first,
        version=standing.version + 1 if standing else 1,
        opening_cny=sum(account.opening_cny for account in accounts),
        closing_cny=sum(account.closing_cny for account in accounts),
        content=content,
        content_sha256=sha256,
        last_entry_id=JournalEntry.objects.aggregate(last=Max("id"))["last"] or 0,
        issued_on=today,
        answer_by=workday_calendar().add_workdays(today, rules_at(now).confirmation_workdays),
    )
    note_transition(issued, "", actor=actor.user)
    _audit("monthly_statement.issued", issued, actor)
    return issued


def issue_month(*, actor: Actor, month: date) -> list[MonthlyStatement]:
    """Issue the statements of every member with accounts; each in a transaction of its own.

    Raises:
        NotPermitted, MonthNotBegun, StatementDoesNotTie: those issued before it stand.
    """
    require_bookkeeper(actor)
    owners = Account.objects.filter(organisation__isnull=False).values("organisation")
    members = Organisation.objects.filter(pk__in=owners).order_by("code")
    return [
        issue_monthly_statement(actor=actor, organisation=member, month=month)
        for member in members
        if _has_anything(member, month)
    ]


@transaction.atomic
def confirm_monthly_statement(*, actor: Actor, public_id: UUID | str) -> MonthlyStatement:
    """Confirm the own statement (对账确认); an objection is settled by it.

    Raises:
        NotPermitted, NotFound: the actor may not, or it is not the actor's.
        StateForbids: it was answered before or a later version replaced it.
    """
    statement = _own(actor, public_id)
    _answer(statement, _STATE.CONFIRMED, actor, "")
    return statement


@transaction.atomic
def object_to_monthly_statement(
    *, actor: Actor, public_id: UUID | str, objection: str
) -> MonthlyStatement:
    """Object to the own statement and say what is wrong.

    Raises:
        NotPermitted, NotFound, Missing, TextTooLong: with the field.
        StateForbids: it was answered before.
    """
    text = check_text(objection, field="objection", max_length=300, required=True)
    statement = _own(actor, public_id)
    _answer(statement, _STATE.OBJECTED, actor, text)
    return statement


@transaction.atomic
def close_silent_statements() -> int:
    """Take statements whose deadline has passed without an answer as confirmed; return how many.

    The rule book says so: silence until the deadline confirms, and a later version asks anew.
    """
    today = market_date(market_now())
    silent = MonthlyStatement.objects.select_for_update(no_key=True).filter(
        state=_STATE.SENT, answer_by__lt=today
    )
    count = 0
    for statement in silent.order_by("pk"):
        move_document(
            statement, MONTHLY_STATEMENT_TRANSITIONS, _STATE.DEEMED, actor=None, note="silence"
        )
        count += 1
    return count


def _last_day(first: date) -> date:
    return first.replace(day=monthrange(first.year, first.month)[1])


def _has_anything(member: Organisation, month: date) -> bool:
    first = month.replace(day=1)
    accounts = statement_accounts(member, first, _last_day(first))
    return any(a.lines or a.opening_cny or a.closing_cny for a in accounts)


def _content(
    organisation: Organisation, first: date, accounts: tuple[StatementAccount, ...]
) -> dict[str, Any]:
    bills = Invoice.objects.filter(
        organisation=organisation, issued_on__range=(first, _last_day(first))
    ).order_by("number")
    return {
        "accounts": [_account(account) for account in accounts],
        "documents": [
            {
                "number": bill.number,
                "direction": bill.direction,
                "kind": bill.kind,
                "issued_on": bill.issued_on.isoformat(),
                "due_on": bill.due_on.isoformat(),
                "net": format(bill.net.amount, "f"),
                "vat": format(bill.vat.amount, "f"),
                "gross": format(bill.gross.amount, "f"),
            }
            for bill in bills
        ],
    }


def _account(account: StatementAccount) -> dict[str, Any]:
    sums: dict[str, list[Any]] = {}
    for line in account.lines:
        entry = sums.setdefault(line.kind, [0, 0])
        entry[0] += 1
        entry[1] += line.amount_cny
    return {
        "code": account.code,
        "purpose": account.purpose,
        "name_zh": account.name_zh,
        "name_en": account.name_en,
        "opening": f"{account.opening_cny:.2f}",
        "closing": f"{account.closing_cny:.2f}",
        "movements": [
            {"kind": kind, "count": count, "amount": f"{amount:.2f}"}
            for kind, (count, amount) in sorted(sums.items())
        ],
    }


def _own(actor: Actor, public_id: UUID | str) -> MonthlyStatement:
    organisation = actor.organisation
    if organisation is None or organisation.is_platform or not actor.has(Role.FINANCE):
        raise NotPermitted
    statement = (
        MonthlyStatement.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organisation")
        .filter(public_id=public_id, organisation=organisation)
        .first()
    )
    if statement is None:
        raise NotFound
    return statement


def _answer(
    statement: MonthlyStatement, target: MonthlyStatementState, actor: Actor, objection: str
) -> None:
    move_document(
        statement,
        MONTHLY_STATEMENT_TRANSITIONS,
        target,
        actor=actor.user,
        note=objection,
        changes={
            "answered_by": actor.user,
            "answered_at": timezone.now(),
            "objection": objection or statement.objection,
        },
    )
    _audit(f"monthly_statement.{target.value}", statement, actor, objection)


def _audit(action: str, statement: MonthlyStatement, actor: Actor, reason: str = "") -> None:
    record_audit(
        action=action,
        subject=statement,
        actor=actor.user,
        organisation=statement.organisation,
        after={
            "number": statement.number,
            "version": statement.version,
            "closing": format(statement.closing_cny, "f"),
        },
        reason=reason,
    )
