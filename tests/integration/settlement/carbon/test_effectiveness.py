"""PUE, CUE, REF and SCI of a stored statement, and the same in its files."""

import csv
import io
import json
from decimal import Decimal

import openpyxl
import pytest

from marketplace.models import HardwareModel
from settlement.domain.carbon.effectiveness import WORK_PER_UNIT_HOUR
from settlement.exports.carbon.evidence import evidence_file, evidence_report
from settlement.selectors.carbon.effectiveness import effectiveness_of
from settlement.services.carbon.gathering import SubjectKey
from settlement.services.carbon.statements import issue_statement
from tests.integration.settlement.carbon.floor import MONTH, settled_day
from tests.integration.settlement.carbon.test_statements import _verify

pytestmark = pytest.mark.django_db
CARD_HOURS = 30 + 5 + 14  # contracted, read, contracted
H100 = "H100 SXM5 80GB"


@pytest.fixture
def day():
    return settled_day()


def _on(day, *names: str) -> None:
    for delivery, name in zip(day.deliveries, names, strict=True):
        pool = delivery.allocation.listing.pool
        pool.hardware = HardwareModel.objects.get_or_create(name=name)[0]
        pool.save(update_fields=["hardware"])


def _state(day, subject=None):
    subject = subject or SubjectKey.of_buyer(day.buyer)
    return issue_statement(subject=subject, month=MONTH, actor=None)


def test_a_buyers_month_on_known_hardware(day) -> None:
    _on(day, H100, H100)
    statement = _state(day)

    found = effectiveness_of(statement)

    assert (found.pue, found.cue, found.ref) == (
        Decimal("1.1851"),  # 38,906 / 32,830: rounded up by the hour
        Decimal("0.7332"),
        Decimal("0.0000"),
    )
    (row,) = found.intensities
    assert row.intensity.amount == CARD_HOURS * WORK_PER_UNIT_HOUR
    assert row.intensity.embodied_g == Decimal("229.337900")  # 49 h × 164,000 g / 35,040 h
    assert row.intensity.sci_g == Decimal("495.928")  # (24,071.1422 + 229.3379) / 49
    assert "HGX H100" in row.sources[0]
    assert "follows from its inputs" in _verify(statement)


def test_hardware_without_a_source_leaves_the_sci_out(day) -> None:
    _on(day, H100, "Card that nobody described")

    (row,) = effectiveness_of(_state(day)).intensities

    assert (row.intensity.sci_g, row.intensity.embodied_g) == (None, None)
    assert row.intensity.missing == ("Card that nobody described",)
    assert row.intensity.operational_g_per_unit_hour == Decimal("491.248")


def test_embodied_carbon_is_pinned_when_the_month_is_stated(day) -> None:
    _on(day, H100, H100)
    statement = _state(day)
    _on(day, "Another card", "Another card")

    (row,) = effectiveness_of(statement).intensities

    assert row.intensity.missing == ()
    assert json.loads(statement.inputs)["embodied"][H100]["g_per_unit"] == 164_000


def test_a_supplier_has_the_figures_of_its_data_centre(day) -> None:
    pool = day.deliveries[0].allocation.listing.pool
    found = effectiveness_of(_state(day, SubjectKey.of_pool(pool)))

    assert found.pue > 1
    assert [row.intensity.sci_g for row in found.intensities] == [None]


def test_every_file_carries_the_figures(day) -> None:
    _on(day, H100, H100)
    statement = _state(day)
    expected = {"pue": "1.1851", "cue_kg_per_kwh": "0.7332", "ref": "0.0000"}

    text = evidence_file(statement, "csv").content.decode("utf-8-sig")
    facts = {row[1]: row[2] for row in csv.reader(io.StringIO(text)) if row[0] == "#fact"}
    document = json.loads(evidence_file(statement, "json").content)
    book = openpyxl.load_workbook(io.BytesIO(evidence_file(statement, "xlsx").content))
    cells = {
        row[1]: row[2]
        for sheet in book
        for row in sheet.iter_rows(values_only=True)
        if len(row) > 2
    }
    for found in (facts, document["facts"], cells):
        assert {name: found[name] for name in expected} == expected
        (unit,) = (name for name in found if str(name).startswith("sci_g_per_unit_hour"))
        assert found[unit] == "495.928"
    notes = evidence_report(statement, by_hour=False).notes  # what the PDF prints below its table
    assert "PUE 1.1851" in notes[0]
    assert "495.928" in notes[1]
