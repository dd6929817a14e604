"""The overview after sign-in: for each role what is going on and what to do next."""

from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from marketplace.models import Organisation, OrganisationState
from marketplace.permissions import Actor
from marketplace.web.access import acting_organisation, current_actor, require_member
from marketplace.web.signup_checklist import summary_of, tasks_of
from orders.models import Auction, AuctionState, Order, OrderSide, OrderState
from orders.web.names import auction_name
from settlement.models import (
    CreditLimit,
    DeliveryState,
    DepositReceipt,
    Invoice,
    InvoiceDirection,
    InvoiceState,
    RequestState,
    SupplierInvoice,
    SupplierInvoiceState,
    WithdrawalRequest,
)
from settlement.selectors.balances import funds_of
from settlement.selectors.deliveries import deliveries_bought_by
from settlement.web.supplier_desk import supplier_overview

FEW = 5


@require_member
@require_safe
def show_dashboard(request: HttpRequest) -> HttpResponse:
    """Show the overview; an applicant sees how far the application is."""
    actor = current_actor(request)
    organisation = acting_organisation(request)
    if not organisation.is_platform and organisation.state != OrganisationState.APPROVED:
        return redirect("sign-up-status")
    context: dict[str, Any] = {"organisation": organisation, "next_auctions": _next_auctions()}
    if organisation.is_platform:
        context["tasks"] = _platform_tasks(actor)
    else:
        context["funds"] = funds_of(organisation) if actor.can_see_own_money else None
        if organisation.is_supplier:
            context["supplier"] = supplier_overview(organisation)
            progress = summary_of(tasks_of(request, organisation))
            context["progress"] = None if progress["is_complete"] else progress
        context["buyer"] = _buyer(organisation) if organisation.is_buyer else None
    return render(request, "settlement/dashboard.html", context)


def _next_auctions() -> list[dict[str, Any]]:
    rows = Auction.objects.filter(state=AuctionState.OPEN).select_related("calendar")
    return [
        {"auction": auction, "name": auction_name(auction)}
        for auction in rows.order_by("gate_closes_at")[:FEW]
    ]


def _buyer(organisation: Organisation) -> dict[str, Any]:
    open_orders = Order.objects.filter(
        organisation=organisation, side=OrderSide.BUY, state=OrderState.ACTIVE
    )
    bought = deliveries_bought_by(organisation)
    unpaid = Invoice.objects.filter(
        organisation=organisation,
        direction=InvoiceDirection.RECEIVABLE,
        state=InvoiceState.ISSUED,
    )
    return {
        "open_orders": open_orders.count(),
        "to_confirm": bought.filter(state=DeliveryState.HANDED_OVER).count(),
        "spent": _net_of(organisation, InvoiceDirection.RECEIVABLE),
        "unpaid": unpaid.count(),
        "latest": list(bought[:FEW]),
    }


def _net_of(organisation: Organisation, direction: InvoiceDirection) -> Decimal:
    bills = Invoice.objects.filter(organisation=organisation, direction=direction)
    return bills.aggregate(total=Sum("net"))["total"] or Decimal(0)


def _platform_tasks(actor: Actor) -> list[dict[str, Any]]:
    waiting = Q(state=RequestState.ENTERED)
    desk = reverse("funds-desk")
    troubled = [AuctionState.HALTED, AuctionState.PARKED]
    counts = {
        "admissions": Organisation.objects.filter(state=OrganisationState.PENDING).count(),
        "auctions": Auction.objects.filter(state__in=troubled).count(),
        "deposits": DepositReceipt.objects.filter(waiting).count(),
        "limits": CreditLimit.objects.filter(waiting).count(),
        "withdrawals": WithdrawalRequest.objects.filter(waiting).count(),
        "tax": SupplierInvoice.objects.filter(state=SupplierInvoiceState.RECEIVED).count(),
    }
    books = actor.is_platform_finance or actor.is_platform_auditor
    shown = [
        ("admissions", reverse("admissions"), actor.is_operator),
        ("auctions", reverse("auction-control"), actor.is_operator),
        ("deposits", f"{desk}?kind=deposits", books or actor.is_operator),
        ("limits", f"{desk}?kind=limits", books or actor.is_operator),
        ("withdrawals", f"{desk}?kind=withdrawals", books or actor.is_operator),
        ("tax", reverse("tax-queue"), books),
    ]
    return [
        {"code": code, "url": url, "count": counts[code]} for code, url, visible in shown if visible
    ]
