"""What both embedded servers need: locks, free ports, and whether a process really lives."""

import contextlib
import ctypes
import fcntl
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

LOOPBACK = "127.0.0.1"
_PR_SET_PDEATHSIG = 1


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot run; the message says in one sentence what to do."""


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``; starters in other processes wait here for their turn."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def free_port(preferred: int = 0) -> int:
    """Return ``preferred`` when nothing listens there, else any free loopback port."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmbeddedServerError("No free port on the loopback address: end some programs and retry.")


def is_alive(pid: int, name: str) -> bool:
    """Tell whether ``pid`` is a running program called ``name``.

    A killed server stays a zombie until its parent or pid 1 reaps it; signals reach a zombie, so
    only its state tells the truth.
    """
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and name in process.name()
    except psutil.Error:
        return False


def wait_until(condition: Callable[[], bool], *, timeout_s: float, every_s: float = 0.02) -> bool:
    """Return True as soon as ``condition`` holds, False when ``timeout_s`` passed without it."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(every_s)
    return True


def end_process(pid: int, name: str, *, how: signal.Signals, timeout_s: float) -> None:
    """Ask ``pid`` to end with ``how``, wait, then kill it."""
    for step, patience_s in ((how, timeout_s), (signal.SIGKILL, 5.0)):
        if not is_alive(pid, name):
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(pid).send_signal(step)
        wait_until(lambda: not is_alive(pid, name), timeout_s=patience_s)


def die_with_parent(how: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """Return a ``preexec_fn`` that ends the child when its parent dies (Linux; else None)."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(how))

    return ask_kernel
