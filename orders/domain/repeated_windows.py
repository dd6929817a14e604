"""Where the window of a repeated bid lies in another auction of its calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 24 * MINUTES_PER_HOUR


def minute_of_day(moment: datetime, zone: ZoneInfo) -> int:
    """Return the minutes since midnight in a zone."""
    local = moment.astimezone(zone)
    return local.hour * MINUTES_PER_HOUR + local.minute


def periods_between(
    starts: Sequence[datetime],
    *,
    from_minute: int,
    until_minute: int,
    now: datetime,
    zone: ZoneInfo,
) -> tuple[int, int] | None:
    """Return the first run of periods that start within some minutes of the day and are ahead.

    Args:
        starts: start of every period of an auction, in order.
        from_minute: minutes after midnight, itself included.
        until_minute: minutes after midnight, itself excluded.
        now: market time; periods that have begun are left out.
        zone: the market's.

    Returns:
        First and last period, counted from 1; None when there is none.
    """
    run: list[int] = []
    for number, start in enumerate(starts, start=1):
        inside = from_minute <= minute_of_day(start, zone) < until_minute
        if start >= now and inside:
            run.append(number)
        elif run:
            break
    return (run[0], run[-1]) if run else None
