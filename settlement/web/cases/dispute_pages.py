"""Disputes as the sides and the market see them: list, case, and everything done in it."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.document_files import MAX_BYTES
from marketplace.domain.errors import NotFound
from marketplace.domain.periods import market_date
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_ui import figure, localname
from marketplace.web.access import current_actor, require
from settlement.models import Delivery, Dispute, DisputeEvidence, DisputeSide, DisputeState
from settlement.selectors.cases.disputes import (
    billed_delivery,
    dispute_for,
    disputes_for,
    due_on,
    evidence_for,
    messages_for,
    reads_everything,
    ready_for_ruling,
)
from settlement.selectors.cases.holds import OPEN_STATES
from settlement.services.cases.dispute_records import add_evidence, add_message
from settlement.services.cases.disputes import (
    answer_dispute,
    insist_on_dispute,
    open_dispute,
    withdraw_dispute,
)
from settlement.web.cases.acting import NothingAsked, confirm_page, enter_page
from settlement.web.cases.forms import AnswerForm, DisputeFilter, DisputeForm, SayForm

PAGE_SIZE = 25
require_reader = require(lambda actor: actor.can_see_own_money or reads_everything(actor))


@require_reader
@require_safe
def list_disputes(request: HttpRequest) -> HttpResponse:
    """Show the own disputes, or to the market all of them with their deadlines."""
    actor = current_actor(request)
    form = DisputeFilter(request.GET)
    rows = disputes_for(actor)
    asked = form.cleaned_data.get("state") if form.is_valid() else ""
    if asked == "open":
        rows = rows.filter(state__in=OPEN_STATES)
    elif asked:
        rows = rows.filter(state=asked)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    today = market_date(market_now())
    context = {
        "filter_form": form,
        "page_obj": page,
        "is_desk": reads_everything(actor),
        "rows": [_row(dispute, actor, today) for dispute in page.object_list],
        "waiting": disputes_for(actor).filter(state__in=OPEN_STATES).count(),
        "result_text": gettext("%(count)s disputes") % {"count": page.paginator.count},
    }
    return render(request, "settlement/cases/disputes.html", context)


def _row(dispute: Dispute, actor: Actor, today: Any) -> dict[str, Any]:
    due = due_on(dispute)
    return {
        "one": dispute,
        "due": due,
        "is_late": due is not None and due < today,
        "is_own": actor.organisation == dispute.organisation,
        "claimed": abs(dispute.claimed_net_cny),
    }


@require_reader
@require_safe
def show_dispute(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a case with what was said and handed in, as far as the reader may see it."""
    actor = current_actor(request)
    dispute = _find(actor, public_id)
    today = market_date(market_now())
    ruling = dispute.rulings.exclude(state="rejected").select_related("proposed_by").first()
    is_ruled = dispute.state == DisputeState.RULED
    context = {
        "dispute": dispute,
        "delivery": dispute.delivery,
        "due": due_on(dispute),
        "claimed": abs(dispute.claimed_net_cny),
        "dispute_messages": messages_for(actor, dispute),
        "evidence": evidence_for(actor, dispute),
        "history": [
            (step.market_at, DisputeState(step.to_state))
            for step in dispute.transitions.order_by("pk")
        ],
        "ruling": ruling if reads_everything(actor) or is_ruled else None,
        "acts": _acts(actor, dispute, ruling, today),
        "is_desk": reads_everything(actor),
        "crumbs": [(gettext("Disputes"), reverse("disputes"))],
    }
    return render(request, "settlement/cases/dispute.html", context)


def _acts(actor: Actor, dispute: Dispute, ruling: Any, today: Any) -> dict[str, bool]:
    is_open = dispute.state in OPEN_STATES
    is_own = actor.organisation == dispute.organisation and _stands(actor, dispute, own=True)
    is_other = actor.organisation == dispute.respondent and _stands(actor, dispute, own=False)
    return {
        "say": is_open and (is_own or is_other or actor.is_operator),
        "answer": is_other and dispute.state == DisputeState.OPENED,
        "insist": is_own and dispute.state == DisputeState.ANSWERED and dispute.insisted_on is None,
        "withdraw": is_own and is_open and ruling is None,
        "propose": actor.is_operator
        and is_open
        and ruling is None
        and ready_for_ruling(dispute, today),
        "decide": actor.is_operator
        and ruling is not None
        and ruling.state == "entered"
        and ruling.proposed_by_id != actor.user.pk,
    }


def _stands(actor: Actor, dispute: Dispute, *, own: bool) -> bool:
    buys = (dispute.side == DisputeSide.BUYER) == own
    roles = {"finance", "buyer" if buys else "supplier"}
    return bool(roles & actor.roles)


