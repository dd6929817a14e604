"""Workdays with 调休, as published for 2026."""

from datetime import date

import pytest

from settlement.domain.banking.workdays import WorkdayCalendar

CALENDAR = WorkdayCalendar.of(
    holidays=[date(2026, 10, day) for day in range(1, 8)]
    + [date(2026, 9, day) for day in (25, 26, 27)],
    workdays=[date(2026, 9, 20), date(2026, 10, 10)],
)


def test_a_made_up_saturday_is_worked_and_a_holiday_monday_is_not():
    assert CALENDAR.is_workday(date(2026, 10, 10))
    assert not CALENDAR.is_workday(date(2026, 10, 5))
    assert not CALENDAR.is_workday(date(2026, 10, 11))


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 9, 30), 3, date(2026, 10, 10)),
        (date(2026, 9, 30), 4, date(2026, 10, 12)),
        (date(2026, 9, 24), 2, date(2026, 9, 29)),
        (date(2026, 9, 18), 1, date(2026, 9, 20)),
        (date(2026, 10, 3), 0, date(2026, 10, 8)),
        (date(2026, 11, 20), 5, date(2026, 11, 27)),
    ],
)
def test_terms_in_workdays(start, count, end):
    assert CALENDAR.due_on(start, count=count, in_workdays=True) == end


def test_a_term_in_days_ends_on_the_next_workday():
    assert CALENDAR.due_on(date(2026, 9, 4), count=30, in_workdays=False) == date(2026, 10, 8)
    assert CALENDAR.due_on(date(2026, 9, 1), count=30, in_workdays=False) == date(2026, 10, 8)
    assert CALENDAR.due_on(date(2026, 8, 3), count=30, in_workdays=False) == date(2026, 9, 2)
