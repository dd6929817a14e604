"""The calendar of workdays: shipped years, an operator's own file, and due dates by it."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db import transaction

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.tables import ImportRefused, Row, RowError, read_upload
from marketplace.models import MarketRules, PaymentTermUnit
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from settlement.domain.banking.workdays import WorkdayCalendar
from settlement.models import CalendarDay, CalendarDayKind
from settlement.services.funds_requests import require_bookkeeper

_SHIPPED = Path(__file__).resolve().parents[2] / "reference" / "calendar_days.csv"
REQUIRED_COLUMNS = ("day", "kind", "source")
OPTIONAL_COLUMNS = ("name_zh", "name_en", "published")
_ALIASES = {
    "日期": "day",
    "类型": "kind",
    "依据": "source",
    "名称": "name_zh",
    "英文名称": "name_en",
    "已公布": "published",
}
_KINDS = {
    "holiday": CalendarDayKind.HOLIDAY,
    "休": CalendarDayKind.HOLIDAY,
    "workday": CalendarDayKind.WORKDAY,
    "班": CalendarDayKind.WORKDAY,
}
_WEEKEND = 5


class CalendarDayInvalid(RuleBroken):
    """A cell of a calendar file means nothing."""

    code = "calendar_day_invalid"
    message = gettext_noop("Enter a date such as 2026-10-01 and holiday or workday (休 or 班).")


class CalendarDayRepeated(RuleBroken):
    """A calendar file names a day twice."""

    code = "calendar_day_repeated"
    message = gettext_noop("The day %(day)s stands in the file before.")


class MakeUpDayOnWeekday(RuleBroken):
    """Only a Saturday or Sunday can be made a workday."""

    code = "make_up_day_on_weekday"
    message = gettext_noop("%(day)s is no weekend day: it is a workday anyway.")


@dataclass(frozen=True)
class _Entry:
    day: date
    kind: CalendarDayKind
    name_zh: str
    name_en: str
    source: str
    is_verified: bool


def workday_calendar() -> WorkdayCalendar:
    """Return the calendar as it stands."""
    rows = CalendarDay.objects.values_list("day", "kind")
    return WorkdayCalendar.of(
        holidays=[day for day, kind in rows if kind == CalendarDayKind.HOLIDAY],
        workdays=[day for day, kind in rows if kind == CalendarDayKind.WORKDAY],
    )


def payment_due_on(day: date, *, rules: MarketRules) -> date:
    """Return when a document issued on a day is to be paid by the rules."""
    return workday_calendar().due_on(
        day,
        count=rules.payment_term_days,
        in_workdays=rules.payment_term_unit == PaymentTermUnit.WORKDAYS,
    )


def workdays_after(day: date, count: int) -> date:
    """Return the last day of a term of so many workdays that begins on a day."""
    return workday_calendar().add_workdays(day, count)


@transaction.atomic
def seed_calendar() -> int:
    """Write the shipped years down where nobody entered the year; return how many days stand."""
    with _SHIPPED.open(encoding="utf-8", newline="") as file:
        entries = [_entry(row) for row in csv.DictReader(file)]
    present = {day.year for day in CalendarDay.objects.values_list("day", flat=True)}
    _write([entry for entry in entries if entry.day.year not in present], None)
    return CalendarDay.objects.count()


@transaction.atomic
def import_calendar(*, actor: Actor, data: bytes) -> list[int]:
    """Replace the years that a CSV file holds; documents issued before keep their dates.

    Args:
        actor: an operator or the market's finance.
        data: columns day, kind (holiday or workday), source; name_zh, name_en, published.

    Returns:
        The years replaced.

    Raises:
        NotPermitted: the actor may not.
        ImportRefused: with each wrong line; nothing was written.
    """
    require_bookkeeper(actor, operator_too=True)
    rows = read_upload(data, required=REQUIRED_COLUMNS, optional=OPTIONAL_COLUMNS, aliases=_ALIASES)
    entries, errors = _read(rows)
    if errors:
        raise ImportRefused(errors)
    years = sorted({entry.day.year for entry in entries})
    for year in years:
        CalendarDay.objects.filter(day__year=year).delete()
    written = _write(entries, actor)
    record_audit(
        action="calendar.imported",
        subject=written[0],
        actor=actor.user,
        organisation=actor.organisation,
        after={"years": years, "days": len(written)},
    )
    return years


def _read(rows: Iterable[Row]) -> tuple[list[_Entry], list[RowError]]:
    entries: dict[date, _Entry] = {}
    errors: list[RowError] = []
    for row in rows:
        try:
            entry = _entry(row.cells)
            if entry.day in entries:
                raise CalendarDayRepeated(field="day", day=entry.day.isoformat())
        except RuleBroken as error:
            errors.append(RowError.of(row.line, error))
        else:
            entries[entry.day] = entry
    return list(entries.values()), errors


def _entry(values: Mapping[str, str]) -> _Entry:
    try:
        day = date.fromisoformat(values["day"])
        kind = _KINDS[values["kind"].lower()]
    except (ValueError, KeyError):
        raise CalendarDayInvalid(field="day") from None
    if kind == CalendarDayKind.WORKDAY and day.weekday() < _WEEKEND:
        raise MakeUpDayOnWeekday(field="kind", day=day.isoformat())
    return _Entry(
        day,
        kind,
        check_text(values.get("name_zh", ""), field="name_zh", max_length=40),
        check_text(values.get("name_en", ""), field="name_en", max_length=60),
        check_text(values["source"], field="source", max_length=200, required=True),
        values.get("published", "").lower() in ("yes", "true", "1", "是"),
    )


def _write(entries: list[_Entry], actor: Actor | None) -> list[CalendarDay]:
    return CalendarDay.objects.bulk_create(
        CalendarDay(
            day=entry.day,
            kind=entry.kind,
            name_zh=entry.name_zh,
            name_en=entry.name_en,
            source=entry.source,
            is_verified=entry.is_verified,
            entered_by=actor.user if actor else None,
        )
        for entry in entries
    )
