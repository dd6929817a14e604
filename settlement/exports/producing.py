"""From a kind of report and its parameters to a checked report, and from there to a file."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.utils.translation import override

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.permissions import Actor
from marketplace.selectors.snapshot import one_snapshot
from settlement.exports.catalogue import REPORTS
from settlement.exports.csv import Progress, write_csv
from settlement.exports.json_file import write_json
from settlement.exports.kinds import ReportKind
from settlement.exports.parameters import Values, read_values
from settlement.exports.report import Report
from settlement.exports.report_pdf import write_pdf
from settlement.exports.xlsx import write_xlsx
from settlement.selectors.reports.cut import sealing_block

FORMATS = ("csv", "xlsx", "pdf", "json")
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "json": "application/json",
}
# More rows than this are written by a worker in the background.
MOST_AT_ONCE = {"csv": 20_000, "xlsx": 20_000, "json": 20_000, "pdf": 400}


class FormatUnknown(RuleBroken):
    """There is no such file format."""

    code = "format_unknown"
    message = gettext_noop("There is no such file format.")


@dataclass(frozen=True)
class Asked:
    """A report as somebody asked for it.

    Attributes:
        kind: of report.
        values: its parameters.
        report: checked against the ledger.
    """

    kind: ReportKind
    values: Values
    report: Report

    @property
    def filename(self) -> str:
        """Return the name of a file of it, without ending."""
        words = [self.report.name, *(v for v in self.values.raw.values() if v)]
        return "-".join(words).replace("/", "-").replace(" ", "-")[:120]


def kind_for(actor: Actor, code: str) -> ReportKind:
    """Return a kind of report that the actor may read.

    Raises:
        NotFound: there is none of this code.
        NotPermitted: the actor may not read it.
    """
    kind = next((kind for kind in REPORTS if kind.code == code), None)
    if kind is None:
        raise NotFound
    if not kind.permission(actor):
        raise NotPermitted
    return kind


def kinds_for(actor: Actor) -> list[ReportKind]:
    """Return the kinds of report that the actor may read, in the order of the catalogue."""
    return [kind for kind in REPORTS if kind.permission(actor)]


@contextmanager
def asked_report(actor: Actor, kind: ReportKind, given: Mapping[str, str]) -> Iterator[Asked]:
    """Give a checked report; its rows are read while the block lasts, in one snapshot.

    Raises:
        RuleBroken: a parameter is wrong; with the field.
        ReportDoesNotTie: the ledger does not confirm it.
    """
    with one_snapshot():
        values = read_values(kind.parameters, given, own=kind.own_organisation(actor))
        report = kind.build(values)
        report.require_ties()
        yield Asked(kind, values, replace(report, facts=_facts(kind, values)))


def write_report(
    report: Report, file_format: str, out: BinaryIO, *, progress: Progress | None = None
) -> None:
    """Write a report in one of `FORMATS`.

    Raises:
        FormatUnknown: there is no such format.
        PdfUnavailable: Pango is missing.
    """
    if file_format == "csv":
        write_csv(report, out, progress=progress)
    elif file_format == "xlsx":
        write_xlsx([report], out, progress=progress)
    elif file_format == "json":
        write_json(report, out, progress=progress)
    elif file_format == "pdf":
        write_pdf(report, out, progress=progress)
    else:
        raise FormatUnknown(field="format")


def manifest_of(
    asked: Asked, *, sha256: str, size: int, file_format: str, actor: Actor, now: datetime
) -> dict[str, Any]:
    """Describe a file for whoever checks it; unlike the file it says who made it, and when."""
    block = sealing_block(asked.values.cut)
    with override("en"):
        title = str(asked.kind.title)
    return {
        "report": asked.kind.code,
        "title": title,
        "format": file_format,
        "parameters": dict(asked.values.raw),
        "facts": asked.report.facts,
        "control_totals": asked.report.control_totals(),
        "ties": {tie.name: format(tie.difference, "f") for tie in asked.report.ties},
        "sealed_by_block": block.number if block else None,
        "block_hash": block.block_hash if block else None,
        "generated_by": actor.user.email,
        "generated_at": now.isoformat(timespec="seconds"),
        "size_bytes": size,
        "sha256": sha256,
    }


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _facts(kind: ReportKind, values: Values) -> dict[str, str]:
    with override("en"):
        axis = str(kind.axis)
    return {
        "report": kind.code,
        "axis": axis,
        "zone": "Asia/Shanghai",
        "cut": str(values.cut),
        "code_version": settings.CODE_VERSION,
    }
