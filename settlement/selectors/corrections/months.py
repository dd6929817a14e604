"""Which day an entry can be dated: today, or the first day of the next open month."""

from datetime import date

from settlement.models import BookPeriod, PeriodState


def posting_day(today: date, *, book: str = "main") -> date:
    """Return today when its month takes entries, else the first day of the next open month.

    A month that no entry has been dated into yet is opened by the ledger itself.
    """
    day = today
    closed = BookPeriod.objects.filter(book=book, days__endswith__gt=today).exclude(
        state=PeriodState.OPEN
    )
    for period in closed.order_by("days"):
        if day < period.days.lower:
            break
        day = period.days.upper
    return day
