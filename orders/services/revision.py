"""Changing an order in the book: freely at first, in the last phase only for the better."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from marketplace.domain.errors import NotAdmitted, NotPermitted, RuleBroken, gettext_noop
from marketplace.models import Role
from marketplace.permissions import Actor
from orders.domain.improvement import block_improves, curve_improves
from orders.models import Auction, BlockLeg, Order, OrderKind, OrderSide, OrderState, Project
from orders.services import refusals
from orders.services.locks import share_gate
from orders.services.order_outcomes import OrderEnd, end_orders
from orders.services.order_request import Leg, OrderRequest, Step
from orders.services.submission import require_open, submit_order


class OnlyImprovements(RuleBroken):
    """In the last phase an order may not ask for less or at a worse price."""

    code = "only_improvements"
    message = gettext_noop(
        "In the last phase an order may only improve: a bid to a higher price or more units, an "
        "ask to a lower price or more units. At no price may it be less than before."
    )
    status = 409


class NotRevisable(RuleBroken):
    """The order has a shape that cannot be changed in place."""

    code = "not_revisable"
    message = gettext_noop(
        "This order cannot be changed in place; place another one beside it, or cancel it while "
        "that is allowed."
    )
    status = 409


def revise_order(
    *,
    actor: Actor,
    order_public_id: UUID,
    steps: Sequence[Step] = (),
    limit_price: Decimal | None = None,
    quantity: Decimal | None = None,
) -> Order:
    """Replace an own order of an open auction by one with other prices and units.

    The old order ends as replaced and the new one takes its place, with a hold of its own, in one
    transaction under the shared gate lock: both or neither. Where the auction's last phase has
    begun, the new order has to be as good as the old one at every price and in every period.

    Args:
        actor: who trades, for which member.
        order_public_id: the order in the book.
        steps: the whole new curve, CNY per unit and hour (不含税), of a curve order.
        limit_price: the new limit of a block, likewise; None keeps it.
        quantity: units of a block with one leg; None keeps them.

    Returns:
        The order now in the book.

    Raises:
        OrderNotFound, OrderNotActive, GateClosed, AuctionHalted: nothing was changed.
        OnlyImprovements: the last phase has begun, and the change is not for the better.
        NotRevisable: the order is of a shape that cannot be changed in place.
        RuleBroken, InsufficientCollateral: what the new order was refused with.
    """
    if actor.organisation is None:
        raise NotAdmitted
    if not actor.has(Role.BUYER, Role.SUPPLIER):
        raise NotPermitted
    own = Order.objects.filter(organisation=actor.organisation, public_id=order_public_id)
    with transaction.atomic():
        auction_id = own.values_list("auction_id", flat=True).first()
        if auction_id is None:
            raise refusals.OrderNotFound(field="order")
        share_gate(auction_id)
        order = own.select_for_update(of=("self",)).select_related("product", "hub").get()
        if order.state != OrderState.ACTIVE:
            raise refusals.OrderNotActive(state=order.state)
        auction = Auction.objects.get(pk=auction_id)
        now = require_open(auction)
        request = _changed(order, _as_request(order, auction), steps, limit_price, quantity)
        if auction.no_cancel_from <= now and not _improves(order, request):
            raise OnlyImprovements(field="steps" if request.steps else "limit_price")
        if order.project_id is not None:  # before the hold, as a submission locks them
            Project.objects.select_for_update(no_key=True).get(pk=order.project_id)
        end = OrderEnd(order.pk, order.hold_reference, OrderState.CANCELLED, "replaced")
        end_orders([end], now=now, event="replaced")
        return submit_order(actor=actor, request=request)


def revisable_steps(order: Order) -> list[Step]:
    """Return the steps of a curve over its whole window; raises NotRevisable for other shapes."""
    rows = list(order.curve_steps.order_by("price"))
    window = (order.first_period, order.last_period)
    if any((row.first_period, row.last_period) != window for row in rows):
        raise NotRevisable
    return [Step(row.price, row.quantity) for row in rows]


def revisable_legs(order: Order) -> tuple[Decimal, list[BlockLeg]]:
    """Return limit and legs of a block with one profile; raises NotRevisable for other shapes."""
    options = list(order.options.prefetch_related("legs"))
    if len(options) != 1 or order.kind != OrderKind.BLOCK:
        raise NotRevisable
    legs = list(options[0].legs.all())
    if {(leg.hub_id, leg.product_id) for leg in legs} != {(order.hub_id, order.product_id)}:
        raise NotRevisable
    return options[0].limit_price, legs


def _as_request(order: Order, auction: Auction) -> OrderRequest:
    request = OrderRequest(
        auction=auction.public_id,
        side=order.side,
        kind=order.kind,
        product=order.product.code,
        hub=order.hub.code,
        first_period=order.first_period,
        last_period=order.last_period,
        placement=order.placement,
        max_rtt_ms=order.max_rtt_ms,
        max_carbon_g=order.max_carbon_g,
        scenario=order.scenario.code if order.scenario else None,
        listing=order.listing.public_id if order.listing else None,
        min_dengbao_level=order.min_dengbao_level,
        requires_xinchuang=order.requires_xinchuang,
        min_trust_level=order.min_trust_level,
        note=order.note,
        source=order.source,
        project=order.project.public_id if order.project else None,
    )
    if order.kind == OrderKind.CURVE:
        return replace(request, steps=tuple(revisable_steps(order)))
    limit, legs = revisable_legs(order)
    return replace(
        request,
        limit_price=limit,
        min_acceptance=order.min_acceptance,
        legs=tuple(Leg(leg.first_period, leg.last_period, leg.quantity) for leg in legs),
    )


def _changed(
    order: Order,
    request: OrderRequest,
    steps: Sequence[Step],
    limit_price: Decimal | None,
    quantity: Decimal | None,
) -> OrderRequest:
    if order.kind == OrderKind.CURVE:
        return replace(request, steps=tuple(steps) or request.steps)
    if limit_price is not None:
        request = replace(request, limit_price=limit_price)
    if quantity is not None:
        if len(request.legs) != 1:
            raise NotRevisable(field="quantity")
        request = replace(request, legs=(replace(request.legs[0], quantity=quantity),))
    return request


def _improves(order: Order, request: OrderRequest) -> bool:
    is_buy = order.side == OrderSide.BUY
    if order.kind == OrderKind.CURVE:
        old = [(step.price, step.quantity) for step in revisable_steps(order)]
        new = [(step.price, step.quantity) for step in request.steps]
        return curve_improves(old, new, is_buy=is_buy)
    limit, legs = revisable_legs(order)
    return block_improves(
        old_limit=limit,
        new_limit=request.limit_price or Decimal(0),
        old_legs=[(leg.first_period, leg.last_period, leg.quantity) for leg in legs],
        new_legs=[(leg.first_period, leg.last_period, leg.quantity) for leg in request.legs],
        is_buy=is_buy,
    )
