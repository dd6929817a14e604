"""Files of registries read what their lines share once, however many lines there are."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.models import Organisation
from settlement.models import ImportFormat, RegistryImport
from settlement.services.registry.importing import confirm_registry_file
from tests.factories.instruments import (
    HOURS_HEAD,
    VCS_HEAD,
    hours_line,
    read_file,
    vcs_line,
    vcs_serial,
)
from tests.factories.registry import holder, issue, keeper, make_project, registries
from tests.integration.settlement.test_registry_files import HEAD, gec
from tests.integration.settlement.test_registry_files import line as table_line

pytestmark = pytest.mark.django_db
FEW, MANY = 2, 20
HOUR = timedelta(hours=1)
Read = Callable[[int, int], RegistryImport]


@pytest.fixture
def owner(db: None) -> Organisation:
    """A member, with the registries in place."""
    registries()
    return holder().organisation


def _table(owner: Organisation) -> Read:
    make_project(native_id="GP-1")
    person = keeper()

    def read(start: int, count: int) -> RegistryImport:
        lines = [
            table_line(
                owner.code,
                issuance_id=f"I-{number}",
                first_serial=gec(number),
                last_serial=gec(number),
                units="1",
            )
            for number in range(start, start + count)
        ]
        text = "\n".join([HEAD, *lines])
        return read_file(text, registry="GEC", file_format=ImportFormat.TABLE, actor=person)

    return read


def _vcs(owner: Organisation) -> Read:
    person = keeper()

    def read(start: int, count: int) -> RegistryImport:
        numbers = range(10 * start, 10 * (start + count), 10)
        lines = [vcs_line(owner, serial=vcs_serial(first, first + 9)) for first in numbers]
        text = "\n".join([VCS_HEAD, *lines])
        return read_file(text, registry="VCS", file_format=ImportFormat.VCS, actor=person)

    return read


def _hours(owner: Organisation) -> Read:
    parent, person = issue(owner, 1), keeper()
    first = datetime(2026, 3, 2, tzinfo=UTC)

    def read(start: int, count: int) -> RegistryImport:
        lines = [
            hours_line(
                parent,
                owner,
                starts_at=(first + number * HOUR).isoformat(),
                ends_at=(first + (number + 1) * HOUR).isoformat(),
                energy_wh="1000",
            )
            for number in range(start, start + count)
        ]
        text = "\n".join([HOURS_HEAD, *lines])
        return read_file(text, registry="GC", file_format=ImportFormat.HOURS, actor=person)

    return read


@pytest.mark.parametrize(
    ("stage", "to_read", "to_take"),
    [
        # Reading looks for the serials and the id of each line; for its hour, slice and energy.
        # (The clock of tests is one more.) Taking over writes batch, movement, entry and audit row.
        (_table, 3, 32),
        (_vcs, 1, 26),
        (_hours, 4, 39),
    ],
)
def test_a_further_line_asks_for_itself_alone(owner, stage, to_read, to_take) -> None:
    read, person = stage(owner), keeper()
    asked: dict[int, tuple[int, int, int]] = {}
    for start, lines in ((1, 1), (100, FEW), (200, MANY)):  # the first file warms what is kept
        with CaptureQueriesContext(connection) as reading:
            file = read(start, lines)
        with CaptureQueriesContext(connection) as taking:
            confirm_registry_file(actor=person, public_id=file.public_id)
        asked[lines] = len(reading), len(taking), _of_members(taking)

    few, many = asked[FEW], asked[MANY]
    assert many[0] - few[0] == to_read * (MANY - FEW)
    assert many[1] - few[1] <= to_take * (MANY - FEW)
    assert many[2] == few[2]  # holders, projects and programmes are read once for all lines


def _of_members(asked: CaptureQueriesContext) -> int:
    wanted = f'FROM "{Organisation._meta.db_table}"'
    return sum(wanted in query["sql"] for query in asked.captured_queries)
