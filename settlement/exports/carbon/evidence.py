"""The evidence file of a carbon statement: its hours, with pinned versions and the hash."""

import hashlib
import io
from decimal import Decimal

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from marketplace.domain.errors import NotFound
from settlement.exports.csv import write_csv
from settlement.exports.json_file import write_json
from settlement.exports.report import Cell, Column, ColumnKind, ExportFile, Report
from settlement.exports.report_pdf import write_pdf
from settlement.exports.xlsx import write_xlsx
from settlement.models import EmissionStatement
from settlement.selectors.carbon.effectiveness import (
    Effectiveness,
    UnitIntensity,
    effectiveness_of,
)
from settlement.selectors.carbon.statements import hours_by_delivery, lines_of_statement

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "json": "application/json",
}
FORMATS = tuple(CONTENT_TYPES)
INPUTS = "inputs"

_DELIVERY = (
    Column("delivery", _("Delivery"), link="delivery"),
    Column("hub", _("Hub")),
)
_FIGURES = (
    Column("it_wh", _("IT energy, Wh"), ColumnKind.INTEGER, is_total=True),
    Column("facility_wh", _("Facility energy, Wh"), ColumnKind.INTEGER, is_total=True),
    Column("location_factor", _("Location factor, kg/kWh"), ColumnKind.DECIMAL, places=4),
    Column("location_g", _("Location-based, g"), ColumnKind.DECIMAL, places=4, is_total=True),
    Column("is_estimated", _("Estimated")),
)
_HOURS = (
    *_DELIVERY,
    Column("starts_at", _("From"), ColumnKind.INSTANT),
    Column("seconds", _("Seconds"), ColumnKind.INTEGER),
    Column("units", _("Units"), ColumnKind.DECIMAL, places=3),
    Column("pue", _("PUE"), ColumnKind.DECIMAL, places=4),
    *_FIGURES,
)


def evidence_file(statement: EmissionStatement, file_format: str) -> ExportFile:
    """Return the evidence in a format: CSV, XLSX and JSON by the hour, PDF by the delivery.

    The format `inputs` is the stored canonical document itself, whose SHA-256 the statement names.

    Raises:
        NotFound: there is no such format.
    """
    name = f"carbon-{statement.month:%Y-%m}-{statement.public_id}-v{statement.version}"
    if file_format == INPUTS:
        return _file(f"{name}-inputs.json", "application/json", statement.inputs.encode())
    if file_format not in FORMATS:
        raise NotFound
    out = io.BytesIO()
    report = evidence_report(statement, by_hour=file_format != "pdf")
    if file_format == "csv":
        write_csv(report, out)
    elif file_format == "xlsx":
        write_xlsx([report], out)
    elif file_format == "json":
        write_json(report, out)
    else:
        write_pdf(report, out)
    return _file(f"{name}.{file_format}", CONTENT_TYPES[file_format], out.getvalue())


def evidence_report(statement: EmissionStatement, *, by_hour: bool) -> Report:
    """Return the statement as a report: one row for each hour, or for each delivery."""
    rows: list[list[Cell]] = []
    effectiveness = effectiveness_of(statement)
    hours = hours_by_delivery(statement) if by_hour else {}
    for line in lines_of_statement(statement):
        head: list[Cell] = [line.delivery.allocation.number, line.hub.code]
        if not by_hour:
            figures = (line.it_wh, line.facility_wh, line.location_factor, line.location_g)
            rows.append([*head, *figures, _yes_no(line.is_estimated)])
            continue
        for hour in hours[str(line.delivery.public_id)]:
            times = (hour.starts_at, hour.seconds, hour.units, hour.pue)
            figures = (hour.it_wh, hour.facility_wh, line.location_factor, hour.location_g)
            rows.append([*head, *times, *figures, _yes_no(not hour.is_metered)])
    return Report(
        name="carbon-statement",
        title=_("Carbon statement"),
        columns=_HOURS if by_hour else (*_DELIVERY, *_FIGURES),
        rows=rows,
        parameters={
            "organisation": statement.organisation.name_zh,
            "subject": statement.subject,
            "month": f"{statement.month:%Y-%m}",
            "version": str(statement.version),
        },
        facts={**pinned_facts(statement), **effectiveness_facts(effectiveness)},
        notes=_notes(effectiveness),
    )


def pinned_facts(statement: EmissionStatement) -> dict[str, str]:
    """Return what a statement pins: results, factors, versions and the hash of its inputs."""
    return {
        "location_based_t": f"{statement.location_based_t:f}",
        "market_based_t": f"{statement.market_based_t:f}",
        "facility_wh": str(statement.facility_wh),
        "matched_wh": str(statement.matched_wh),
        "residual_wh": str(statement.residual_wh),
        "certificates": str(statement.certificates),
        "matching": statement.slot,
        "factor_year": str(statement.factor_year),
        "factor_set_version": str(statement.factor_set.version),
        "announcement": statement.announcement,
        "residual_factor": f"{statement.residual_factor:f}",
        "zone": "Asia/Shanghai",
        "code_version": statement.code_version,
        "inputs_sha256": statement.sha256,
    }


def effectiveness_facts(effectiveness: Effectiveness) -> dict[str, str]:
    """Return PUE, CUE, REF and, for each functional unit, the SCI; empty where nothing is known."""
    facts = {
        "pue": _text(effectiveness.pue),
        "cue_kg_per_kwh": _text(effectiveness.cue),
        "ref": _text(effectiveness.ref),
    }
    for row in effectiveness.intensities:
        found, unit = row.intensity, row.unit_en
        facts |= {
            f"unit_hours ({unit})": _text(found.unit_hours),
            f"embodied_g ({unit})": _text(found.embodied_g),
            f"embodied_missing_for ({unit})": "; ".join(found.missing),
            f"operational_g_per_unit_hour ({unit})": _text(found.operational_g_per_unit_hour),
            f"sci_g_per_unit_hour ({unit})": _text(found.sci_g),
        }
    return facts


def _notes(effectiveness: Effectiveness) -> list[str]:
    figures = {
        "pue": _text(effectiveness.pue) or "–",
        "cue": _text(effectiveness.cue) or "–",
        "ref": _text(effectiveness.ref) or "–",
    }
    return [
        gettext("PUE %(pue)s · CUE %(cue)s kg/kWh, location-based · REF %(ref)s") % figures,
        *map(_intensity_note, effectiveness.intensities),
    ]


def _intensity_note(row: UnitIntensity) -> str:
    found = row.intensity
    unit = row.unit_zh if (get_language() or "").startswith("zh") else row.unit_en
    if found.sci_g is None:
        figure = _text(found.operational_g_per_unit_hour) or "–"
        text = gettext(
            "%(figure)s g per %(unit)s without embodied carbon, which is not known: no SCI"
        )
        return text % {"figure": figure, "unit": unit}
    return gettext("SCI %(figure)s g per %(unit)s") % {"figure": _text(found.sci_g), "unit": unit}


def _text(figure: Decimal | None) -> str:
    return "" if figure is None else f"{figure:f}"


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"


def _file(name: str, content_type: str, content: bytes) -> ExportFile:
    digest = hashlib.sha256(content).hexdigest()
    return ExportFile(name, content_type, content, {"sha256": digest})
