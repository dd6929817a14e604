"""Blocks of international credits: one check and one way in, whatever file they come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.domain.tables import Row, RowError
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.checks import Missing, check_text
from settlement.domain.carbon.errors import SerialAlreadyRetired, SerialRangeOverlap
from settlement.domain.registry.cross_registry import CreditedSpan
from settlement.domain.registry.serial_texts import SerialRun
from settlement.models import (
    AdjustmentClaim,
    BatchOrigin,
    Project,
    Registry,
    RegistryImport,
    UnitBatch,
)
from settlement.selectors.registry.doubles import warnings_about
from settlement.services.registry.holdings import BatchFacts, hold_units
from settlement.services.registry.import_rows import (
    CellUnreadable,
    HolderUnknown,
    Reference,
    issued_before,
    known_thing,
    runs_overlap,
)
from settlement.services.registry.import_table import FILE_SOURCE

_RETIRED = ("retired", "cancelled")


class AlreadyHeld(RuleBroken):
    """The register's units are in this market already."""

    code = "ALREADY_HELD"
    message = gettext_noop("Units of this block are held in this market already: %(id)s.")
    status = 409


class UnitExpired(RuleBroken):
    """The units' last valid day is past, or their register says that they expired."""

    code = "UNIT_EXPIRED"
    message = gettext_noop("The units of this block are no longer valid.")


class UnitNotActive(RuleBroken):
    """The register says that the units are not their owner's to use."""

    code = "UNIT_NOT_ACTIVE"
    message = gettext_noop("The units of this block are not active in their registry: %(status)s.")


@dataclass(frozen=True)
class CreditBlock:
    """A block of units as a file says it is.

    Attributes:
        native_serial: the block as its registry writes it.
        issuance_id: names the block.
        run: its units.
        project: the registry's id of the project.
        project_name: name of a project that is new here.
        country: host country, two letters.
        sector: sectoral scope.
        programme: the methodology.
        starts_on: first day of the vintage.
        ends_on: its last day.
        issued_on: day of issue.
        holder: the member's code.
        adjustment: what is said of the corresponding adjustment.
        status: state in the home registry, in small letters; empty means held.
        expires_on: last valid day, where there is one.
        has_additional_certification: whether another standard was met as well.
    """

    native_serial: str
    issuance_id: str
    run: SerialRun
    project: str
    project_name: str
    country: str
    sector: int
    programme: str
    starts_on: date
    ends_on: date
    issued_on: date
    holder: str
    adjustment: AdjustmentClaim = AdjustmentClaim.UNKNOWN
    status: str = ""
    expires_on: date | None = None
    has_additional_certification: bool = False


def check_blocks(
    reference: Reference, rows: Sequence[Row], read: Callable[[Row], CreditBlock]
) -> tuple[int, list[RowError], list[dict[str, str]]]:
    """Return the units of a file, every line that is wrong, and possible doubles elsewhere."""
    registry = reference.registry
    errors: list[RowError] = []
    blocks: list[tuple[int, CreditBlock]] = []
    for row in rows:
        try:
            block = read(row)
            _check_block(block, reference)
        except RuleBroken as refusal:
            errors.append(RowError.of(row.line, refusal))
            continue
        blocks.append((row.line, block))
    errors.extend(_overlaps(registry, blocks))
    spans = [_span(registry, block) for _line, block in blocks]
    return sum(block.run.units for _, block in blocks), errors, warnings_about(registry, spans)


def take_over(
    actor: Actor, file: RegistryImport, block: CreditBlock, reference: Reference
) -> UnitBatch:
    """Record a block with its project and origin; raises the rule that forbids it."""
    holder = _check_block(block, reference)
    batch = hold_units(
        actor=actor,
        facts=BatchFacts(
            registry=reference.registry,
            programme=known_thing(reference.programmes, block.programme, "programme", reference),
            project=_project(block, reference),
            issuance_id=block.issuance_id,
            run=block.run,
            starts_on=block.starts_on,
            ends_on=block.ends_on,
            issued_on=block.issued_on,
        ),
        holder=holder,
        source_type=FILE_SOURCE,
        source_id=str(file.public_id),
    )
    BatchOrigin.objects.create(
        batch=batch,
        native_serial=block.native_serial,
        country=block.country,
        sector=block.sector,
        adjustment=block.adjustment,
        has_additional_certification=block.has_additional_certification,
    )
    return batch


def adjustment_named(text: str) -> AdjustmentClaim:
    """Return what a file says of the adjustment; nothing said is not stated."""
    try:
        return AdjustmentClaim(text or AdjustmentClaim.UNKNOWN)
    except ValueError:
        raise CellUnreadable(field="adjustment", value=text) from None


def _check_block(block: CreditBlock, reference: Reference) -> Organisation:
    """Return the holder of a block that may come in."""
    known_thing(reference.programmes, block.programme, "programme", reference)
    holder = reference.holders.get(block.holder)
    if holder is None:
        raise HolderUnknown(field="holder", member=block.holder)
    known = reference.projects.get(block.project)
    if known is None:
        check_text(block.project, field="project", max_length=64, required=True)
        if not block.project_name:
            raise Missing(field="project_name")
        check_text(block.project_name, field="project_name", max_length=120)
    if block.ends_on < block.starts_on:
        raise CellUnreadable(field="period_end", value=block.ends_on.isoformat())
    is_over = block.expires_on is not None and block.expires_on < market_date(market_now())
    if is_over or block.status == "expired":
        raise UnitExpired(field="expires_on")
    if block.status in _RETIRED:
        raise SerialAlreadyRetired(field="status", first=block.run.first, last=block.run.last)
    if block.status not in {"", "held"}:
        raise UnitNotActive(field="status", status=block.status)
    return holder


def _project(block: CreditBlock, reference: Reference) -> Project:
    """Return the project of a block; a new one is recorded, and known to the file's next lines."""
    known = reference.projects.get(block.project)
    if known is None:
        known = reference.projects[block.project] = Project.objects.create(
            registry=reference.registry,
            native_id=block.project,
            name_zh=block.project_name,
            name_en=block.project_name,
            province="",
            technology="",
            country=block.country,
            sector=block.sector,
        )
    return known


def _overlaps(registry: Registry, blocks: Sequence[tuple[int, CreditBlock]]) -> list[RowError]:
    """Return an error for each line whose units another line or an earlier batch has."""
    errors: list[RowError] = []
    seen: list[SerialRun] = []
    for line, block in blocks:
        if any(runs_overlap(block.run, other) for other in seen):
            errors.append(RowError.of(line, SerialRangeOverlap(field="serial")))
        held = issued_before(registry, block.run)
        if held is not None:
            errors.append(RowError.of(line, AlreadyHeld(field="serial", id=held.issuance_id)))
        seen.append(block.run)
    return errors


def _span(registry: Registry, block: CreditBlock) -> CreditedSpan:
    return CreditedSpan(
        registry.code, block.project, block.sector, block.country, block.starts_on, block.ends_on
    )
