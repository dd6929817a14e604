"""How old is the last sign of a working worker?"""

from datetime import timedelta

from django.utils import timezone

from marketplace.models import Heartbeat

WORKER_PREFIX = "worker:"


def record_heartbeat(*, machine: str) -> None:
    """Store that a worker on ``machine`` takes work now (real time, not market time)."""
    name = f"{WORKER_PREFIX}{machine}"[:60]
    Heartbeat.objects.update_or_create(name=name, defaults={"seen_at": timezone.now()})


def heartbeat_age() -> timedelta | None:
    """Return the age of the newest heartbeat of any worker, None when there never was one."""
    beats = Heartbeat.objects.filter(name__startswith=WORKER_PREFIX).order_by("-seen_at")
    newest = beats.values_list("seen_at", flat=True).first()
    return None if newest is None else timezone.now() - newest
