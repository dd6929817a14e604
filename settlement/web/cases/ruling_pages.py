"""Rulings: one operator proposes, another approves or sends back."""

from decimal import Decimal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from marketplace.templatetags.market_ui import figure, localname
from marketplace.web.access import current_actor, require_operator
from marketplace.web.stepping_up import require_confirmation
from settlement.models import Dispute, DisputeRuling
from settlement.services.cases.rulings import decide_ruling, propose_ruling
from settlement.web.cases.acting import confirm_page, enter_page
from settlement.web.cases.forms import RulingForm
from settlement.web.funds_forms import DecisionForm


@require_operator
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Propose a ruling."""
    dispute = get_object_or_404(
        Dispute.objects.select_related("organisation", "respondent"), public_id=public_id
    )
    back = reverse("dispute", args=[public_id])
    actor = current_actor(request)
    return enter_page(
        request,
        form=RulingForm(request.POST or None),
        run=lambda given: propose_ruling(
            actor=actor,
            public_id=public_id,
            outcome=given["outcome"],
            reason=given["reason"],
            awarded_net_cny=given["amount"] or Decimal(0),
        ),
        title=gettext("Propose a ruling"),
        submit_label=gettext("Propose"),
        back=back,
        crumbs=[(gettext("Disputes"), reverse("disputes")), (dispute.number, back)],
        aside=gettext(
            "Another operator approves it. Then credit notes go to both sides at once: the buyer "
            "gets back what is awarded with its tax, the supplier bears the same share."
        ),
        lines=[
            (gettext("Opened by"), localname(dispute.organisation)),
            (gettext("Other side"), localname(dispute.respondent)),
            (gettext("Claimed, CNY before tax"), figure(abs(dispute.claimed_net_cny))),
        ],
        done=gettext("Proposed; another operator must decide it now."),
    )


@require_operator
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, public_id: UUID, verdict: str) -> HttpResponse:
    """Approve a ruling, which settles it, or send it back."""
    rows = DisputeRuling.objects.select_related("dispute__organisation", "proposed_by")
    ruling = get_object_or_404(rows, public_id=public_id)
    actor, approve = current_actor(request), verdict == "approve"
    return confirm_page(
        request,
        form=DecisionForm(request.POST or None, is_required=not approve),
        run=lambda given: decide_ruling(
            actor=actor, ruling_public_id=public_id, approve=approve, reason=given["reason"]
        ),
        question=gettext("Approve this ruling?") if approve else gettext("Send the ruling back?"),
        text=gettext("The difference is settled at once and cannot be taken back.")
        if approve
        else gettext("The dispute stays open; another ruling can be proposed."),
        confirm_label=gettext("Approve") if approve else gettext("Send back"),
        danger=not approve,
        lines=[
            (gettext("Dispute"), ruling.dispute.number),
            (gettext("Opened by"), localname(ruling.dispute.organisation)),
            (gettext("Proposed by"), str(ruling.proposed_by)),
            (gettext("Outcome"), ruling.get_outcome_display()),
            (gettext("Awarded, CNY before tax"), figure(abs(ruling.awarded_net_cny))),
            (gettext("Reason"), ruling.reason),
        ],
        back=reverse("dispute", args=[ruling.dispute.public_id]),
    )
