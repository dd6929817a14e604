"""The programs of the service, in the order in which they start."""

import sys

from django.conf import settings

from config.supervision.child import Program

QUEUES = "clearing,settlement,exports,messages,default"


def web(door: int) -> Program:
    """Return the web server on an open socket; in debug mode it reloads changed code."""
    command = [
        *(sys.executable, "-m", "gunicorn", "config.wsgi:application"),
        *("--bind", f"fd://{door}", "--workers", "2", "--threads", "4"),
        *("--graceful-timeout", "10", "--timeout", "60", "--no-control-socket"),
        *(["--reload"] if settings.DEBUG else []),
    ]
    return Program("web", tuple(command), descriptors=(door,))


def worker(concurrency: int = 2) -> Program:
    """Return the worker that serves every queue."""
    command = [
        *(sys.executable, "-m", "celery", "-A", "config", "worker", "--pool", "prefork"),
        *("--concurrency", str(concurrency), "--queues", QUEUES, "--hostname", "worker@%h"),
        *("--without-gossip", "--without-mingle", "--loglevel", settings.LOG_LEVEL),
    ]
    return Program("worker", tuple(command))


def beat() -> Program:
    """Return the clock that knocks; never part of a worker, so it cannot run twice."""
    command = [
        *(sys.executable, "-m", "celery", "-A", "config", "beat", "--pidfile="),
        *("--loglevel", settings.LOG_LEVEL),
    ]
    return Program("beat", tuple(command))
