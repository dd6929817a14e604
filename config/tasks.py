"""Tasks that belong to no single app."""

import socket

from celery import shared_task

from config.heartbeat import record_heartbeat


@shared_task
def record_worker_heartbeat() -> None:
    """Write that a worker is taking work from the broker, as the health check reads it."""
    record_heartbeat(machine=socket.gethostname())
