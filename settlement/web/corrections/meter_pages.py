"""Suppliers' meter keys, and resets of counters that the operator approves."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.web.access import (
    acting_organisation,
    current_actor,
    require_operator,
    require_supplier,
)
from marketplace.web.form_fields import MarketTimeField, add_refusal
from settlement.models import CounterReset, CounterResetState, Delivery, MeterKey
from settlement.services.counters import announce_reset, decide_reset
from settlement.services.meter_keys import end_meter_key, register_meter_key

PAGE_SIZE = 25


class MeterKeyForm(forms.Form):
    """A public key and what it is called."""

    name = forms.CharField(label=_("Name"), max_length=60)
    public_key = forms.CharField(
        label=_("Public key (Ed25519)"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("PEM, or the 32 bytes in base64 or hexadecimal. Never send the private key."),
    )


class CounterResetForm(forms.Form):
    """When a counter started again, and why."""

    reset_at = MarketTimeField(label=_("Counter started again at"))
    reason = forms.CharField(label=_("Reason"), max_length=200)


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def list_keys(request: HttpRequest) -> HttpResponse:
    """Show a supplier's meter keys and register another."""
    form = MeterKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            register_meter_key(actor=current_actor(request), **form.cleaned_data)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("The key is registered."))
            return redirect("meter-keys")
    keys = MeterKey.objects.filter(organisation=acting_organisation(request)).select_related(
        "created_by", "ended_by"
    )
    context = {
        "form": form,
        "page_obj": Paginator(keys.order_by("-pk"), PAGE_SIZE).get_page(request.GET.get("page")),
        "crumbs": [(gettext("Deliveries"), reverse("deliveries"))],
    }
    status = 422 if form.errors else 200
    return render(request, "settlement/corrections/meter_keys.html", context, status=status)


@require_supplier
@require_POST
def end_key(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """End a key."""
    try:
        end_meter_key(actor=current_actor(request), key_public_id=public_id)
    except NotFound:
        raise Http404 from None
    messages.success(request, gettext("The key has ended."))
    return redirect("meter-keys")


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def announce(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Announce that the counter of a delivery's meter started again."""
    own = Delivery.objects.filter(allocation__seller=acting_organisation(request))
    delivery = get_object_or_404(own.select_related("allocation"), public_id=public_id)
    form = CounterResetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            announce_reset(
                actor=current_actor(request), delivery_public_id=public_id, **form.cleaned_data
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Announced; the operator must approve it."))
            return redirect("delivery", public_id=public_id)
    context = {
        "delivery": delivery,
        "form": form,
        "resets": delivery.counter_resets.order_by("-reset_at"),
        "submit_label": gettext("Announce the reset"),
        "cancel_url": reverse("delivery", args=[public_id]),
        "crumbs": [(delivery.allocation.number, reverse("delivery", args=[public_id]))],
    }
    status = 422 if form.errors else 200
    return render(request, "settlement/corrections/counter_reset.html", context, status=status)


@require_operator
@require_safe
def list_resets(request: HttpRequest) -> HttpResponse:
    """Show announced resets, those that wait first."""
    resets = CounterReset.objects.select_related(
        "delivery__allocation__seller", "requested_by", "decided_by"
    )
    page = Paginator(resets.order_by("decided_at", "-pk"), PAGE_SIZE)
    context = {
        "page_obj": page.get_page(request.GET.get("page")),
        "waiting": resets.filter(state=CounterResetState.REQUESTED).count(),
    }
    return render(request, "settlement/corrections/counter_resets.html", context)


@require_operator
@require_POST
def decide(request: HttpRequest, public_id: UUID, verdict: str) -> HttpResponse:
    """Approve or refuse a reset."""
    try:
        decide_reset(
            actor=current_actor(request), reset_public_id=public_id, approve=verdict == "approve"
        )
    except NotFound:
        raise Http404 from None
    except RuleBroken as error:
        messages.error(request, gettext(error.message) % error.params)
    else:
        messages.success(request, gettext("Decided."))
    return redirect("counter-resets")
