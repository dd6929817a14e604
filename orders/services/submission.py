"""Taking orders: in the book with their collateral held, or refused with a reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from django.db import transaction

from marketplace.domain.errors import NotAdmitted, NotPermitted
from marketplace.models import Hub, Listing, ListingState, Organisation
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.selectors.hubs import hubs_within
from marketplace.selectors.rules import rules_at
from orders.models import (
    Auction,
    AuctionState,
    BlockLeg,
    BlockOption,
    CurveStep,
    Order,
    OrderKind,
    OrderSide,
    OrderState,
)
from orders.ports.collateral import WorstCase, collateral_port
from orders.selectors.capacity import offered_units, period_starts, unsold_units
from orders.selectors.prices import recent_average
from orders.services import refusals
from orders.services.buying_rules import charge_project, require_consent
from orders.services.locks import share_gate
from orders.services.order_profile import WINDOWED, CheckedOption
from orders.services.order_request import (
    CheckedOrder,
    Leg,
    Option,
    OrderRequest,
    Step,
    check_order,
)

__all__ = [
    "Leg",
    "Option",
    "OrderPreview",
    "OrderRequest",
    "Step",
    "preview_order",
    "submit_order",
]


@dataclass(frozen=True)
class OrderPreview:
    """What an order would cost and hold at worst, and what it may expect.

    Attributes:
        worst_case: net 不含税, fee, VAT and the sum that is held (含税); None for asks.
        available_cny: free funds now; None for asks.
        missing_cny: what is missing for the hold; 0 when it is covered.
        expected_price: average delivered price (supply price for asks) of the product at the place
            over recent auctions, per unit and hour 不含税; None without any.
        max_rtt_ms: the latency class the limit is snapped to; None for no limit.
        max_carbon_g: the carbon class the limit is snapped to, g per unit-hour; None for no limit.
        hubs: supply hubs within that class and the round-trip time to each, nearest first.
        unit_hours: most units times hours it can take.
    """

    worst_case: WorstCase | None
    available_cny: Decimal | None
    missing_cny: Decimal
    expected_price: Decimal | None
    max_rtt_ms: Decimal | None
    max_carbon_g: Decimal | None
    hubs: list[tuple[Hub, Decimal]]
    unit_hours: Decimal


def submit_order(*, actor: Actor, request: OrderRequest, has_consent: bool = False) -> Order:
    """Put an order into the book of an open auction; a buy sets its worst-case cost aside first.

    Takes the shared gate lock, then reads the clock: an order is either in the book that is frozen
    or refused as late. An ask locks its listing, a bid its project. A refusal changes nothing.

    Args:
        actor: who trades, and for which member.
        request: the order as entered.
        has_consent: a second person of the member has agreed to the sum.

    Raises:
        RuleBroken: the broken rule (`orders.services.refusals`, `orders.services.buying_rules`).
        InsufficientCollateral: free funds do not cover the hold; says how much is missing.
    """
    owner = require_trader(actor, request.side)
    auction = _auction(request)
    checked = check_order(request, auction=auction, owner=owner)
    with transaction.atomic():
        share_gate(auction.pk)
        now = require_open(auction)
        require_future(checked, now)
        if checked.parent is not None:
            _require_parent(checked.parent.pk)
        if checked.listing is not None:
            _require_capacity(checked, checked.listing.pk)
        order = unsaved_order(actor, owner, checked)
        order.submitted_at = now
        if request.side == OrderSide.BUY:
            _hold(order, checked, now, has_consent=has_consent)
        order.save(force_insert=True)
        _insert_parts(order, checked)
    return order


def preview_order(*, actor: Actor, request: OrderRequest) -> OrderPreview:
    """Check a request as `submit_order` would, and say what it means in money; changes nothing.

    Raises:
        RuleBroken: a figure or name breaks a rule; the gate is not asked.
    """
    owner = require_trader(actor, request.side)
    checked = check_order(request, auction=_auction(request), owner=owner)
    is_buy = request.side == OrderSide.BUY
    worst: WorstCase | None = None
    available: Decimal | None = None
    missing = Decimal(0)
    if is_buy:
        port = collateral_port()
        worst = worst_case_of(checked)
        available = port.available_cny(organisation_id=owner.pk)
        missing = max(worst.total_cny - available, Decimal(0))
    expected = recent_average(
        product=checked.product,
        hub=checked.hub,
        is_delivered=is_buy,
        max_rtt_ms=checked.max_rtt_ms,
        max_carbon_g=checked.max_carbon_g,
    )
    return OrderPreview(
        worst_case=worst,
        available_cny=available,
        missing_cny=missing,
        expected_price=expected,
        max_rtt_ms=checked.max_rtt_ms,
        max_carbon_g=checked.max_carbon_g,
        hubs=hubs_within(checked.hub, checked.max_rtt_ms) if is_buy else [],
        unit_hours=checked.unit_periods * checked.auction.period_minutes / 60,
    )


def require_trader(actor: Actor, side: str) -> Organisation:
    """Return the member an actor trades for; raises NotAdmitted or NotPermitted."""
    if actor.organisation is None or not actor.is_trading_member:
        raise NotAdmitted
    if not (actor.can_sell if side == OrderSide.SELL else actor.can_buy):
        raise NotPermitted
    return actor.organisation


def _auction(request: OrderRequest) -> Auction:
    auction = Auction.objects.filter(public_id=request.auction).first()
    if auction is None:
        raise refusals.AuctionNotFound(field="auction")
    return auction


def require_open(auction: Auction) -> datetime:
    """Return market time, read after the gate's shared lock, if the gate is open then.

    State and closure are read after the lock too: who closes or extends waits for this
    transaction, or has committed.
    """
    columns = Auction.objects.values_list("state", "gate_closes_at")
    state, closes_at = columns.get(pk=auction.pk)
    now = market_now()
    if state == AuctionState.HALTED:
        raise refusals.AuctionHalted(auction=auction.code)
    if state == AuctionState.CANCELLED:
        raise refusals.AuctionCancelled(auction=auction.code)
    if state == AuctionState.SCHEDULED and now < closes_at:
        raise refusals.GateNotOpen(auction=auction.code)
    if state != AuctionState.OPEN or now >= closes_at:
        raise refusals.GateClosed(auction=auction.code)
    return now


def require_future(checked: CheckedOrder, now: datetime) -> None:
    """Refuse an order whose window has begun; raises WindowInPast."""
    starts = period_starts(checked.auction)
    if starts[checked.request.first_period - 1] < now:
        raise refusals.WindowInPast(field="first_period")


def _require_parent(parent_id: int) -> None:
    """Lock the order it hangs on: it may be cancelled or replaced at the same moment."""
    parent = Order.objects.select_for_update(no_key=True, of=("self",)).get(pk=parent_id)
    if parent.state != OrderState.ACTIVE:
        raise refusals.ParentNotLinkable(field="parent_order")


def _require_capacity(checked: CheckedOrder, listing_id: int) -> None:
    """Lock the listing, and check what it has left in each period of this auction."""
    listing = Listing.objects.select_for_update(no_key=True).get(pk=listing_id)
    if listing.state != ListingState.ACTIVE:
        raise refusals.ListingNotActive(field="listing", state=listing.state)
    room = unsold_units(auction=checked.auction, listing_ids=[listing.pk]).get(listing.pk, {})
    taken = offered_units(auction=checked.auction, listing_id=listing.pk)
    for period, offered in sorted(checked.offered.items()):
        free = room.get(period, Decimal(0)) - taken.get(period, Decimal(0))
        if offered > free:
            raise refusals.CapacityExceeded(
                field="quantity", free=max(free, Decimal(0)), period=period, offered=offered
            )


def _hold(order: Order, checked: CheckedOrder, now: datetime, *, has_consent: bool) -> None:
    net = checked.worst_net_cny
    limit = rules_at(now).max_order_notional_cny
    if net > limit:
        raise refusals.NotionalTooLarge(field="quantity", notional=net, limit=limit)
    port = collateral_port()
    worst = worst_case_of(checked)
    order.worst_case_cny = worst.total_cny
    owner = order.organisation
    require_consent(owner=owner, total_cny=worst.total_cny, has_consent=has_consent)
    if order.project_id is not None:
        charge_project(project_id=order.project_id, total_cny=worst.total_cny)
    if worst.total_cny > 0:  # a bid at price zero costs nothing and holds nothing
        order.hold_reference = port.place_hold(
            organisation_id=order.organisation_id,
            amount_cny=worst.total_cny,
            source_type="order",
            source_id=str(order.public_id),
        )


def worst_case_of(checked: CheckedOrder) -> WorstCase:
    """Return the most a buy can cost with fee and tax."""
    return dearest(collateral_port().worst_cases(checked.worst_purchases))


def dearest(cases: Sequence[WorstCase]) -> WorstCase:
    """Return what must be held when at most one of several purchases is made."""
    return max(cases, key=lambda case: case.total_cny)


def unsaved_order(actor: Actor, owner: Organisation, checked: CheckedOrder) -> Order:
    """Return the row of a checked order, without hold and time."""
    request = checked.request
    is_curve = request.kind == OrderKind.CURVE
    return Order(
        public_id=uuid4(),
        auction=checked.auction,
        organisation=owner,
        submitted_by=actor.user,
        source=request.source,
        side=request.side,
        kind=request.kind,
        parent=checked.parent,
        duration=request.duration if request.kind in WINDOWED else None,
        product=checked.product,
        hub=checked.hub,
        listing=checked.listing,
        scenario=checked.scenario,
        project=checked.project,
        max_rtt_ms=checked.max_rtt_ms,
        max_carbon_g=checked.max_carbon_g,
        placement=request.placement,
        min_acceptance=Decimal(0) if is_curve else request.min_acceptance,
        min_dengbao_level=request.min_dengbao_level,
        requires_xinchuang=request.requires_xinchuang,
        min_trust_level=request.min_trust_level,
        first_period=request.first_period,
        last_period=request.last_period,
        quantity=checked.quantity,
        limit_price=checked.best_limit,
        note=request.note[:200],
    )


def curve_rows(order: Order, checked: CheckedOrder) -> list[CurveStep]:
    """Return the steps of a curve order as rows."""
    request = checked.request
    return [
        CurveStep(
            order=order,
            first_period=request.first_period,
            last_period=request.last_period,
            price=step.price,
            quantity=step.quantity,
        )
        for step in request.steps
    ]


def option_rows(order: Order, checked: CheckedOrder) -> list[tuple[BlockOption, CheckedOption]]:
    """Return the alternatives of a block order as rows, beside what they are made of."""
    return [
        (BlockOption(order=order, option_no=number, limit_price=option.limit_price), option)
        for number, option in enumerate(checked.options, start=1)
    ]


def leg_rows(row: BlockOption, option: CheckedOption) -> list[BlockLeg]:
    """Return the legs of an alternative as rows."""
    return [
        BlockLeg(
            option=row,
            hub=option.hub,
            product=option.product,
            first_period=leg.first_period,
            last_period=leg.last_period,
            quantity=leg.quantity,
        )
        for leg in option.legs
    ]


def _insert_parts(order: Order, checked: CheckedOrder) -> None:
    if checked.request.kind == OrderKind.CURVE:
        CurveStep.objects.bulk_create(curve_rows(order, checked))
        return
    pairs = option_rows(order, checked)
    BlockOption.objects.bulk_create([row for row, _ in pairs])
    BlockLeg.objects.bulk_create([leg for row, option in pairs for leg in leg_rows(row, option)])
