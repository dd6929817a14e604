"""A real broker, a real beat and real workers on the test database."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import redis
from django.conf import settings
from django.db import connections

from config.embedded import valkey
from config.supervision.programs import QUEUES

ROOT = Path(settings.BASE_DIR)
PATIENCE_S = 90


class Processes:
    """Starts programs of the service in a folder of their own, and ends what it started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **os.environ,
            "HENGSUAN_VAR": str(folder),
            "HENGSUAN_DB_ROLE": "runtime",
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "DATABASE_URL": _database_url(),
            "LOG_LEVEL": "INFO",
        }
        self._start_broker()

    def start_beat(self) -> subprocess.Popen[bytes]:
        """Start the clock that knocks."""
        return self._start("beat", "beat", "--pidfile=")

    def start_worker(
        self, name: str, *, pool: str = "solo", failpoint: str = ""
    ) -> subprocess.Popen[bytes]:
        """Start a worker that serves every queue; with a failpoint it dies there."""
        chosen = {"ALLOW_FAILPOINTS": "1", "FAILPOINT": failpoint} if failpoint else {}
        options = ("--pool", pool, "--concurrency", "1", "--queues", QUEUES)
        quiet = ("--without-gossip", "--without-mingle", "--hostname", f"{name}@%h")
        return self._start(name, "worker", *options, *quiet, **chosen)

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """End one program at once."""
        process.kill()
        process.wait(timeout=20)
        self._running.remove(process)

    def end_all(self) -> None:
        """End every program, then the broker."""
        for process in list(self._running):
            self.end(process)
        with _home(self._folder):
            valkey.stop()

    def log_of(self, name: str) -> str:
        """Return what a program has said."""
        return (self._folder / f"{name}.log").read_text()[-4000:]

    def listening(self) -> int:
        """Return how many workers wait for a message at the broker."""
        with redis.Redis.from_url(self._environment["CELERY_BROKER_URL"]) as broker:
            return int(broker.info("clients")["blocked_clients"])

    def _start_broker(self) -> None:
        with _home(self._folder):
            valkey.ensure_running(bound_to_parent=True)
            self._environment["CELERY_BROKER_URL"] = valkey.broker_url()

    def _start(self, name: str, *arguments: str, **extra: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "config", *arguments],
                cwd=ROOT,
                env={**self._environment, **extra},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)
        return process


class _home:  # noqa: N801 - reads as a statement: with _home(folder)
    """Point the embedded servers at a folder for a moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = os.environ.get("HENGSUAN_VAR")

    def __enter__(self) -> None:
        os.environ["HENGSUAN_VAR"] = str(self._folder)

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            del os.environ["HENGSUAN_VAR"]
        else:
            os.environ["HENGSUAN_VAR"] = self._before


def eventually(condition: Callable[[], bool], what: str, *, timeout_s: float = PATIENCE_S) -> None:
    """Wait until something holds; fail with its name when it does not."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen within {timeout_s} s"
        time.sleep(0.1)


def _database_url() -> str:
    """Return the address of the test database, for the role the test connects as."""
    found = connections["default"].get_connection_params()
    user, password = quote(found["user"]), quote(found["password"])
    host, port = found.get("host", "127.0.0.1"), found.get("port", 5432)
    return f"postgres://{user}:{password}@{host}:{port}/{found['dbname']}"
