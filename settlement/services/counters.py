"""Counters of meters: they only rise, but at a reset that the operator has approved."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from django.db import transaction

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.tables import RowError
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import (
    check_instant,
    check_text,
    check_transition,
    require_operator,
)
from settlement.models import (
    COUNTER_RESET_TRANSITIONS,
    CounterReset,
    CounterResetState,
    Delivery,
    MeterReading,
)
from settlement.services.metering_rules import CounterWentBack


class ResetOutsideDelivery(RuleBroken):
    """The counter can only start again within the delivery."""

    code = "reset_outside_delivery"
    message = gettext_noop("The reset must lie within the delivery.")


class ResetAnnounced(RuleBroken):
    """The same reset was announced before."""

    code = "reset_announced"
    message = gettext_noop("This reset was announced before.")
    status = 409


@transaction.atomic
def announce_reset(
    *, actor: Actor, delivery_public_id: UUID | str, reset_at: datetime, reason: str
) -> CounterReset:
    """Announce as the supplier that a counter started again; the operator must approve it.

    Raises:
        NotPermitted, NotFound: the delivery is not the actor's.
        ResetOutsideDelivery, ResetAnnounced, Missing, TextTooLong: with the field.
    """
    if not actor.can_sell:
        raise NotPermitted
    delivery = (
        Delivery.objects.select_for_update(no_key=True, of=("self",))
        .filter(public_id=delivery_public_id, allocation__seller=actor.organisation)
        .first()
    )
    if delivery is None:
        raise NotFound
    at = check_instant(reset_at, field="reset_at")
    text = check_text(reason, field="reason", max_length=200, required=True)
    if not delivery.starts_at <= at <= delivery.ends_at:
        raise ResetOutsideDelivery(field="reset_at")
    if CounterReset.objects.filter(delivery=delivery, reset_at=at).exists():
        raise ResetAnnounced(field="reset_at")
    reset = CounterReset.objects.create(
        delivery=delivery, reset_at=at, reason=text, requested_by=actor.user
    )
    _audit("counter_reset.announced", reset, actor, text)
    return reset


@transaction.atomic
def decide_reset(*, actor: Actor, reset_public_id: UUID | str, approve: bool) -> CounterReset:
    """Approve or refuse a reset as the operator.

    Raises:
        NotPermitted, NotFound: the actor does not run the market.
        StateForbids: it was decided before.
    """
    require_operator(actor)
    rows = CounterReset.objects.select_for_update(no_key=True)
    reset = rows.filter(public_id=reset_public_id).first()
    if reset is None:
        raise NotFound
    target = CounterResetState.APPROVED if approve else CounterResetState.REFUSED
    check_transition(COUNTER_RESET_TRANSITIONS, reset.state, target)
    reset.state, reset.decided_by, reset.decided_at = target, actor.user, market_now()
    reset.save(update_fields=["state", "decided_by", "decided_at"])
    _audit(f"counter_reset.{target.value}", reset, actor)
    return reset


def check_counters(readings: Sequence[MeterReading]) -> None:
    """Refuse readings whose counter falls without an approved reset.

    Raises:
        CounterWentBack: with the field.
    """
    for _, error in _falls(readings):
        raise error


def counter_errors(rows: Sequence[tuple[int, MeterReading]]) -> list[RowError]:
    """Return the same for the lines of a file."""
    lines = {id(reading): line for line, reading in rows}
    found = _falls([reading for _, reading in rows])
    return [RowError.of(lines[id(reading)], error) for reading, error in found]


def _falls(readings: Sequence[MeterReading]) -> list[tuple[MeterReading, CounterWentBack]]:
    counted = [reading for reading in readings if reading.counter is not None]
    if not counted:
        return []
    keys = {reading.delivery_id for reading in counted}
    known = _known(keys)
    for reading in counted:
        known.setdefault(reading.delivery_id, {})[reading.starts_at, reading.ends_at] = reading
    resets: dict[int, list[datetime]] = {}
    approved = CounterReset.objects.filter(delivery__in=keys, state=CounterResetState.APPROVED)
    for delivery_id, at in approved.values_list("delivery_id", "reset_at"):
        resets.setdefault(delivery_id, []).append(at)
    new = {id(reading) for reading in counted}
    return [
        (later if id(later) in new else earlier, _refusal(earlier, later))
        for key in sorted(keys)
        for earlier, later in _neighbours(known[key])
        if _fell(earlier, later, resets.get(key, [])) and (id(later) in new or id(earlier) in new)
    ]


def _known(keys: set[int]) -> dict[int, dict[tuple[datetime, datetime], MeterReading]]:
    """Return the newest readings with a counter, by delivery and interval."""
    rows = MeterReading.objects.filter(delivery__in=keys, counter__isnull=False)
    found: dict[int, dict[tuple[datetime, datetime], MeterReading]] = {}
    for row in rows.order_by("revision"):
        found.setdefault(row.delivery_id, {})[row.starts_at, row.ends_at] = row
    return found


def _neighbours(
    readings: dict[tuple[datetime, datetime], MeterReading],
) -> list[tuple[MeterReading, MeterReading]]:
    in_time = [readings[interval] for interval in sorted(readings)]
    return list(pairwise(in_time))


def _fell(earlier: MeterReading, later: MeterReading, resets: Sequence[datetime]) -> bool:
    before, after = earlier.counter or Decimal(0), later.counter or Decimal(0)
    return after < before and not any(earlier.ends_at <= at <= later.ends_at for at in resets)


def _refusal(earlier: MeterReading, later: MeterReading) -> CounterWentBack:
    return CounterWentBack(field="counter", counter=later.counter, before=earlier.counter)


def _audit(action: str, reset: CounterReset, actor: Actor, reason: str = "") -> None:
    record_audit(
        action=action,
        subject=reset,
        actor=actor.user,
        organisation=actor.organisation,
        reason=reason,
    )
