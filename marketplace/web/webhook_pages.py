"""Webhooks of the organisation: addresses, events, and the log of what was sent."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.models import Role, WebhookEndpoint
from marketplace.permissions import Actor
from marketplace.services.error_texts import error_text
from marketplace.services.notification_topics import SHOWN_TOPICS, TOPICS
from marketplace.services.webhooks import (
    add_webhook,
    change_webhook,
    deliveries_of,
    find_webhook,
    redeliver,
    send_test,
    webhooks_of,
)
from marketplace.web.access import current_actor, require
from marketplace.web.form_fields import add_refusal
from marketplace.web.stepping_up import require_confirmation

PAGE_SIZE = 25
PROBLEMS = {
    "wrong_address": _("The address is not allowed"),
    "not_public": _("The address leads into a private network"),
    "unreachable": _("Not reachable"),
    "timeout": _("No answer in time"),
    "tls": _("The certificate is not trusted"),
    "bad_answer": _("The answer is not HTTP"),
    "refused": _("Refused by the receiver"),
    "switched_off": _("The webhook is off"),
    "key_missing": _("The secret cannot be read any more"),
}


def keeps_webhooks(actor: Actor) -> bool:
    """Tell whether the actor may see and keep the organisation's webhooks."""
    return (
        actor.organisation is not None
        and not actor.organisation.is_platform
        and actor.has(Role.BUYER, Role.SUPPLIER, Role.FINANCE)
    )


require_webhooks = require(keeps_webhooks)


class WebhookForm(forms.Form):
    """An address and its events."""

    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("Starts with https:// and leads to the open internet."),
        widget=forms.URLInput(attrs={"placeholder": "https://example.org/hengsuan"}),
    )
    topics = forms.MultipleChoiceField(
        label=pgettext_lazy("of a webhook", "Events"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["topics"].choices = topic_choices()  # type: ignore[attr-defined]


class TopicsForm(forms.Form):
    """The events of a webhook."""

    topics = forms.MultipleChoiceField(
        label=pgettext_lazy("of a webhook", "Events"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["topics"].choices = topic_choices()  # type: ignore[attr-defined]


def topic_choices() -> list[tuple[str, str]]:
    """Return the events with their names."""
    return [(topic.code, gettext(topic.label)) for topic in SHOWN_TOPICS]


@require_webhooks
@require_safe
def list_webhooks(request: HttpRequest) -> HttpResponse:
    """Show the organisation's webhooks."""
    rows = [
        {"endpoint": each, "topics": [gettext(TOPICS[code].label) for code in each.topics]}
        for each in webhooks_of(current_actor(request))
    ]
    return render(request, "marketplace/webhooks.html", {"rows": rows})


@never_cache
@require_webhooks
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def new_webhook(request: HttpRequest) -> HttpResponse:
    """Add a webhook and show its secret, this once."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            endpoint, secret = add_webhook(actor=current_actor(request), **form.cleaned_data)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            context = {"endpoint": endpoint, "secret": secret}
            return render(request, "marketplace/webhook_made.html", context)
    context = {"form": form, "cancel_url": reverse("webhooks")}
    status = 422 if form.errors else 200
    return render(request, "marketplace/webhook_form.html", context, status=status)


@require_webhooks
@require_http_methods(["GET", "HEAD", "POST"])
def show_webhook(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a webhook with the log of its deliveries; on POST change its events."""
    actor = current_actor(request)
    endpoint = _find(actor, public_id)
    form = TopicsForm(request.POST or None, initial={"topics": endpoint.topics})
    if request.method == "POST" and form.is_valid():
        change_webhook(
            actor=actor,
            public_id=public_id,
            topics=form.cleaned_data["topics"],
            is_active=endpoint.is_active,
        )
        messages.success(request, gettext("The events are saved."))
        return redirect("webhook", public_id)
    page = Paginator(deliveries_of(endpoint), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "endpoint": endpoint,
        "form": form,
        "page_obj": page,
        "rows": [_describe(delivery) for delivery in page],
        "crumbs": [(gettext("Webhooks"), reverse("webhooks"))],
    }
    status = 422 if form.errors else 200
    return render(request, "marketplace/webhook.html", context, status=status)


def _describe(delivery: Any) -> dict[str, Any]:
    tries = list(delivery.tries.all())
    last = tries[-1] if tries else None
    return {
        "delivery": delivery,
        "label": gettext(TOPICS[delivery.notification.topic].label),
        "tries": len(tries),
        "answer": last.http_status if last else None,
        "problem": PROBLEMS.get(last.problem, last.problem) if last else "",
        "can_redeliver": delivery.state != "due",
    }


@require_webhooks
@require_POST
def switch_webhook(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Switch a webhook on or off."""
    actor = current_actor(request)
    endpoint = _find(actor, public_id)
    change_webhook(actor=actor, public_id=public_id, is_active=not endpoint.is_active)
    return redirect("webhook", public_id)


@require_webhooks
@require_POST
def test_webhook(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Send a test event."""
    _find(current_actor(request), public_id)
    send_test(actor=current_actor(request), public_id=public_id)
    messages.success(request, gettext("A test event is on its way. Reload in a few seconds."))
    return redirect("webhook", public_id)


@require_webhooks
@require_POST
def redeliver_event(request: HttpRequest, public_id: UUID, number: UUID) -> HttpResponse:
    """Send a finished delivery again."""
    try:
        redeliver(actor=current_actor(request), public_id=number)
    except NotFound:
        raise Http404 from None
    except RuleBroken as error:
        messages.error(request, error_text(error))
    else:
        messages.success(request, gettext("The event is sent again."))
    return redirect("webhook", public_id)


def _find(actor: Actor, public_id: UUID) -> WebhookEndpoint:
    try:
        return find_webhook(actor=actor, public_id=public_id)
    except NotFound:
        raise Http404 from None
