"""Fixtures that every test may use, and the care for the test databases."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.operations import DatabaseOperations

from config.embedded import postgres
from tests.template_database import ensure_template


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let continuous integration insist on the data that some tests read."""
    parser.addoption(
        "--require-market-data",
        action="store_true",
        help="fail, not skip, tests of real auctions where MARKET_DATA is absent",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests as the runtime role commit for real, so they are transactional database tests."""
    for item in items:
        if item.get_closest_marker("runtime_role"):
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any
) -> None:
    """Copy test databases from a migrated one, and drop those of runs that were killed."""
    if not settings.EMBEDDED_DATABASE:
        return
    postgres.ensure_running()
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


# Disables or enables every trigger that refuses to let a table be emptied.
_SWITCH_GUARDS = """
DO $$ DECLARE guard record; BEGIN
    FOR guard IN SELECT tgrelid::regclass AS kept, tgname FROM pg_trigger
                  WHERE NOT tgisinternal AND tgtype & 32 <> 0
    LOOP EXECUTE format('ALTER TABLE %s {switch} TRIGGER %I', guard.kept, guard.tgname); END LOOP;
END $$
"""


@pytest.fixture(scope="session", autouse=True)
def _flush_past_the_guards() -> Iterator[None]:
    """Let the flush after a transactional test empty the tables that history is kept in."""
    with pytest.MonkeyPatch.context() as patch:
        original = DatabaseOperations.sql_flush

        def sql_flush(self: DatabaseOperations, *args: Any, **options: Any) -> list[str]:
            # The table of knox's own token model is there but not among the models.
            statements = original(self, *args, **{**options, "allow_cascade": True})
            switched = [_SWITCH_GUARDS.format(switch=s) for s in ("DISABLE", "ENABLE")]
            return [switched[0], *statements, switched[1]] if statements else []

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
