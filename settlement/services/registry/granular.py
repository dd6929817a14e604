"""Issues granular certificates: a month's certificates become watt-hours of its metered hours.

Nothing is counted twice: what the hours need of the holder's certificates is used up with the
purpose `granular`, which no statement counts, and a slice with a bundle serves its bundle alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import NumericRange
from django.db.models import Sum

from marketplace.domain.errors import NotFound
from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from settlement.domain.carbon.errors import CertificateExpired, InstrumentNotEligible
from settlement.domain.registry.blocks import UnitBlock, choose_lowest
from settlement.domain.registry.granular import (
    GranularHourIssued,
    GranularOutsideParent,
    certificates_to_use_up,
    check_interval,
    check_within_parent,
)
from settlement.models import (
    BatchKind,
    GranularBundle,
    GranularSlice,
    MovementKind,
    Programme,
    Registry,
    RegistryKind,
    ReplacementDuty,
    RetirementLine,
    RetirementPurpose,
    SerialRange,
    UnitBatch,
    UnitState,
)
from settlement.selectors.registry.energy import RANGE_SIZE
from settlement.services.locks import lock_project_energy, lock_unit_batches
from settlement.services.registry.access import admitted, require_keeper
from settlement.services.registry.movements import Business, Step, move_units
from settlement.services.registry.retiring import GRANULAR_ISSUE, retire_units

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class MeteredHour:
    """Generation of a device in at most one hour, under the certificates of its month.

    Attributes:
        parent: the certificates of the month.
        device: name of the meter or generator.
        source: energy source, such as `photovoltaic`.
        starts_at: begin of production.
        ends_at: its end, in the same full hour.
        energy_wh: metered energy.
    """

    parent: UnitBatch
    device: str
    source: str
    starts_at: datetime
    ends_at: datetime
    energy_wh: int


@transaction.atomic
def issue_granular(
    *,
    actor: Actor,
    hour: MeteredHour,
    holder: Organisation | None,
    source_type: str = GRANULAR_ISSUE,
    source_id: str = "",
) -> UnitBatch:
    """Issue granular certificates for a metered hour to a holder of the month's certificates.

    Raises:
        NotPermitted, NotFound, InstrumentNotEligible: as named.
        CertificateExpired: the last valid day of the month's certificates is past.
        ProductionIntervalInvalid, GranularOutsideParent: the hour is none of the month's.
        GranularHourIssued: the device's time has certificates already.
        GranularExceedsParent: the month's certificates do not leave that much energy (INV-12).
        InsufficientHeld: the holder has too few free certificates of the month.
    """
    require_keeper(actor)
    owner = admitted(holder, field="holder")
    lock_project_energy(hour.parent.project_id)
    lock_unit_batches([hour.parent.pk])
    check_hour(hour)
    check_against_issued(hour)
    home = granular_registry()
    programme = Programme.objects.filter(registry=home, code=hour.parent.programme.code).first()
    if programme is None:
        raise InstrumentNotEligible(field="programme")
    _use_up_parent(actor, hour, owner)
    batch = _create(hour, home, programme, owner)
    move_units(
        kind=MovementKind.ISSUE,
        registry=home,
        steps=[
            Step(
                UnitBlock(batch.pk, batch.first_serial, batch.last_serial),
                UnitState.ISSUED,
                UnitState.HELD,
                owner,
            )
        ],
        business=Business(source_type, source_id or batch.issuance_id, actor.user),
    )
    record_audit(
        action="units.granular_issued",
        subject=batch,
        actor=actor.user,
        organisation=owner,
        after={
            "parent": hour.parent.issuance_id,
            "device": hour.device,
            "starts_at": hour.starts_at.isoformat(),
            "energy_wh": hour.energy_wh,
        },
    )
    return batch


def granular_registry() -> Registry:
    """Return the register of granular certificates; raises NotFound."""
    found = Registry.objects.filter(kind=RegistryKind.GRANULAR).select_related("asset").first()
    if found is None:
        raise NotFound(field="registry")
    return found


def check_hour(hour: MeteredHour) -> None:
    """Refuse an hour that is none of the month's certificates.

    Raises:
        InstrumentNotEligible: the parent holds no certificates.
        CertificateExpired: their last valid day is past, even if some were used up before.
        ProductionIntervalInvalid, GranularOutsideParent: as named.
    """
    parent = hour.parent
    if parent.kind != BatchKind.CERTIFICATE:
        raise InstrumentNotEligible(field="issuance_id", batch=parent.issuance_id)
    now = market_now()
    if parent.expires_on is not None and market_date(now) > parent.expires_on:
        raise CertificateExpired(field="issuance_id", last_valid_day=parent.expires_on.isoformat())
    check_interval(hour.starts_at, hour.ends_at, now=now)
    days = (market_date(hour.starts_at), market_date(hour.ends_at - _MOMENT))
    if not all(parent.starts_on <= day <= parent.ends_on for day in days):
        raise GranularOutsideParent(field="starts_at", parent=parent.issuance_id)


def check_against_issued(hour: MeteredHour, *, also_wh: int = 0) -> None:
    """Refuse a time of the device that is issued, or more energy than the month leaves.

    Args:
        hour: what is to be issued.
        also_wh: energy of the same month that is to be issued before.

    Raises:
        GranularHourIssued, GranularExceedsParent: as named.
    """
    bundles = GranularBundle.objects.filter(
        project=hour.parent.project_id,
        device=hour.device,
        starts_at__lt=hour.ends_at,
        ends_at__gt=hour.starts_at,
    )
    slices = GranularSlice.objects.filter(batch=hour.parent)
    same = slices.filter(device=hour.device, starts_at=hour.starts_at)
    if bundles.exists() or same.exists():
        raise GranularHourIssued(field="starts_at", device=hour.device)
    sliced = slices.aggregate(total=Sum("energy_wh"))["total"] or 0
    check_within_parent(
        hour.energy_wh,
        sliced_wh=int(sliced) + also_wh,
        parent_units=hour.parent.units,
        parent=hour.parent.issuance_id,
    )


def _use_up_parent(actor: Actor, hour: MeteredHour, owner: Organisation) -> None:
    """Retire what the hour needs of the holder's certificates beyond those used up before."""
    used, invalidated = _used_up(hour.parent, owner)
    issued_wh, withdrawn_wh = _issued_for(hour.parent, owner)
    count = max(
        certificates_to_use_up(hour.energy_wh, issued_wh=issued_wh, used_up=used),
        # Valid hours rest on valid certificates alone.
        certificates_to_use_up(
            hour.energy_wh, issued_wh=issued_wh - withdrawn_wh, used_up=used - invalidated
        ),
    )
    if not count:
        return
    held = SerialRange.objects.filter(
        batch=hour.parent, organisation=owner, state=UnitState.HELD
    ).order_by("serials")
    blocks = [UnitBlock(row.batch_id, row.first_serial, row.last_serial) for row in held]
    retire_units(
        actor=actor,
        ranges=choose_lowest(blocks, count),
        beneficiary=owner,
        purpose=RetirementPurpose.GRANULAR,
        claim_month=hour.parent.starts_on,
        source_type=GRANULAR_ISSUE,
        on_behalf_of=owner,
    )


