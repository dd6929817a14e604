"""Surveillance: the cases, one case with its figures and comments, and concentration."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_ui import as_decimal, localname, percent
from marketplace.web.access import current_actor, require
from marketplace.web.form_fields import add_refusal
from orders.models import AlertKind, AlertState, OrderSide, SurveillanceAlert
from orders.selectors.surveillance import alerts, concentration_since
from orders.services.surveillance import HIGH_HHI, comment_on_alert

PAGE_SIZE = 25
DAYS = 30
require_reader = require(lambda actor: actor.is_operator or actor.is_platform_auditor)
FIGURES: dict[str, str | Promise] = {
    "unit_hours": _("Unit-hours"),
    "net_cny": _("Value, CNY, excl. VAT"),
    "people": _("People in common"),
    "side": _("Side"),
    "units": _("Unit-periods"),
    "left": _("Left in the book, unit-periods"),
    "share": _("Share of the side"),
    "sellers": _("Sellers"),
    "total": _("Unit-hours sold"),
    "hhi": _("Concentration index (HHI)"),
    "top_share": _("Share of the three largest"),
    "largest_share": _("Share of the largest"),
    "month": _("Month"),
    "price": _("Price, CNY per unit and hour"),
    "mean": _("Average of recent auctions"),
    "auctions": _("Auctions compared"),
}
SHARES = {"share", "top_share", "largest_share"}


class AlertFilter(forms.Form):
    """Narrows the cases."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *AlertState.choices],
    )
    kind = forms.ChoiceField(
        label=_("What was found"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *AlertKind.choices],
    )


class CommentForm(forms.Form):
    """A comment, and perhaps where the case goes."""

    text = forms.CharField(
        label=_("Comment"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
    to_state = forms.ChoiceField(label=_("Then the case is"), required=False)

    def __init__(self, *args: Any, state: str, **more: Any) -> None:
        super().__init__(*args, **more)
        moves = {
            AlertState.OPEN: (AlertState.UNDER_REVIEW, AlertState.CLOSED),
            AlertState.UNDER_REVIEW: (AlertState.CLOSED,),
            AlertState.CLOSED: (AlertState.UNDER_REVIEW,),
        }[AlertState(state)]
        self.fields["to_state"].choices = [  # type: ignore[attr-defined]
            ("", _("as before")),
            *((move.value, move.label) for move in moves),
        ]


@require_reader
@require_safe
def list_alerts(request: HttpRequest) -> HttpResponse:
    """Show the cases, newest first."""
    form = AlertFilter(request.GET or None)
    asked = form.cleaned_data if form.is_valid() else {}
    rows = alerts().filter(**{name: value for name, value in asked.items() if value})
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "filter_form": form,
        "page_obj": page,
        "rows": [{"alert": alert, "subject": subject_of(alert)} for alert in page.object_list],
        "result_text": gettext("%(count)s cases") % {"count": page.paginator.count},
    }
    return render(request, "orders/surveillance.html", context)


def subject_of(alert: SurveillanceAlert) -> str:
    """Return whom or what a case is about."""
    names = [localname(alert.organisation)] if alert.organisation else []
    if alert.counterparty and alert.counterparty_id != alert.organisation_id:
        names.append(localname(alert.counterparty))
    if alert.product:
        names.append(localname(alert.product))
    if alert.product and not alert.organisation:
        names.append(localname(alert.hub) if alert.hub else gettext("all hubs"))
    return " · ".join(names)


@require_reader
@require_http_methods(["GET", "HEAD", "POST"])
def show_alert(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a case; an operator comments on it and closes it."""
    alert = get_object_or_404(alerts(), public_id=public_id)
    actor = current_actor(request)
    form = CommentForm(request.POST or None, state=alert.state)
    if request.method == "POST" and form.is_valid():
        try:
            comment_on_alert(actor=actor, public_id=public_id, **form.cleaned_data)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("The comment is written down."))
            return redirect("surveillance-case", public_id=public_id)
    context = {
        "alert": alert,
        "subject": subject_of(alert),
        "figures": [
            (FIGURES.get(name, name), _figure(name, value)) for name, value in alert.figures.items()
        ],
        "comments": [
            {"row": row, "to": AlertState(row.to_state).label if row.to_state else ""}
            for row in alert.comments.select_related("author").order_by("id")
        ],
        "form": form if actor.is_operator else None,
        "crumbs": [(gettext("Surveillance"), reverse("surveillance"))],
    }
    return render(
        request, "orders/surveillance_case.html", context, status=422 if form.errors else 200
    )


def _figure(name: str, value: str) -> str:
    if name in SHARES:
        return percent(as_decimal(value))
    if name == "side":
        buys = value == OrderSide.BUY
        return pgettext("side of an order", "Buy") if buys else pgettext("side of an order", "Sell")
    return value


@require_reader
@require_safe
def show_concentration(request: HttpRequest) -> HttpResponse:
    """Show how few hands the sales of the last thirty market days are in."""
    now = market_now()
    since = now - timedelta(days=DAYS)
    rows = concentration_since(since=since, until=now + timedelta(days=DAYS))
    context = {
        "rows": [{"row": row, "is_high": row.figures.hhi >= HIGH_HHI} for row in rows],
        "since": since,
        "crumbs": [(gettext("Surveillance"), reverse("surveillance"))],
    }
    return render(request, "orders/concentration.html", context)
