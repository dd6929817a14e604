"""Files of VCS, CAD Trust and metered hours with one bad line; hours cancelled for another one."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from settlement.models import UnitBatch
from tests.api.refusing import CSV, Ask, reaches
from tests.api.registry_stage import Stage
from tests.factories.instruments import (
    HOURS_HEAD,
    VCS_HEAD,
    bundle,
    cad_trust,
    hours_line,
    vcs_line,
    vcs_serial,
)
from tests.factories.settlement import move_clock

JSON = {"Content-Type": "application/json"}


def vcs_file(stage: Stage, *lines: str) -> Ask:
    """Return the request to read a file of VCS serials."""
    path = "registry-files/?registry=VCS&file_format=vcs"
    return Ask(stage.keeper, path, "\n".join([VCS_HEAD, *lines]), CSV)


def cad_file(stage: Stage, document: Any) -> Ask:
    """Return the request to read units and projects of CAD Trust."""
    path = "registry-files/?registry=VCS&file_format=cad_trust"
    return Ask(stage.keeper, path, document, JSON)


def hours_file(stage: Stage, *lines: str) -> Ask:
    """Return the request to read a file of metered hours."""
    path = "registry-files/?registry=GC&file_format=hours"
    return Ask(stage.keeper, path, "\n".join([HOURS_HEAD, *lines]), CSV)


def taken(read: Ask) -> None:
    """Take a file over that reads well."""
    made = read.send("en")
    assert made.status_code == 201, made.json()
    word = Ask(read.caller, f"registry-files/{made.json()['id']}/confirm/").send("en")
    assert word.status_code == 200, word.json()


def beside_a_good_block(**changes: str) -> Ask:
    """Return a file of VCS whose second line of two is changed."""
    stage = Stage()
    owner = stage.actor.organisation
    good = vcs_line(owner, serial=vcs_serial(500, 599))
    return vcs_file(stage, good, vcs_line(owner, **changes))


def beside_a_good_hour(**changes: str) -> Ask:
    """Return a file of hours whose second line of two is changed."""
    stage = Stage()
    owner = stage.actor.organisation
    changed = {"device": "INV-02", **changes}
    return hours_file(stage, hours_line(stage.gec, owner), hours_line(stage.gec, owner, **changed))


def with_a_bundle(ask: Callable[[Stage, UnitBatch], Ask]) -> Ask:
    """Return a request about granular certificates of a member."""
    stage = Stage()
    return ask(stage, bundle(stage.gec, stage.actor.organisation))


@reaches("SERIAL_RANGE_OVERLAP", line=3)
def a_block_that_shares_units() -> Ask:
    return beside_a_good_block(serial=vcs_serial(599, 650))


@reaches("SERIAL_MALFORMED", line=3)
def a_block_without_its_flag() -> Ask:
    return beside_a_good_block(serial=vcs_serial()[:-2])


@reaches("SERIAL_FOREIGN", line=3)
def a_block_of_another_register() -> Ask:
    return beside_a_good_block(serial="VU-ITMO-11-356-2022-0-27-35")


@reaches("ALREADY_HELD", line=2)
def units_that_are_here() -> Ask:
    stage = Stage()
    owner = stage.actor.organisation
    taken(vcs_file(stage, vcs_line(owner)))
    return vcs_file(stage, vcs_line(owner, serial=vcs_serial(150, 160)))


@reaches("ALREADY_HELD", line=1)
def units_that_are_here_from_another_file() -> Ask:
    stage = Stage()
    taken(vcs_file(stage, vcs_line(stage.actor.organisation)))
    return cad_file(stage, cad_trust(stage.actor.organisation))


@reaches("UNIT_EXPIRED", line=3)
def a_block_past_its_last_day() -> Ask:
    return beside_a_good_block(expires_on="2026-11-21")


@reaches("UNIT_NOT_ACTIVE", line=3)
def a_block_of_a_buffer() -> Ask:
    return beside_a_good_block(status="Buffer")


@reaches("UNIT_NOT_ACTIVE", line=1)
def a_unit_that_leaves_its_registry() -> Ask:
    stage = Stage()
    return cad_file(stage, cad_trust(stage.actor.organisation, unitStatus="Pending Export"))


@reaches("SERIAL_ALREADY_RETIRED", line=1)
def a_unit_that_is_used_up() -> Ask:
    stage = Stage()
    return cad_file(stage, cad_trust(stage.actor.organisation, unitStatus="Retired"))


@reaches("SERIALS_OUT_OF_ORDER", line=1)
def a_count_that_does_not_fit() -> Ask:
    stage = Stage()
    return cad_file(stage, cad_trust(stage.actor.organisation, unitCount=99))


@reaches("json_unreadable", line=0)
def a_document_of_something_else() -> Ask:
    return cad_file(Stage(), {"plants": []})


@reaches("import_format_unfit")
def serials_of_vcs_for_certificates() -> Ask:
    stage = Stage()
    path = "registry-files/?registry=GEC&file_format=vcs"
    text = "\n".join([VCS_HEAD, vcs_line(stage.actor.organisation)])
    return Ask(stage.keeper, path, text, CSV)


@reaches("GRANULAR_HOUR_ISSUED", line=3)
def the_same_device_and_hour() -> Ask:
    return beside_a_good_hour(device="INV-01")


@reaches("GRANULAR_EXCEEDS_PARENT", line=3)
def more_energy_than_the_month_has() -> Ask:
    return beside_a_good_hour(energy_wh="99500001")


@reaches("GRANULAR_OUTSIDE_PARENT", line=3)
def an_hour_of_another_month() -> Ask:
    return beside_a_good_hour(
        starts_at="2026-04-01T00:00:00+08:00", ends_at="2026-04-01T01:00:00+08:00"
    )


@reaches("CERTIFICATE_EXPIRED", line=2)
def an_hour_of_certificates_past_their_last_day() -> Ask:
    """What is left of certificates used up before serves no hour either."""
    stage = Stage()
    owner = stage.actor.organisation
    bundle(stage.gec, owner)
    move_clock(datetime(2028, 3, 1, tzinfo=UTC))
    return hours_file(stage, hours_line(stage.gec, owner, device="INV-02"))


@reaches("PRODUCTION_INTERVAL_INVALID", line=3)
def an_interval_of_two_hours() -> Ask:
    return beside_a_good_hour(ends_at="2026-03-15T12:00:00+08:00")


@reaches("PRODUCTION_HOUR_MISMATCH")
def for_another_hour() -> Ask:
    return with_a_bundle(
        lambda stage, batch: stage.retirement(batch, claim_hour="2026-03-15T03:00:00Z")
    )


@reaches("INSTRUMENT_NOT_ELIGIBLE")
def hours_for_a_months_certificates() -> Ask:
    stage = Stage()
    return stage.retirement(stage.gec, claim_hour="2026-03-15T02:00:00Z")


@reaches("INSTRUMENT_NOT_ELIGIBLE")
def certificates_used_up_for_hours_by_a_member() -> Ask:
    stage = Stage()
    return stage.retirement(stage.gec, purpose="granular")


@reaches("INSUFFICIENT_HELD", line=2)
def hours_of_certificates_that_are_sold() -> tuple[Ask, Ask]:
    stage = Stage()
    assert stage.transfer(stage.gec, 1, 100).status_code == 201
    asks = []
    for device in ("INV-08", "INV-09"):
        line = hours_line(stage.gec, stage.actor.organisation, device=device)
        made = hours_file(stage, line).send("en").json()
        asks.append(Ask(stage.keeper, f"registry-files/{made['id']}/confirm/"))
    return tuple(asks)  # type: ignore[return-value]
