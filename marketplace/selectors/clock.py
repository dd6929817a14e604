"""Market time, read from the database, the only place that tells it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import DateTimeField, Func

from marketplace.models import MarketClock


@dataclass(frozen=True)
class ClockFace:
    """What a page needs to go on counting by itself: market time now, and how fast it runs.

    `setting` names how the clock was last set: a page that counts on from another setting is wrong.
    """

    now: datetime
    speed: Decimal
    is_demo: bool
    setting: str = ""


class MarketNow(Func):
    """Market time within a query, the same for all its rows."""

    template = "(SELECT market_now())"  # a subquery: the function alone would be asked for each row
    output_field = DateTimeField()


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
    setting = f"{row.real_anchor_at.isoformat()} {row.market_anchor_at.isoformat()} {row.speed}"
    return ClockFace(now=market_now(), speed=row.speed, is_demo=row.is_demo, setting=setting)