def _used_up(parent: UnitBatch, owner: Organisation) -> tuple[int, int]:
    """Return the holder's certificates that hours used up, and how many of them are invalid."""
    lines = RetirementLine.objects.filter(
        batch=parent,
        retirement__organisation=owner,
        retirement__purpose=RetirementPurpose.GRANULAR,
    )
    used = lines.aggregate(units=Sum("units"))["units"]
    # A line may be invalid in part: its duties say how many units, met or not.
    lost = ReplacementDuty.objects.filter(line__in=lines).aggregate(units=Sum("units"))["units"]
    return int(used or 0), int(lost or 0)


def _issued_for(parent: UnitBatch, owner: Organisation) -> tuple[int, int]:
    """Return the watt-hours issued to the holder for a month, and those withdrawn of them."""
    bundles = GranularBundle.objects.filter(parent_slice__batch=parent, batch__issued_to=owner)
    issued = bundles.aggregate(wh=Sum("parent_slice__energy_wh"))["wh"]
    withdrawn = SerialRange.objects.filter(
        batch__bundle__in=bundles, state=UnitState.INVALIDATED
    ).aggregate(wh=Sum(RANGE_SIZE))["wh"]
    return int(issued or 0), int(withdrawn or 0)


def _create(
    hour: MeteredHour, home: Registry, programme: Programme, owner: Organisation
) -> UnitBatch:
    parent = hour.parent
    part = GranularSlice.objects.create(
        batch=parent,
        starts_at=hour.starts_at,
        energy_wh=hour.energy_wh,
        device=hour.device,
    )
    day = market_date(hour.starts_at)
    issuance_id = f"{home.code}-{hour.starts_at:%Y%m%dT%H%MZ}-{part.pk}"
    batch = UnitBatch.objects.create(
        kind=BatchKind.GRANULAR,
        registry=home,
        programme=programme,
        project=parent.project,
        issuance_id=issuance_id,
        vintage_year=day.year,
        starts_on=day,
        ends_on=day,
        serials=NumericRange(1, hour.energy_wh + 1),
        serial_prefix=f"{issuance_id}-",
        class_codes=parent.class_codes,
        issued_to=owner,
        issued_on=market_date(market_now()),
        expires_on=parent.expires_on,
    )
    GranularBundle.objects.create(
        batch=batch,
        parent_slice=part,
        project=parent.project,
        device=hour.device,
        source=hour.source,
        starts_at=hour.starts_at,
        ends_at=hour.ends_at,
    )
    return batch
