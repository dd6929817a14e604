"""The home of mutual recognition (碳汇互认结算): what it is, how one stands, where to go on."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.decimals import add_exactly
from marketplace.domain.errors import RuleBroken
from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.error_texts import error_text
from marketplace.templatetags.market_ui import figure
from marketplace.web.access import current_actor, require
from settlement.models import RecognitionEvent
from settlement.selectors.recognition.agreements import agreement_faces
from settlement.selectors.recognition.credits import held_credits
from settlement.selectors.recognition.records import (
    CoveredStatement,
    covered_statement,
    covered_statements,
    cycles_for,
    events_of,
    newest_computations,
    own_positions,
    recognitions_for,
    sees_all,
)
from settlement.services.recognition.recognising import (
    may_recognise,
    preview_recognition,
    recognise,
)
from settlement.web.cases.acting import NothingAsked, confirm_page
from settlement.web.recognition.words import cap_line

PAGE_SIZE = 20
FEW = 6


def reads_recognition(actor: Actor) -> bool:
    """Tell whether the actor may open the pages: members their own part, the platform all."""
    if sees_all(actor):
        return True
    organisation = actor.organisation
    return organisation is not None and not organisation.is_platform and actor.can_see_own_money


require_reader = require(reads_recognition)
require_recogniser = require(may_recognise)


@require_reader
@require_safe
def show_overview(request: HttpRequest) -> HttpResponse:
    """Show needs, positions, agreements, cycles and what was recognised."""
    actor = current_actor(request)
    today = market_date(market_now())
    is_desk = sees_all(actor)
    party = None if is_desk else actor.organisation
    statements = covered_statements(party) if party else []
    page = Paginator(recognitions_for(actor), PAGE_SIZE).get_page(request.GET.get("page"))
    cycles = list(cycles_for(actor)[:FEW])
    computations = newest_computations(cycles)
    mine = own_positions(party, computations.values()) if party else {}
    context = {
        "is_desk": is_desk,
        "cards": _cards(actor, statements),
        "statements": statements,
        "can_recognise": may_recognise(actor),
        "page_obj": page,
        "faces": [
            {"face": face, "caps": cap_line(face.version) if face.version else ""}
            for face in agreement_faces(today, party=party)[:FEW]
        ],
        "cycles": [
            {"cycle": cycle, "computation": computation, "mine": mine.get(computation.pk)}
            if (computation := computations.get(cycle.pk))
            else {"cycle": cycle, "computation": None, "mine": None}
            for cycle in cycles
        ],
        "span": f"since={today:%Y}-01-01&until={today:%Y-%m-%d}",
        "can_open": actor.is_platform_finance or actor.is_operator,
        "reports": ("recognition", "netting"),
        "result_text": gettext("%(count)s recognitions") % {"count": page.paginator.count},
    }
    return render(request, "settlement/recognition/overview.html", context)


@require_reader
@require_safe
def show_recognition(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one recognition: need, what each retirement gave, what is left."""
    made = recognitions_for(current_actor(request)).filter(public_id=public_id).first()
    if made is None:
        raise Http404
    context = {
        "made": made,
        "events": events_of(made),
        "crumbs": [(gettext("Mutual recognition"), reverse("recognition"))],
    }
    return render(request, "settlement/recognition/record.html", context)


@require_recogniser
@require_http_methods(["GET", "HEAD", "POST"])
def cover_statement(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show what would be retired for a statement and, confirmed, retire and recognise it."""
    actor = current_actor(request)
    organisation = _own(actor)
    covered = covered_statement(organisation, public_id)
    if covered is None:
        raise Http404
    key = request.POST.get("key") or str(uuid4())
    lines, refusal = _plan(organisation, covered)
    if refusal and request.method != "POST":
        context = {"covered": covered, "refusal": refusal, "crumbs": _crumbs()}
        return render(request, "settlement/recognition/refused.html", context)
    return confirm_page(
        request,
        form=NothingAsked(request.POST or None),
        run=lambda _given: recognise(
            actor=actor, statement_public_id=public_id, idempotency_key=key[:120]
        ),
        question=gettext("Retire these credits for %(month)s?")
        % {"month": f"{covered.statement.month:%Y-%m}"},
        text=gettext(
            "The credits die in their registry with your organisation as beneficiary; nothing "
            "brings them back. The figures of the statement stay as they are."
        ),
        confirm_label=gettext("Retire and recognise"),
        back=reverse("recognition"),
        lines=lines,
        danger=True,
    )


def _own(actor: Actor) -> Organisation:
    if actor.organisation is None:
        raise Http404
    return actor.organisation


def _crumbs() -> list[tuple[str, str]]:
    return [(gettext("Mutual recognition"), reverse("recognition"))]


def _plan(
    organisation: Organisation, covered: CoveredStatement
) -> tuple[list[tuple[str, str]], str]:
    """Return the planned lines in words, or why there are none."""
    try:
        need, plan = preview_recognition(organisation=organisation, statement=covered.statement)
    except RuleBroken as error:
        return [], error_text(error)
    lines = [(gettext("Not covered yet"), f"{figure(need.need_t, 6)} tCO₂e")]
    for line in plan.lines:
        if line.credits:
            serials = "; ".join(str(block.serials) for block in line.used[:FEW])
            text = gettext("%(credits)s credits (%(serials)s) count %(tonnes)s t") % {
                "credits": line.credits,
                "serials": serials,
                "tonnes": figure(line.applied_t, 6),
            }
            lines.append((line.agreement, text))
    if len(lines) == 1:
        return [], gettext("No credit that you hold can be recognised for this statement now.")
    lines.append((gettext("Left uncovered"), f"{figure(plan.net_residual_t, 6)} tCO₂e"))
    return lines, ""


def _cards(actor: Actor, statements: list[CoveredStatement]) -> list[dict[str, Any]]:
    year = market_date(market_now()).year
    events = RecognitionEvent.objects.filter(recognition__recognised_on__year=year)
    if not sees_all(actor):
        events = events.filter(organisation=actor.organisation)
    totals = list(events.values_list("credits", "applied_t"))
    applied = add_exactly([Decimal(0), *(row[1] for row in totals)])
    cards = [
        _card(gettext("Credits retired this year"), figure(sum(r[0] for r in totals), 0), "leaf"),
        _card(gettext("Recognised this year"), figure(applied, 3), "arrows-exchange", "tCO₂e"),
    ]
    if not sees_all(actor) and actor.organisation is not None:
        need = add_exactly([Decimal(0), *(one.residual_t for one in statements)])
        free = sum(block.serials.count for block in held_credits(actor.organisation))
        cards.append(_card(gettext("Not covered yet"), figure(need, 3), "hourglass", "tCO₂e"))
        cards.append(_card(gettext("Free credits"), figure(free, 0), "database"))
    return cards


def _card(label: str, value: Any, icon_name: str, unit: str = "") -> dict[str, Any]:
    return {"label": label, "value": value, "icon_name": icon_name, "unit": unit}
