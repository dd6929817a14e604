"""Recognition: credits die in their registry, then count for a statement, once (R7 to R16).

One transaction does it all under the lock of the party and of the caps: the plan, the retirement,
the events, whose trigger counts the caps. A refusal or a killed process leaves nothing.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import transaction

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.checks import check_text
from settlement.domain.carbon.errors import AlreadyRecognised, NotOwner
from settlement.domain.carbon.recognition import RecognitionPlan
from settlement.models import (
    EmissionStatement,
    Recognition,
    RecognitionEvent,
    Retirement,
    RetirementPurpose,
)
from settlement.selectors.recognition.credits import held_credits, retired_credits
from settlement.selectors.recognition.needs import StatementNeed, need_of, statement_of
from settlement.services.ledger import IdempotencyConflict
from settlement.services.locks import lock_recognition
from settlement.services.recognition.caps import (
    OpenAgreement,
    open_agreements,
    usage_by_agreement,
    versions_towards,
)
from settlement.services.recognition.choosing import ChosenUnits, chosen_credits
from settlement.services.recognition.planning import (
    PlannedLine,
    free_plan,
    plan_chosen,
    plan_freely,
    plan_retired,
)
from settlement.services.recognition.recording import record_recognition


class NothingNeeded(RuleBroken):
    """The statement is covered already."""

    code = "nothing_needed"
    message = gettext_noop("Nothing is left to cover for this statement.")
    status = 409


class PurposeExclusive(RuleBroken):
    """Units retired for compliance or as a replacement serve no voluntary claim."""

    code = "purpose_exclusive"
    message = gettext_noop("These units were retired for another purpose.")
    status = 409


@dataclass(frozen=True)
class Situation:
    """A need with the agreements towards its scheme, their caps read on a day."""

    need: StatementNeed
    agreements: list[OpenAgreement]
    on: date


Planner = Callable[[Situation], list[PlannedLine]]


def may_recognise(actor: Actor) -> bool:
    """Tell whether the actor may use its organisation's credits for its own statements."""
    return actor.is_trading_member and actor.has(Role.FINANCE, Role.SUPPLIER, Role.BUYER)


@transaction.atomic
def recognise(
    *,
    actor: Actor,
    statement_public_id: UUID | str,
    idempotency_key: str,
    chosen: Sequence[ChosenUnits] = (),
) -> Recognition:
    """Retire credits of the actor's organisation and recognise them for its statement.

    Without a choice the rules take what covers the need, by priority, vintage and serial; a choice
    is taken whole or refused whole. A repeated call with the same key returns the first outcome.

    Raises:
        NotPermitted, NotFound: the actor may not, or the statement is somebody else's.
        IdempotencyConflict: the key stands for another request.
        NothingNeeded, MoreThanNeeded: the need is smaller.
        CarbonRuleBroken: a rule of recognition or of the registry refuses; nothing was changed.
    """

    def plan(found: Situation) -> list[PlannedLine]:
        if chosen:
            blocks = chosen_credits(found.need.organisation, chosen)
            return plan_chosen(found.need, found.agreements, blocks, on=found.on)
        holdings = held_credits(found.need.organisation)
        return plan_freely(found.need, found.agreements, holdings, on=found.on)

    content = ["recognise", [[str(c.batch), c.first_serial, c.last_serial] for c in chosen]]
    return _recognise(actor, statement_public_id, idempotency_key, content, plan)


@transaction.atomic
def recognise_retirement(
    *,
    actor: Actor,
    statement_public_id: UUID | str,
    retirement_public_id: UUID | str,
    idempotency_key: str,
) -> Recognition:
    """Recognise a retirement that names the actor's organisation as its beneficiary, whole.

    The day of the retirement decides which agreements are in force and which cap period counts.

    Raises:
        NotPermitted, NotFound, IdempotencyConflict, NothingNeeded, MoreThanNeeded: as `recognise`.
        AlreadyRecognised: a line of it was recognised before.
        NotOwner, PurposeExclusive: it names another beneficiary or serves another purpose.
        CarbonRuleBroken: a rule of recognition refuses; nothing was changed.
    """
    retirement = Retirement.objects.filter(public_id=retirement_public_id).first()
    if retirement is None:
        raise NotFound(field="retirement")

    def plan(found: Situation) -> list[PlannedLine]:
        _check_retirement(retirement, found.need.organisation)
        blocks = retired_credits(retirement)
        return plan_retired(found.need, found.agreements, blocks, on=found.on)

    content = ["retirement", str(retirement.public_id)]
    return _recognise(
        actor, statement_public_id, idempotency_key, content, plan, on=retirement.retired_on
    )


def preview_recognition(
    *, organisation: Organisation, statement: EmissionStatement
) -> tuple[StatementNeed, RecognitionPlan]:
    """Return what the rules would make of the organisation's credits now; nothing is written.

    Raises:
        StatementClosed, NoAgreement: there is nothing to plan.
    """
    found = _situation(statement, market_date(market_now()), locked=False)
    holdings = held_credits(organisation)
    return found.need, free_plan(found.need, found.agreements, holdings, on=found.on)


def _recognise(
    actor: Actor,
    statement_public_id: UUID | str,
    idempotency_key: str,
    content: Sequence[object],
    plan: Planner,
    *,
    on: date | None = None,
) -> Recognition:
    if not may_recognise(actor) or actor.organisation is None:
        raise NotPermitted
    organisation = actor.organisation
    key = check_text(idempotency_key, field="idempotency_key", max_length=120, required=True)
    fingerprint = _fingerprint(statement_public_id, content)
    lock_recognition(organisation.pk)
    done = Recognition.objects.filter(organisation=organisation, idempotency_key=key).first()
    if done is not None:
        return _replayed(done, fingerprint)
    statement = statement_of(organisation, statement_public_id)
    if statement is None:
        raise NotFound(field="statement")
    today = market_date(market_now())
    found = _situation(statement, on or today, locked=True)
    if not found.need.need_t:
        raise NothingNeeded
    return record_recognition(
        need=found.need,
        lines=plan(found),
        actor=actor,
        on=today,
        idempotency_key=key,
        fingerprint=fingerprint,
    )


def _situation(statement: EmissionStatement, on: date, *, locked: bool) -> Situation:
    need = need_of(statement, on=on)
    earlier = Recognition.objects.filter(subject_key=need.subject_key).values_list("pk", flat=True)
    agreements = open_agreements(
        versions_towards(need.scheme),
        party=need.organisation,
        on=on,
        market_based_t=need.market_based_t,
        earlier_t=usage_by_agreement(earlier),
        locked=locked,
    )
    return Situation(need, agreements, on)


def _check_retirement(retirement: Retirement, organisation: Organisation) -> None:
    if retirement.beneficiary_id != organisation.pk:
        raise NotOwner(retirement=retirement.number)
    if RecognitionEvent.objects.filter(retirement_line__retirement=retirement).exists():
        raise AlreadyRecognised(retirement=retirement.number)
    if retirement.purpose in (RetirementPurpose.COMPLIANCE, RetirementPurpose.REPLACEMENT):
        raise PurposeExclusive(retirement=retirement.number)


def _replayed(done: Recognition, fingerprint: str) -> Recognition:
    if done.fingerprint != fingerprint:
        raise IdempotencyConflict
    return done


def _fingerprint(statement_public_id: UUID | str, content: Sequence[object]) -> str:
    canonical = json.dumps([str(statement_public_id), content], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
