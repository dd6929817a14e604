"""Waking a worker after commit. The database holds what is to be done; a message only knocks."""

from typing import Any

import structlog
from amqp.exceptions import ChannelError
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)


def enqueue_on_commit(task: str, **arguments: object) -> None:
    """Publish the task at dotted path ``task`` once the transaction has committed.

    A broker that cannot be reached is not an error of the caller: the sweep finds the due row.
    """
    transaction.on_commit(lambda: _publish(task, arguments))


def _publish(task: str, arguments: dict[str, object]) -> None:
    if task not in current_app.tasks:  # a web process has had no reason to import them yet
        current_app.loader.import_default_modules()
    registered = current_app.tasks.get(task)
    if registered is None:
        raise LookupError(f"no task is registered as {task}")
    try:
        registered.apply_async(kwargs=arguments, retry=False)
    except OperationalError as error:
        logger.warning("broker_unreachable", task=task, error=str(error))


def queue_sizes(*, timeout_s: float = 1.0) -> dict[str, int] | None:
    """Return how many messages wait in each queue of the broker; None when it cannot be asked."""
    try:
        with current_app.connection_for_read(
            transport_options={
                **current_app.conf.broker_transport_options,
                "socket_connect_timeout": timeout_s,
                "socket_timeout": timeout_s,
            }
        ) as connection:
            return {name: _waiting(connection, name) for name in sorted(current_app.amqp.queues)}
    except _broker_errors() as error:
        logger.warning("broker_unreachable", task="queue_sizes", error=str(error))
        return None


def _waiting(connection: Any, queue: str) -> int:
    # A refused question closes its channel, so each queue is asked on one of its own.
    try:
        with connection.channel() as channel:
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
    except ChannelError:  # some brokers know a queue only while something waits in it
        return 0


def _broker_errors() -> tuple[type[Exception], ...]:
    connection = current_app.connection_for_read()
    found = (*connection.connection_errors, *connection.channel_errors)
    return (OperationalError, OSError, *(e for e in found if issubclass(e, Exception)))
