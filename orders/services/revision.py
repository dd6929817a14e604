"""Changing an order in the book: freely at first, in the last phase only for the better."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from marketplace.domain.errors import NotAdmitted, NotPermitted, RuleBroken, gettext_noop
from marketplace.models import Role
from marketplace.permissions import Actor
from orders.domain.improvement import Job, block_improves, curve_improves, job_improves
from orders.models import Auction, Order, OrderKind, OrderSide, OrderState, Project
from orders.services import refusals
from orders.services.locks import share_gate
from orders.services.order_contents import NotRevisable, changed_option, request_in_book
from orders.services.order_outcomes import OrderEnd, end_orders
from orders.services.order_profile import WINDOWED
from orders.services.order_request import Option, OrderRequest, Step
from orders.services.submission import require_open, submit_order


class OnlyImprovements(RuleBroken):
    """In the last phase an order may not ask for less or at a worse price."""

    code = "only_improvements"
    message = gettext_noop(
        "In the last phase an order may only improve: a bid to a higher price or more units, an "
        "ask to a lower price or more units. At no price may it be less than before."
    )
    status = 409


@dataclass(frozen=True)
class OptionChange:
    """Another limit (CNY per unit and hour, 不含税) or other units; None keeps what there is."""

    limit_price: Decimal | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True)
class OrderChange:
    """What becomes different; what is left out stays as it was entered.

    Attributes:
        steps: the whole new curve of a curve order.
        limit_price: the new limit of a block, flexible or interruptible order.
        quantity: its units; of a block with one leg.
        options: a block's alternatives, one for each in their order.
        first_period: where the window of a flexible or interruptible order begins.
        last_period: where it ends.
        duration: how many periods it needs.
    """

    steps: Sequence[Step] = ()
    limit_price: Decimal | None = None
    quantity: Decimal | None = None
    options: Sequence[OptionChange] = ()
    first_period: int | None = None
    last_period: int | None = None
    duration: int | None = None


def revise_order(*, actor: Actor, order_public_id: UUID, change: OrderChange) -> Order:
    """Replace an own order of an open auction by one with other prices, units or times.

    The old order ends as replaced and the new one takes its place, with a hold of its own, in one
    transaction under the shared gate lock: both or neither, so funds need to cover the difference
    only. Blocks that are linked to the old order are linked to the new one. Where the auction's
    last phase has begun, the new order has to be as good as the old one at every price and in every
    period (`orders.domain.improvement`).

    Args:
        actor: who trades, for which member.
        order_public_id: the order in the book.
        change: what becomes different.

    Returns:
        The order now in the book.

    Raises:
        OrderNotFound, OrderNotActive, GateClosed, AuctionHalted: nothing was changed.
        OnlyImprovements: the last phase has begun, and the change is not for the better.
        NotRevisable: the order has no such part, or not one that can be changed in place.
        RuleBroken, InsufficientCollateral: what the new order was refused with.
    """
    if actor.organisation is None:
        raise NotAdmitted
    if not actor.has(Role.BUYER, Role.SUPPLIER):
        raise NotPermitted
    own = Order.objects.filter(organisation=actor.organisation)
    with transaction.atomic():
        auction_id = own.filter(public_id=order_public_id).values_list("auction_id", flat=True)
        found = auction_id.first()
        if found is None:
            raise refusals.OrderNotFound(field="order")
        share_gate(found)
        order = _locked(order_public_id)
        if order.state != OrderState.ACTIVE:
            raise refusals.OrderNotActive(state=order.state)
        auction = Auction.objects.get(pk=found)
        now = require_open(auction)
        before = request_in_book(order, auction)
        after = _changed(before, change)
        if auction.no_cancel_from <= now and not _improves(before, after):
            raise OnlyImprovements(field=_field_of(change))
        if order.project_id is not None:  # before the hold, as a submission locks them
            Project.objects.select_for_update(no_key=True).get(pk=order.project_id)
        end = OrderEnd(order.pk, order.hold_reference, OrderState.CANCELLED, "replaced")
        end_orders([end], now=now, event="replaced")
        changed = submit_order(actor=actor, request=after)
        _hand_over_links(order, changed)
        return changed


def _locked(public_id: UUID) -> Order:
    """Lock an order with those it is linked with, in the order of their keys, and return it."""
    linked = Q(public_id=public_id) | Q(parent__public_id=public_id)
    parent = Order.objects.filter(public_id=public_id).values("parent_id")
    rows = Order.objects.select_for_update(of=("self",)).filter(linked | Q(pk__in=parent))
    found = rows.order_by("pk").select_related("product", "hub", "parent")
    return next(row for row in found if row.public_id == public_id)


def _hand_over_links(old: Order, new: Order) -> None:
    Order.objects.filter(parent=old, state=OrderState.ACTIVE).update(parent=new)
    Order.objects.filter(pk=old.pk).update(reason_params={"order": str(new.public_id)})


def _changed(request: OrderRequest, change: OrderChange) -> OrderRequest:
    """Return the request with the change in it; raises NotRevisable for parts it has not."""
    _refuse_foreign(request, change)
    if request.kind == OrderKind.CURVE:
        return replace(request, steps=tuple(change.steps) or request.steps)
    if request.kind in WINDOWED:
        names = ("limit_price", "quantity", "first_period", "last_period", "duration")
        given = {name: getattr(change, name) for name in names}
        return replace(request, **{k: v for k, v in given.items() if v is not None})
    return replace(request, options=_changed_options(request.options, change))


_OWN_PARTS = {
    OrderKind.CURVE: {"steps"},
    OrderKind.BLOCK: {"limit_price", "quantity", "options"},
    OrderKind.FLEXIBLE: {"limit_price", "quantity", "first_period", "last_period", "duration"},
    OrderKind.INTERRUPTIBLE: {"limit_price", "quantity", "first_period", "last_period", "duration"},
}


def _refuse_foreign(request: OrderRequest, change: OrderChange) -> None:
    own = _OWN_PARTS[OrderKind(request.kind)]
    for name, value in vars(change).items():
        if name not in own and value is not None and value != ():
            raise NotRevisable(field=name)


def _changed_options(options: tuple[Option, ...], change: OrderChange) -> tuple[Option, ...]:
    if len(options) == 1 and not change.options:
        parts: Sequence[OptionChange] = [OptionChange(change.limit_price, change.quantity)]
        field = "quantity"
    elif change.limit_price is not None or change.quantity is not None:
        raise NotRevisable(field="limit_price" if change.limit_price is not None else "quantity")
    else:
        parts, field = change.options or [OptionChange()] * len(options), "options"
    if len(parts) != len(options):
        raise NotRevisable(field="options")
    return tuple(
        changed_option(one, limit_price=to.limit_price, quantity=to.quantity, field=field)
        for one, to in zip(options, parts, strict=True)
    )


def _field_of(change: OrderChange) -> str:
    """Return the field that a refusal of the whole change is shown at."""
    return next((name for name in ("steps", "options") if getattr(change, name)), "limit_price")


def _improves(old: OrderRequest, new: OrderRequest) -> bool:
    is_buy = old.side == OrderSide.BUY
    if old.kind == OrderKind.CURVE:
        before = [(step.price, step.quantity) for step in old.steps]
        after = [(step.price, step.quantity) for step in new.steps]
        return curve_improves(before, after, is_buy=is_buy)
    if old.kind in WINDOWED:
        return job_improves(_job(old), _job(new))
    return all(
        block_improves(
            old_limit=one.limit_price,
            new_limit=other.limit_price,
            old_legs=[(leg.first_period, leg.last_period, leg.quantity) for leg in one.legs],
            new_legs=[(leg.first_period, leg.last_period, leg.quantity) for leg in other.legs],
            is_buy=is_buy,
        )
        for one, other in zip(old.options, new.options, strict=True)
    )


def _job(request: OrderRequest) -> Job:
    return Job(
        limit=request.limit_price or Decimal(0),
        units=request.quantity or Decimal(0),
        duration=request.duration or 0,
        first=request.first_period,
        last=request.last_period,
    )
