"""Setting the market clock: a demonstration moves it, a production market leaves it alone."""

from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from marketplace.models import MarketClock


class ClockRunsBackwards(ValueError):
    """Market time may only be moved forward."""

    code = "clock_runs_backwards"


@transaction.atomic
def set_clock(*, market_at: datetime, speed: Decimal, is_demo: bool) -> MarketClock:
    """Make market time ``market_at`` now, running ``speed`` times real time from here on.

    Raises:
        ClockRunsBackwards: when that would move market time back on a clock already set.
    """
    clock = MarketClock.objects.select_for_update().filter(pk=1).first()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp(), market_now()")
        real_now, now = cursor.fetchone()
    if clock is not None and market_at < now:
        raise ClockRunsBackwards(f"market time is {now:%Y-%m-%d %H:%M:%S} already")
    clock = clock or MarketClock(pk=1)
    clock.real_anchor_at, clock.market_anchor_at = real_now, market_at
    clock.speed, clock.is_demo = speed, is_demo
    clock.save()
    return clock


@transaction.atomic
def set_speed(*, speed: Decimal) -> MarketClock:
    """Change how fast market time runs, without a jump."""
    clock = MarketClock.objects.select_for_update().get(pk=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp(), market_now()")
        clock.real_anchor_at, clock.market_anchor_at = cursor.fetchone()
    clock.speed = speed
    clock.save()
    return clock
