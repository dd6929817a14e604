"""Netting a cycle and settling it: positions from scratch, units through the registry, cash.

One person computes, another settles. Before anything moves, every party is looked at: who cannot
deliver or pay leaves the cycle with all its obligations, and the cycle is computed anew.
"""

import hashlib
import json
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition
from marketplace.services.outbox import emit_event
from settlement.domain.carbon.netting import NettingResult, net_cycle
from settlement.domain.carbon.netting import Obligation as OwedTonnes
from settlement.models import (
    NETTING_TRANSITIONS,
    CashAdjustment,
    DeliveryInstruction,
    NetPosition,
    NettingComputation,
    NettingCycle,
    NettingFailure,
    NettingState,
    Obligation,
)
from settlement.services.funds_requests import SamePerson, require_bookkeeper
from settlement.services.recognition.netting_entry import locked_cycle
from settlement.services.recognition.netting_settlement import carry_out, unable_parties


class NotFrozen(RuleBroken):
    """Obligations may still come in."""

    code = "cycle_not_frozen"
    message = gettext_noop("Freeze the cycle first: obligations may still come in.")
    status = 409


class NotComputed(RuleBroken):
    """There is nothing to settle yet."""

    code = "cycle_not_computed"
    message = gettext_noop("The cycle has not been computed yet.")
    status = 409


class CycleSettled(RuleBroken):
    """A settled cycle is final."""

    code = "cycle_settled"
    message = gettext_noop("The cycle is settled; nothing in it changes any more.")
    status = 409


@transaction.atomic
def compute_cycle(*, actor: Actor, cycle_public_id: UUID | str) -> NettingComputation:
    """Net the frozen obligations of a cycle; a repeated call returns the computation it finds.

    Raises:
        NotPermitted, NotFound: the actor may not, or there is no such cycle.
        NotFrozen: the cycle still takes obligations.
    """
    require_bookkeeper(actor, operator_too=True)
    cycle = locked_cycle(cycle_public_id)
    if cycle.state == NettingState.OPEN:
        raise NotFrozen
    newest = newest_computation(cycle)
    if newest is not None:
        return newest
    return _compute(cycle, actor)


@transaction.atomic
def fail_party(
    *, actor: Actor, cycle_public_id: UUID | str, party_code: str, reason: str
) -> NettingComputation:
    """Take a party that will not deliver or pay out of a cycle, with all its obligations.

    Raises:
        NotPermitted, NotFound: the actor may not, or the party is not in the cycle.
        NotFrozen, CycleSettled: too early, or too late.
        Missing: without a reason.
    """
    require_bookkeeper(actor, operator_too=True)
    cycle = locked_cycle(cycle_public_id)
    if cycle.state == NettingState.OPEN:
        raise NotFrozen
    if cycle.state == NettingState.SETTLED:
        raise CycleSettled
    party = _parties(cycle).get(party_code)
    if party is None:
        raise NotFound(field="party")
    why = check_text(reason, field="reason", max_length=300, required=True)
    _record_failures(cycle, {party: why}, actor)
    return _compute(cycle, actor)


@transaction.atomic
def settle_cycle(*, actor: Actor, cycle_public_id: UUID | str) -> NettingCycle:
    """Carry the newest computation out, or compute anew without the parties that cannot perform.

    The state tells which: a settled cycle has moved units and cash, a computed one has a newer
    computation that again needs a second person.

    Raises:
        NotPermitted, NotFound: the actor may not, or there is no such cycle.
        NotComputed: there is no computation.
        SamePerson: the actor made the computation.
        PeriodClosed: today's accounting month takes no entries.
    """
    require_bookkeeper(actor, operator_too=True)
    cycle = locked_cycle(cycle_public_id)
    computation = newest_computation(cycle)
    if cycle.state == NettingState.SETTLED:
        return cycle
    if computation is None:
        raise NotComputed
    if computation.computed_by_id == actor.user.pk:
        raise SamePerson
    unable = unable_parties(computation)
    if unable:
        _record_failures(cycle, unable, actor)
        _compute(cycle, actor)
        return cycle
    carry_out(computation, actor=actor)
    cycle.state = check_transition(NETTING_TRANSITIONS, cycle.state, NettingState.SETTLED)
    cycle.settled_by, cycle.settled_at = actor.user, timezone.now()
    cycle.save(update_fields=["state", "settled_by", "settled_at"])
    _write(cycle, actor, "settled", computation)
    return cycle


def newest_computation(cycle: NettingCycle) -> NettingComputation | None:
    """Return the computation that counts, or nothing."""
    return cycle.computations.order_by("-number").first()


