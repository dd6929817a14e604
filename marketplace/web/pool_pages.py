"""A pool from registration to correction, and out of the market for a while."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from marketplace.domain.errors import RuleBroken
from marketplace.models import ListingState, ResourcePool
from marketplace.services.pool_changes import bring_pool_online, revise_pool, take_pool_offline
from marketplace.services.pools import register_pool
from marketplace.templatetags.market_ui import group_digits, localname
from marketplace.web.access import current_actor, require_supplier
from marketplace.web.capacity_pages import own_pool
from marketplace.web.form_fields import add_refusal
from marketplace.web.pool_forms import PoolChangeForm, PoolForm, stored_details


class OfflineForm(forms.Form):
    """Why a pool leaves the market for a while."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("Kept in the pool's history.")
    )


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def add_pool(request: HttpRequest) -> HttpResponse:
    """Take in a pool; the page after it shows the identifier it was given."""
    form = PoolForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            pool = register_pool(actor=current_actor(request), **form.details())
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            text = gettext("The pool is registered. Its resource identifier is %(identifier)s.")
            messages.success(request, text % {"identifier": pool.identifier})
            return redirect("pool", identifier=pool.identifier)
    context = {
        "form": form,
        "cancel_url": reverse("pools"),
        "submit_label": gettext("Register the pool"),
        "crumbs": _crumbs(),
    }
    status = 422 if form.errors else 200
    return render(request, "marketplace/capacity_pool_form.html", context, status=status)


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def edit_pool(request: HttpRequest, identifier: str) -> HttpResponse:
    """Correct a pool; hub, product and identifier stay."""
    pool = own_pool(request, identifier)
    form = PoolChangeForm(request.POST or None, initial=stored_details(pool))
    if request.method == "POST" and form.is_valid():
        try:
            revise_pool(actor=current_actor(request), identifier=identifier, **form.details())
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("The pool is changed."))
            return redirect("pool", identifier=identifier)
    context = {
        "form": form,
        "pool": pool,
        "cancel_url": reverse("pool", args=[identifier]),
        "submit_label": gettext("Save the changes"),
        "crumbs": [*_crumbs(), (localname(pool), reverse("pool", args=[identifier]))],
    }
    status = 422 if form.errors else 200
    return render(request, "marketplace/capacity_pool_form.html", context, status=status)


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def take_offline(request: HttpRequest, identifier: str) -> HttpResponse:
    """Ask for the reason, then keep the pool out of coming auctions."""
    pool = own_pool(request, identifier)
    form = OfflineForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            count = take_pool_offline(
                actor=current_actor(request),
                identifier=identifier,
                reason=form.cleaned_data["reason"],
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            text = ngettext(
                "The pool is offline; %(count)s listing is paused.",
                "The pool is offline; %(count)s listings are paused.",
                count,
            )
            messages.success(request, text % {"count": count})
            return redirect("pool", identifier=identifier)
    context = {
        "question": gettext("Take this pool offline?"),
        "text": gettext(
            "Coming auctions get no copy of its listings. What is sold is still delivered, and an "
            "auction that has its copy keeps it."
        ),
        "confirm_label": gettext("Take it offline"),
        "danger": True,
        **_asking(pool, form),
    }
    status = 422 if form.errors else 200
    return render(request, "generic/confirm.html", context, status=status)


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def bring_online(request: HttpRequest, identifier: str) -> HttpResponse:
    """Ask, then offer the pool again."""
    pool = own_pool(request, identifier)
    form = forms.Form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            count = bring_pool_online(actor=current_actor(request), identifier=identifier)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            text = ngettext(
                "The pool is online; %(count)s listing is on offer again.",
                "The pool is online; %(count)s listings are on offer again.",
                count,
            )
            messages.success(request, text % {"count": count})
            return redirect("pool", identifier=identifier)
    context = {
        "question": gettext("Bring this pool online?"),
        "text": gettext("The listings that were paused with it are offered again."),
        "confirm_label": gettext("Bring it online"),
        **_asking(pool, form),
    }
    status = 422 if form.errors else 200
    return render(request, "generic/confirm.html", context, status=status)


def _asking(pool: ResourcePool, form: forms.Form) -> dict[str, Any]:
    active = pool.listings.filter(state=ListingState.ACTIVE).count()
    paused = pool.listings.filter(paused_with_pool=True).count()
    return {
        "form": form,
        "cancel_url": reverse("pool", args=[pool.identifier]),
        "lines": [
            (gettext("Resource pool"), localname(pool)),
            (gettext("Units"), group_digits(pool.unit_count, 0, 3)),
            (gettext("Active listings"), active),
            (gettext("Listings paused with the pool"), paused),
        ],
    }


def _crumbs() -> list[tuple[str, str]]:
    return [
        (gettext("My capacity"), reverse("capacity")),
        (gettext("Resource pools"), reverse("pools")),
    ]
