"""Waking a worker after commit. The database holds what is to be done; a message only knocks."""

import structlog
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
