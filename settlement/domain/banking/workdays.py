"""Workdays with 调休: weekends are free unless worked, weekdays are worked unless a holiday."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True)
class WorkdayCalendar:
    """The days that differ from their weekday.

    Attributes:
        holidays: days off, whatever their weekday.
        workdays: weekend days that are worked in exchange for a holiday.
    """

    holidays: frozenset[date]
    workdays: frozenset[date]

    @classmethod
    def of(cls, *, holidays: Iterable[date], workdays: Iterable[date]) -> WorkdayCalendar:
        """Return a calendar of these days."""
        return cls(frozenset(holidays), frozenset(workdays))

    def is_workday(self, day: date) -> bool:
        """Tell whether a day is worked."""
        if day in self.workdays:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays

    def next_workday(self, day: date) -> date:
        """Return the day itself when it is worked, else the first worked day after it."""
        while not self.is_workday(day):
            day += _DAY
        return day

    def add_workdays(self, day: date, count: int) -> date:
        """Return the last day of a term of so many workdays; the day it starts on is not counted.

        A term of no workdays ends on the day itself, or on the next workday.
        """
        if count <= 0:
            return self.next_workday(day)
        while count:
            day += _DAY
            count -= self.is_workday(day)
        return day

    def due_on(self, day: date, *, count: int, in_workdays: bool) -> date:
        """Return when a payment is due: after workdays, or after days and then on a workday."""
        if in_workdays:
            return self.add_workdays(day, count)
        return self.next_workday(day + count * _DAY)
