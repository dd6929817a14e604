"""The audit trail for the market operator: who did what, filtered, as page and CSV."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.domain.periods import MARKET_TIME_ZONE
from marketplace.models import AuditEvent
from marketplace.web.access import require
from marketplace.web.csv_answers import csv_answer
from marketplace.web.form_fields import DayField

PAGE_SIZE = 50
# Their rows hold prices that stand as asks in sealed books.
SEALED_TYPES = ("marketplace.Listing",)
MOST_ROWS = 20_000
CSV_HEAD = (
    "recorded_at",
    "actor",
    "organisation",
    "action",
    "object_type",
    "object_id",
    "reason",
    "address",
    "request_id",
    "before",
    "after",
)
require_reader = require(lambda actor: actor.is_operator or actor.is_platform_auditor)


class AuditFilter(forms.Form):
    """Narrows the audit trail."""

    action = forms.CharField(label=_("Action begins with"), required=False, max_length=60)
    who = forms.CharField(label=_("Person or organisation"), required=False, max_length=80)
    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("Until"), required=False)

    def narrow(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Return the events asked for; wrong values narrow nothing."""
        asked: dict[str, Any] = self.cleaned_data if self.is_valid() else {}
        if asked.get("action"):
            events = events.filter(action__startswith=asked["action"])
        if asked.get("who"):
            who = asked["who"]
            events = events.filter(
                Q(actor__email__icontains=who)
                | Q(actor__display_name__icontains=who)
                | Q(organisation__name_zh__icontains=who)
                | Q(organisation__code__iexact=who)
            )
        if asked.get("since"):
            events = events.filter(recorded_at__gte=_midnight(asked["since"]))
        if asked.get("until"):
            events = events.filter(recorded_at__lt=_midnight(asked["until"]) + timedelta(days=1))
        return events


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), tzinfo=MARKET_TIME_ZONE)


def _events(request: HttpRequest) -> tuple[AuditFilter, QuerySet[AuditEvent]]:
    form = AuditFilter(request.GET)
    events = AuditEvent.objects.select_related("actor", "organisation").order_by("-id")
    return form, form.narrow(events)


@require_reader
@require_safe
def list_audit(request: HttpRequest) -> HttpResponse:
    """Show the audit trail, newest first; times are real, not market, time."""
    form, events = _events(request)
    page = Paginator(events, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "filter_form": form,
        "page_obj": page,
        "sealed_types": SEALED_TYPES,
        "result_text": gettext("%(count)s events") % {"count": page.paginator.count},
    }
    return render(request, "orders/operator_audit.html", context)


@require_reader
@require_safe
def export_audit(request: HttpRequest) -> HttpResponse:
    """Answer the filtered audit trail as CSV, the newest twenty thousand rows."""
    _form, events = _events(request)
    return csv_answer("audit.csv", CSV_HEAD, (_csv_row(event) for event in events[:MOST_ROWS]))


def _open_content(event: AuditEvent, content: Any) -> object:
    """Return what was before or after; of a listing, whose asks are sealed, nothing."""
    return "" if content is None or event.object_type in SEALED_TYPES else content


def _csv_row(event: AuditEvent) -> list[object]:
    return [
        event.recorded_at.isoformat(),
        event.actor.email if event.actor else "",
        event.organisation.code if event.organisation else "",
        event.action,
        event.object_type,
        event.object_id,
        event.reason,
        event.address or "",
        event.request_id,
        _open_content(event, event.before),
        _open_content(event, event.after),
    ]
