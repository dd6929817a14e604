"""The two-person rule: one operator asks, another one decides, and only then it happens.

What is carried out is named by an action and its function, which the caller hands in: this layer
knows who decides, for how long a request stands, and that it is decided once.
"""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.models import RequestState, TwoPersonRequest, User
from marketplace.models.approvals import REQUEST_TRANSITIONS
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition, require_operator

logger = structlog.get_logger(__name__)

LONGEST_REASON = 300
Execute = Callable[[TwoPersonRequest, Actor], None]


class SecondPersonNeeded(RuleBroken):
    """Who asked cannot decide."""

    code = "second_person_needed"
    message = gettext_noop("Another operator has to decide: nobody approves an own request.")
    status = 403


class RequestExpired(RuleBroken):
    """The time to decide is over."""

    code = "request_expired"
    message = gettext_noop("The request has expired; please ask again.")
    status = 409


class RequestPending(RuleBroken):
    """The same act on the same thing waits for a decision already."""

    code = "request_pending"
    message = gettext_noop("The same request waits for a decision already.")
    status = 409


def ask_for(
    *,
    actor: Actor,
    action: str,
    subject: models.Model,
    name: str,
    reason: str,
    params: dict[str, object] | None = None,
    valid_for: timedelta,
) -> TwoPersonRequest:
    """Write down what the actor wants done, for another operator to decide.

    Args:
        actor: an operator.
        action: what is to be done, such as `auction.cancel`.
        subject: the thing it is done to.
        name: what people call that thing.
        reason: why; the second person and the audit trail read it.
        params: figures of the act, JSON-able.
        valid_for: real time until the request expires.

    Raises:
        NotPermitted, Missing, RequestPending: nothing was written.
    """
    platform = require_operator(actor)
    why = check_text(reason, field="reason", max_length=LONGEST_REASON, required=True)
    expire_requests()
    try:
        with transaction.atomic():
            request = TwoPersonRequest.objects.create(
                action=action,
                object_type=subject._meta.label,
                object_id=str(subject.pk),
                object_name=name[:120],
                params=params or {},
                reason=why,
                requested_by=actor.user,
                expires_at=timezone.now() + valid_for,
            )
            record_audit(
                action=f"{action}.requested",
                subject=subject,
                actor=actor.user,
                organisation=platform,
                after={"request": str(request.public_id), **(params or {})},
                reason=why,
            )
    except IntegrityError:
        raise RequestPending from None
    logger.info("two_person_request", action=action, subject=name)
    return request


def approve_request(
    *, actor: Actor, public_id: UUID, execute: Execute, note: str = ""
) -> TwoPersonRequest:
    """Approve a request of somebody else and carry it out, in one transaction.

    Whatever the execution refuses is raised, and the request stays as it was.

    Raises:
        NotFound, NotPermitted, SecondPersonNeeded, RequestExpired, StateForbids: nothing happened.
        RuleBroken: what carrying it out was refused with; nothing happened.
    """
    with transaction.atomic():
        request = _decide(actor, public_id, RequestState.APPROVED, note)
        execute(request, actor)
        _write(request, actor)
    return request


def refuse_request(*, actor: Actor, public_id: UUID, note: str) -> TwoPersonRequest:
    """Refuse a request of somebody else, with a reason.

    Raises:
        NotFound, NotPermitted, SecondPersonNeeded, RequestExpired, StateForbids, Missing: nothing
            happened.
    """
    why = check_text(note, field="reason", max_length=LONGEST_REASON, required=True)
    with transaction.atomic():
        request = _decide(actor, public_id, RequestState.REFUSED, why)
        _write(request, actor)
    return request


def withdraw_request(*, actor: Actor, public_id: UUID, note: str = "") -> TwoPersonRequest:
    """Take an own request back.

    Raises:
        NotFound: there is no such request, or somebody else asked.
        NotPermitted, StateForbids: nothing happened.
    """
    require_operator(actor)
    with transaction.atomic():
        request = _locked(public_id)
        if request.requested_by_id != actor.user.pk:
            raise NotFound
        _move(request, RequestState.WITHDRAWN, note)
        _write(request, actor)
    return request


def expire_requests() -> int:
    """End the requests whose time is over; return how many."""
    late = TwoPersonRequest.objects.filter(
        state=RequestState.PENDING, expires_at__lte=timezone.now()
    )
    return late.update(state=RequestState.EXPIRED)


def _decide(actor: Actor, public_id: UUID, target: RequestState, note: str) -> TwoPersonRequest:
    require_operator(actor)
    request = _locked(public_id)
    if request.requested_by_id == actor.user.pk:
        raise SecondPersonNeeded
    if request.state == RequestState.PENDING and request.expires_at <= timezone.now():
        raise RequestExpired
    _move(request, target, note, by=actor.user)
    return request


def _locked(public_id: UUID) -> TwoPersonRequest:
    rows = TwoPersonRequest.objects.select_for_update(of=("self",)).select_related("requested_by")
    request = rows.filter(public_id=public_id).first()
    if request is None:
        raise NotFound
    return request


def _move(
    request: TwoPersonRequest, target: RequestState, note: str, *, by: User | None = None
) -> None:
    request.state = check_transition(REQUEST_TRANSITIONS, request.state, target)
    request.decided_by, request.decided_at = by, timezone.now()
    request.decision_note = note[:LONGEST_REASON]
    request.save(update_fields=["state", "decided_by", "decided_at", "decision_note"])


def _write(request: TwoPersonRequest, actor: Actor) -> None:
    record_audit(
        action=f"{request.action}.{request.state}",
        subject=request,
        actor=actor.user,
        organisation=actor.organisation,
        before={"state": RequestState.PENDING, "asked_by": request.requested_by.email},
        after={"state": request.state, "subject": request.object_name, **request.params},
        reason=request.decision_note or request.reason,
    )
