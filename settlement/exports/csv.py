"""CSV: the exact export. UTF-8 with a byte order mark, machine names, decimals as plain text."""

import csv
import hashlib
import io
from collections.abc import Callable
from typing import BinaryIO

from settlement.exports.report import Report, cell_text

BOM = "\ufeff"
Progress = Callable[[int], None]
_STEP = 2_000  # rows between two words about the progress


def csv_bytes(report: Report) -> bytes:
    """Return a report as CSV; the same report gives the same bytes."""
    out = io.BytesIO()
    write_csv(report, out)
    return out.getvalue()


def write_csv(report: Report, out: BinaryIO, *, progress: Progress | None = None) -> None:
    """Write a report as CSV, row by row; the same report gives the same bytes.

    The lines after the table begin with `#`: control totals, parameters, ties to the ledger, where
    the figures come from and, of a report that says so, the SHA-256 of all bytes before that line.

    Args:
        report: what to write.
        out: a binary file, written from its start.
        progress: told the number of rows written so far, now and then.
    """
    digest = _Hashed(out)
    text = io.TextIOWrapper(digest, encoding="utf-8", newline="", write_through=False)  # type: ignore[type-var]
    text.write(BOM)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in report.columns])
    pairs = list(report.columns)
    for number, row in enumerate(report.rows, 1):
        writer.writerow([cell_text(cell, pair) for cell, pair in zip(row, pairs, strict=True)])
        if progress is not None and number % _STEP == 0:
            progress(number)
    writer.writerows(_tail(report))
    text.flush()
    if report.facts:
        writer.writerow(["#sha256", digest.hexdigest()])
        text.flush()
    text.detach()


def _tail(report: Report) -> list[list[str]]:
    return [
        *(["#total", name, total] for name, total in report.control_totals().items()),
        *(["#parameter", name, value] for name, value in sorted(report.parameters.items())),
        *(
            ["#tie", t.name, *(format(f, "f") for f in (t.reported, t.booked, t.difference))]
            for t in report.ties
        ),
        *(["#fact", name, value] for name, value in report.facts.items()),
    ]


class _Hashed(io.RawIOBase):
    """Passes bytes on and keeps their hash."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._digest.update(data)
        self._out.write(data)
        return len(data)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()
