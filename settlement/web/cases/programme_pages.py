"""Voucher programmes as the market's finance keeps them: budget, vouchers, decisions."""

import re
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.permissions import Actor
from marketplace.templatetags.market_ui import figure, localname, market_time
from marketplace.web.access import current_actor, require
from marketplace.web.stepping_up import require_confirmation
from settlement.models import Voucher, VoucherProgramme, VoucherProgrammeState, VoucherState
from settlement.services.accounts import voucher_account
from settlement.services.cases.voucher_programmes import (
    ProgrammeDraft,
    decide_programme,
    end_programme,
    enter_programme,
)
from settlement.services.cases.vouchers import decide_voucher, enter_voucher, recall_voucher
from settlement.web.cases.acting import confirm_page, enter_page
from settlement.web.cases.forms import ProgrammeForm, VoucherForm
from settlement.web.funds_desk import sees_desk
from settlement.web.funds_forms import DecisionForm

PAGE_SIZE = 25
require_desk = require(sees_desk)
require_keeper = require(lambda actor: actor.is_platform_finance or actor.is_operator)


@require_desk
@require_safe
def list_programmes(request: HttpRequest) -> HttpResponse:
    """Show the programmes with what is left of their budgets."""
    rows = VoucherProgramme.objects.order_by("-pk")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "rows": [(one, one.budget_cny - one.committed_cny) for one in page.object_list],
        "can_enter": keeps(current_actor(request)),
        "result_text": gettext("%(count)s programmes") % {"count": page.paginator.count},
    }
    return render(request, "settlement/cases/programmes.html", context)


def keeps(actor: Actor) -> bool:
    """Tell whether the actor enters and decides programmes and vouchers."""
    return actor.is_platform_finance or actor.is_operator


