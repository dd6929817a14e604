"""Registries with projects, batches and holders, for tests of units."""

from datetime import UTC, date, datetime
from itertools import count

from django.db import transaction

from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from settlement.domain.registry.blocks import UnitBlock
from settlement.domain.registry.serial_texts import SerialRun
from settlement.models import (
    ClaimAllocation,
    Programme,
    Project,
    Registry,
    RetirementLine,
    SerialRange,
    UnitBatch,
)
from settlement.services.registry.holdings import BatchFacts, hold_units
from settlement.services.registry.seed import seed_registries
from tests.factories.marketplace import member, operator
from tests.factories.settlement import move_clock

_numbers = count(1)
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)  # noon in Shanghai
MONTH = date(2026, 3, 1)


def registries(at: datetime = NOW) -> dict[str, Registry]:
    """Seed the registries at a standing clock and return them by code."""
    move_clock(at)
    return {registry.code: registry for registry in seed_registries()}


def keeper() -> Actor:
    """Return a person of the platform who keeps the registries."""
    return operator(Role.FINANCE)


def holder(organisation: Organisation | None = None) -> Actor:
    """Return a finance person of a member."""
    return member(organisation, Role.FINANCE)


def make_project(registry: str = "GEC", **fields: object) -> Project:
    """Return a project of a registry."""
    number = next(_numbers)
    return Project.objects.create(
        **{
            "registry": Registry.objects.get(code=registry),
            "native_id": f"P{number:06}",
            "name_zh": f"示例项目{number}",
            "name_en": f"Example project {number}",
            "province": "Guangdong",
            "technology": "offshore_wind",
            **fields,
        }
    )


def last_of(month: date) -> date:
    """Return the last day of a month."""
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def issue(
    owner: Organisation,
    units: int = 100,
    *,
    registry: str = "GEC",
    programme: str = "",
    project: Project | None = None,
    month: date = MONTH,
    metered_mwh: int | None = None,
    first: int = 1,
    actor: Actor | None = None,
) -> UnitBatch:
    """Issue a batch with its units at the owner."""
    number = next(_numbers)
    home = Registry.objects.get(code=registry)
    programmes = Programme.objects.filter(registry=home)
    chosen = programmes.get(code=programme) if programme else programmes.order_by("id").first()
    is_certificate = registry == "GEC"
    run = SerialRun(f"{registry}{number:05}-", "", 7, first, first + units - 1)
    return hold_units(
        actor=actor or keeper(),
        facts=BatchFacts(
            registry=home,
            programme=chosen,
            project=project or make_project(registry),
            issuance_id=f"ISS-{number}",
            run=run,
            starts_on=month,
            ends_on=last_of(month),
            issued_on=last_of(month),
            metered_mwh=(metered_mwh or units) if is_certificate else None,
        ),
        holder=owner,
    )


def block(batch: UnitBatch, first: int | None = None, last: int | None = None) -> UnitBlock:
    """Return serials of a batch, all of them unless told."""
    return UnitBlock(
        batch.pk,
        batch.first_serial if first is None else first,
        batch.last_serial if last is None else last,
    )


def picture(batch: UnitBatch) -> list[tuple[int, int, str, str]]:
    """Return the ranges of a batch: first, last, state, holder's code."""
    rows = SerialRange.objects.filter(batch=batch).select_related("organisation")
    return [
        (row.first_serial, row.last_serial, row.state, row.organisation.code)
        for row in rows.order_by("serials")
    ]


@transaction.atomic
def allocate(line: RetirementLine, load: str, energy_wh: int) -> ClaimAllocation:
    """Count energy of a retirement's line for a load, as the closing of a statement does."""
    return ClaimAllocation.objects.create(
        line=line,
        subject_type="delivery",
        subject_id=load,
        claim_month=line.retirement.claim_month,
        energy_wh=energy_wh,
    )


def is_too_much_energy(error: object) -> bool:
    """Tell whether the database refused more energy than the certificates of a line carry."""
    diagnosis = getattr(getattr(error, "__cause__", None), "diag", None)
    return getattr(diagnosis, "sqlstate", None) == "23R08"
