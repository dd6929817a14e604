"""Changing an own order in the book; in the last phase for the better only."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from marketplace.domain.errors import RuleBroken
from marketplace.selectors.clock import market_now
from marketplace.web.access import acting_organisation, current_actor, require
from marketplace.web.form_fields import add_refusal
from orders.models import AuctionState, Order, OrderKind, OrderState
from orders.selectors.orders import orders_of
from orders.services.order_contents import NotRevisable, revisable_steps
from orders.services.order_profile import WINDOWED
from orders.services.revision import revise_order
from orders.web.names import auction_name, unit_price_text, window_text
from orders.web.revision_form import revision_form

require_trader = require(lambda actor: actor.can_buy or actor.can_sell)


def may_revise(order: Order) -> bool:
    """Tell whether an own order can be changed in place now."""
    if order.state != OrderState.ACTIVE or order.auction.state != AuctionState.OPEN:
        return False
    try:
        if order.kind == OrderKind.CURVE:
            revisable_steps(order)
    except NotRevisable:
        return False
    return order.auction.gate_closes_at > market_now()


@require_trader
@require_http_methods(["GET", "HEAD", "POST"])
def change_order(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show an own order's prices and units to be changed, and take the change in."""
    order = orders_of(acting_organisation(request)).filter(public_id=public_id).first()
    if order is None or not may_revise(order):
        raise Http404
    form = revision_form(order, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            changed = revise_order(
                actor=current_actor(request), order_public_id=public_id, change=form.change()
            )
        except RuleBroken as error:
            add_refusal(form, error, names=form.names)
        else:
            messages.success(
                request, gettext("The order is changed; its hold fits the new limits.")
            )
            return redirect("order", public_id=changed.public_id)
    auction = order.auction
    context = {
        "form": form,
        "order": order,
        "auction_name": auction_name(auction),
        "window": window_text(auction, order.first_period, order.last_period),
        "price_unit": unit_price_text(order.product),
        "only_better": auction.no_cancel_from <= market_now(),
        "is_buy": order.side == "buy",
        "is_windowed": order.kind in WINDOWED,
        "submit_label": gettext("Change the order"),
        "cancel_url": reverse("order", args=[public_id]),
        "crumbs": [(gettext("My orders"), reverse("orders"))],
    }
    return render(request, "orders/order_revise.html", context, status=422 if form.errors else 200)