@require_reader
@require_http_methods(["GET", "HEAD", "POST"])
def start_dispute(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Open a dispute about an own settled delivery."""
    actor = current_actor(request)
    rows = Delivery.objects.select_related("allocation__buyer", "allocation__seller")
    delivery = get_object_or_404(rows, public_id=public_id)
    parties = (delivery.allocation.buyer, delivery.allocation.seller)
    if actor.organisation not in parties:
        raise Http404
    return enter_page(
        request,
        form=DisputeForm(request.POST or None),
        run=lambda given: open_dispute(
            actor=actor,
            delivery_public_id=public_id,
            ground=given["ground"],
            claim=given["claim"],
            claimed_net_cny=given["amount"],
        ),
        title=gettext("Open a dispute"),
        submit_label=gettext("Open the dispute"),
        back=reverse("delivery", args=[public_id]),
        crumbs=[(delivery.allocation.number, reverse("delivery", args=[public_id]))],
        aside=gettext(
            "The other side answers within its term; then you ask for a ruling or let it rest. "
            "Only the disputed part is held: it is neither paid out nor collected meanwhile."
        ),
        lines=_billed_lines(delivery, actor),
        success_url=lambda made: reverse("dispute", args=[made.public_id]),
    )


def _billed_lines(delivery: Delivery, actor: Actor) -> list[tuple[str, str]]:
    lines = [(gettext("Delivery"), delivery.allocation.number)]
    billed = billed_delivery(delivery)
    if billed is None:
        return lines
    if actor.organisation == delivery.allocation.buyer:
        lines.append((gettext("Billed, CNY before tax"), figure(billed.buyer_net)))
        return [*lines, (gettext("Bill"), billed.bill.number)]
    lines.append((gettext("Credited, CNY before tax"), figure(billed.seller_net)))
    return [*lines, (gettext("Statement"), billed.statement.number)]


@require_reader
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Answer for the other side."""
    actor = current_actor(request)
    dispute = _find(actor, public_id)
    return enter_page(
        request,
        form=AnswerForm(request.POST or None),
        run=lambda given: answer_dispute(actor=actor, public_id=public_id, text=given["text"]),
        title=gettext("Answer the dispute"),
        submit_label=gettext("Send the answer"),
        back=_url(dispute),
        crumbs=_crumbs(dispute),
        aside=gettext("You answer once. Evidence and further messages can be added until ruled."),
        lines=_case_lines(dispute),
    )


@require_reader
@require_http_methods(["GET", "HEAD", "POST"])
def say(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Add a message, a file or both to an open case."""
    actor = current_actor(request)
    dispute = _find(actor, public_id)
    form = SayForm(request.POST or None, request.FILES or None, initial={"visibility": "parties"})
    return enter_page(
        request,
        form=form,
        run=lambda given: _add(actor, public_id, given),
        title=gettext("Add to the dispute"),
        submit_label=gettext("Add"),
        back=_url(dispute),
        crumbs=_crumbs(dispute),
        aside=gettext("What is added stays: nothing is changed or taken away."),
        lines=_case_lines(dispute),
    )


def _add(actor: Actor, public_id: UUID, given: dict[str, Any]) -> None:
    if given["file"]:
        add_evidence(
            actor=actor,
            public_id=public_id,
            name=given["file"].name,
            data=given["file"].read(MAX_BYTES + 1),
            visibility=given["visibility"],
        )
    if given["text"]:
        add_message(
            actor=actor, public_id=public_id, text=given["text"], visibility=given["visibility"]
        )


@require_reader
@require_http_methods(["GET", "HEAD", "POST"])
def insist(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask for a ruling after the answer."""
    actor = current_actor(request)
    dispute = _find(actor, public_id)
    return confirm_page(
        request,
        form=NothingAsked(request.POST or None),
        run=lambda given: insist_on_dispute(actor=actor, public_id=public_id),
        question=gettext("Ask for a ruling?"),
        text=gettext("Two operators of the market rule on what both sides handed in."),
        confirm_label=gettext("Ask for a ruling"),
        lines=_case_lines(dispute),
        back=_url(dispute),
    )


@require_reader
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take an own dispute back."""
    actor = current_actor(request)
    dispute = _find(actor, public_id)
    return confirm_page(
        request,
        form=NothingAsked(request.POST or None),
        run=lambda given: withdraw_dispute(actor=actor, public_id=public_id),
        question=gettext("Withdraw the dispute?"),
        text=gettext("The held part is paid out and collected as if nothing had been disputed."),
        confirm_label=gettext("Withdraw"),
        lines=_case_lines(dispute),
        back=_url(dispute),
        danger=True,
    )


@never_cache
@require_reader
@require_safe
def download_evidence(request: HttpRequest, public_id: UUID, file_id: UUID) -> HttpResponse:
    """Answer a file to save; a browser never shows it inside the portal."""
    actor = current_actor(request)
    dispute = _find(actor, public_id)
    known = evidence_for(actor, dispute).filter(public_id=file_id).first()
    if known is None:
        raise Http404
    evidence = DisputeEvidence.objects.get(pk=known.pk)
    response = HttpResponse(bytes(evidence.content), content_type=evidence.media_type)
    response["Content-Disposition"] = content_disposition_header(True, evidence.name) or ""
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _find(actor: Actor, public_id: UUID) -> Dispute:
    try:
        return dispute_for(actor, public_id)
    except NotFound:
        raise Http404 from None


def _url(dispute: Dispute) -> str:
    return reverse("dispute", args=[dispute.public_id])


def _crumbs(dispute: Dispute) -> list[tuple[str, str]]:
    return [(gettext("Disputes"), reverse("disputes")), (dispute.number, _url(dispute))]


def _case_lines(dispute: Dispute) -> list[tuple[str, str]]:
    return [
        (gettext("Dispute"), dispute.number),
        (gettext("Opened by"), localname(dispute.organisation)),
        (gettext("Ground"), dispute.get_ground_display()),
        (gettext("Claimed, CNY before tax"), figure(abs(Decimal(dispute.claimed_net_cny)))),
    ]