def _compute(cycle: NettingCycle, actor: Actor) -> NettingComputation:
    parties = _parties(cycle)
    failed = set(cycle.failures.values_list("organisation__code", flat=True))
    owed = [
        OwedTonnes(row.payer.code, row.payee.code, row.quantity_t) for row in _obligations(cycle)
    ]
    result = net_cycle(owed, price_cny=cycle.reference_price_cny, failed=failed)
    computation = _store(cycle, result, parties, actor)
    if cycle.state == NettingState.FROZEN:
        cycle.state = check_transition(NETTING_TRANSITIONS, cycle.state, NettingState.COMPUTED)
        cycle.save(update_fields=["state"])
    _write(cycle, actor, "computed", computation)
    return computation


def _store(
    cycle: NettingCycle, result: NettingResult, parties: dict[str, Organisation], actor: Actor
) -> NettingComputation:
    computation = NettingComputation.objects.create(
        cycle=cycle,
        number=cycle.computations.count() + 1,
        obligation_count=len(result.obligations),
        gross_t=result.gross_t,
        net_t=result.net_t,
        ratio=result.netting_ratio or Decimal(0),
        delivered_units=sum(position.delivered for position in result.positions),
        rounding_cny=result.rounding_cny,
        input_sha256=_fingerprint(cycle, result),
        computed_by=actor.user,
    )
    _store_positions(computation, result, parties)
    DeliveryInstruction.objects.bulk_create(
        DeliveryInstruction(
            computation=computation,
            from_organisation=parties[delivery.debtor],
            to_organisation=parties[delivery.creditor],
            units=delivery.credits,
        )
        for delivery in result.deliveries
    )
    CashAdjustment.objects.bulk_create(
        CashAdjustment(
            computation=computation,
            organisation=parties[position.participant],
            amount_cny=position.cash_cny,
        )
        for position in result.positions
        if position.cash_cny
    )
    return computation


def _store_positions(
    computation: NettingComputation, result: NettingResult, parties: dict[str, Organisation]
) -> None:
    gets: dict[str, Decimal] = {}
    owes: dict[str, Decimal] = {}
    for item in result.obligations:
        owes[item.payer] = owes.get(item.payer, Decimal(0)) + item.tonnes
        gets[item.payee] = gets.get(item.payee, Decimal(0)) + item.tonnes
    NetPosition.objects.bulk_create(
        NetPosition(
            computation=computation,
            organisation=parties[position.participant],
            receivable_t=gets.get(position.participant, Decimal(0)),
            payable_t=owes.get(position.participant, Decimal(0)),
            net_t=position.tonnes,
            delivers_units=position.delivered,
            receives_units=position.received,
        )
        for position in result.positions
    )


def _obligations(cycle: NettingCycle) -> list[Obligation]:
    return list(cycle.obligations.select_related("payer", "payee").order_by("id"))


def _parties(cycle: NettingCycle) -> dict[str, Organisation]:
    rows = _obligations(cycle)
    return {party.code: party for row in rows for party in (row.payer, row.payee)}


def _record_failures(cycle: NettingCycle, failures: dict[Organisation, str], actor: Actor) -> None:
    for organisation, reason in sorted(failures.items(), key=lambda item: item[0].code):
        NettingFailure.objects.get_or_create(
            cycle=cycle,
            organisation=organisation,
            defaults={"reason": reason[:300], "recorded_by": actor.user},
        )
        record_audit(
            action="netting.party_failed",
            subject=cycle,
            actor=actor.user,
            organisation=organisation,
            after={"cycle": cycle.code, "party": organisation.code},
            reason=reason,
        )


def _fingerprint(cycle: NettingCycle, result: NettingResult) -> str:
    """Return the hash of what was netted: class, price and the obligations in their order."""
    content = [
        [cycle.registry.code, cycle.instrument_type, cycle.vintage_year],
        format(cycle.reference_price_cny, "f"),
        [[item.payer, item.payee, format(item.tonnes, "f")] for item in result.obligations],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _write(cycle: NettingCycle, actor: Actor, step: str, computation: NettingComputation) -> None:
    facts = {
        "cycle": cycle.code,
        "computation": computation.number,
        "gross_t": format(computation.gross_t, "f"),
        "net_t": format(computation.net_t, "f"),
    }
    record_audit(
        action=f"netting.{step}",
        subject=cycle,
        actor=actor.user,
        organisation=actor.organisation,
        after=facts,
    )
    emit_event(topic=f"netting.{step}", aggregate=f"netting_cycle:{cycle.pk}", payload=dict(facts))
