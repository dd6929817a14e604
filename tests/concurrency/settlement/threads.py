"""Many threads that start together, each with its own connection."""

import threading
from collections.abc import Callable

from django.db import DatabaseError, connection

from orders.ports.collateral import InsufficientCollateral
from settlement.services.ledger import IdempotencyConflict

WORKERS = 10


def run_at_once(work: Callable[[int], object], calls: int, workers: int = WORKERS) -> list[object]:
    """Call work(0 … calls−1) from several threads that start together; return what came of each."""
    results: list[object] = [None] * calls
    barrier = threading.Barrier(workers)

    def worker(first: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait()
            for number in range(first, calls, workers):
                try:
                    results[number] = work(number)
                except (InsufficientCollateral, IdempotencyConflict, DatabaseError) as error:
                    results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=worker, args=(first,)) for first in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
