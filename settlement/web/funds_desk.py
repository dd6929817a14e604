"""The desk for money and credit: what was entered by one person is decided by another."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.permissions import Actor
from marketplace.templatetags.market_ui import figure, localname, market_time
from marketplace.web.access import current_actor, require
from marketplace.web.form_fields import add_refusal
from marketplace.web.stepping_up import require_confirmation
from settlement.models import CreditLimit, DepositReceipt, RequestState, WithdrawalRequest
from settlement.services.funds import (
    approve_credit_limit,
    confirm_deposit,
    decide_withdrawal,
    propose_credit_limit,
    record_deposit,
)
from settlement.web.funds_forms import DecisionForm, DepositForm, LimitForm
from settlement.web.ledger_words import request_state_text

PAGE_SIZE = 25
KINDS: dict[str, dict[str, Any]] = {
    "deposits": {
        "model": DepositReceipt,
        "label": _("Receipts"),
        "decide": confirm_deposit,
        "key": "deposit_public_id",
        "approve": _("Confirm the receipt?"),
        "reject": _("Refuse the receipt?"),
        "effect": _("The member's funds are credited at once; open bills are paid from them."),
        "form": DepositForm,
        "enter": record_deposit,
        "enter_label": _("Enter a receipt"),
    },
    "limits": {
        "model": CreditLimit,
        "label": _("Credit limits"),
        "decide": approve_credit_limit,
        "key": "limit_public_id",
        "approve": _("Put this limit into force?"),
        "reject": _("Refuse this limit?"),
        "effect": _("It replaces the member's present limit of the kind at once."),
        "form": LimitForm,
        "enter": propose_credit_limit,
        "enter_label": _("Propose a limit"),
    },
    "withdrawals": {
        "model": WithdrawalRequest,
        "label": _("Withdrawals"),
        "decide": decide_withdrawal,
        "key": "withdrawal_public_id",
        "approve": _("Pay this withdrawal?"),
        "reject": _("Refuse this withdrawal?"),
        "effect": _("The held amount is booked out; transfer it to the member's bank account."),
    },
}


def sees_desk(actor: Actor) -> bool:
    """Tell whether the actor may read the desk."""
    return actor.is_platform_finance or actor.is_platform_auditor or actor.is_operator


require_desk = require(sees_desk)
require_entry = require(lambda actor: actor.is_platform_finance or actor.is_operator)


def may_decide(actor: Actor, kind: str) -> bool:
    """Tell whether the actor may decide this kind: limits are the operator's too."""
    return actor.is_platform_finance or (kind == "limits" and actor.is_operator)


