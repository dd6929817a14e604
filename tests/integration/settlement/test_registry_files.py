"""Files of registries: refused whole with line and code, taken over once."""

import pytest

from marketplace.domain.errors import NotPermitted, StateForbids
from marketplace.domain.tables import ImportRefused
from settlement.models import ImportState, Registry, RegistryImport, UnitBatch
from settlement.services.registry.importing import (
    confirm_registry_file,
    discard_registry_file,
    preview_registry_file,
)
from tests.factories.registry import holder, keeper, make_project, picture, registries

pytestmark = pytest.mark.django_db
HEAD = (
    "issuance_id,project,programme,first_serial,last_serial,units,period_start,period_end,"
    "issued_on,holder,metered_mwh"
)
FILING = "WF1234567890ABCDE"  # 17 characters


def gec(number: int, month: str = "202603") -> str:
    """Return a serial of 32 characters."""
    return f"{FILING}{month}{number:07}AB"


def line(owner: str, **changes: str) -> str:
    """Return a line of a file of green certificates."""
    cells = {
        "issuance_id": "I-1",
        "project": "GP-1",
        "programme": "WIND",
        "first_serial": gec(1),
        "last_serial": gec(500),
        "units": "500",
        "period_start": "2026-03",
        "period_end": "2026-03-31",
        "issued_on": "2026-04-20",
        "holder": owner,
        "metered_mwh": "1200",
        **changes,
    }
    return ",".join(cells.values())


@pytest.fixture
def owner(db: None):
    """A member, with the registries and a project in place."""
    registries()
    make_project(native_id="GP-1")
    make_project("CCER", native_id="CP-1")
    return holder().organisation


def preview(*lines: str, registry: str = "GEC", actor=None) -> RegistryImport:
    """Read a file of these lines."""
    return preview_registry_file(
        actor=actor or keeper(),
        registry=Registry.objects.get(code=registry),
        file_name="gec.csv",
        data="\n".join([HEAD, *lines]).encode(),
    )


def test_a_good_file_is_shown_first_and_taken_over_once(owner) -> None:
    second = line(
        owner.code, issuance_id="I-2", first_serial=gec(501), last_serial=gec(700), units="200"
    )

    file = preview(line(owner.code), second)

    assert (file.state, file.units, UnitBatch.objects.count()) == (ImportState.PREVIEWED, 700, 0)
    assert preview(line(owner.code), second) == file
    for _ in range(2):
        confirm_registry_file(actor=keeper(), public_id=file.public_id)
    batch = UnitBatch.objects.get(issuance_id="I-1")
    assert picture(batch) == [(1, 500, "held", owner.code)]
    assert batch.serial_text(7) == gec(7)
    assert UnitBatch.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"first_serial": gec(1)[:-1]}, "first_serial", "SERIAL_MALFORMED"),
        ({"first_serial": gec(1).lower()}, "first_serial", "SERIAL_MALFORMED"),
        ({"first_serial": gec(1)[:25] + "X" + gec(1)[26:]}, "first_serial", "SERIAL_MALFORMED"),
        ({"last_serial": gec(500, "202604")}, "", "SERIALS_OUT_OF_ORDER"),
        ({"units": "499"}, "", "SERIALS_OUT_OF_ORDER"),
        ({"units": "-1"}, "units", "cell_unreadable"),
        ({"project": "CP-1"}, "project", "SERIAL_FOREIGN"),
        ({"programme": "AFFORESTATION"}, "programme", "SERIAL_FOREIGN"),
        ({"period_start": "2024-10", "period_end": "2024-10-31"}, "period_start",
         "CERTIFICATE_EXPIRED"),
        ({"period_start": "2026-13"}, "period_start", "cell_unreadable"),
        ({"holder": "NOBODY"}, "holder", "holder_unknown"),
    ],
)  # fmt: skip
def test_one_bad_line_refuses_the_file_with_line_and_code(owner, changes, column, code) -> None:
    good = line(
        owner.code, issuance_id="I-0", first_serial=gec(9001), last_serial=gec(9002), units="2"
    )

    with pytest.raises(ImportRefused) as refused:
        preview(good, line(owner.code, **changes))

    assert [(row.line, row.field, row.code) for row in refused.value.rows] == [(3, column, code)]
    assert not RegistryImport.objects.exists()


def test_a_certificate_in_a_credit_file_is_foreign(owner) -> None:
    with pytest.raises(ImportRefused) as refused:
        preview(line(owner.code, project="CP-1", programme="MANGROVE"), registry="CCER")

    assert [row.code for row in refused.value.rows] == ["SERIAL_FOREIGN"]


def test_overlaps_are_refused_within_a_file_and_against_the_register(owner) -> None:
    with pytest.raises(ImportRefused) as within:
        preview(
            line(owner.code),
            line(owner.code, issuance_id="I-2", first_serial=gec(500), units="1"),
        )
    confirm_registry_file(actor=keeper(), public_id=preview(line(owner.code)).public_id)
    with pytest.raises(ImportRefused) as against:
        preview(line(owner.code, issuance_id="I-3", last_serial=gec(1), units="1"))

    assert [(r.line, r.code) for r in within.value.rows] == [(3, "SERIAL_RANGE_OVERLAP")]
    assert [(r.line, r.code) for r in against.value.rows] == [(2, "SERIAL_RANGE_OVERLAP")]


def test_a_file_whose_energy_is_spent_meanwhile_is_refused_for_good(owner) -> None:
    rival = preview(
        line(
            owner.code, issuance_id="R", first_serial=gec(5001), last_serial=gec(6000), units="1000"
        )
    )
    file = preview(line(owner.code))
    confirm_registry_file(actor=keeper(), public_id=rival.public_id)

    with pytest.raises(ImportRefused) as refused:
        confirm_registry_file(actor=keeper(), public_id=file.public_id)

    assert [(row.line, row.code) for row in refused.value.rows] == [(2, "MWH_ALREADY_CLAIMED")]
    file.refresh_from_db()
    assert (file.state, file.findings[0]["code"]) == (ImportState.REFUSED, "MWH_ALREADY_CLAIMED")
    assert UnitBatch.objects.count() == 1


def test_a_file_put_aside_is_not_taken_over(owner) -> None:
    file = discard_registry_file(actor=keeper(), public_id=preview(line(owner.code)).public_id)

    with pytest.raises(StateForbids):
        confirm_registry_file(actor=keeper(), public_id=file.public_id)


def test_members_import_nothing(owner) -> None:
    with pytest.raises(NotPermitted):
        preview(line(owner.code), actor=holder())
