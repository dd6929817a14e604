"""Fixtures that every test may use, and the care for the test databases."""

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.operations import DatabaseOperations
from django.utils import timezone, translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from config.embedded import postgres
from tests.scheduling import TogetherScheduling
from tests.template_database import ensure_template

# How fast examples come depends on what else the machine does; a test is not to fail for it.
hypothesis_settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("busy machine")


# What takes minutes on a free machine may take many on a busy one.
FULLER_S = 1500


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let continuous integration insist on the data that some tests read."""
    parser.addoption(
        "--require-market-data",
        action="store_true",
        help="fail, not skip, tests of real auctions where MARKET_DATA is absent",
    )
    parser.addoption(
        "--write-query-baselines",
        action="store_true",
        help="record anew how often each address asks the database (tests/web/lists/queries.tsv)",
    )
    parser.addoption(
        "--write-tutorial-pictures",
        action="store_true",
        help="take the pictures of the tutorials anew (docs/images/tutorial)",
    )


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TogetherScheduling:
    """Share the tests among processes (``-n``) so that what is started once is started once."""
    return TogetherScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say what the tests need from the database, and give the fuller ones their time.

    Tests as the runtime role commit for real, so they are transactional database tests. Of two
    processes neither is left with a long file in the end: browser and processes come first.
    """
    for item in items:
        if item.get_closest_marker("runtime_role"):
            item.add_marker(pytest.mark.django_db(transaction=True))
        if item.get_closest_marker("fuller") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(FULLER_S))
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("e2e"):
        return 0
    return 1 if item.get_closest_marker("processes") else 2


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any
) -> None:
    """Copy test databases from a migrated one, and drop those of runs that were killed."""
    if not settings.EMBEDDED_DATABASE:
        return
    postgres.ensure_running()
    _let_owner_replicate()
    _drop_orphans()
    with django_db_blocker.unblock():
        settings.DATABASES["default"]["TEST"]["TEMPLATE"] = ensure_template()


def _drop_orphans() -> None:
    with contextlib.closing(postgres.connect_as_superuser()) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT datname FROM pg_database WHERE datname ~ '^test_hengsuan_[0-9]+'"
            )
            for (name,) in cursor.fetchall():
                run = re.match(r"test_hengsuan_(\d+)", name)
                if run and not psutil.pid_exists(int(run[1])):
                    cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


# What Django writes again after every flush, and always the same.
_KEPT = ("django_content_type", "auth_permission")
# Two hundred empty tables take seconds to truncate; few are filled by one test. As a replica the
# session meets neither foreign keys nor the triggers that refuse to let history be emptied.
_EMPTY_WHAT_IS_FILLED = """
DO $$ DECLARE name text; filled boolean; BEGIN
    SET LOCAL session_replication_role = replica;
    FOREACH name IN ARRAY ARRAY[{names}] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO filled;
        IF filled THEN EXECUTE format('DELETE FROM %I', name); END IF;
    END LOOP;
END $$
"""


def _let_owner_replicate() -> None:
    with contextlib.closing(postgres.connect_as_superuser()) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"GRANT SET ON PARAMETER session_replication_role TO {postgres.OWNER}")


@pytest.fixture(scope="session", autouse=True)
def _flush_past_the_guards() -> Iterator[None]:
    """Let the flush after a transactional test empty the tables that history is kept in."""

    def sql_flush(
        self: DatabaseOperations, style: object, tables: Iterable[str], **options: object
    ) -> list[str]:
        names = ", ".join(f"'{name}'" for name in sorted(set(tables) - set(_KEPT)))
        return [_EMPTY_WHAT_IS_FILLED.format(names=names)] if names else []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield


def _runtime_settings() -> dict[str, Any]:
    role = settings.DATABASE_ROLES["runtime"]
    return {name: role.get(name, "") for name in ("USER", "PASSWORD", "OPTIONS")}


@pytest.fixture
def runtime_connection(transactional_db: None) -> Iterator[BaseDatabaseWrapper]:
    """A second, real connection to the test database as the role that serves requests.

    The test's own connection stays the owner's; both see what the other one committed.
    """
    connection = connections["default"].copy()
    connection.settings_dict.update(_runtime_settings())
    yield connection
    connection.close()


@pytest.fixture(autouse=True)
def _as_runtime_role(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let tests marked ``runtime_role`` (and their threads) connect as the runtime role."""
    if request.node.get_closest_marker("runtime_role") is None:
        yield
        return
    request.getfixturevalue("transactional_db")
    connection = connections["default"]
    owner = {name: connection.settings_dict[name] for name in _runtime_settings()}
    connection.close()
    connection.settings_dict.update(_runtime_settings())
    yield
    connection.close()
    connection.settings_dict.update(owner)  # the flush after the test needs the owner again


@pytest.fixture(autouse=True)
def _nobody_before_chose_a_language() -> None:
    """Begin in the project's own language and time zone, whatever page an earlier test asked for.

    A request leaves its language active in the thread; a test that reads words without a request
    of its own would pass or fail by the order of the tests.
    """
    translation.deactivate()
    timezone.deactivate()


_SCENARIO = re.compile(r"S-\d\d")


@pytest.fixture(autouse=True)
def _sweep_after_scenarios(
    request: pytest.FixtureRequest, _as_runtime_role: None
) -> Iterator[None]:
    """After a scenario that a test's first line names, no invariant of the books is broken.

    A test that tampers on purpose says so by naming S-27; one without a database has no books.
    """
    text = (getattr(request, "function", None) and request.function.__doc__) or ""
    marker = request.node.get_closest_marker("django_db")
    if marker is None or not _SCENARIO.match(text) or text.startswith("S-27"):
        yield
        return
    request.getfixturevalue("_as_runtime_role")
    request.getfixturevalue("transactional_db" if marker.kwargs.get("transaction") else "db")
    yield
    from settlement.services.invariants import (  # noqa: PLC0415 - Django is set up by now
        broken_invariants,
    )

    assert broken_invariants() == []