@require_desk
@require_safe
def show_desk(request: HttpRequest) -> HttpResponse:
    """Show what waits for a second person, and what was decided."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else "deposits"
    model = KINDS[kind]["model"]
    rows = model.objects.select_related("organisation", "entered_by", "decided_by")
    waiting = rows.filter(state=RequestState.ENTERED).order_by("id")
    decided = rows.exclude(state=RequestState.ENTERED).order_by("-decided_at", "-id")
    page = Paginator(decided, PAGE_SIZE).get_page(request.GET.get("page"))
    actor = current_actor(request)
    can_enter = "form" in KINDS[kind] and may_decide(actor, kind)
    context = {
        "kind": kind,
        "chosen": KINDS[kind],
        "waiting": [_waiting(one, actor, kind) for one in waiting[:100]],
        "page_obj": page,
        "decided": [(one, request_state_text(one.state)) for one in page.object_list],
        "tabs": _tabs(kind),
        "enter_url": reverse(f"funds-enter-{kind}") if can_enter else "",
        "result_text": gettext("%(count)s decided") % {"count": page.paginator.count},
    }
    return render(request, "settlement/funds_desk.html", context)


def _waiting(one: Any, actor: Actor, kind: str) -> dict[str, Any]:
    is_own = one.entered_by_id == actor.user.pk
    return {
        "one": one,
        "is_own": is_own,
        "can_decide": may_decide(actor, kind) and not is_own,
        "approve_url": reverse(f"funds-approve-{kind}", args=[one.public_id]),
        "reject_url": reverse(f"funds-reject-{kind}", args=[one.public_id]),
    }


def _tabs(active: str) -> list[dict[str, Any]]:
    own = reverse("funds-desk")
    return [
        {
            "label": kind["label"],
            "url": f"{own}?kind={name}",
            "active": name == active,
            "count": _count_waiting(kind["model"]),
        }
        for name, kind in KINDS.items()
    ]


def _count_waiting(model: Any) -> int:
    waiting = Count("id", filter=Q(state=RequestState.ENTERED))
    return model.objects.aggregate(n=waiting)["n"]


@require_entry
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def enter_request(request: HttpRequest, kind: str) -> HttpResponse:
    """Enter a receipt or propose a limit; another person decides it."""
    actor = current_actor(request)
    chosen = KINDS[kind]
    if "form" not in chosen or not may_decide(actor, kind):
        raise Http404
    form = chosen["form"](request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        given["amount_cny"] = given.pop("amount")
        try:
            chosen["enter"](actor=actor, **given)
        except RuleBroken as error:
            add_refusal(form, error, names={"amount_cny": "amount"})
        else:
            messages.success(request, gettext("Entered; another person must decide it now."))
            return redirect(f"{reverse('funds-desk')}?kind={kind}")
    context = {
        "form": form,
        "question": chosen["enter_label"],
        "submit_label": chosen["enter_label"],
        "cancel_url": f"{reverse('funds-desk')}?kind={kind}",
        "crumbs": [(gettext("Receipts and limits"), reverse("funds-desk"))],
    }
    status = 422 if form.errors else 200
    return render(request, "settlement/funds_entry.html", context, status=status)


@require_entry
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def decide_request(request: HttpRequest, kind: str, public_id: UUID, verdict: str) -> HttpResponse:
    """Show the sum and whose it is, then approve or refuse."""
    actor = current_actor(request)
    chosen = KINDS[kind]
    rows = chosen["model"].objects.select_related("organisation", "entered_by")
    one = get_object_or_404(rows, public_id=public_id)
    if not may_decide(actor, kind):
        raise Http404
    approve = verdict == "approve"
    form = DecisionForm(request.POST or None, is_required=not approve)
    back = f"{reverse('funds-desk')}?kind={kind}"
    if request.method == "POST" and form.is_valid():
        arguments = {chosen["key"]: public_id, "reason": form.cleaned_data["reason"]}
        try:
            chosen["decide"](actor=actor, approve=approve, **arguments)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Decided."))
            return redirect(back)
    context = {
        "question": chosen[verdict],
        "text": chosen["effect"] if approve else gettext("Nothing is booked."),
        "confirm_label": gettext("Approve") if approve else gettext("Refuse"),
        "danger": not approve,
        "form": form,
        "lines": _lines(one),
        "cancel_url": back,
    }
    status = 422 if form.errors else 200
    return render(request, "generic/confirm.html", context, status=status)


def _lines(one: Any) -> list[tuple[str, str]]:
    lines = [
        (gettext("Member"), f"{one.organisation.code} · {localname(one.organisation)}"),
        (gettext("Entered by"), str(one.entered_by)),
        (gettext("Entered"), market_time(one.entered_at, "minute")),
    ]
    if isinstance(one, DepositReceipt):
        lines.append((gettext("Bank reference"), one.bank_reference))
        lines.append((gettext("Received on"), one.received_on.isoformat()))
    if isinstance(one, CreditLimit):
        lines.append((gettext("Kind"), one.get_kind_display()))
        lines.append((gettext("Expires on"), one.expires_on.isoformat() if one.expires_on else "–"))
    if isinstance(one, WithdrawalRequest):
        account = f"{one.organisation.bank_name} {one.organisation.bank_account}".strip()
        lines.append((gettext("Bank account"), account or "–"))
    return [*lines, (gettext("Amount, CNY"), figure(one.amount))]
