"""The months of the books: their states, the checklist of a month, and closing it."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.web.access import current_actor, require_finance
from marketplace.web.form_fields import add_refusal
from settlement.models import (
    BookPeriod,
    PeriodChange,
    PeriodChangeKind,
    PeriodState,
    RequestState,
)
from settlement.selectors.closing import checklist, period_of_month, period_rows
from settlement.services.closing import (
    hard_close_period,
    reject_period_change,
    reopen_period,
    request_period_change,
    soft_close_period,
)
from settlement.web.funds_forms import DecisionForm
from settlement.web.tax_queue import require_bookkeeper

PAGE_SIZE = 24


@require_finance
@require_safe
def list_periods(request: HttpRequest) -> HttpResponse:
    """Show the months, the newest first."""
    page = Paginator(period_rows(), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "settlement/closing/periods.html", {"page_obj": page})


@require_finance
@require_safe
def show_period(request: HttpRequest, month: str) -> HttpResponse:
    """Show a month's checklist and what may be done with it."""
    period = _find(month)
    actor = current_actor(request)
    changes = period.changes.select_related("entered_by", "decided_by").order_by("-id")
    waiting = next((c for c in changes if c.state == RequestState.ENTERED), None)
    items = checklist(period)
    may = actor.is_platform_finance and waiting is None
    context = {
        "period": period,
        "month": month,
        "last_day": period.days.upper - timedelta(days=1),
        "items": items,
        "open_count": sum(1 for item in items if not item.passed),
        "changes": changes,
        "waiting": waiting,
        "may_decide": waiting is not None
        and actor.is_platform_finance
        and waiting.entered_by_id != actor.user.pk,
        "may_close_softly": may and period.state == PeriodState.OPEN and items[0].passed,
        "may_ask": may and period.state == PeriodState.SOFT_CLOSED,
        "is_ready": not any(item.is_required and not item.passed for item in items),
        "crumbs": [(pgettext("navigation", "Month close"), reverse("periods"))],
    }
    return render(request, "settlement/closing/period.html", context)


@require_bookkeeper
@require_http_methods(["GET", "HEAD", "POST"])
def close_softly(request: HttpRequest, month: str) -> HttpResponse:
    """Close a month for all but finance's adjustments, after a question."""
    period = _find(month)
    form = DecisionForm(request.POST or None)
    form.fields.pop("reason")
    if request.method == "POST":
        try:
            soft_close_period(period_id=period.pk, actor=current_actor(request))
        except RuleBroken as error:
            messages.error(request, str(error))
        else:
            messages.success(request, gettext("The month is closed softly."))
        return redirect("period", month)
    context = {
        "question": gettext("Close %(month)s softly?") % {"month": month},
        "text": gettext(
            "Nothing but adjustments by finance can be posted into it then. It can be opened again"
            " by two persons."
        ),
        "confirm_label": gettext("Close softly"),
        "form": form,
        "cancel_url": reverse("period", args=[month]),
    }
    return render(request, "generic/confirm.html", context)


@require_bookkeeper
@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_change(request: HttpRequest, month: str, kind: str) -> HttpResponse:
    """Ask to close a month for good, or to open it again; another person decides."""
    period = _find(month)
    is_close = kind == PeriodChangeKind.HARD_CLOSE
    open_points = [str(i.label) for i in checklist(period) if is_close and not i.passed]
    form = DecisionForm(_sent(request), is_required=not is_close)
    if request.method == "POST" and form.is_valid():
        try:
            request_period_change(
                period_id=period.pk,
                kind=kind,
                actor=current_actor(request),
                reason=form.cleaned_data["reason"],
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Asked for; another person of finance decides."))
            return redirect("period", month)
    question = (
        gettext("Ask to close %(month)s for good?")
        if is_close
        else gettext("Ask to open %(month)s again?")
    )
    context = {
        "question": question % {"month": month},
        "text": gettext("Nobody can post into the month afterwards. Another person decides.")
        if is_close
        else gettext("Postings are taken again afterwards. Another person decides."),
        "lines": [(gettext("Open point"), label) for label in open_points],
        "confirm_label": gettext("Send the request"),
        "form": form,
        "cancel_url": reverse("period", args=[month]),
    }
    return render(request, "generic/confirm.html", context, status=422 if form.errors else 200)


@require_bookkeeper
@require_http_methods(["GET", "HEAD", "POST"])
def decide_change(request: HttpRequest, public_id: UUID, verdict: str) -> HttpResponse:
    """Let happen, or refuse, what another person asked for a month."""
    changes = PeriodChange.objects.select_related("period", "entered_by")
    change: PeriodChange = get_object_or_404(changes, public_id=public_id)
    month = f"{change.period.days.lower:%Y-%m}"
    approve = verdict == "approve"
    form = DecisionForm(_sent(request), is_required=not approve)
    if request.method == "POST" and form.is_valid():
        try:
            _decide(request, change, approve=approve, reason=form.cleaned_data["reason"])
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Decided."))
            return redirect("period", month)
    context: dict[str, Any] = {
        "question": _question(change, month) if approve else gettext("Refuse the request?"),
        "lines": [
            (gettext("Month"), month),
            (gettext("Asked for by"), str(change.entered_by)),
            (gettext("Reason"), change.reason or "–"),
        ],
        "confirm_label": change.get_kind_display() if approve else gettext("Refuse"),
        "danger": approve and change.kind == PeriodChangeKind.HARD_CLOSE,
        "form": form,
        "cancel_url": reverse("period", args=[month]),
    }
    return render(request, "generic/confirm.html", context, status=422 if form.errors else 200)


def _question(change: PeriodChange, month: str) -> str:
    if change.kind == PeriodChangeKind.HARD_CLOSE:
        return gettext("Close %(month)s for good? This cannot be undone.") % {"month": month}
    return gettext("Open %(month)s again?") % {"month": month}


def _decide(request: HttpRequest, change: PeriodChange, *, approve: bool, reason: str) -> None:
    actor = current_actor(request)
    if not approve:
        reject_period_change(change_id=change.public_id, actor=actor, reason=reason)
    elif change.kind == PeriodChangeKind.HARD_CLOSE:
        hard_close_period(change_id=change.public_id, actor=actor, reason=reason)
    else:
        reopen_period(change_id=change.public_id, actor=actor, reason=reason)


def _sent(request: HttpRequest) -> QueryDict | None:
    """What was sent with a form; also an empty one is an answer."""
    return request.POST if request.method == "POST" else None


def _find(month: str) -> BookPeriod:
    try:
        day = date.fromisoformat(f"{month}-01")
    except ValueError as error:
        raise Http404 from error
    period = period_of_month(day)
    if period is None:
        raise Http404
    return period
