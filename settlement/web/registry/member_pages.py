"""A member's own units: holdings, transfers, retirements and their certificates."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.domain.periods import market_date
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.error_texts import error_text
from marketplace.templatetags.market_ui import figure, localname
from marketplace.web.access import acting_organisation, current_actor, require
from marketplace.web.csv_answers import file_answer
from marketplace.web.form_fields import add_refusal
from settlement.domain.registry.blocks import UnitBlock
from settlement.exports.pdf import PdfUnavailable
from settlement.exports.registry.certificates import retirement_pdf
from settlement.models import RetirementPurpose, SerialRange, UnitBatch, UnitState
from settlement.selectors.registry.holdings import (
    duties_for,
    expiring_soon,
    holdings_of,
    movements_of,
    reads_all_units,
    retirements_for,
    totals_of,
)
from settlement.selectors.registry.naming import beneficiary_named
from settlement.services.registry.access import may_move_units
from settlement.services.registry.holdings import retire_units, transfer_units
from settlement.templatetags.registry_words import unit_name
from settlement.web.registry.explorer_pages import registry_choices
from settlement.web.registry.forms import RangeForm, RetirementForm, TransferForm

PAGE_SIZE = 20
RECENT = 8
SOON = timedelta(days=60)


def _reads_own(actor: Actor) -> bool:
    organisation = actor.organisation
    return organisation is not None and not organisation.is_platform and actor.can_see_own_money


require_own_units = require(_reads_own)
require_mover = require(may_move_units)
require_retirement_reader = require(lambda actor: _reads_own(actor) or reads_all_units(actor))


class HoldingFilter(forms.Form):
    """Narrows the holdings."""

    registry = forms.ChoiceField(label=_("Registry"), required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", pgettext_lazy("filter", "All")),
            *((value, label) for value, label in UnitState.choices if value != UnitState.ISSUED),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["registry"].choices = registry_choices()  # type: ignore[attr-defined]


@require_own_units
@require_safe
def show_holdings(request: HttpRequest) -> HttpResponse:
    """Show what the member holds, used up and moved."""
    organisation = acting_organisation(request)
    form = HoldingFilter(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    rows = holdings_of(
        organisation, registry=asked.get("registry", ""), state=asked.get("state", "")
    )
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    actor = current_actor(request)
    units = {
        row.batch.registry.code: unit_name(row.batch.registry.unit) for row in page.object_list
    }
    context = {
        "totals": [
            (code, total, units.get(code, "")) for code, total in totals_of(organisation).items()
        ],
        "filter_form": form,
        "page_obj": page,
        "rows": [(row, _can_move(actor, row)) for row in page.object_list],
        "moves": movements_of(organisation)[:RECENT],
        "duties": duties_for(actor).filter(state="open"),
        "expiring": expiring_soon(organisation, until=market_date(market_now()) + SOON),
        "result_text": gettext("%(count)s ranges of serials") % {"count": page.paginator.count},
    }
    return render(request, "settlement/registry/holdings.html", context)


@require_mover
@require_http_methods(["GET", "HEAD", "POST"])
def transfer(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Hand units of a batch to another member, after a question."""
    batch, start = _batch_and_start(request, public_id)
    own = acting_organisation(request)
    form = TransferForm(request.POST or None, own=own, initial=start)

    def run(values: dict[str, Any]) -> None:
        transfer_units(
            actor=current_actor(request),
            ranges=[_block(batch, values)],
            to_organisation=values["to_organisation"],
            reason=values["reason"],
        )
        messages.success(request, gettext("The units were transferred."))

    return _ask_twice(
        request,
        form,
        batch,
        run,
        title=gettext("Transfer units"),
        question=gettext("Transfer these units?"),
        text=gettext("They belong to the receiver at once; only the receiver can return them."),
        label=gettext("Transfer"),
        lines=lambda values: [(gettext("Receiver"), localname(values["to_organisation"]))],
    )


