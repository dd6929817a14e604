"""VCS serials, CAD Trust units and metered hours: read whole, refused whole, taken over once."""

import hashlib
import json

import pytest

from marketplace.domain.tables import ImportRefused
from settlement.domain.registry.serial_texts import SerialRun
from settlement.models import (
    Asset,
    ImportFormat,
    ImportState,
    Project,
    Registry,
    RegistryImport,
    UnitBatch,
)
from settlement.services.registry.accounts import open_registry_accounts
from settlement.services.registry.holdings import BatchFacts, hold_units
from settlement.services.registry.import_formats import ImportFormatUnfit
from settlement.services.registry.importing import batches_of, confirm_registry_file
from tests.factories.instruments import (
    HOURS_HEAD,
    VCS_HEAD,
    cad_trust,
    hours_line,
    read_file,
    vcs_line,
    vcs_serial,
)
from tests.factories.registry import holder, issue, keeper, make_project, picture, registries
from tests.integration.settlement.serial_rules import broken_rules

pytestmark = pytest.mark.runtime_role


@pytest.fixture
def owner(transactional_db: None):
    registries()
    return holder().organisation


def vcs(*lines: str) -> RegistryImport:
    """Read a file of VCS serials."""
    text = "\n".join([VCS_HEAD, *lines])
    return read_file(text, registry="VCS", file_format=ImportFormat.VCS, actor=keeper())


def cad(document) -> RegistryImport:
    """Read a document of CAD Trust."""
    return read_file(document, registry="VCS", file_format=ImportFormat.CAD_TRUST, actor=keeper())


def take(file: RegistryImport) -> list[UnitBatch]:
    """Take a file over and return its batches."""
    return batches_of(confirm_registry_file(actor=keeper(), public_id=file.public_id))


def errors_of(call) -> list[tuple[int, str, str]]:
    with pytest.raises(ImportRefused) as refused:
        call()
    return [(row.line, row.field, row.code) for row in refused.value.rows]


def test_a_block_of_vcs_comes_in_with_its_project_and_origin(owner) -> None:
    file = vcs(vcs_line(owner), vcs_line(owner, serial=vcs_serial(300, 349)))
    assert (file.units, UnitBatch.objects.count()) == (150, 0)
    assert file.file_sha256 == hashlib.sha256(bytes(file.content)).hexdigest()

    first, _second = sorted(take(file), key=lambda batch: batch.first_serial)

    assert picture(first) == [(100, 199, "held", owner.code)]
    assert (first.vintage_year, first.issuance_id) == (2025, "9660-100-199")
    origin = first.origin
    assert (origin.country, origin.sector, origin.adjustment) == ("CN", 1, "committed")
    assert (origin.native_serial, origin.has_additional_certification) == (vcs_serial(), True)
    assert first.serial_text(100) == "VCS-VCU-100"
    project = Project.objects.get(registry__code="VCS")
    assert (project.native_id, project.country, project.sector) == ("2222", "CN", 1)
    assert broken_rules() == []


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"serial": vcs_serial() + "1"}, "serial", "SERIAL_MALFORMED"),
        ({"serial": "VU-ITMO-11-356-2022-0-27-35"}, "serial", "SERIAL_FOREIGN"),
        ({"serial": vcs_serial(199, 150)}, "serial", "SERIALS_OUT_OF_ORDER"),
        ({"serial": vcs_serial(590, 600)}, "serial", "SERIAL_RANGE_OVERLAP"),
        ({"programme": "WIND"}, "programme", "SERIAL_FOREIGN"),
        ({"expires_on": "2026-11-21"}, "expires_on", "UNIT_EXPIRED"),
        ({"status": "Retired"}, "status", "SERIAL_ALREADY_RETIRED"),
        ({"status": "Buffer"}, "status", "UNIT_NOT_ACTIVE"),
        ({"adjustment": "perhaps"}, "adjustment", "cell_unreadable"),
        ({"issued_on": "yesterday"}, "issued_on", "cell_unreadable"),
        ({"project_name": ""}, "project_name", "missing"),
        ({"holder": "NOBODY"}, "holder", "holder_unknown"),
    ],
)
def test_one_bad_block_refuses_the_file_with_line_and_code(owner, changes, field, code) -> None:
    good = vcs_line(owner, serial=vcs_serial(500, 599))

    assert errors_of(lambda: vcs(good, vcs_line(owner, **changes))) == [(3, field, code)]
    assert not RegistryImport.objects.exists()


