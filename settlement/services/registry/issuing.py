"""Taking over what a registry issued: a batch, its serials with the holder, the entry."""

from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import NumericRange

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from settlement.domain.carbon.certificates import last_valid_day
from settlement.domain.carbon.errors import (
    CertificateExpired,
    InstrumentNotEligible,
    MwhAlreadyClaimed,
    SerialRangeOverlap,
)
from settlement.domain.registry.blocks import UnitBlock
from settlement.domain.registry.serial_texts import SerialForeign, SerialRun
from settlement.models import (
    BatchKind,
    CcerState,
    InstrumentType,
    MovementKind,
    Programme,
    Project,
    ProjectMonth,
    Registry,
    UnitBatch,
    UnitMovement,
    UnitState,
)
from settlement.selectors.registry.energy import issued_and_alive, unsold_held
from settlement.services.locks import lock_project_energy
from settlement.services.registry.access import admitted, require_keeper
from settlement.services.registry.movements import Business, Step, move_units

_SAME_ID = "23505"  # the database found the id of the issue a second time
_KIND: dict[str, BatchKind] = {
    InstrumentType.ENERGY_ATTRIBUTE: BatchKind.CERTIFICATE,
    InstrumentType.SINK_REMOVAL: BatchKind.CREDIT,
    InstrumentType.REDUCTION: BatchKind.CREDIT,
    InstrumentType.AVOIDANCE: BatchKind.CREDIT,
}


class MeteredEnergyMissing(RuleBroken):
    """Certificates of a project's month need its metered energy."""

    code = "metered_energy_missing"
    message = gettext_noop("Give the metered energy of the project's month in MWh.")


class MeteredEnergyDiffers(RuleBroken):
    """Another figure stands for the metered energy of that month."""

    code = "metered_energy_differs"
    message = gettext_noop("The metered energy of this month is recorded as %(mwh)s MWh.")


class IssuanceKnown(RuleBroken):
    """The registry's issue was taken over before."""

    code = "issuance_known"
    message = gettext_noop("The issue %(id)s was taken over before.")
    status = 409


@dataclass(frozen=True)
class BatchFacts:
    """What a registry says about a batch.

    Attributes:
        registry: where it is kept.
        programme: the methodology; of the same registry.
        project: the plant or sink.
        issuance_id: the registry's id of the issue.
        run: the serials.
        starts_on: first day of production or of the crediting period.
        ends_on: its last day.
        issued_on: day of issue.
        class_codes: energy and trade class, as printed.
        metered_mwh: metered energy of the project's month; certificates only.
    """

    registry: Registry
    programme: Programme
    project: Project
    issuance_id: str
    run: SerialRun
    starts_on: date
    ends_on: date
    issued_on: date
    class_codes: str = ""
    metered_mwh: int | None = None


@transaction.atomic
def hold_units(
    *,
    actor: Actor,
    facts: BatchFacts,
    holder: Organisation | None,
    source_type: str = "issue",
    source_id: str = "",
) -> UnitBatch:
    """Record a batch and put its units with their holder.

    Certificates of a month for which a CCER project is registered are frozen at once (R20).

    Raises:
        NotPermitted, NotFound, SerialForeign, InstrumentNotEligible: as named.
        SerialRangeOverlap: the registry issued one of the serials before.
        IssuanceKnown: the registry's issue was taken over before.
        CertificateExpired: the last valid day is past.
        MeteredEnergyMissing, MeteredEnergyDiffers, MwhAlreadyClaimed: R20.
    """
    require_keeper(actor)
    owner = admitted(holder, field="holder")
    lock_project_energy(facts.project.pk)
    return issue_batch(
        actor=actor, facts=facts, owner=owner, source_type=source_type, source_id=source_id
    )


