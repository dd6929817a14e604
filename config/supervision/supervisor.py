"""Starts, watches and stops the embedded servers, the web server, the worker and beat.

As a library::

    with Supervisor(say=print) as service:   # migrates, starts, waits until the service answers
        ...                                  # a signal arrives here as KeyboardInterrupt
        service.loop()                       # restarts what dies, until Ctrl-C
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

from django.conf import settings
from django.db import connections
from django.utils import timezone

from config import env
from config.embedded import postgres, valkey
from config.embedded.process import LOOPBACK, EmbeddedServerError, die_with_parent
from config.heartbeat import last_heartbeat_at
from config.supervision import programs
from config.supervision.child import Child, Program
from config.supervision.errors import SupervisionError
from config.supervision.port import open_port
from config.tasks import record_worker_heartbeat

GRACE_S = 25.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """The whole service as one object; at most one per HENGSUAN_VAR.

    Attributes:
        host: address the web server listens on.
        port: its port, known after ``start``.
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        host: str = LOOPBACK,
        say: Callable[[str], None] = print,
    ) -> None:
        """Prepare; nothing runs yet. Without ``port`` the next free one from 8000 on is taken."""
        self.host = host
        self.port = port or 0
        self._say = say
        self._run_dir = env.var_dir() / "run"
        self._log_dir = env.var_dir() / "log"
        self._children: list[Child] = []
        self._lock: Any = None
        self._door: Any = None
        self._interrupted = False
        self._hurry = False
        self._handlers: dict[signal.Signals, Any] = {}

    # --- life ------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Return the address to open in a browser."""
        shown = "localhost" if self.host in {LOOPBACK, "0.0.0.0"} else self.host  # noqa: S104
        return f"http://{shown}:{self.port}/"

    def start(self, *, ready_within_s: float = 120.0) -> None:
        """Start everything and return when the service answers.

        SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt in the caller from here on.

        Raises:
            SupervisionError: a port is busy, another supervisor runs, a program does not come up.
        """
        self._take_lock()
        self._catch_signals()
        self._door = open_port(self.host, self.port)
        self.port = self._door.getsockname()[1]
        self._start_servers()
        self._prepare()
        self._start_children()
        self.wait_until_ready(timeout_s=ready_within_s)

    def loop(self, callback: Callable[[], bool | None] | None = None, every_s: float = 0.5) -> None:
        """Watch the programs until Ctrl-C, or until ``callback`` returns True."""
        while True:
            self.check()
            if callback is not None and callback():
                return
            time.sleep(every_s)

    def check(self) -> None:
        """Restart what died; quick, to be called now and then by long work between loops.

        Raises:
            KeyboardInterrupt: a signal came. Library code that it was raised in may have swallowed
                it (measured: one in a hundred), so it is remembered and raised here again.
        """
        if self._interrupted:
            raise KeyboardInterrupt
        self._start_servers()
        for child in self._children:
            child.revive(self._say)
        self._write_note()

    def stop(self) -> None:
        """Stop beat, web, worker, broker and database, in this order; safe to call twice."""
        self._ask_for_hurry_on_second_signal()
        for name in ("beat", "web", "worker"):
            for child in self._named(name):
                child.ask_to_end()
                child.wait_for_end(timeout_s=GRACE_S, hurry=lambda: self._hurry)
        self._children = []
        if self._lock is not None:
            self._stop_servers()
        self._release()

    def pid_of(self, name: str) -> int | None:
        """Return the process id of "web", "worker" or "beat", None when it does not run."""
        return next((child.pid for child in self._named(name)), None)

    # --- steps of the start ----------------------------------------------------------------------

    def _take_lock(self) -> None:
        self._run_dir.mkdir(parents=True, exist_ok=True)
        lock = (self._run_dir / "supervisor.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            where = self._running_elsewhere()
            raise SupervisionError(
                f"Hengsuan already runs from this directory{where}: stop that one first, or set"
                " HENGSUAN_VAR to another directory."
            ) from None
        self._lock = lock

    def _running_elsewhere(self) -> str:
        with contextlib.suppress(OSError, ValueError, KeyError):
            return " at " + json.loads((self._run_dir / "service.json").read_text())["url"]
        return ""

    def _catch_signals(self) -> None:
        def interrupt(number: int, frame: FrameType | None) -> None:
            self._interrupted = True
            raise KeyboardInterrupt

        for number in _SIGNALS:
            self._handlers[number] = signal.signal(number, interrupt)

    def _ask_for_hurry_on_second_signal(self) -> None:
        def hurry(number: int, frame: FrameType | None) -> None:
            self._hurry = True

        for number in self._handlers:
            signal.signal(number, hurry)

    def _start_servers(self) -> None:
        try:
            if settings.EMBEDDED_DATABASE:
                postgres.ensure_running(bound_to_parent=True)
            if settings.EMBEDDED_BROKER and not valkey.is_running():
                valkey.ensure_running(bound_to_parent=True)
        except EmbeddedServerError as error:
            raise SupervisionError(str(error)) from error

    def _stop_servers(self) -> None:
        if settings.EMBEDDED_BROKER:
            valkey.stop()
        if settings.EMBEDDED_DATABASE:
            connections.close_all()
            postgres.stop_if_unused()

    def _prepare(self) -> None:
        """Migrate, and gather static files where their names carry a hash; both at once."""
        steps = {"migrate": self._manage("migrate", "--no-input", "--skip-checks")}
        if not settings.DEBUG:
            steps["collectstatic"] = self._manage("collectstatic", "--no-input")
        try:
            for name, step in steps.items():
                output, _ = step.communicate()
                if step.returncode:
                    last = output.decode(errors="replace").strip()[-2000:]
                    raise SupervisionError(f"{name} failed:\n{last}")
        finally:
            for step in steps.values():
                step.kill()
                step.wait()

    def _manage(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=env.BASE_DIR,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - the supervisor has one thread
        )

    def _environment(self) -> dict[str, str]:
        return {
            # Links in mails lead to this service unless the environment says otherwise.
            "SITE_URL": f"http://localhost:{self.port}",
            **os.environ,
            "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
            "HENGSUAN_DB_ROLE": "runtime",
            "HENGSUAN_VAR": str(env.var_dir()),
            "PYTHONUNBUFFERED": "1",
        }

    def _programs(self) -> list[Program]:
        return [programs.worker(), programs.web(self._door.fileno()), programs.beat()]

    def _start_children(self) -> None:
        for program in self._programs():
            child = Child(program, self._log_dir, self._environment())
            self._children.append(child)
            child.start()
        self._write_note()

    def wait_until_ready(self, *, timeout_s: float) -> None:
        """Return when the page server answers and a worker of this start takes work."""
        end = time.monotonic() + timeout_s
        knocked_at = timezone.now()
        record_worker_heartbeat.delay()  # so that nobody waits for the first knock of beat
        while not (last_heartbeat_at(since=knocked_at) and self._answers()):
            if time.monotonic() > end:
                raise SupervisionError(self._what_hangs())
            if self._interrupted:
                raise KeyboardInterrupt
            for child in self._children:
                child.revive(self._say)
                if child.restarts > 1:
                    raise SupervisionError(f"{child.name} does not start:\n{child.log_tail()}")
            time.sleep(0.2)

    def _answers(self) -> bool:
        address = LOOPBACK if self.host == "0.0.0.0" else self.host  # noqa: S104
        request = urllib.request.Request(
            f"http://{address}:{self.port}/healthz", headers={"X-Forwarded-Proto": "https"}
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _what_hangs(self) -> str:
        tails = "\n".join(f"--- {c.log_path}\n{c.log_tail()}" for c in self._children)
        return f"The service does not answer at {self.url}healthz. Ends of the logs:\n{tails}"

    # --- bookkeeping -----------------------------------------------------------------------------

    def _named(self, name: str) -> list[Child]:
        return [child for child in self._children if child.name == name]

    def _write_note(self) -> None:
        """Write address and process ids for ``manage.py healthcheck`` and for people."""
        note = {
            "url": self.url,
            "supervisor": os.getpid(),
            "programs": {child.name: child.pid for child in self._children},
        }
        path = self._run_dir / "service.json"
        text = json.dumps(note, indent=1)
        if not path.exists() or path.read_text() != text:
            draft = path.with_suffix(".draft")
            draft.write_text(text)
            draft.replace(path)

    def _release(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}
        if self._door is not None:
            self._door.close()
            self._door = None
        if self._lock is not None:
            (self._run_dir / "service.json").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None
