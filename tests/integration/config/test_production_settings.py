"""Production settings refuse to start half configured and pass Django's own check."""

import os
import subprocess
import sys

import pytest

from config.env import BASE_DIR

COMPLETE = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SECRET_KEY": "k" * 25 + "0123456789abcdefghijklmnopqrstuvwxyz",
    "FIELD_ENCRYPTION_KEYS": "A" * 43,
    "ALLOWED_HOSTS": "market.example.org",
    "DATABASE_URL": "postgres://hengsuan_app:x@db/hengsuan",
    "OWNER_DATABASE_URL": "postgres://hengsuan_owner:x@db/hengsuan",
    "CELERY_BROKER_URL": "amqp://hengsuan:x@broker//",
}


def _manage(*arguments, **changes):
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**inherited, **COMPLETE, **changes}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env={name: value for name, value in environment.items() if value},
        capture_output=True,
        text=True,
        check=False,
    )


def test_deployment_check_finds_nothing():
    done = _manage("check", "--deploy", "--fail-level", "WARNING")

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    "name", sorted(set(COMPLETE) - {"DJANGO_SETTINGS_MODULE", "OWNER_DATABASE_URL"})
)
def test_missing_variable_is_named(name):
    done = _manage("check", **{name: ""})

    assert done.returncode != 0
    assert f"Set {name}; see docs/howto/production.md." in done.stderr


def test_one_role_for_everything_is_warned_about():
    done = _manage(
        *("check", "--deploy"),
        OWNER_DATABASE_URL="",
        DATABASE_URL="postgres://same:x@db/hengsuan",
    )

    assert "hengsuan.W001" in done.stderr
