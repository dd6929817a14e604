"""Real servers in a directory of their own, and care that nothing stays behind."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config.env import BASE_DIR


class Checkout:
    """Runs Python and manage.py with a HENGSUAN_VAR of their own."""

    def __init__(self, var: Path) -> None:
        self.var = var
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = {
            **kept,
            "HENGSUAN_VAR": str(var),
            "DJANGO_SETTINGS_MODULE": "config.settings.demo",
        }

    def popen(self, *command: str) -> subprocess.Popen[str]:
        """Start a program that has this environment."""
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=BASE_DIR,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        process = self.popen(*command)
        output, _ = process.communicate(timeout=120)
        return subprocess.CompletedProcess(command, process.returncode, output, "")

    def python(self, code: str) -> str:
        """Run code that uses the embedded servers; return what it prints."""
        done = self.run("-c", f"from config.embedded import postgres, valkey\n{code}")
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()

    def processes(self) -> list[psutil.Process]:
        """Return every living process that was started with this environment."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                ours = process.environ().get("HENGSUAN_VAR") == str(self.var)
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def wait_for_no_process(self, timeout_s: float = 40) -> list[psutil.Process]:
        """Wait until nothing runs any more; return what still does."""
        end = time.monotonic() + timeout_s
        while self.processes() and time.monotonic() < end:
            time.sleep(0.2)
        return self.processes()


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    """A var directory that the unprivileged account of the database may enter."""
    var = Path(tempfile.mkdtemp(prefix="hengsuan-test-"))
    var.chmod(0o755)
    made = Checkout(var)
    yield made
    for process in made.processes():
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGKILL)
    shutil.rmtree(var, ignore_errors=True)
