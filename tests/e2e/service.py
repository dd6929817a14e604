"""The running service as the tests see it: an address, and a director who moves the clock."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config.env import BASE_DIR

KEPT = ("PATH", "HOME", "LANG")


class ServiceFailed(AssertionError):
    """The service did not start, or a command failed; carries the end of the log."""


class Service:
    """Starts the director with a var directory of its own and speaks with it."""

    def __init__(self, var: Path) -> None:
        self._log_path = var / "director.log"
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.director"],
                cwd=BASE_DIR,
                env={**kept, "HENGSUAN_VAR": str(var), "LOG_LEVEL": "INFO"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.url = str(self._answer())

    def do(self, command: str, **arguments: Any) -> Any:
        """Let the director do something and return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, "args": arguments}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def stop(self) -> int:
        """End the service and return the director's exit code."""
        with self._process as process:  # closes the pipes, and waits
            pass
        return process.returncode

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the director ended"}
        if "error" in answer:
            tail = self._log_path.read_text(errors="replace")[-4000:]
            raise ServiceFailed(f"{answer['error']}\n--- {self._log_path}\n{tail}")
        return answer["result"]


@contextmanager
def running_service() -> Iterator[Service]:
    """Start a market and see that it ends in order."""
    # Not below pytest's own folder: the account that runs the database may not enter that.
    var = Path(tempfile.mkdtemp(prefix="hengsuan-e2e-"))
    var.chmod(0o755)
    running = Service(var)
    running.do("prepare")
    yield running
    code = running.stop()
    shutil.rmtree(var, ignore_errors=True)
    assert code == 0
