"""The health check tells the parts that work from those that do not."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from config.heartbeat import record_heartbeat
from config.tasks import record_worker_heartbeat
from marketplace.models import Heartbeat


def test_healthy_service_answers_ok(client, db):
    record_worker_heartbeat.delay()

    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "parts": {"database": "ok", "broker": "ok", "worker": "ok"},
    }
    assert "no-store" in answer.headers["Cache-Control"]


def test_worker_that_was_never_seen_is_failing(client, db):
    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json()["parts"]["worker"] == "never seen"


def test_worker_that_stopped_is_failing(client, db):
    record_heartbeat(machine="a")
    Heartbeat.objects.update(seen_at=timezone.now() - timedelta(seconds=45))

    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json()["parts"]["worker"] == "last seen 45 s ago"


def test_healthcheck_command_names_what_fails(db, capsys):
    with pytest.raises(CommandError, match=r"^Not working: worker\.$"):
        call_command("healthcheck")

    call_command("healthcheck", "--only", "database", "broker")
    assert capsys.readouterr().out.endswith("database: ok\nbroker: ok\n")


def test_answers_carry_the_security_headers(client, db):
    headers = client.get("/healthz").headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
