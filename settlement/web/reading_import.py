"""Meter readings from a CSV file."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.periods import MARKET_TIME_ZONE
from marketplace.domain.tables import ImportRefused
from marketplace.services.checks import plain
from marketplace.web.access import acting_organisation, current_actor, require_supplier
from marketplace.web.csv_answers import csv_answer
from marketplace.web.uploads import SHOWN_ERRORS, RefusedRow, UploadForm, refused_rows
from orders.models import AllocationPeriod
from settlement.models import DeliveryState
from settlement.selectors.deliveries import deliveries_sold_by
from settlement.services.metering import OPTIONAL_COLUMNS, REQUIRED_COLUMNS, import_readings

MOST_DELIVERIES = 200
METERED = (DeliveryState.HANDED_OVER, DeliveryState.ACCEPTED)


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def upload_readings(request: HttpRequest) -> HttpResponse:
    """Take in a file of readings, or show what is wrong with it."""
    form = UploadForm(request.POST or None, request.FILES or None)
    refused: list[RefusedRow] = []
    if request.method == "POST" and form.is_valid():
        try:
            readings = import_readings(actor=current_actor(request), data=form.read())
        except ImportRefused as error:
            refused = refused_rows(error)
            form.add_error("file", _headline(len(error.rows)))
        else:
            text = ngettext(
                "%(count)s reading stored.", "%(count)s readings stored.", len(readings)
            )
            messages.success(request, text % {"count": len(readings)})
            return redirect(f"{reverse('deliveries')}?view=sold")
    context = {
        "form": form,
        "refused": refused,
        "most_shown": SHOWN_ERRORS,
        "submit_label": gettext("Import the readings"),
        "cancel_url": f"{reverse('deliveries')}?view=sold",
        "crumbs": [(gettext("Deliveries"), reverse("deliveries"))],
    }
    status = 422 if form.errors else 200
    return render(request, "settlement/readings_import.html", context, status=status)


def _headline(count: int) -> str:
    text = ngettext(
        "%(count)s error was found; nothing was imported.",
        "%(count)s errors were found; nothing was imported.",
        count,
    )
    return text % {"count": count}


@require_supplier
@require_safe
def readings_template(request: HttpRequest) -> HttpResponse:
    """Answer a CSV with a row for each period of the deliveries under way, as contracted."""
    own = deliveries_sold_by(acting_organisation(request))
    running = own.filter(state__in=METERED)[:MOST_DELIVERIES]
    numbers = {d.allocation_id: d.allocation.number for d in running}
    periods = AllocationPeriod.objects.filter(allocation_id__in=numbers)
    rows = (
        [
            numbers[period.allocation_id],
            _local(period.starts_at),
            _local(period.ends_at),
            plain(period.quantity),
            *("" for _column in OPTIONAL_COLUMNS),
        ]
        for period in periods.order_by("allocation_id", "period")
    )
    head = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
    return csv_answer("readings-template.csv", head, rows)


def _local(moment: datetime) -> str:
    return timezone.localtime(moment, MARKET_TIME_ZONE).isoformat(timespec="minutes")
