"""The role that serves requests can use the tables and cannot change the schema."""

import pytest
from django.conf import settings
from django.db import DatabaseError, ProgrammingError, connection, connections
from django.utils import timezone

from config.heartbeat import heartbeat_age, record_heartbeat
from marketplace.models import AuditEvent, Heartbeat


def _current_user(any_connection) -> str:
    with any_connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return cursor.fetchone()[0]


def test_tests_connect_as_the_owner_by_default(db):
    assert _current_user(connection) == settings.DATABASE_OWNER_ROLE


def test_runtime_connection_sees_what_the_owner_committed(runtime_connection):
    Heartbeat.objects.create(name="somebody", seen_at=timezone.now())

    with runtime_connection.cursor() as cursor:
        cursor.execute("SELECT name FROM marketplace_heartbeat")
        names = cursor.fetchall()

    assert _current_user(runtime_connection) == settings.DATABASE_RUNTIME_ROLE
    assert names == [("somebody",)]


@pytest.mark.runtime_role
def test_marked_tests_connect_as_the_runtime_role():
    record_heartbeat(machine="here")

    assert _current_user(connection) == settings.DATABASE_RUNTIME_ROLE
    assert heartbeat_age() is not None


@pytest.mark.runtime_role
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE marketplace_heartbeat ADD COLUMN extra int",
        "DROP TABLE marketplace_heartbeat",
        "TRUNCATE marketplace_heartbeat",
        "ALTER TABLE marketplace_auditevent DISABLE TRIGGER ALL",
    ],
)
def test_runtime_role_cannot_change_the_schema(statement):
    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.runtime_role
@pytest.mark.parametrize(
    "statement",
    ["UPDATE marketplace_auditevent SET action = 'x'", "DELETE FROM marketplace_auditevent"],
)
def test_runtime_role_cannot_rewrite_the_audit_trail(statement):
    AuditEvent.objects.create(action="tested", object_type="test", object_id="1")

    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(statement)

    assert AuditEvent.objects.filter(action="tested").count() == 1


@pytest.mark.runtime_role
def test_sessions_of_the_runtime_role_have_limits():
    names = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"]
    names.append("client_connection_check_interval")

    with connections["default"].cursor() as cursor:
        values = {}
        for name in names:
            cursor.execute(f"SHOW {name}")
            values[name] = cursor.fetchone()[0]

    assert values == {
        "lock_timeout": "15s",
        "statement_timeout": "2min",
        "idle_in_transaction_session_timeout": "2min",
        "client_connection_check_interval": "1s",
    }
