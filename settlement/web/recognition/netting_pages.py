"""Netting cycles: who owes whom before and after, units and cash, and the settling desk."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.templatetags.market_ui import figure, localname
from marketplace.web.access import current_actor
from marketplace.web.stepping_up import require_confirmation
from settlement.models import InstrumentType, NettingCycle, NettingState
from settlement.selectors.recognition.records import (
    cycles_for,
    newest_computations,
    obligations_for,
    positions_for,
    sees_all,
)
from settlement.services.recognition.netting import compute_cycle, fail_party, settle_cycle
from settlement.services.recognition.netting_entry import (
    CycleDraft,
    ObligationDraft,
    add_obligation,
    freeze_cycle,
    open_cycle,
)
from settlement.services.recognition.netting_settlement import CASH_MISSING, UNITS_MISSING
from settlement.web.cases.acting import NothingAsked, confirm_page, enter_page
from settlement.web.recognition.agreement_pages import keeps_agreements, require_keeper
from settlement.web.recognition.forms import CycleForm, FailureForm, ObligationForm
from settlement.web.recognition.overview_pages import require_reader

PAGE_SIZE = 20


@require_reader
@require_safe
def list_cycles(request: HttpRequest) -> HttpResponse:
    """Show the cycles that the reader is a party of; the platform sees all."""
    actor = current_actor(request)
    page = Paginator(cycles_for(actor), PAGE_SIZE).get_page(request.GET.get("page"))
    computations = newest_computations(list(page.object_list))
    context = {
        "page_obj": page,
        "rows": [
            {"cycle": cycle, "computation": computations.get(cycle.pk)}
            for cycle in page.object_list
        ],
        "can_open": keeps_agreements(actor),
        "crumbs": _home(),
        "result_text": gettext("%(count)s cycles") % {"count": page.paginator.count},
    }
    return render(request, "settlement/recognition/cycles.html", context)


@require_reader
@require_safe
def show_cycle(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a cycle: obligations, positions, deliveries, cash, failures and measures."""
    actor = current_actor(request)
    cycle = cycles_for(actor).filter(public_id=public_id).first()
    if cycle is None:
        raise Http404
    computation = newest_computations([cycle]).get(cycle.pk)
    is_desk = sees_all(actor)
    context = {
        "cycle": cycle,
        "instrument": InstrumentType(cycle.instrument_type).label,
        "computation": computation,
        "obligations": obligations_for(actor, cycle),
        "positions": positions_for(actor, computation) if computation else [],
        "deliveries": _deliveries(actor, computation),
        "failures": _failures(cycle) if is_desk else [],
        "is_desk": is_desk,
        "acts": _acts(actor, cycle, computation),
        "crumbs": [*_home(), (gettext("Netting cycles"), reverse("netting-cycles"))],
    }
    return render(request, "settlement/recognition/cycle.html", context)


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def start_cycle(request: HttpRequest) -> HttpResponse:
    """Open a cycle."""
    actor = current_actor(request)
    return enter_page(
        request,
        form=CycleForm(request.POST or None),
        run=lambda given: open_cycle(
            actor=actor, draft=CycleDraft(**{**given, "registry": given["registry"].code})
        ),
        title=gettext("Open a netting cycle"),
        submit_label=pgettext("button", "Open"),
        back=reverse("netting-cycles"),
        crumbs=[*_home(), (gettext("Netting cycles"), reverse("netting-cycles"))],
        aside=gettext("Only units of one registry, kind and vintage are netted with each other."),
        success_url=_address,
    )


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def enter_obligation(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Add what one data centre owes another."""
    actor = current_actor(request)
    cycle = get_object_or_404(NettingCycle, public_id=public_id)

    def run(given: dict[str, Any]) -> object:
        draft = ObligationDraft(
            given["payer"].code, given["payee"].code, given["quantity_t"], given["reference"]
        )
        return add_obligation(actor=actor, cycle_public_id=public_id, draft=draft)

    return enter_page(
        request,
        form=ObligationForm(request.POST or None),
        run=run,
        title=gettext("Add an obligation to %(code)s") % {"code": cycle.code},
        submit_label=gettext("Add"),
        back=_address(cycle),
        crumbs=[*_home(), (cycle.code, _address(cycle))],
    )


@require_keeper
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def move_cycle(request: HttpRequest, public_id: UUID, step: str) -> HttpResponse:
    """Freeze, compute or settle a cycle after a question."""
    actor = current_actor(request)
    cycle = get_object_or_404(NettingCycle, public_id=public_id)
    runs = {"freeze": freeze_cycle, "compute": compute_cycle, "settle": settle_cycle}
    question, text, label = _questions()[step]
    computation = newest_computations([cycle]).get(cycle.pk)
    lines = [(gettext("Cycle"), cycle.code)]
    if computation is not None:
        lines += [
            (gettext("Owed in all"), f"{figure(computation.gross_t, 6)} t"),
            (gettext("Left after netting"), f"{figure(computation.net_t, 6)} t"),
            (gettext("Whole credits that move"), figure(computation.delivered_units, 0)),
        ]
    return confirm_page(
        request,
        form=NothingAsked(request.POST or None),
        run=lambda _given: runs[step](actor=actor, cycle_public_id=public_id),
        question=question,
        text=text,
        confirm_label=label,
        back=_address(cycle),
        lines=lines,
        danger=step == "settle",
    )


@require_keeper
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def remove_party(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take a party that cannot perform out of a cycle."""
    actor = current_actor(request)
    cycle = get_object_or_404(NettingCycle, public_id=public_id)
    parties = Organisation.objects.filter(
        pk__in={party for pair in cycle.obligations.values_list("payer", "payee") for party in pair}
    ).order_by("code")
    form = FailureForm(
        request.POST or None,
        parties=[(party.code, f"{party.code} · {localname(party)}") for party in parties],
    )
    return enter_page(
        request,
        form=form,
        run=lambda given: fail_party(
            actor=actor,
            cycle_public_id=public_id,
            party_code=given["party"],
            reason=given["reason"],
        ),
        title=gettext("Take a party out of %(code)s") % {"code": cycle.code},
        submit_label=gettext("Take out and compute anew"),
        back=_address(cycle),
        crumbs=[*_home(), (cycle.code, _address(cycle))],
        aside=gettext("All its obligations leave the cycle; the rest is computed from scratch."),
    )


def _address(cycle: NettingCycle) -> str:
    return reverse("netting-cycle", args=[cycle.public_id])


def _home() -> list[tuple[str, str]]:
    return [(gettext("Mutual recognition"), reverse("recognition"))]


def _questions() -> dict[str, tuple[str, str, str]]:
    return {
        "freeze": (
            gettext("Freeze this cycle?"),
            gettext("It takes no more obligations."),
            gettext("Freeze"),
        ),
        "compute": (
            gettext("Compute this cycle?"),
            gettext("Positions, deliveries and cash are shown; another person settles them."),
            gettext("Compute"),
        ),
        "settle": (
            gettext("Settle this cycle?"),
            gettext(
                "Units and cash move at once. If a party cannot perform, nothing moves: it leaves "
                "the cycle, and the rest is computed anew."
            ),
            gettext("Settle"),
        ),
    }


def _acts(actor: Actor, cycle: NettingCycle, computation: Any) -> dict[str, bool]:
    keeps = keeps_agreements(actor)
    is_computed = cycle.state == NettingState.COMPUTED
    return {
        "add": keeps and cycle.state == NettingState.OPEN,
        "compute": keeps and cycle.state == NettingState.FROZEN,
        "settle": keeps
        and is_computed
        and computation is not None
        and computation.computed_by_id != actor.user.pk,
        "wait": keeps and is_computed,
        "fail": keeps and cycle.state in (NettingState.FROZEN, NettingState.COMPUTED),
    }


def _deliveries(actor: Actor, computation: Any) -> list[Any]:
    if computation is None:
        return []
    rows = computation.instructions.select_related("from_organisation", "to_organisation")
    found = list(rows.order_by("from_organisation__code", "to_organisation__code"))
    if sees_all(actor):
        return found
    mine = actor.organisation
    return [row for row in found if mine in (row.from_organisation, row.to_organisation)]


def _failures(cycle: NettingCycle) -> list[dict[str, Any]]:
    words = {
        UNITS_MISSING: gettext("Too few free units"),
        CASH_MISSING: gettext("Too little free cash"),
    }
    return [
        {"one": row, "reason": words.get(row.reason, row.reason)}
        for row in cycle.failures.select_related("organisation").order_by("id")
    ]
