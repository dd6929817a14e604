"""CSV: the exact export. UTF-8 with a byte order mark, machine names, decimals as plain text."""

import csv
import io

from settlement.exports.report import Report, cell_text

BOM = "\ufeff"


def csv_bytes(report: Report) -> bytes:
    """Return a report as CSV; the same report gives the same bytes.

    The lines after the table begin with `#` and carry the control totals and the parameters.
    """
    out = io.StringIO(newline="")
    out.write(BOM)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in report.columns])
    for row in report.rows:
        writer.writerow(
            [cell_text(cell, column) for cell, column in zip(row, report.columns, strict=True)]
        )
    for name, total in report.control_totals().items():
        writer.writerow(["#total", name, total])
    for name, value in sorted(report.parameters.items()):
        writer.writerow(["#parameter", name, value])
    return out.getvalue().encode()
