"""Celery: broker, queues, time limits and the whole beat schedule in one table.

The broker only wakes somebody. What is due stands in PostgreSQL, and every task claims its row
there, so a task that runs twice, late or never changes no result.
"""

from celery.schedules import crontab
from kombu import Exchange, Queue

from config import env
from config.embedded import valkey

EMBEDDED_BROKER = not env.text("CELERY_BROKER_URL")
CELERY_BROKER_URL = valkey.broker_url() if EMBEDDED_BROKER else env.text("CELERY_BROKER_URL")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
_REDIS_LIKE = CELERY_BROKER_URL.startswith(("redis", "rediss", "sentinel", "valkey"))

CELERY_TASK_SOFT_TIME_LIMIT = 270
CELERY_TASK_TIME_LIMIT = 300
# A Redis-like broker hands a message out again after this time, so it must be longer than any task.
# kombu looks for lost messages every 100 s by default; the two other options make it every 2 s.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "visibility_timeout": 2 * CELERY_TASK_TIME_LIMIT + 60,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
    }
    if _REDIS_LIKE
    else {"confirm_publish": True}
)
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TRACK_STARTED = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_MAX_TASKS_PER_CHILD = 2000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True

CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = False
# Each queue has its own routing key: without one, every queue would get a copy of each message.
_EXCHANGE = Exchange("hengsuan", type="direct")
CELERY_TASK_QUEUES = [
    Queue(name, _EXCHANGE, routing_key=name)
    for name in ("clearing", "settlement", "exports", "messages", "default")
]
CELERY_TASK_DEFAULT_EXCHANGE = "hengsuan"
CELERY_TASK_DEFAULT_ROUTING_KEY = "default"
# First match wins, so the narrow patterns come first.
CELERY_TASK_ROUTES = (
    [
        ("orders.tasks.advance_auction", {"queue": "clearing"}),
        ("orders.tasks.clear_part", {"queue": "clearing"}),
        ("marketplace.tasks.*", {"queue": "messages"}),
        ("settlement.tasks.export_*", {"queue": "exports"}),
        ("settlement.tasks.*", {"queue": "settlement"}),
    ],
)

# Beat only knocks: each task asks the database what is due. ``expires`` keeps a stopped worker from
# finding a mountain of old knocks.
CELERY_BEAT_SCHEDULE = {
    "worker heartbeat": {
        "task": "config.tasks.record_worker_heartbeat",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "due auctions": {
        "task": "orders.tasks.sweep_auctions",
        "schedule": 1.0,
        "options": {"expires": 5},
    },
    "listings offered lately": {
        "task": "orders.tasks.join_open_auctions",
        "schedule": 2.0,
        "options": {"expires": 10},
    },
    "indicative figures": {
        "task": "orders.tasks.sweep_indicative",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "coupling dividends": {
        "task": "orders.tasks.sweep_dividends",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "surveillance": {
        "task": "orders.tasks.sweep_surveillance",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "requests and price bands": {
        "task": "orders.tasks.expire_two_person_requests",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "events for settlement": {
        "task": "settlement.tasks.consume_outbox",
        "schedule": 2.0,
        "options": {"expires": 10},
    },
    "events to announce": {
        "task": "settlement.tasks.announce_events",
        "schedule": 3.0,
        "options": {"expires": 10},
    },
    "due dates to announce": {
        "task": "settlement.tasks.announce_due_dates",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "sessions that have run out": {
        "task": "marketplace.tasks.clear_sessions",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "due e-mails": {
        "task": "marketplace.tasks.send_emails",
        "schedule": 5.0,
        "options": {"expires": 15},
    },
    "due webhooks": {
        "task": "marketplace.tasks.send_webhooks",
        "schedule": 5.0,
        "options": {"expires": 15},
    },
    "due deliveries": {
        "task": "settlement.tasks.run_deliveries",
        "schedule": 5.0,
        "options": {"expires": 15},
    },
    "units that run out": {
        "task": "settlement.tasks.expire_registry_units",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "due settlements": {
        "task": "settlement.tasks.settle_due",
        "schedule": 5.0,
        "options": {"expires": 15},
    },
    "due differences": {
        "task": "settlement.tasks.settle_due_differences",
        "schedule": 15.0,
        "options": {"expires": 30},
    },
    "expired credit limits": {
        "task": "settlement.tasks.expire_credit_limits",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "statements confirmed by silence": {
        "task": "settlement.tasks.confirm_by_silence",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "due cases": {
        "task": "settlement.tasks.run_cases",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "carbon statements": {
        "task": "settlement.tasks.issue_carbon_statements",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "due exports": {
        "task": "settlement.tasks.export_due",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "ledger blocks": {
        "task": "settlement.tasks.seal_ledger_blocks",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # 02:30 in Shanghai, when no gate closes and no batch is paid.
    "nightly sweep": {
        "task": "settlement.tasks.sweep_invariants",
        "schedule": crontab(hour="18", minute="30"),
        "options": {"expires": 3600},
    },
}
# Kept in memory: a file would tell nothing that the database does not know better.
CELERY_BEAT_SCHEDULER = "celery.beat.Scheduler"
