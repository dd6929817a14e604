"""What an order in the book asks for, as the request that would enter it again."""

from dataclasses import replace
from decimal import Decimal

from marketplace.domain.errors import RuleBroken, gettext_noop
from orders.models import Auction, BlockLeg, BlockOption, Order, OrderKind
from orders.services.order_profile import WINDOWED, Leg, Option, OrderRequest, Step


class NotRevisable(RuleBroken):
    """The order has a shape that cannot be changed in place."""

    code = "not_revisable"
    message = gettext_noop(
        "This order cannot be changed in place; place another one beside it, or cancel it while "
        "that is allowed."
    )
    status = 409


def revisable_steps(order: Order) -> list[Step]:
    """Return the steps of a curve over its whole window; raises NotRevisable for other shapes."""
    rows = list(order.curve_steps.order_by("price"))
    window = (order.first_period, order.last_period)
    if any((row.first_period, row.last_period) != window for row in rows):
        raise NotRevisable
    return [Step(row.price, row.quantity) for row in rows]


def revisable_options(order: Order) -> list[BlockOption]:
    """Return a block's alternatives with their legs; the single one when it has no others."""
    return list(order.options.order_by("option_no").prefetch_related("legs__product", "legs__hub"))


def request_in_book(order: Order, auction: Auction) -> OrderRequest:
    """Return the request that an order in the book stands for.

    Raises:
        NotRevisable: a curve whose steps differ from period to period.
    """
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
    request = replace(request, min_acceptance=order.min_acceptance)
    if order.kind in WINDOWED:
        return replace(
            request,
            limit_price=order.limit_price,
            quantity=order.quantity,
            duration=order.duration,
        )
    return replace(
        request,
        options=tuple(_option(row) for row in revisable_options(order)),
        parent_order=order.parent.public_id if order.parent else None,
    )


def _option(row: BlockOption) -> Option:
    legs: list[BlockLeg] = list(row.legs.all())
    return Option(
        limit_price=row.limit_price,
        product=legs[0].product.code,
        hub=legs[0].hub.code,
        legs=tuple(Leg(leg.first_period, leg.last_period, leg.quantity) for leg in legs),
    )


def changed_option(
    option: Option, *, limit_price: Decimal | None, quantity: Decimal | None, field: str
) -> Option:
    """Return an alternative with another limit or other units; None keeps what it has.

    Raises:
        NotRevisable: units of a profile in several parts.
    """
    if limit_price is not None:
        option = replace(option, limit_price=limit_price)
    if quantity is not None:
        if len(option.legs) != 1:
            raise NotRevisable(field=field)
        option = replace(option, legs=(replace(option.legs[0], quantity=quantity),))
    return option