def test_units_that_are_here_are_not_taken_again_under_another_batch(owner) -> None:
    take(vcs(vcs_line(owner)))
    again = vcs_serial(150, 160).replace("9660-", "9999-")

    found = errors_of(lambda: vcs(vcs_line(owner, serial=again)))

    assert found == [(2, "serial", "ALREADY_HELD")]


def test_a_file_overtaken_before_its_second_word_is_refused_for_good(owner) -> None:
    late = vcs(vcs_line(owner, serial=vcs_serial(150, 250)))
    take(vcs(vcs_line(owner)))

    found = errors_of(lambda: take(late))

    late.refresh_from_db()
    assert found == [(2, "serial", "ALREADY_HELD")]
    assert (late.state, late.findings[0]["code"]) == (ImportState.REFUSED, "ALREADY_HELD")


def test_units_of_cad_trust_come_in_as_their_registry_has_them(owner) -> None:
    (batch,) = take(cad(cad_trust(owner)))

    assert picture(batch) == [(100, 199, "held", owner.code)]
    assert (batch.programme.code, batch.origin.adjustment) == ("ACM0002", "committed")
    assert errors_of(lambda: vcs(vcs_line(owner))) == [(2, "serial", "ALREADY_HELD")]


def test_units_of_cad_trust_overlap_whatever_their_blocks_are_called(owner) -> None:
    document = cad_trust(owner)
    other = {"serialNumberBlock": vcs_serial(150, 249).replace("9660-", "9999-")}
    bounds = {"unitBlockStart": "150", "unitBlockEnd": "249"}
    document["units"].append({**document["units"][0], **other, **bounds})

    assert errors_of(lambda: cad(document)) == [(2, "serial", "SERIAL_RANGE_OVERLAP")]
    take(cad(cad_trust(owner)))
    again = cad_trust(owner, **other, **bounds)
    assert errors_of(lambda: cad(again)) == [(1, "serial", "ALREADY_HELD")]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"unitCount": 99}, "unitCount", "SERIALS_OUT_OF_ORDER"),
        ({"unitBlockEnd": "198"}, "unitBlockStart", "SERIALS_OUT_OF_ORDER"),
        ({"unitBlockStart": "99"}, "unitBlockStart", "SERIALS_OUT_OF_ORDER"),
        ({"unitBlockStart": "１００"}, "unitBlockStart", "SERIAL_MALFORMED"),
        ({"serialNumberBlock": "GS1-1-CN-GS12"}, "serial", "SERIAL_FOREIGN"),
        ({"vintageYear": 2024}, "vintageYear", "cell_unreadable"),
        ({"unitStatus": "Expired"}, "expires_on", "UNIT_EXPIRED"),
        ({"unitStatus": "Cancelled"}, "status", "SERIAL_ALREADY_RETIRED"),
        ({"unitStatus": "Pending Export"}, "status", "UNIT_NOT_ACTIVE"),
        ({"issuanceId": "nowhere"}, "projectId", "missing"),
        ({"unitOwner": None}, "unitOwner", "missing"),
    ],
)
def test_one_bad_unit_refuses_the_document(owner, changes, field, code) -> None:
    assert errors_of(lambda: cad(cad_trust(owner, **changes))) == [(1, field, code)]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"currentRegistry": "Gold Standard"}, "currentRegistry", "SERIAL_FOREIGN"),
        ({"sector": "Poetry"}, "sector", "cell_unreadable"),
        ({"projectLocations": [{"country": "Atlantis"}]}, "country", "cell_unreadable"),
        ({"methodology": "VCS - VM9999"}, "programme", "SERIAL_FOREIGN"),
    ],
)
def test_a_project_that_is_not_understood_refuses_the_document(owner, change, field, code) -> None:
    document = cad_trust(owner)
    document["projects"][0].update(change)

    assert errors_of(lambda: cad(document)) == [(1, field, code)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[]", "json_unreadable"),
        ("{", "json_unreadable"),
        ('{"projects": [1], "units": []}', "json_unreadable"),
        ('{"projects": [], "units": ["a"]}', "json_unreadable"),
        (json.dumps({"projects": [], "units": []}), "file_empty"),
        ("[" * 20_000, "json_unreadable"),
    ],
)
def test_what_is_no_document_is_refused_as_a_whole(owner, text, code) -> None:
    assert errors_of(lambda: cad(text)) == [(0, "", code)]


