"""Every name by which a task is reached exists, and goes where it should."""

import re

import pytest
from celery import current_app
from django.conf import settings

from config.supervision.programs import QUEUES


@pytest.fixture(scope="module")
def task_names():
    current_app.loader.import_default_modules()
    return set(current_app.tasks)


def test_beat_entries_resolve(task_names):
    wanted = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert wanted - task_names == set()


def test_paths_given_to_enqueue_on_commit_resolve(root, task_names):
    call = re.compile(r"enqueue_on_commit\(\s*[\"']([\w.]+)[\"']")
    wanted = {
        match
        for app in ("marketplace", "orders", "settlement")
        for path in (root / app).rglob("*.py")
        for match in call.findall(path.read_text(encoding="utf-8"))
    }

    assert wanted - task_names == set()


def test_every_queue_is_served_and_has_its_own_key():
    keys = {queue.name: queue.routing_key for queue in settings.CELERY_TASK_QUEUES}

    assert set(QUEUES.split(",")) == set(keys)
    assert len(set(keys.values())) == len(keys)


def test_every_task_goes_to_a_known_queue(task_names):
    known = {queue.name for queue in settings.CELERY_TASK_QUEUES}
    own = {name for name in task_names if not name.startswith("celery.")}

    routes = {name: current_app.amqp.router.route({}, name)["queue"].name for name in own}

    assert set(routes.values()) <= known


def test_tasks_finish_before_the_broker_hands_them_out_again():
    from config.settings import celery as source  # noqa: PLC0415 - read beside the test settings

    options = source.CELERY_BROKER_TRANSPORT_OPTIONS

    assert source.CELERY_TASK_ACKS_LATE
    assert source.CELERY_TASK_REJECT_ON_WORKER_LOST
    assert source.CELERY_TASK_SOFT_TIME_LIMIT < source.CELERY_TASK_TIME_LIMIT
    if "visibility_timeout" in options:
        assert options["visibility_timeout"] / 2 >= source.CELERY_TASK_TIME_LIMIT
