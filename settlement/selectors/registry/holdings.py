"""What a member holds, retired and moved, and the life of one serial as the reader may see it."""

from dataclasses import dataclass
from datetime import date

from django.db.backends.postgresql.psycopg_any import NumericRange
from django.db.models import Q, QuerySet

from marketplace.models import Organisation
from marketplace.permissions import Actor
from settlement.models import (
    BatchKind,
    ReplacementDuty,
    Reservation,
    ReservationState,
    Retirement,
    SerialRange,
    UnitBatch,
    UnitMovementLine,
    UnitState,
)
from settlement.selectors.registry.explorer import UnitTotals, totals_by


@dataclass(frozen=True)
class SerialEvent:
    """A movement in the life of a serial; names are left out where they are not the reader's.

    Attributes:
        line: the line of the movement.
        from_holder: who had it, or None when the reader may not know.
        to_holder: who had it afterwards, or None when the reader may not know.
        retirement: the retirement, which registries publish.
    """

    line: UnitMovementLine
    from_holder: Organisation | None
    to_holder: Organisation | None
    retirement: Retirement | None


def reads_all_units(actor: Actor | None) -> bool:
    """Tell whether the actor reads everybody's units: the platform's people do."""
    return actor is not None and (
        actor.is_operator or actor.is_platform_finance or actor.is_platform_auditor
    )


def holdings_of(
    organisation: Organisation, *, registry: str = "", state: str = ""
) -> QuerySet[SerialRange]:
    """Return a member's ranges by registry, vintage and serial; the end states come last."""
    rows = SerialRange.objects.filter(organisation=organisation).select_related(
        "batch__registry", "batch__programme", "batch__project", "reservation"
    )
    if registry:
        rows = rows.filter(batch__registry__code=registry)
    if state:
        rows = rows.filter(state=state)
    return rows.order_by("batch__registry__code", "batch__vintage_year", "batch_id", "serials")


def totals_of(organisation: Organisation) -> dict[str, UnitTotals]:
    """Return a member's totals by code of the registry."""
    rows = SerialRange.objects.filter(organisation=organisation)
    found = totals_by("batch__registry__code", rows)
    return {str(code): totals for code, totals in sorted(found.items())}


def retirements_for(actor: Actor) -> QuerySet[Retirement]:
    """Return retirements that the actor may read in full: own, for its benefit, or all."""
    rows = Retirement.objects.select_related("registry", "organisation", "beneficiary")
    if reads_all_units(actor):
        return rows.order_by("-id")
    own = Q(organisation=actor.organisation) | Q(beneficiary=actor.organisation)
    return rows.filter(own).order_by("-id") if actor.organisation else rows.none()


def movements_of(organisation: Organisation) -> QuerySet[UnitMovementLine]:
    """Return lines of movements that a member took part in, newest first."""
    rows = UnitMovementLine.objects.filter(
        Q(from_organisation=organisation) | Q(to_organisation=organisation)
    )
    return rows.select_related(
        "movement__registry", "batch__registry", "from_organisation", "to_organisation"
    ).order_by("-id")


def open_reservations(organisation: Organisation) -> QuerySet[Reservation]:
    """Return a member's open reservations by their end."""
    rows = Reservation.objects.filter(organisation=organisation, state=ReservationState.OPEN)
    return rows.select_related("registry").order_by("expires_at", "id")


def duties_for(actor: Actor) -> QuerySet[ReplacementDuty]:
    """Return duties of replacement: of the actor's own retirements, or all."""
    rows = ReplacementDuty.objects.select_related(
        "line__retirement__organisation", "line__batch__registry", "replaced_by"
    ).order_by("state", "-id")
    if reads_all_units(actor):
        return rows
    return rows.filter(line__retirement__organisation=actor.organisation)


def expiring_soon(organisation: Organisation, *, until: date) -> int:
    """Return how many held certificates end by a day."""
    rows = SerialRange.objects.filter(
        organisation=organisation,
        state=UnitState.HELD,
        batch__kind=BatchKind.CERTIFICATE,
        batch__expires_on__lte=until,
    )
    return sum(row.units for row in rows)


def life_of_serial(batch: UnitBatch, number: int, reader: Actor | None) -> list[SerialEvent]:
    """Return what happened to a serial from issue to death, oldest first.

    States and days are public, as registries publish them; holders are named to themselves, to who
    dealt with them, and to the platform.
    """
    span = NumericRange(number, number + 1)
    lines = UnitMovementLine.objects.filter(batch=batch, serials__overlap=span).select_related(
        "movement", "from_organisation", "to_organisation"
    )
    found = list(lines.order_by("id"))
    retired = {
        retirement.movement_id: retirement
        for retirement in Retirement.objects.filter(
            movement_id__in=[line.movement_id for line in found]
        )
    }
    return [_event(line, retired.get(line.movement_id), reader) for line in found]


def _event(
    line: UnitMovementLine, retirement: Retirement | None, reader: Actor | None
) -> SerialEvent:
    own = reader.organisation if reader else None
    parties = (line.from_organisation, line.to_organisation)
    named = reads_all_units(reader) or (own is not None and own in parties)
    shown = parties if named else (None, None)
    return SerialEvent(line, shown[0], shown[1], retirement)
