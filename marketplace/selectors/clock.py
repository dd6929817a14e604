"""Market time, read from the database, the only place that tells it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from marketplace.models import MarketClock


@dataclass(frozen=True)
class ClockFace:
    """What a page needs to go on counting by itself: market time now, and how fast it runs."""

    now: datetime
    speed: Decimal
    is_demo: bool


def market_now() -> datetime:
    """Return the market time at this instant, aware, in UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT market_now()")
        return cursor.fetchone()[0]


def clock_face() -> ClockFace:
    """Return market time with the clock's speed and kind."""
    row = MarketClock.objects.filter(pk=1).first()
    if row is None:
        return ClockFace(now=market_now(), speed=Decimal(1), is_demo=False)
    return ClockFace(now=market_now(), speed=row.speed, is_demo=row.is_demo)