def issue_batch(
    *, actor: Actor, facts: BatchFacts, owner: Organisation, source_type: str, source_id: str
) -> UnitBatch:
    """Record a batch; the caller holds the lock of the project's energy. Raises as `hold_units`."""
    kind = _kind(facts)
    expires_on = last_valid_day(facts.starts_on) if kind == BatchKind.CERTIFICATE else None
    if expires_on is not None and market_date(market_now()) > expires_on:
        raise CertificateExpired(last_valid_day=expires_on.isoformat())
    if kind == BatchKind.CERTIFICATE:
        _check_energy(facts)
    batch = _create(facts, kind, owner, expires_on)
    business = Business(source_type, source_id or batch.issuance_id, actor.user)
    block = UnitBlock(batch.pk, batch.first_serial, batch.last_serial)
    move_units(
        kind=MovementKind.ISSUE,
        registry=facts.registry,
        steps=[Step(block, UnitState.ISSUED, UnitState.HELD, owner)],
        business=business,
    )
    if kind == BatchKind.CERTIFICATE and _is_credited(facts.project, facts.starts_on):
        freeze_blocks([block], registry=facts.registry, business=business, owner=owner)
    record_audit(
        action="units.issued",
        subject=batch,
        actor=actor.user,
        organisation=owner,
        after={"units": batch.units, "registry": facts.registry.code, "id": batch.issuance_id},
    )
    return batch


def freeze_blocks(
    blocks: list[UnitBlock], *, registry: Registry, business: Business, owner: Organisation
) -> UnitMovement:
    """Freeze units that their first holder still has."""
    return move_units(
        kind=MovementKind.FREEZE,
        registry=registry,
        steps=[Step(block, UnitState.HELD, UnitState.FROZEN, owner) for block in blocks],
        business=business,
    )


def freeze_unsold(project: Project, *, days: object, business: Business) -> int:
    """Freeze unsold certificates of a project's crediting period; return how many units."""
    frozen = 0
    for (registry, owner), blocks in unsold_held(project, days).items():
        freeze_blocks(blocks, registry=registry, business=business, owner=owner)
        frozen += sum(block.units for block in blocks)
    return frozen


def _kind(facts: BatchFacts) -> BatchKind:
    if facts.programme.registry_id != facts.registry.pk:
        raise SerialForeign(name=facts.programme.code, registry=facts.registry.code)
    kind = _KIND.get(facts.programme.instrument_type)
    if kind is None:
        raise InstrumentNotEligible(field="programme")
    return kind


def _is_credited(project: Project, day: date) -> bool:
    # Asked of the database: the caller may have read the project before it was registered.
    registered = Project.objects.filter(pk=project.pk).exclude(ccer_state=CcerState.NONE)
    return registered.filter(crediting_periods__days__contains=day).exists()


def _check_energy(facts: BatchFacts) -> None:
    """Refuse more certificates than the month's metered energy leaves (R20)."""
    month = facts.starts_on.replace(day=1)
    known = ProjectMonth.objects.filter(project=facts.project, month=month).first()
    if known is None:
        if facts.metered_mwh is None:
            raise MeteredEnergyMissing(field="metered_mwh")
        known = ProjectMonth.objects.create(
            project=facts.project, month=month, metered_mwh=facts.metered_mwh
        )
    elif facts.metered_mwh not in (None, known.metered_mwh):
        raise MeteredEnergyDiffers(field="metered_mwh", mwh=known.metered_mwh)
    alive = issued_and_alive(facts.project, month)
    free = known.metered_mwh - known.credited_mwh - alive
    if facts.run.units > free:
        raise MwhAlreadyClaimed(asked=facts.run.units, free_mwh=free)


def _create(
    facts: BatchFacts, kind: BatchKind, owner: Organisation, expires_on: date | None
) -> UnitBatch:
    run = facts.run
    try:
        with transaction.atomic():
            return UnitBatch.objects.create(
                kind=kind,
                registry=facts.registry,
                programme=facts.programme,
                project=facts.project,
                issuance_id=facts.issuance_id,
                vintage_year=facts.ends_on.year,
                starts_on=facts.starts_on,
                ends_on=facts.ends_on,
                serials=NumericRange(run.first, run.last + 1),
                serial_prefix=run.prefix,
                serial_digits=run.digits,
                serial_suffix=run.suffix,
                class_codes=facts.class_codes,
                issued_to=owner,
                issued_on=facts.issued_on,
                expires_on=expires_on,
            )
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if getattr(diagnosis, "sqlstate", None) == _SAME_ID:
            raise IssuanceKnown(field="issuance_id", id=facts.issuance_id) from error
        raise SerialRangeOverlap(id=facts.issuance_id) from error