def test_a_project_of_another_registry_that_could_be_the_same_is_warned_of(owner) -> None:
    home = make_project("CCER", native_id="CCER-7", technology="onshore_wind")
    issue(owner, 10, registry="CCER", project=home)  # March 2026
    serial = vcs_serial(days="01012026-30062026")

    file = vcs(vcs_line(owner, serial=serial), vcs_line(owner, serial=vcs_serial(300, 301)))

    assert file.warnings == [
        {
            "code": "CROSS_REGISTRY_DOUBLE",
            "project": "2222",
            "registry": "CCER",
            "other": "CCER-7",
            "sector": "1",
            "country": "CN",
            "starts_on": "2026-03-01",
            "ends_on": "2026-03-31",
        }
    ]
    assert take(file)  # a warning refuses nothing


def test_a_registry_takes_only_its_own_formats(owner) -> None:
    text = "\n".join([VCS_HEAD, vcs_line(owner)])
    for registry, file_format in (
        ("CCER", ImportFormat.VCS),
        ("VCS", ImportFormat.HOURS),
        ("GC", ImportFormat.TABLE),
        ("GEC", ImportFormat.CAD_TRUST),
        ("CCER", ImportFormat.CAD_TRUST),
    ):
        with pytest.raises(ImportFormatUnfit):
            read_file(text, registry=registry, file_format=file_format, actor=keeper())


def test_metered_hours_become_certificates_of_the_hour(owner) -> None:
    parent = issue(owner, 2)
    lines = [
        hours_line(parent, owner, energy_wh="1100000"),
        hours_line(parent, owner, device="INV-02", energy_wh="900000"),
    ]
    file = _hours(*lines)
    assert (file.units, UnitBatch.objects.filter(kind="granular").count()) == (2_000_000, 0)

    batches = take(file)

    assert sorted(batch.units for batch in batches) == [900_000, 1_100_000]
    assert picture(parent) == [(1, 2, "retired", owner.code)]
    assert broken_rules() == []


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({}, "starts_at", "GRANULAR_HOUR_ISSUED"),
        ({"device": "INV-02", "energy_wh": "1500001"}, "energy_wh", "GRANULAR_EXCEEDS_PARENT"),
        ({"issuance_id": "NOTHING"}, "issuance_id", "SERIAL_FOREIGN"),
        ({"starts_at": "2026-03-15T10:00:00"}, "starts_at", "cell_unreadable"),
        ({"ends_at": "2026-03-15T11:30:00+08:00"}, "starts_at", "PRODUCTION_INTERVAL_INVALID"),
        ({"energy_wh": "0"}, "energy_wh", "cell_unreadable"),
        ({"device": ""}, "device", "missing"),
        ({"holder": "NOBODY"}, "holder", "holder_unknown"),
    ],
)
def test_one_bad_hour_refuses_the_file(owner, changes, field, code) -> None:
    parent = issue(owner, 2)
    good = hours_line(parent, owner)

    assert errors_of(lambda: _hours(good, hours_line(parent, owner, **changes))) == [
        (3, field, code)
    ]


def test_hours_of_an_id_that_two_registries_use_are_refused(owner) -> None:
    parent = issue(owner, 2)
    home = Registry.objects.get(code="GEC")
    asset = Asset.objects.create(code="LGC", name_zh="地方绿证", name_en="Local", scale=0)
    home.pk, home.code, home.asset = None, "LGC", asset
    home.save()
    open_registry_accounts(home)
    programme = parent.programme
    programme.pk, programme.registry = None, home
    programme.save()
    facts = BatchFacts(
        registry=home,
        programme=programme,
        project=make_project("LGC"),
        issuance_id=parent.issuance_id,
        run=SerialRun("LGC-", "", 0, 1, 2),
        starts_on=parent.starts_on,
        ends_on=parent.ends_on,
        issued_on=parent.issued_on,
        metered_mwh=2,
    )
    good = hours_line(parent, owner)
    assert _hours(good).units == 500_000
    hold_units(actor=keeper(), facts=facts, holder=owner)

    found = errors_of(lambda: _hours(good, hours_line(parent, owner, device="INV-02")))

    assert found == [(line, "issuance_id", "SERIAL_FOREIGN") for line in (2, 3)]


def test_hours_of_certificates_that_the_holder_sold_are_refused_at_the_second_word(owner) -> None:
    parent = issue(holder().organisation, 2)

    found = errors_of(lambda: take(_hours(hours_line(parent, owner))))

    assert [(line, code) for line, _field, code in found] == [(2, "INSUFFICIENT_HELD")]


def _hours(*lines: str) -> RegistryImport:
    text = "\n".join([HOURS_HEAD, *lines])
    return read_file(text, registry="GC", file_format=ImportFormat.HOURS, actor=keeper())
