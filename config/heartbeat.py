"""How old is the last sign of a working worker?"""

from datetime import datetime, timedelta

from django.utils import timezone

from marketplace.models import Heartbeat

WORKER_PREFIX = "worker:"


def record_heartbeat(*, machine: str) -> None:
    """Store that a worker on ``machine`` takes work now (real time, not market time)."""
    name = f"{WORKER_PREFIX}{machine}"[:60]
    Heartbeat.objects.update_or_create(name=name, defaults={"seen_at": timezone.now()})


def last_heartbeat_at(*, since: datetime | None = None) -> datetime | None:
    """Return when any worker was last seen (not before ``since``), None when there is no such."""
    beats = Heartbeat.objects.filter(name__startswith=WORKER_PREFIX)
    if since is not None:
        beats = beats.filter(seen_at__gte=since)
    return beats.order_by("-seen_at").values_list("seen_at", flat=True).first()


def heartbeat_age() -> timedelta | None:
    """Return the age of the newest heartbeat of any worker, None when there never was one."""
    newest = last_heartbeat_at()
    return None if newest is None else timezone.now() - newest