@require_mover
@require_http_methods(["GET", "HEAD", "POST"])
def retire(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Use units of a batch up for a beneficiary, after a question."""
    batch, start = _batch_and_start(request, public_id)
    start |= {
        "beneficiary": acting_organisation(request).code,
        "claim_month": market_date(market_now()).replace(day=1),
    }
    form = RetirementForm(request.POST or None, batch=batch, initial=start)

    def run(values: dict[str, Any]) -> None:
        made = retire_units(
            actor=current_actor(request),
            ranges=[_block(batch, values)],
            beneficiary=beneficiary_named(values["beneficiary"]),
            purpose=RetirementPurpose(values["purpose"]),
            claim_month=values["claim_month"],
            claim_hour=values.get("claim_hour"),
            note=values["note"],
        )
        text = gettext("Retired: %(number)s.") % {"number": made.number}
        messages.success(request, text)

    return _ask_twice(
        request,
        form,
        batch,
        run,
        title=gettext("Retire units"),
        question=gettext("Retire these units for good?"),
        text=gettext("Nothing brings retired units back, and they serve this one claim only."),
        label=gettext("Retire"),
        lines=lambda values: [
            (gettext("Beneficiary"), _named(values["beneficiary"])),
            (pgettext("retirement", "Purpose"), str(RetirementPurpose(values["purpose"]).label)),
            (gettext("Month claimed for"), f"{values['claim_month']:%Y-%m}"),
        ],
    )


@require_retirement_reader
@require_safe
def list_retirements(request: HttpRequest) -> HttpResponse:
    """Show retirements by or for the member; the platform sees all."""
    rows = retirements_for(current_actor(request))
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "result_text": gettext("%(count)s retirements") % {"count": page.paginator.count},
    }
    return render(request, "settlement/registry/retirements.html", context)


@require_retirement_reader
@require_safe
def show_retirement(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a retirement with its serials."""
    found = retirements_for(current_actor(request)).filter(public_id=public_id).first()
    if found is None:
        raise Http404
    lines = found.lines.select_related("batch__project", "batch__programme").order_by("line")
    context = {
        "retirement": found,
        "lines": [
            (
                line,
                line.batch.serial_text(line.first_serial),
                line.batch.serial_text(line.last_serial),
            )
            for line in lines
        ],
        "duties": duties_for(current_actor(request)).filter(line__retirement=found),
        "crumbs": [(gettext("Retirements"), reverse("retirements"))],
    }
    return render(request, "settlement/registry/retirement.html", context)


@require_retirement_reader
@require_safe
def download_certificate(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Answer the certificate of a retirement as a bilingual PDF."""
    found = retirements_for(current_actor(request)).filter(public_id=public_id).first()
    if found is None:
        raise Http404
    try:
        content = retirement_pdf(found)
    except PdfUnavailable as error:
        messages.error(request, error_text(error))
        return redirect("retirement", public_id=public_id)
    return file_answer(content, name=f"{found.number}.pdf", content_type="application/pdf")


def _ask_twice(
    request: HttpRequest,
    form: RangeForm,
    batch: UnitBatch,
    run: Any,
    *,
    title: str,
    question: str,
    text: str,
    label: str,
    lines: Any,
) -> HttpResponse:
    """Show the form, then the question with what was entered, then act."""
    if request.method == "POST" and form.is_valid():
        if request.POST.get("confirmed") != "yes":
            values = form.cleaned_data
            context = {
                "question": question,
                "text": text,
                "confirm_label": label,
                "danger": True,
                "lines": [*_range_lines(batch, values), *lines(values)],
                "hidden": [(name, request.POST.get(name, "")) for name in form.fields],
                "cancel_url": request.get_full_path(),
            }
            return render(request, "generic/confirm.html", context)
        try:
            run(form.cleaned_data)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            return redirect("holdings")
    context = {
        "form": form,
        "title": title,
        "batch": batch,
        "submit_label": gettext("Continue"),
        "cancel_url": reverse("holdings"),
        "crumbs": [(gettext("Certificates and credits"), reverse("holdings"))],
        "free": _free(request, batch),
    }
    status = 422 if form.errors else 200
    return render(request, "settlement/registry/units_form.html", context, status=status)


def _batch_and_start(request: HttpRequest, public_id: UUID) -> tuple[UnitBatch, dict[str, Any]]:
    rows = UnitBatch.objects.select_related("registry", "programme", "project", "bundle")
    batch = rows.filter(public_id=public_id).first()
    if batch is None:
        raise Http404
    free = _free(request, batch)
    if not free:
        raise Http404
    asked = request.GET.get("first", "")
    chosen = next((row for row in free if str(row.first_serial) == asked), free[0])
    return batch, {"first_serial": chosen.first_serial, "last_serial": chosen.last_serial}


def _free(request: HttpRequest, batch: UnitBatch) -> list[SerialRange]:
    own = holdings_of(acting_organisation(request), state=UnitState.HELD)
    return list(own.filter(batch=batch))


def _range_lines(batch: UnitBatch, values: dict[str, Any]) -> list[tuple[str, str]]:
    first, last = values["first_serial"], values["last_serial"]
    return [
        (gettext("Registry"), batch.registry.code),
        (gettext("Serials"), f"{batch.serial_text(first)} – {batch.serial_text(last)}"),
        (gettext("Units"), f"{figure(last - first + 1, 0)} {batch.registry.unit}"),
    ]


def _block(batch: UnitBatch, values: dict[str, Any]) -> UnitBlock:
    return UnitBlock(batch.pk, values["first_serial"], values["last_serial"])


def _named(text: str) -> str:
    found = beneficiary_named(text)
    return found if isinstance(found, str) else localname(found)


def _can_move(actor: Actor, row: SerialRange) -> bool:
    return row.state == UnitState.HELD and may_move_units(actor)
