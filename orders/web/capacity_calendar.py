"""The availability calendar of a listing: a week hour by hour, and maintenance planned in it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.domain.periods import MARKET_TIME_ZONE, local_instant, market_date
from marketplace.models import Listing, ListingState
from marketplace.selectors.clock import market_now
from marketplace.selectors.organisations import listing_of, listings_of
from marketplace.services.listings import add_maintenance
from marketplace.templatetags.market_ui import (
    group_digits,
    is_chinese,
    localname,
    shortname,
    unit_text,
)
from marketplace.web.access import acting_organisation, current_actor, require_supplier
from marketplace.web.capacity_pages import capacity_tabs
from marketplace.web.form_fields import add_refusal
from marketplace.web.listing_forms import MaintenanceForm
from orders.selectors.availability import CalendarHour, hours_of
from orders.services.capacity import units_in_flight

DAYS = 7
WEEK_HOURS = DAYS * 24
# The listings in the choice; a supplier with more finds the rest by the page of each listing.
MOST_LISTINGS = 200
SHOWN_CONFLICTS = 8
FARTHEST = timedelta(days=800)
STATES = {
    "free": _("Free"),
    "part": _("Partly sold"),
    "sold": pgettext_lazy("capacity", "Sold"),
    "held": _("Held by an auction being cleared"),
    "maintenance": pgettext_lazy("capacity", "Maintenance"),
    "closed": _("Not on offer"),
}
SHOWS_UNITS = {"free", "part", "held"}
SIGNS = {"free": "", "part": "◐", "sold": "●", "held": "◌", "maintenance": "✕", "closed": "·"}


class WeekForm(forms.Form):
    """Which listing, and a day of the week to show."""

    listing = forms.ChoiceField(label=_("Listing"), required=False)
    day = forms.DateField(
        label=_("Week of"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, data: Any, *, listings: list[Listing]) -> None:
        super().__init__(data)
        self.fields["listing"].choices = [  # type: ignore[attr-defined]
            (str(one.public_id), f"{localname(one)} · {shortname(one.pool.hub)}")
            for one in listings
        ]


@dataclass(frozen=True)
class Week:
    """One listing in one week: the hours, as a grid and as stretches."""

    listing: Listing
    monday: date
    hours: list[CalendarHour]

    @property
    def days(self) -> list[date]:
        """The seven days."""
        return [self.monday + timedelta(days=number) for number in range(DAYS)]


@require_supplier
@require_safe
def show_calendar(request: HttpRequest) -> HttpResponse:
    """Show a week of one listing."""
    return _page(request, _chosen(request), None)


@require_supplier
@require_POST
def plan_in_calendar(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Keep hours free of sales, or say which of them are sold."""
    listing = _own(request, public_id)
    form = MaintenanceForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        conflicts = _conflicts(listing, given["starts_at"], given["ends_at"])
        if conflicts:
            form.add_error("starts_at", conflicts)
        else:
            try:
                add_maintenance(actor=current_actor(request), public_id=public_id, **given)
            except RuleBroken as error:
                add_refusal(form, error)
            else:
                messages.success(request, gettext("Nothing will be sold in this time."))
                day = market_date(given["starts_at"]).isoformat()
                return redirect(f"{reverse('capacity-calendar')}?listing={public_id}&day={day}")
    return _page(request, listing, form, status=422)


