"""Threads with database connections of their own, started together or held at a chosen place."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connections

PATIENCE_S = 20


def in_parallel(tasks: Sequence[Callable[[], Any]], *, workers: int = 16) -> list[Any]:
    """Run tasks at once on so many connections; return results, or exceptions, in order."""
    barrier = threading.Barrier(min(workers, len(tasks)), timeout=PATIENCE_S)
    first_of_thread = threading.local()

    def run(task: Callable[[], Any]) -> Any:
        if not hasattr(first_of_thread, "done"):
            first_of_thread.done = True
            barrier.wait()
        try:
            return task()
        except Exception as error:  # noqa: BLE001 - a race's outcome may be any refusal
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(run, tasks))


class Checkpoint:
    """A place where a thread reports that it has arrived, and waits to be let on."""

    def __init__(self) -> None:
        self._arrived = threading.Event()
        self._go = threading.Event()

    def reach(self) -> None:
        """Say that the place is reached, and wait (in the thread that is held)."""
        self._arrived.set()
        assert self._go.wait(PATIENCE_S), "nobody let the thread on"

    @property
    def was_reached(self) -> bool:
        """Tell whether a thread has been at the place."""
        return self._arrived.is_set()

    def wait_until_reached(self) -> None:
        """Wait for the held thread."""
        assert self._arrived.wait(PATIENCE_S), "the thread never came to the place"

    def let_on(self) -> None:
        """Let the held thread go on."""
        self._go.set()


@contextmanager
def in_background(task: Callable[[], Any]) -> Iterator["Future[Any]"]:
    """Run one task in a thread with its own connection; its future gives result or exception."""

    def run() -> Any:
        try:
            return task()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool.submit(run)
