"""Units and projects of Verra's VCS register in the fields of CAD Trust, as JSON.

`{"projects": [...], "units": [...]}`: a project has its `issuances`, a unit names one of them. The
line of a refusal is the place of the unit in its list, from 1. Other registries write the fields as
well, but units are only told apart by the numbers in a serial whose form is known.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.tables import (
    MAX_BYTES,
    MAX_ROWS,
    FileEmpty,
    FileTooLarge,
    ImportRefused,
    Row,
    RowError,
    TooManyRows,
)
from marketplace.permissions import Actor
from marketplace.services.checks import Missing
from settlement.domain.registry.serial_texts import (
    SerialForeign,
    SerialMalformed,
    SerialRun,
    SerialsOutOfOrder,
)
from settlement.domain.registry.vcs_serials import LONGEST_BLOCK, VcsBlock, read_vcs_block
from settlement.domain.registry.vcs_serials import REGISTRY as VCS
from settlement.models import AdjustmentClaim, Registry, RegistryImport, UnitBatch
from settlement.services.registry.import_credits import CreditBlock, check_blocks, take_over
from settlement.services.registry.import_rows import (
    CellUnreadable,
    Reference,
    day_in,
    whole_in,
)

UNIT_FIELDS = (
    *("serialNumberBlock", "unitBlockStart", "unitBlockEnd", "unitCount", "vintageYear"),
    *("unitStatus", "unitOwner", "correspondingAdjustmentDeclaration"),
    "correspondingAdjustmentStatus",
)
PROJECT_FIELDS = ("projectId", "projectName", "currentRegistry", "sector", "methodology")
ISSUANCE_FIELDS = ("startDate", "endDate", "verificationReportDate")
FIELDS = (
    *(f"projects.{name}" for name in PROJECT_FIELDS),
    "projects.projectLocations.country",
    *(f"projects.issuances.{name}" for name in ("id", *ISSUANCE_FIELDS)),
    "units.issuanceId",
    *(f"units.{name}" for name in UNIT_FIELDS),
)
_REGISTRIES = {"verra": VCS, "verified carbon standard (vcs)": VCS}
# How the common list of sectors begins -> sectoral scope.
_SECTORS = {
    "energy industries": 1,
    "energy distribution": 2,
    "energy demand": 3,
    "manufacturing": 4,
    "chemical": 5,
    "construction": 6,
    "transport": 7,
    "mining": 8,
    "metal production": 9,
    "fugitive emissions from fuel": 10,
    "fugitive emissions from production": 11,
    "solvent": 12,
    "waste": 13,
    "afforestation": 14,
    "agriculture; forestry": 14,
    "agriculture": 15,
    "carbon capture": 16,
}
_COUNTRIES = {
    "china": "CN",
    "india": "IN",
    "indonesia": "ID",
    "brazil": "BR",
    "viet nam": "VN",
    "thailand": "TH",
    "kenya": "KE",
    "peru": "PE",
    "united states": "US",
    "united states of america": "US",
}
_LARGEST_NUMBER = 19  # digits


class JsonUnreadable(RuleBroken):
    """The file is no JSON, or not of projects and units."""

    code = "json_unreadable"
    message = gettext_noop("The file is no JSON object with lists of projects and units.")


def read_document(data: bytes) -> list[Row]:
    """Return one line of named cells for each unit.

    Raises:
        ImportRefused: the file is too large, empty, or not of this form.
    """
    if len(data) > MAX_BYTES:
        raise _refused(FileTooLarge(max_bytes=MAX_BYTES))
    try:
        document = json.loads(data.decode("utf-8-sig"))
        projects, units = document["projects"], document["units"]
        issuances = {
            str(issuance["id"]): (project, issuance)
            for project in projects
            for issuance in project.get("issuances", ())
        }
        rows = [Row(number, _cells(unit, issuances)) for number, unit in enumerate(units, 1)]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _refused(JsonUnreadable()) from None
    if not rows:
        raise _refused(FileEmpty())
    if len(rows) > MAX_ROWS:
        raise _refused(TooManyRows(max_rows=MAX_ROWS))
    return rows


def check_units(
    reference: Reference, rows: Sequence[Row]
) -> tuple[int, list[RowError], list[dict[str, str]]]:
    """Return the units of a file, every line that is wrong, and possible doubles elsewhere."""
    return check_blocks(reference, rows, lambda row: _block(row, reference.registry))


def take_block(actor: Actor, file: RegistryImport, row: Row, reference: Reference) -> UnitBatch:
    """Record the block of a unit; raises the rule that forbids it."""
    return take_over(actor, file, _block(row, reference.registry), reference)


def _refused(error: RuleBroken) -> ImportRefused:
    return ImportRefused([RowError.of(0, error)])


def _cells(
    unit: Mapping[str, Any], issuances: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> dict[str, str]:
    project, issuance = issuances.get(str(unit.get("issuanceId", "")), ({}, {}))
    locations = project.get("projectLocations") or [{}]
    return {
        **{name: _text(unit.get(name)) for name in UNIT_FIELDS},
        **{name: _text(project.get(name)) for name in PROJECT_FIELDS},
        **{name: _text(issuance.get(name)) for name in ISSUANCE_FIELDS},
        "country": _text(locations[0].get("country")),
    }


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _block(row: Row, registry: Registry) -> CreditBlock:
    cells = row.cells
    for name in ("projectId", "projectName", "serialNumberBlock", "unitOwner"):
        if not cells[name]:
            raise Missing(field=name)
    current = cells["currentRegistry"]
    if _REGISTRIES.get(current.lower(), current) != registry.code:
        raise SerialForeign(field="currentRegistry", name=current, registry=registry.code)
    block = read_vcs_block(cells["serialNumberBlock"])
    run = _run(row, block)
    starts_on, ends_on = day_in(row, "startDate"), day_in(row, "endDate")
    if cells["vintageYear"] != str(ends_on.year):
        raise CellUnreadable(field="vintageYear", value=cells["vintageYear"])
    return CreditBlock(
        native_serial=block.text,
        issuance_id=f"{cells['projectId']}-{run.first}-{run.last}"[:64],
        run=run,
        project=cells["projectId"],
        project_name=cells["projectName"],
        country=_country(cells["country"]),
        sector=_sector(cells["sector"]),
        programme=cells["methodology"].rpartition(" ")[2],
        starts_on=starts_on,
        ends_on=ends_on,
        issued_on=day_in(row, "verificationReportDate"),
        holder=cells["unitOwner"],
        adjustment=_adjustment(cells),
        status=cells["unitStatus"].lower(),
        has_additional_certification=block.has_additional_certification,
    )


def _run(row: Row, block: VcsBlock) -> SerialRun:
    """Return the units of a block, whose bounds and count the document says once more."""
    first, last = row.cells["unitBlockStart"], row.cells["unitBlockEnd"]
    for name, text in (("unitBlockStart", first), ("unitBlockEnd", last)):
        if not (text.isascii() and text.isdigit()) or len(text) > _LARGEST_NUMBER:
            raise SerialMalformed(field=name, serial=text[:LONGEST_BLOCK], registry=VCS)
    run = block.run
    if (run.first, run.last) != (int(first), int(last)):
        raise SerialsOutOfOrder(field="unitBlockStart", first=first, last=last)
    if run.units != whole_in(row, "unitCount"):
        raise SerialsOutOfOrder(field="unitCount", first=first, last=last)
    return run


def _country(text: str) -> str:
    code = _COUNTRIES.get(text.lower(), text)
    if not (len(code) == len("CN") and code.isascii() and code.isalpha() and code.isupper()):
        raise CellUnreadable(field="country", value=text)
    return code


def _sector(text: str) -> int:
    for beginning, scope in _SECTORS.items():
        if text.lower().startswith(beginning):
            return scope
    raise CellUnreadable(field="sector", value=text)


def _adjustment(cells: Mapping[str, str]) -> AdjustmentClaim:
    declared = cells["correspondingAdjustmentDeclaration"].lower()
    if cells["correspondingAdjustmentStatus"].lower() == "completed":
        return AdjustmentClaim.COMPLETED
    if declared == "committed":
        return AdjustmentClaim.COMMITTED
    return AdjustmentClaim.NOT_REQUIRED if declared == "not required" else AdjustmentClaim.UNKNOWN
