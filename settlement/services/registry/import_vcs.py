"""Units of Verra's VCS register by their serial blocks; the block says most of what is needed."""

from collections.abc import Sequence

from marketplace.domain.tables import Row, RowError, read_upload
from marketplace.permissions import Actor
from settlement.domain.registry.vcs_serials import read_vcs_block
from settlement.models import RegistryImport, UnitBatch
from settlement.services.registry.import_credits import (
    CreditBlock,
    adjustment_named,
    check_blocks,
    take_over,
)
from settlement.services.registry.import_rows import Reference, day_in

REQUIRED = ("serial", "programme", "issued_on", "holder")
OPTIONAL = ("project_name", "adjustment", "expires_on", "status")
COLUMNS = (*REQUIRED, *OPTIONAL)
ALIASES = {
    "编号": "serial",
    "方法学": "programme",
    "签发日期": "issued_on",
    "持有人": "holder",
    "项目名称": "project_name",
    "相应调整": "adjustment",
    "有效期至": "expires_on",
    "状态": "status",
}


def read_units(data: bytes) -> list[Row]:
    """Return the lines; raises ImportRefused."""
    return read_upload(data, required=REQUIRED, optional=OPTIONAL, aliases=ALIASES)


def check_units(
    reference: Reference, rows: Sequence[Row]
) -> tuple[int, list[RowError], list[dict[str, str]]]:
    """Return the units of a file, every line that is wrong, and possible doubles elsewhere."""
    return check_blocks(reference, rows, _block)


def take_block(actor: Actor, file: RegistryImport, row: Row, reference: Reference) -> UnitBatch:
    """Record the block of a line; raises the rule that forbids it."""
    return take_over(actor, file, _block(row), reference)


def _block(row: Row) -> CreditBlock:
    cells = row.cells
    read = read_vcs_block(cells["serial"])
    return CreditBlock(
        native_serial=read.text,
        issuance_id=read.issuance_id,
        run=read.run,
        project=read.project,
        project_name=cells.get("project_name", ""),
        country=read.country,
        sector=read.sector,
        programme=cells["programme"],
        starts_on=read.starts_on,
        ends_on=read.ends_on,
        issued_on=day_in(row, "issued_on"),
        holder=cells["holder"],
        adjustment=adjustment_named(cells.get("adjustment", "")),
        status=cells.get("status", "").lower(),
        expires_on=day_in(row, "expires_on") if cells.get("expires_on") else None,
        has_additional_certification=read.has_additional_certification,
    )
