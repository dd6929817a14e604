"""Closing the months of the books.

A month that is over is first closed softly: only finance may still post adjustments. Closing it for
good, and opening it again, is asked for by one person and decided by another. Posting and closing
meet on the month's row: a close waits for entries under way, and an entry that comes after it is
refused (see `settlement/migrations/sql/closing.sql`).
"""

from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition
from settlement.models import (
    PERIOD_TRANSITIONS,
    REQUEST_TRANSITIONS,
    BookPeriod,
    LedgerBlock,
    PeriodChange,
    PeriodChangeKind,
    PeriodState,
    RequestState,
)
from settlement.selectors.closing import failed_items
from settlement.services.chain import seal_blocks
from settlement.services.funds_requests import SamePerson, require_bookkeeper
from settlement.services.invariants import ledger_is_trusted

_TARGETS = {
    PeriodChangeKind.HARD_CLOSE: PeriodState.HARD_CLOSED,
    PeriodChangeKind.REOPEN: PeriodState.OPEN,
}

# What the role that serves may write of a month; its days and its book never change.
_MOVING = ("state", "closed_by", "approved_by", "closed_at", "closing_block")


class MonthNotOver(RuleBroken):
    """The month still runs: closing it would stop the market's own postings."""

    code = "month_not_over"
    message = gettext_noop("The month is not over yet.")
    status = 409


class EarlierMonthOpen(RuleBroken):
    """Months are closed for good in their order, because each opens with the one before."""

    code = "earlier_month_open"
    message = gettext_noop("A month before this one is not closed for good yet.")
    status = 409


class ChangeWaits(RuleBroken):
    """A request about the month waits for a decision."""

    code = "change_waits"
    message = gettext_noop("A request about this month waits for a decision already.")
    status = 409


class ChecklistOpen(RuleBroken):
    """A point of the checklist that must be met is not."""

    code = "checklist_open"
    message = gettext_noop("The checklist is not met: %(items)s")
    status = 409


class LedgerNotTrusted(RuleBroken):
    """The books' own rules or their hash chain are broken."""

    code = "ledger_not_trusted"
    message = gettext_noop("The books do not hold their own rules; call the operator.")
    status = 409


@transaction.atomic
def soft_close_period(*, period_id: int, actor: Actor) -> BookPeriod:
    """Close a month that is over for all but finance's adjustments.

    Waits for entries under way in the month.

    Raises:
        NotPermitted, NotFound: the actor does not keep the books, or there is no such month.
        StateForbids: the month is not open.
        MonthNotOver: it still runs.
    """
    require_bookkeeper(actor)
    period = _lock_period(period_id)
    check_transition(PERIOD_TRANSITIONS, period.state, PeriodState.SOFT_CLOSED)
    require_over(period)
    period.closed_by = actor.user
    _move(period, PeriodState.SOFT_CLOSED, actor)
    return period


@transaction.atomic
def request_period_change(
    *, period_id: int, kind: str, actor: Actor, reason: str = ""
) -> PeriodChange:
    """Ask to close a softly closed month for good, or to open it again; another person decides.

    Raises:
        NotPermitted, NotFound: the actor does not keep the books, or there is no such month.
        StateForbids: the month is not softly closed.
        EarlierMonthOpen, ChecklistOpen: it cannot be closed for good yet.
        Missing: opening again, or closing with points left open, needs a reason.
        ChangeWaits: a request about it waits.
    """
    require_bookkeeper(actor)
    period = _lock_period(period_id)
    wanted = PeriodChangeKind(kind)
    check_transition(PERIOD_TRANSITIONS, period.state, _TARGETS[wanted])
    open_points = False
    if wanted == PeriodChangeKind.HARD_CLOSE:
        seal_blocks()
        open_points = _require_ready(period)
    needs_reason = open_points or wanted == PeriodChangeKind.REOPEN
    if period.changes.filter(state=RequestState.ENTERED).exists():
        raise ChangeWaits
    change = PeriodChange.objects.create(
        period=period,
        kind=wanted,
        reason=check_text(reason, field="reason", max_length=200, required=needs_reason),
        entered_by=actor.user,
    )
    _audit(f"period.{wanted.value}_requested", period, actor, reason=change.reason)
    return change