@require_desk
@require_safe
def show_programme(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a programme, its budget and its vouchers."""
    programme = get_object_or_404(VoucherProgramme, public_id=public_id)
    actor = current_actor(request)
    rows = programme.vouchers.select_related("organisation", "entered_by").order_by("-pk")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    is_live = programme.state == VoucherProgrammeState.ACTIVE
    is_waiting = programme.state == VoucherProgrammeState.ENTERED
    context = {
        "programme": programme,
        "left_cny": programme.budget_cny - programme.committed_cny,
        "account": voucher_account(programme.code)
        if programme.decided_at
        and not is_waiting
        and programme.state != VoucherProgrammeState.REJECTED
        else None,
        "members": programme.organisations.order_by("code"),
        "page_obj": page,
        "rows": [_voucher_row(one, actor) for one in page.object_list],
        "can_decide": keeps(actor) and is_waiting and programme.entered_by_id != actor.user.pk,
        "can_issue": keeps(actor) and is_live,
        "crumbs": [(gettext("Voucher programmes"), reverse("voucher-programmes"))],
    }
    return render(request, "settlement/cases/programme.html", context)


def _voucher_row(one: Voucher, actor: Actor) -> dict[str, Any]:
    return {
        "one": one,
        "can_decide": keeps(actor)
        and one.state == VoucherState.ENTERED
        and one.entered_by_id != actor.user.pk,
        "can_recall": keeps(actor) and one.state == VoucherState.ACTIVE,
    }


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def add_programme(request: HttpRequest) -> HttpResponse:
    """Enter a programme."""
    actor = current_actor(request)
    return enter_page(
        request,
        form=ProgrammeForm(request.POST or None),
        run=lambda given: enter_programme(actor=actor, draft=_draft(given)),
        title=gettext("Enter a voucher programme"),
        submit_label=gettext("Enter"),
        back=reverse("voucher-programmes"),
        crumbs=[(gettext("Voucher programmes"), reverse("voucher-programmes"))],
        aside=gettext(
            "Another person puts it into force. Vouchers pay a share of bills after they are "
            "posted; they never count as collateral."
        ),
        names={
            "amount": "budget",
            "share_of_bill": "share",
            "member_cap": "member_cap",
        },
        done=gettext("Entered; another person must decide it now."),
    )


def _draft(given: dict[str, Any]) -> ProgrammeDraft:
    words = [word.strip() for word in re.split("[,，、]", given["regions"])]
    return ProgrammeDraft(
        code=given["code"],
        name_zh=given["name_zh"],
        name_en=given["name_en"],
        issuer_zh=given["issuer_zh"],
        issuer_en=given["issuer_en"],
        budget_cny=given["budget"],
        share_of_bill=given["share"] / Decimal(100),
        member_cap_cny=given["member_cap"],
        valid_from=given["valid_from"],
        valid_until=given["valid_until"],
        member_codes=tuple(one.code for one in given["members"]),
        regions=tuple(word for word in words if word),
        resource_classes=tuple(given["resource_classes"]),
    )


@require_keeper
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def decide_on_programme(request: HttpRequest, public_id: UUID, verdict: str) -> HttpResponse:
    """Put a programme into force, reject it, or end it."""
    programme = get_object_or_404(VoucherProgramme, public_id=public_id)
    actor = current_actor(request)
    words = {
        "approve": (gettext("Put this programme into force?"), gettext("Put into force")),
        "reject": (gettext("Reject this programme?"), gettext("Reject")),
        "end": (gettext("End this programme?"), gettext("End it")),
    }[verdict]

    def run(given: dict[str, Any]) -> None:
        if verdict == "end":
            end_programme(actor=actor, public_id=public_id, reason=given["reason"])
        else:
            decide_programme(
                actor=actor,
                public_id=public_id,
                approve=verdict == "approve",
                reason=given["reason"],
            )

    return confirm_page(
        request,
        form=DecisionForm(request.POST or None, is_required=verdict != "approve"),
        run=run,
        question=words[0],
        text=gettext("Vouchers that are out stay usable.") if verdict == "end" else "",
        confirm_label=words[1],
        danger=verdict != "approve",
        lines=[
            (gettext("Programme"), f"{programme.code} · {localname(programme)}"),
            (gettext("Budget, CNY"), figure(programme.budget_cny)),
            (gettext("Entered by"), str(programme.entered_by)),
        ],
        back=reverse("voucher-programme", args=[public_id]),
    )


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def add_voucher(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Propose a voucher of a programme for a member."""
    programme = get_object_or_404(VoucherProgramme, public_id=public_id)
    actor = current_actor(request)
    back = reverse("voucher-programme", args=[public_id])
    return enter_page(
        request,
        form=VoucherForm(request.POST or None),
        run=lambda given: enter_voucher(
            actor=actor,
            programme_public_id=public_id,
            organisation=given["organisation"],
            face_cny=given["amount"],
            valid_until=given["valid_until"],
        ),
        title=gettext("Propose a voucher"),
        submit_label=gettext("Propose"),
        back=back,
        crumbs=[
            (gettext("Voucher programmes"), reverse("voucher-programmes")),
            (programme.code, back),
        ],
        aside=gettext("Another person issues it; budget and cap are checked then."),
        lines=[
            (gettext("Programme"), localname(programme)),
            (gettext("Left of the budget, CNY"), figure(_left(programme))),
            (gettext("Cap per member, CNY"), figure(programme.member_cap_cny)),
        ],
        done=gettext("Entered; another person must decide it now."),
    )


def _left(programme: VoucherProgramme) -> Decimal:
    return programme.budget_cny - programme.committed_cny


@require_keeper
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def decide_on_voucher(request: HttpRequest, public_id: UUID, verdict: str) -> HttpResponse:
    """Issue a proposed voucher, reject it, or recall what is left of an issued one."""
    rows = Voucher.objects.select_related("programme", "organisation", "entered_by")
    voucher = get_object_or_404(rows, public_id=public_id)
    actor = current_actor(request)
    words = {
        "approve": (gettext("Issue this voucher?"), gettext("Issue")),
        "reject": (gettext("Reject this voucher?"), gettext("Reject")),
        "recall": (gettext("Recall this voucher?"), gettext("Recall")),
    }[verdict]

    def run(given: dict[str, Any]) -> None:
        if verdict == "recall":
            recall_voucher(actor=actor, public_id=public_id, reason=given["reason"])
        else:
            decide_voucher(
                actor=actor,
                public_id=public_id,
                approve=verdict == "approve",
                reason=given["reason"],
            )

    return confirm_page(
        request,
        form=DecisionForm(request.POST or None, is_required=verdict != "approve"),
        run=run,
        question=words[0],
        text=gettext("What it paid stays paid.") if verdict == "recall" else "",
        confirm_label=words[1],
        danger=verdict != "approve",
        lines=[
            (gettext("Voucher"), voucher.number),
            (gettext("Member"), localname(voucher.organisation)),
            (gettext("Face value, CNY"), figure(voucher.face_cny)),
            (gettext("Left, CNY"), figure(voucher.remaining_cny)),
            (gettext("Valid until"), market_time(voucher.valid_until)),
            (gettext("Entered by"), str(voucher.entered_by)),
        ],
        back=reverse("voucher-programme", args=[voucher.programme.public_id]),
    )
