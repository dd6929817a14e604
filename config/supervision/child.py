"""One supervised process: started in its own session, restarted with growing pauses."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from config import env
from config.embedded.process import die_with_parent, wait_until

FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 30.0
LOG_LIMIT_BYTES = 10_000_000


@dataclass(frozen=True)
class Program:
    """What to run: a name for people and logs, the command line, and open files to go with it."""

    name: str
    command: tuple[str, ...]
    descriptors: tuple[int, ...] = ()


@dataclass
class Child:
    """A program and its present process.

    The own session keeps the terminal's Ctrl-C away from the child (Celery would take a second
    signal for "at once"); the death signal ends it when the supervisor is killed.
    """

    program: Program
    log_dir: Path
    environment: dict[str, str]
    restarts: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _pause_s: float = FIRST_PAUSE_S
    _started_at: float = 0.0
    _due_at: float = 0.0

    @property
    def name(self) -> str:
        """Return the program's name."""
        return self.program.name

    @property
    def log_path(self) -> Path:
        """Return the file that takes the program's output."""
        return self.log_dir / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """Return the process id while the program runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the program; its output goes to its log."""
        self.log_dir.mkdir(parents=True, exist_ok=True)
        self._keep_log_small()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.program.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=env.BASE_DIR,
                env=self.environment,
                start_new_session=True,
                pass_fds=self.program.descriptors,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - the supervisor has one thread
            )
        self._started_at = time.monotonic()

    def _keep_log_small(self) -> None:
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_LIMIT_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".old.log"))

    def revive(self, say: Callable[[str], None]) -> None:
        """Restart a program that ended, after a pause that grows from 2 to 30 seconds."""
        if self._process is None or self._process.poll() is None:
            return
        now = time.monotonic()
        if not self._due_at:
            self._end_group(signal.SIGKILL)  # what the dead program left behind in its group
            if now - self._started_at > STEADY_AFTER_S:
                self._pause_s = FIRST_PAUSE_S
            self._due_at = now + self._pause_s
            say(
                f"{self.name} ended with {self._process.returncode}, starts again in"
                f" {self._pause_s:.0f} s (log: {self.log_path})"
            )
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        elif now >= self._due_at:
            self._due_at = 0.0
            self.restarts += 1
            self.start()

    def ask_to_end(self) -> None:
        """Send SIGTERM, which every program takes as "finish what you do, then go"."""
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def wait_for_end(self, *, timeout_s: float, hurry: Callable[[], bool]) -> None:
        """Wait for the end; kill the whole group after ``timeout_s`` or when ``hurry`` says so."""
        if self._process is None:
            return
        process = self._process
        wait_until(lambda: process.poll() is not None or hurry(), timeout_s=timeout_s)
        self._end_group(signal.SIGKILL)
        process.wait()

    def _end_group(self, how: signal.Signals) -> None:
        if self._process is not None:
            try:
                os.killpg(self._process.pid, how)
            except ProcessLookupError:
                return

    def log_tail(self, lines: int = 15) -> str:
        """Return the end of the log, for a message to the user."""
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])
