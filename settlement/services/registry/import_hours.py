"""Metered hours of plants: each line becomes granular certificates against a month's."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from marketplace.domain.errors import RuleBroken
from marketplace.domain.tables import Row, RowError, read_upload
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.services.checks import check_text
from settlement.domain.registry.granular import GranularHourIssued, hour_of
from settlement.domain.registry.serial_texts import SerialForeign
from settlement.models import BatchKind, RegistryImport, UnitBatch
from settlement.services.registry.granular import (
    MeteredHour,
    check_against_issued,
    check_hour,
    issue_granular,
)
from settlement.services.registry.import_rows import (
    CellUnreadable,
    HolderUnknown,
    Reference,
    whole_in,
)
from settlement.services.registry.import_table import FILE_SOURCE

COLUMNS = ("issuance_id", "device", "source", "starts_at", "ends_at", "energy_wh", "holder")
ALIASES = {
    "绿证批次": "issuance_id",
    "设备": "device",
    "能源": "source",
    "起始时间": "starts_at",
    "截止时间": "ends_at",
    "电量": "energy_wh",
    "持有人": "holder",
}


def read_hours(data: bytes) -> list[Row]:
    """Return the lines; raises ImportRefused."""
    return read_upload(data, required=COLUMNS, aliases=ALIASES)


def check_hours(
    reference: Reference, rows: Sequence[Row]
) -> tuple[int, list[RowError], list[dict[str, str]]]:
    """Return the watt-hours of a file and every line that is wrong."""
    errors: list[RowError] = []
    by_device: dict[tuple[int, str, datetime], list[MeteredHour]] = defaultdict(list)
    planned_wh: dict[int, int] = defaultdict(int)
    for row in rows:
        try:
            hour, _holder = _hour(row, reference)
            check_hour(hour)
            same_hour = by_device[hour.parent.project_id, hour.device, hour_of(hour.starts_at)]
            _check_beside(hour, same_hour)
            check_against_issued(hour, also_wh=planned_wh[hour.parent.pk])
        except RuleBroken as refusal:
            errors.append(RowError.of(row.line, refusal))
            continue
        same_hour.append(hour)
        planned_wh[hour.parent.pk] += hour.energy_wh
    return sum(planned_wh.values()), errors, []


def take_hour(actor: Actor, file: RegistryImport, row: Row, reference: Reference) -> UnitBatch:
    """Issue the certificates of a line; raises the rule that forbids it."""
    hour, holder = _hour(row, reference)
    return issue_granular(
        actor=actor,
        hour=hour,
        holder=holder,
        source_type=FILE_SOURCE,
        source_id=str(file.public_id),
    )


def _check_beside(hour: MeteredHour, same_hour: Sequence[MeteredHour]) -> None:
    """Refuse time that an earlier line has for the same device and full hour."""
    for other in same_hour:
        if other.starts_at < hour.ends_at and hour.starts_at < other.ends_at:
            raise GranularHourIssued(field="starts_at", device=hour.device)


def _hour(row: Row, reference: Reference) -> tuple[MeteredHour, Organisation]:
    cells = row.cells
    parent = _parent(cells["issuance_id"], reference)
    if parent is None:
        name = cells["issuance_id"]
        raise SerialForeign(field="issuance_id", name=name, registry=reference.registry.code)
    holder = reference.holders.get(cells["holder"])
    if holder is None:
        raise HolderUnknown(field="holder", member=cells["holder"])
    hour = MeteredHour(
        parent=parent,
        device=check_text(cells["device"], field="device", max_length=64, required=True),
        source=check_text(cells["source"], field="source", max_length=40, required=True),
        starts_at=_instant(row, "starts_at"),
        ends_at=_instant(row, "ends_at"),
        energy_wh=whole_in(row, "energy_wh"),
    )
    return hour, holder


def _parent(issuance_id: str, reference: Reference) -> UnitBatch | None:
    """Return the only certificates of this id, looked up once for all lines that name them.

    An id is one registry's own: where two have it, the line does not say whose month it is of.
    """
    if issuance_id not in reference.parents:
        rows = UnitBatch.objects.filter(issuance_id=issuance_id, kind=BatchKind.CERTIFICATE)
        found = rows.select_related("programme", "project")[:2]
        reference.parents[issuance_id] = found[0] if len(found) == 1 else None
    return reference.parents[issuance_id]


def _instant(row: Row, column: str) -> datetime:
    text = row.cells[column]
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CellUnreadable(field=column, value=text) from None
    if found.tzinfo is None:
        raise CellUnreadable(field=column, value=text)
    return found.astimezone(UTC)
