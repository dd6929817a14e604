"""Finished files: the one place that knows formats, file names and manifests."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.db.models import Max
from django.utils import timezone

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.models import Organisation
from marketplace.selectors.snapshot import one_snapshot
from settlement.exports.csv import csv_bytes
from settlement.exports.market_reports import register_report, summary_report, trial_balance_report
from settlement.exports.report import ExportFile, Report
from settlement.exports.statement import statement_reports
from settlement.exports.xlsx import xlsx_bytes
from settlement.models import JournalEntry
from settlement.selectors.settlement_summary import SummaryBy

FORMATS = ("csv", "xlsx")
_CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class FormatUnknown(RuleBroken):
    """There is no such file format."""

    code = "format_unknown"
    message = gettext_noop("There is no such file format.")


class SpanInvalid(RuleBroken):
    """The last day lies before the first."""

    code = "span_invalid"
    message = gettext_noop("The last day must not be before the first.")


def export_statement(
    organisation: Organisation, starts_on: date, ends_on: date, *, file_format: str, part: str = ""
) -> ExportFile:
    """Return a member's statement; a CSV file holds one part: `statement` (default) or `holds`.

    Raises:
        StatementDoesNotTie: it does not agree with the ledger.
        FormatUnknown, SpanInvalid: wrong arguments.
    """
    suffix = f"{organisation.code}-{_days(starts_on, ends_on)}"

    def build() -> list[Report]:
        reports = statement_reports(organisation, starts_on, ends_on)
        wanted = part or "statement"
        return [r for r in reports if file_format == "xlsx" or r.name == wanted]

    return _export(build, file_format, suffix, (starts_on, ends_on))


def export_summary(
    starts_on: date, ends_on: date, *, by: SummaryBy | str, file_format: str
) -> ExportFile:
    """Return the settlement summary (结算汇总), by period, member, product or auction.

    Raises:
        SummaryDoesNotTie: the totals differ from the ledger.
        FormatUnknown, SpanInvalid: wrong arguments.
    """
    return _export(
        lambda: [summary_report(starts_on, ends_on, by=by)],
        file_format,
        _days(starts_on, ends_on),
        (starts_on, ends_on),
    )


def export_trial_balance(starts_on: date, ends_on: date, *, file_format: str) -> ExportFile:
    """Return the trial balance; raises FormatUnknown, SpanInvalid."""
    return _export(
        lambda: [trial_balance_report(starts_on, ends_on)],
        file_format,
        _days(starts_on, ends_on),
        (starts_on, ends_on),
    )


def export_register(starts_on: date, ends_on: date, *, file_format: str) -> ExportFile:
    """Return the register of bills; raises FormatUnknown, SpanInvalid."""
    return _export(
        lambda: [register_report(starts_on, ends_on)],
        file_format,
        _days(starts_on, ends_on),
        (starts_on, ends_on),
    )


def _export(
    build: Callable[[], list[Report]], file_format: str, suffix: str, span: tuple[date, date]
) -> ExportFile:
    if file_format not in FORMATS:
        raise FormatUnknown(field="format")
    if span[1] < span[0]:
        raise SpanInvalid(field="to")
    with one_snapshot():
        reports = build()
        cut = JournalEntry.objects.aggregate(last=Max("id"))["last"] or 0
    content = csv_bytes(reports[0]) if file_format == "csv" else xlsx_bytes(reports)
    return ExportFile(
        filename=f"{reports[0].name}-{suffix}.{file_format}",
        content_type=_CONTENT_TYPES[file_format],
        content=content,
        manifest=_manifest(reports, content, cut),
    )


def _manifest(reports: Sequence[Report], content: bytes, cut: int) -> dict[str, Any]:
    """Describe the file, for whoever checks it later; the file itself repeats byte for byte."""
    return {
        "reports": {r.name: r.control_totals() for r in reports},
        "parameters": reports[0].parameters,
        "last_journal_entry": cut,
        "generated_at": timezone.now().isoformat(timespec="seconds"),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _days(starts_on: date, ends_on: date) -> str:
    return f"{starts_on:%Y%m%d}-{ends_on:%Y%m%d}"
