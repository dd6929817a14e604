"""Bids that wait for a second person, and the decision on one."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.services.error_texts import error_text
from marketplace.templatetags.market_ui import figure
from marketplace.web.access import acting_organisation, current_actor
from orders.models import ApprovalState, AuctionState, BidApproval
from orders.services import approvals
from orders.services.buying_rules import approval_threshold
from orders.web.names import auction_name
from orders.web.project_pages import require_buying_side
from orders.web.request_rows import request_row

PAGE_SIZE = 25


@require_buying_side
@require_safe
def list_approvals(request: HttpRequest) -> HttpResponse:
    """Show the bids of the organisation that needed a second person, newest first."""
    owner = acting_organisation(request)
    kept = _own(request).order_by("-id")
    page = Paginator(kept, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "rows": [_row(request, approval) for approval in page.object_list],
        "threshold": approval_threshold(owner),
        "result_text": gettext("%(count)s bids") % {"count": page.paginator.count},
    }
    return render(request, "orders/approval_list.html", context)


@require_buying_side
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one bid with its sums; a colleague agrees or declines, its author may withdraw it."""
    approval = _own(request).filter(public_id=public_id).first()
    if approval is None:
        raise Http404
    if request.method == "POST":
        return _act(request, approval)
    return render(request, "orders/approval.html", _row(request, approval))


def _act(request: HttpRequest, approval: BidApproval) -> HttpResponse:
    actor = current_actor(request)
    action = request.POST.get("action")
    reason = request.POST.get("reason", "")[:200]
    try:
        if action == "approve":
            order = approvals.approve_bid(actor=actor, public_id=approval.public_id)
            messages.success(
                request,
                gettext("The bid is in the book. %(sum)s CNY is on hold.")
                % {"sum": figure(order.worst_case_cny, 2)},
            )
            return redirect("approvals")
        if action == "decline":
            approvals.decline_bid(actor=actor, public_id=approval.public_id, reason=reason)
            messages.success(request, gettext("The bid is declined."))
        elif action == "withdraw":
            approvals.withdraw_bid_request(actor=actor, public_id=approval.public_id)
            messages.success(request, gettext("The bid is withdrawn."))
    except RuleBroken as refusal:
        messages.error(request, error_text(refusal))
        return redirect("approval", public_id=approval.public_id)
    return redirect("approvals")


def _own(request: HttpRequest) -> Any:
    own = BidApproval.objects.filter(organisation=acting_organisation(request))
    return own.select_related(
        "auction__calendar", "product", "project", "requested_by", "decided_by", "order"
    )


def _row(request: HttpRequest, approval: BidApproval) -> dict[str, Any]:
    is_own = approval.requested_by_id == request.user.pk
    is_waiting = approval.state == ApprovalState.WAITING
    is_open = approval.auction.state == AuctionState.OPEN
    return {
        "approval": approval,
        "auction_name": auction_name(approval.auction),
        "bid": request_row(approval, approval.auction),
        "is_own": is_own,
        "is_open": is_open,
        "is_late": is_waiting and not is_open,
        "can_decide": is_waiting and is_open and not is_own,
        "can_decline": is_waiting and not is_own,
        "can_withdraw": is_waiting and is_own,
    }
