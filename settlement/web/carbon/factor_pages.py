"""Factor sets and metered PUE: read by the market's people, entered and decided by operators."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.domain.errors import NotPermitted, RuleBroken
from marketplace.permissions import Actor
from marketplace.services.error_texts import error_text
from marketplace.web.access import current_actor, require
from marketplace.web.form_fields import DayField
from settlement.models import FactorSet, FactorSetState, PueInterval
from settlement.services.carbon.factors import (
    COLUMNS,
    decide_factor_set,
    parse_factor_file,
    propose_factor_set,
)
from settlement.services.carbon.pue import COLUMNS as PUE_COLUMNS
from settlement.services.carbon.pue import parse_pue_file, record_pue

VALUES_PER_PAGE = 50
LARGEST_FILE = 5 * 1024 * 1024


def _is_desk(actor: Actor) -> bool:
    return actor.is_operator or actor.is_platform_finance or actor.is_platform_auditor


def _states_pue(actor: Actor) -> bool:
    return actor.is_operator or actor.can_sell


require_desk = require(_is_desk)
require_factor_operator = require(lambda actor: actor.is_operator)
require_pue_source = require(_states_pue)


class FileForm(forms.Form):
    """A form with a CSV file of UTF-8 text."""

    file = forms.FileField(label=_("CSV file"))

    def clean_file(self) -> str:
        """Return the file's text."""
        upload = self.cleaned_data["file"]
        if upload.size > LARGEST_FILE:
            raise forms.ValidationError(_("The file is larger than 5 MB."))
        try:
            return str(upload.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise forms.ValidationError(_("The file is not UTF-8 text.")) from None


class FactorSetForm(FileForm):
    """A published set of factors, to be decided by another operator."""

    year = forms.IntegerField(label=_("Factor year"), min_value=2000, max_value=2100)
    announcement = forms.CharField(label=_("Announcement"), max_length=160)
    published_on = DayField(label=_("Published on"))
    reason = forms.CharField(label=_("Reason"), max_length=200)
    field_order = ("year", "announcement", "published_on", "file", "reason")


class PueForm(FileForm):
    """Metered PUE of pools or hubs."""

    source = forms.CharField(label=_("Source of the figures"), max_length=80)
    field_order = ("file", "source")


@require_desk
@require_safe
def list_factor_sets(request: HttpRequest) -> HttpResponse:
    """Show all factor sets, the newest year first."""
    sets = FactorSet.objects.select_related("proposed_by", "decided_by")
    context = {
        "sets": sets.order_by("-year", "-version"),
        "may_propose": current_actor(request).is_operator,
    }
    return render(request, "settlement/carbon/factor_sets.html", context)


@require_desk
@require_safe
def show_factor_set(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one set with its factors."""
    actor = current_actor(request)
    found = get_object_or_404(
        FactorSet.objects.select_related("proposed_by", "decided_by"), public_id=public_id
    )
    values = found.values.order_by("level", "basis", "area_en")
    context: dict[str, Any] = {
        "factor_set": found,
        "page_obj": Paginator(values, VALUES_PER_PAGE).get_page(request.GET.get("page")),
        "may_decide": actor.is_operator
        and found.state == FactorSetState.PROPOSED
        and found.proposed_by_id != actor.user.pk,
        "crumbs": [(gettext("Factor sets"), reverse("factor-sets"))],
    }
    return render(request, "settlement/carbon/factor_set.html", context)


@require_factor_operator
@require_http_methods(["GET", "HEAD", "POST"])
def add_factor_set(request: HttpRequest) -> HttpResponse:
    """Enter a set for another operator to decide."""
    form = FactorSetForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            made = propose_factor_set(
                actor=current_actor(request),
                year=asked["year"],
                announcement=asked["announcement"],
                published_on=asked["published_on"],
                rows=parse_factor_file(asked["file"]),
                reason=asked["reason"],
            )
        except RuleBroken as refusal:
            form.add_error("file", _refusal_text(refusal))
        else:
            messages.success(request, gettext("Another operator has to approve the set now."))
            return redirect("factor-set", public_id=made.public_id)
    context = {
        "form": form,
        "columns": ",".join(COLUMNS),
        "submit_label": gettext("Ask for approval"),
        "cancel_url": reverse("factor-sets"),
        "crumbs": [(gettext("Factor sets"), reverse("factor-sets"))],
    }
    return render(request, "settlement/carbon/factor_set_form.html", context)


@require_factor_operator
@require_POST
def decide(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Approve or refuse a set that somebody else entered."""
    approve = request.POST.get("decision") == "approve"
    try:
        decide_factor_set(actor=current_actor(request), public_id=public_id, approve=approve)
    except RuleBroken as refusal:
        messages.error(request, error_text(refusal))
    else:
        text = gettext("The set is in use.") if approve else gettext("The set is refused.")
        messages.success(request, text)
    return redirect("factor-set", public_id=public_id)


@require_pue_source
@require_http_methods(["GET", "HEAD", "POST"])
def upload_pue(request: HttpRequest) -> HttpResponse:
    """Take a file of metered PUE; show what is known of the own places."""
    actor = current_actor(request)
    form = PueForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            rows = parse_pue_file(form.cleaned_data["file"])
            count = record_pue(actor=actor, rows=rows, source=form.cleaned_data["source"])
        except NotPermitted:
            form.add_error("file", gettext("The file names a place that is not yours to state."))
        except RuleBroken as refusal:
            form.add_error("file", _refusal_text(refusal))
        else:
            messages.success(request, gettext("%(count)s intervals taken.") % {"count": count})
            return redirect("pue-upload")
    known = PueInterval.objects.select_related("pool", "hub")
    if not actor.is_operator:
        known = known.filter(pool__organisation=actor.organisation)
    page = Paginator(known.order_by("-starts_at", "-revision"), VALUES_PER_PAGE)
    context = {
        "form": form,
        "columns": ",".join(PUE_COLUMNS),
        "page_obj": page.get_page(request.GET.get("page")),
    }
    return render(request, "settlement/carbon/pue.html", context)


def _refusal_text(refusal: RuleBroken) -> str:
    reason = refusal.params.get("reason")
    words = _REASONS.get(str(reason))
    text = error_text(refusal)
    return f"{text} {words}" if words else text


_REASONS = {
    "columns": _("The header must name the columns exactly."),
    "cells": _("A cell is missing or there are too many."),
    "duplicate": _("The same area and basis stand there twice."),
    "national_missing": _("The national figures are missing."),
    "level": _("The level is unknown."),
    "area": _("The name of the area is too long."),
    "overlap": _("The interval overlaps another one of the same place."),
    "time": _("The times cannot be read; they need a zone, and the end lies after the start."),
    "out_of_range": _("A PUE is between 1 and 10."),
    "unknown_place": _("There is no such hub or pool."),
    "not_a_number": _("The figure is no plain number."),
    "too_precise": _("The figure has more than 4 decimals."),
}