@transaction.atomic
def hard_close_period(*, change_id: UUID | str, actor: Actor, reason: str = "") -> BookPeriod:
    """Close a month for good: nobody posts into it any more, and its end becomes the next opening.

    The checklist and the books' own rules are looked at once more, finished entries are sealed,
    and the head of the hash chain is kept with the month. The database writes the snapshots.

    Raises:
        NotPermitted, NotFound, SamePerson: the actor may not decide it.
        StateForbids: it was decided before, or the month has moved on.
        EarlierMonthOpen, ChecklistOpen, LedgerNotTrusted: the month cannot be closed.
    """
    change, period = _decide(
        change_id, actor, PeriodChangeKind.HARD_CLOSE, RequestState.APPROVED, reason
    )
    seal_blocks()
    _require_ready(period)
    if not ledger_is_trusted():
        raise LedgerNotTrusted
    period.closed_by = change.entered_by
    period.approved_by = actor.user
    period.closing_block = LedgerBlock.objects.order_by("-number").first()
    _move(period, PeriodState.HARD_CLOSED, actor, reason=change.reason)
    return period


@transaction.atomic
def reopen_period(*, change_id: UUID | str, actor: Actor, reason: str = "") -> BookPeriod:
    """Open a softly closed month again, as another person asked.

    Raises:
        NotPermitted, NotFound, SamePerson: the actor may not decide it.
        StateForbids: it was decided before, or the month has moved on.
    """
    change, period = _decide(
        change_id, actor, PeriodChangeKind.REOPEN, RequestState.APPROVED, reason
    )
    period.closed_by = None
    _move(period, PeriodState.OPEN, actor, reason=change.reason)
    return period


@transaction.atomic
def reject_period_change(*, change_id: UUID | str, actor: Actor, reason: str) -> PeriodChange:
    """Refuse what another person asked for a month; it stays as it is.

    Raises:
        NotPermitted, NotFound, SamePerson: the actor may not decide it.
        StateForbids: it was decided before.
        Missing: a refusal needs a reason.
    """
    change, period = _decide(change_id, actor, None, RequestState.REJECTED, reason)
    _audit(f"period.{change.kind}_rejected", period, actor, reason=change.decision_reason)
    return change


def require_over(period: BookPeriod) -> None:
    """Pass when the month is over on the market's clock; raises MonthNotOver."""
    if market_date(market_now()) < period.days.upper:
        raise MonthNotOver


def _require_ready(period: BookPeriod) -> bool:
    """Refuse a close that the checklist forbids; tell whether points that may stay open are."""
    require_over(period)
    earlier = BookPeriod.objects.filter(book=period.book, days__fully_lt=period.days)
    if earlier.exclude(state=PeriodState.HARD_CLOSED).exists():
        raise EarlierMonthOpen
    failed = failed_items(period)
    required = [str(item.label) for item in failed if item.is_required]
    if required:
        raise ChecklistOpen(items="; ".join(required))
    return bool(failed)


def _decide(
    change_id: UUID | str,
    actor: Actor,
    kind: PeriodChangeKind | None,
    verdict: RequestState,
    reason: str,
) -> tuple[PeriodChange, BookPeriod]:
    require_bookkeeper(actor)
    changes = PeriodChange.objects.select_for_update(no_key=True, of=("self",))
    change = changes.filter(public_id=change_id, **({"kind": kind} if kind else {})).first()
    if change is None:
        raise NotFound
    check_transition(REQUEST_TRANSITIONS, change.state, verdict)
    if change.entered_by_id == actor.user.pk:
        raise SamePerson
    period = _lock_period(change.period_id)
    if verdict == RequestState.APPROVED:
        target = _TARGETS[PeriodChangeKind(change.kind)]
        check_transition(PERIOD_TRANSITIONS, period.state, target)
    change.state = verdict
    change.decided_by = actor.user
    change.decided_at = timezone.now()
    change.decision_reason = check_text(
        reason, field="reason", max_length=200, required=verdict == RequestState.REJECTED
    )
    change.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
    return change, period


def _lock_period(period_id: int) -> BookPeriod:
    """Take the month's row for oneself: this waits for every entry under way in it."""
    period = BookPeriod.objects.select_for_update().filter(pk=period_id).first()
    if period is None:
        raise NotFound
    return period


def _move(period: BookPeriod, to: PeriodState, actor: Actor, *, reason: str = "") -> None:
    before = period.state
    period.state = to
    with connection.cursor() as cursor:
        # The clock that stamps entries; read after the wait for those under way.
        cursor.execute("SELECT clock_timestamp()")
        period.closed_at = cursor.fetchone()[0] if to != PeriodState.OPEN else None
    try:
        period.save(update_fields=_MOVING)
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "sqlstate", "") == "23L31":
            raise EarlierMonthOpen from error
        raise
    _audit(f"period.{to.value}", period, actor, before=before, reason=reason)


def _audit(
    action: str, period: BookPeriod, actor: Actor, *, before: str = "", reason: str = ""
) -> None:
    record_audit(
        action=action,
        subject=period,
        actor=actor.user,
        organisation=actor.organisation,
        before={"state": before} if before else None,
        after={"month": f"{period.days.lower:%Y-%m}", "state": period.state},
        reason=reason,
    )