def _conflicts(listing: Listing, starts_at: datetime, ends_at: datetime) -> str:
    """Return which hours of a time are sold or held, in words; empty when none is."""
    if ends_at <= starts_at or ends_at - starts_at > timedelta(days=62):
        return ""
    since = starts_at.replace(minute=0, second=0, microsecond=0)
    count = -(-(ends_at - since) // timedelta(hours=1))
    held = units_in_flight(listing_id=listing.pk, since=since)
    hours = hours_of(listing_id=listing.pk, since=since, hours=count, held=held)
    taken = [hour for hour in hours if hour.sold or hour.held]
    if not taken:
        return ""
    named = [
        gettext("%(time)s: %(units)s units")
        % {
            "time": f"{hour.starts_at.astimezone(MARKET_TIME_ZONE):%m-%d %H:%M}",
            "units": group_digits(hour.sold + hour.held, 0, 3),
        }
        for hour in taken[:SHOWN_CONFLICTS]
    ]
    text = ngettext(
        "%(count)s hour of this time is sold or being sold: %(hours)s. Choose another time, or "
        "say on the delivery that it cannot take place.",
        "%(count)s hours of this time are sold or being sold: %(hours)s. Choose another time, or "
        "say on the delivery that it cannot take place.",
        len(taken),
    )
    named += ["…"] if len(taken) > SHOWN_CONFLICTS else []
    return text % {"count": len(taken), "hours": ("；" if is_chinese() else "; ").join(named)}


def _own(request: HttpRequest, public_id: UUID | str) -> Listing:
    try:
        return listing_of(acting_organisation(request), public_id)
    except NotFound:
        raise Http404 from None


def _listings(request: HttpRequest) -> list[Listing]:
    rows = listings_of(acting_organisation(request)).exclude(state=ListingState.WITHDRAWN)
    return list(rows[:MOST_LISTINGS])


def _chosen(request: HttpRequest) -> Listing | None:
    asked = request.GET.get("listing", "")
    if asked:
        try:
            return _own(request, UUID(asked))
        except ValueError:
            raise Http404 from None
    listings = _listings(request)
    active = [one for one in listings if one.state == ListingState.ACTIVE]
    return next(iter(active or listings), None)


def _week(request: HttpRequest, listing: Listing) -> Week:
    today = market_date(market_now())
    try:
        day = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        day = today
    day = min(max(day, today - FARTHEST), today + FARTHEST)
    monday = day - timedelta(days=day.weekday())
    since = local_instant(monday, time(0))
    held = units_in_flight(listing_id=listing.pk, since=since)
    hours = hours_of(listing_id=listing.pk, since=since, hours=WEEK_HOURS, held=held)
    return Week(listing, monday, hours)


def _page(
    request: HttpRequest, listing: Listing | None, form: MaintenanceForm | None, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"tabs": capacity_tabs("calendar"), "week": None}
    if listing is not None:
        week = _week(request, listing)
        chosen = {"listing": str(listing.public_id), "day": week.monday.isoformat()}
        context |= {
            "listing": listing,
            "week": week,
            "filter_form": WeekForm(chosen, listings=_choices(request, listing)),
            "grid": _grid(week),
            "heads": [(WEEKDAYS_ABBR[day.weekday()], day) for day in week.days],
            "stretches": _stretches(week),
            "legend": [(code, SIGNS[code], label) for code, label in STATES.items()],
            "sums": _sums(week),
            "earlier": _link(listing, week.monday - timedelta(days=DAYS)),
            "later": _link(listing, week.monday + timedelta(days=DAYS)),
            "form": form or MaintenanceForm(initial=_asked_time(request)),
            "can_plan": listing.state != ListingState.WITHDRAWN,
        }
    return render(request, "orders/capacity_calendar.html", context, status=status)


def _choices(request: HttpRequest, listing: Listing) -> list[Listing]:
    listings = _listings(request)
    return listings if listing in listings else [listing, *listings]


def _link(listing: Listing, day: date) -> str:
    return f"{reverse('capacity-calendar')}?listing={listing.public_id}&day={day.isoformat()}"


def _asked_time(request: HttpRequest) -> dict[str, datetime]:
    """Return the hour that was chosen in the grid, as the beginning of a form."""
    try:
        start = datetime.fromisoformat(request.GET.get("from", "")).replace(tzinfo=MARKET_TIME_ZONE)
    except ValueError:
        return {}
    return {"starts_at": start, "ends_at": start + timedelta(hours=1)}


def _grid(week: Week) -> list[dict[str, Any]]:
    """Return a row for each hour of the day, a cell for each day."""
    now = market_now()
    unit = unit_text(week.listing.pool.product)
    return [
        {
            "clock": f"{hour:02d}:00",
            "cells": [_cell(week, week.hours[day * 24 + hour], now, unit) for day in range(DAYS)],
        }
        for hour in range(24)
    ]


def _cell(week: Week, hour: CalendarHour, now: datetime, unit: str) -> dict[str, Any]:
    start = hour.starts_at.astimezone(MARKET_TIME_ZONE)
    is_past = hour.ends_at <= now
    return {
        "state": hour.state,
        "sign": SIGNS[hour.state],
        "units": ""
        if hour.state in ("closed", "maintenance", "sold")
        else group_digits(hour.free, 0, 1),
        "label": _label(hour, start),
        "is_past": is_past,
        "url": ""
        if is_past
        else f"{_link(week.listing, week.monday)}&from={start:%Y-%m-%dT%H:%M}#maintenance",
    }


def _label(hour: CalendarHour, start: datetime) -> str:
    text = gettext("%(time)s: %(state)s; %(free)s free, %(sold)s sold, %(held)s held")
    return text % {
        "time": f"{start:%m-%d %H:%M}",
        "state": STATES[hour.state],
        "free": group_digits(hour.free, 0, 3),
        "sold": group_digits(hour.sold, 0, 3),
        "held": group_digits(hour.held, 0, 3),
    }


def _stretches(week: Week) -> list[dict[str, Any]]:
    """Return neighbouring hours that are alike as one line: the week as a list."""
    alike = groupby(week.hours, key=lambda h: (h.state, h.free, h.sold, h.held))
    found = []
    for (state, free, sold, held), group in alike:
        hours = list(group)
        if state != "closed":
            found.append(
                {
                    "starts_at": hours[0].starts_at,
                    "ends_at": hours[-1].ends_at,
                    "state": STATES[state],
                    "sign": SIGNS[state],
                    "free": free,
                    "sold": sold,
                    "held": held,
                }
            )
    return found


def _sums(week: Week) -> dict[str, Decimal]:
    """Return unit-hours of the week: on offer, sold, held, free."""
    offered = sum((hour.available for hour in week.hours), Decimal(0))
    sold = sum((hour.sold for hour in week.hours), Decimal(0))
    free = sum((hour.free for hour in week.hours), Decimal(0))
    return {
        "offered": offered,
        "sold": sold,
        "free": free,
        "share": sold / offered if offered else Decimal(0),
    }
