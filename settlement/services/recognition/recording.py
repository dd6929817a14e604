"""Writing a recognition down: units die, events name the agreement's version, caps are counted."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256

from django.db import IntegrityError

from marketplace.domain.decimals import add_exactly
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.outbox import emit_event
from settlement.domain.carbon.apportioning import share_out
from settlement.domain.carbon.errors import AgreementNotInForce, AlreadyRecognised, CapExceeded
from settlement.domain.numbering import DocumentSeries
from settlement.models import Recognition, RecognitionEvent, RetirementLine
from settlement.selectors.recognition.needs import StatementNeed
from settlement.services.numbering import take_numbers
from settlement.services.recognition.planning import PlannedLine, applied_total
from settlement.services.recognition.retiring import retire_planned

_BY_CONSTRAINT = {"cap_not_exceeded": CapExceeded}
_BY_SQLSTATE = {"23L09": AgreementNotInForce}


def record_recognition(
    *,
    need: StatementNeed,
    lines: Sequence[PlannedLine],
    actor: Actor,
    on: date,
    idempotency_key: str,
    fingerprint: str,
) -> Recognition:
    """Retire what is planned and still alive, then write recognition and events.

    Call it in one transaction under the party's lock.

    Raises:
        CapExceeded, AgreementNotInForce: something changed since the plan was made.
        AlreadyRecognised: a retirement line has an event already.
        CarbonRuleBroken: the registry refuses a retirement.
    """
    key = sha256(f"{need.organisation.pk}:{idempotency_key}".encode()).hexdigest()[:40]
    retired = [retire_planned(planned, need=need, actor=actor, key=key) for planned in lines]
    applied = applied_total(lines)
    recognised = add_exactly([Decimal(0), *(one.line.recognised_t for one in lines)])
    recognition = Recognition.objects.create(
        number=take_numbers(series=DocumentSeries.RECOGNITION, day=on)[0],
        statement=need.statement,
        organisation=need.organisation,
        scheme=need.scheme,
        subject_key=need.subject_key,
        claim_month=need.claim_month,
        recognised_on=on,
        market_based_t=need.market_based_t,
        need_t=need.need_t,
        applied_t=applied,
        residual_t=add_exactly([need.need_t, -applied]),
        over_coverage_t=add_exactly([recognised, -applied]),
        idempotency_key=idempotency_key,
        fingerprint=fingerprint,
        actor=actor.user,
    )
    for planned, retirement_lines in zip(lines, retired, strict=True):
        _write_events(recognition, planned, retirement_lines)
    _announce(recognition, actor)
    return recognition


def _write_events(
    recognition: Recognition, planned: PlannedLine, lines: Sequence[RetirementLine]
) -> None:
    per_credit = planned.agreement.terms.tonnes_per_credit
    shares = share_out(
        [line.units for line in lines], per_credit=per_credit, need_t=planned.line.need_before_t
    )
    for line, share in zip(lines, shares, strict=True):
        try:
            RecognitionEvent.objects.create(
                recognition=recognition,
                retirement_line=line,
                version=planned.agreement.version,
                organisation=recognition.organisation,
                cap_period=planned.agreement.cap_period,
                credits=share.credits,
                factor=per_credit,
                recognised_t=share.recognised_t,
                applied_t=share.applied_t,
                usage_t=share.usage_t,
            )
        except IntegrityError as error:
            raise _named_refusal(error) from error


def _named_refusal(error: IntegrityError) -> Exception:
    diagnosis = getattr(error.__cause__, "diag", None)
    constraint = getattr(diagnosis, "constraint_name", None) or ""
    if "retirement_line_id" in constraint:
        return AlreadyRecognised()
    refusal = _BY_CONSTRAINT.get(constraint) or _BY_SQLSTATE.get(
        getattr(diagnosis, "sqlstate", None) or ""
    )
    return refusal() if refusal else error


def _announce(recognition: Recognition, actor: Actor) -> None:
    record_audit(
        action="recognition.made",
        subject=recognition,
        actor=actor.user,
        organisation=recognition.organisation,
        after={
            "number": recognition.number,
            "need_t": format(recognition.need_t, "f"),
            "applied_t": format(recognition.applied_t, "f"),
        },
    )
    emit_event(
        topic="recognition.made",
        aggregate=f"recognition:{recognition.pk}",
        payload={"recognition_id": recognition.pk, "number": recognition.number},
    )
