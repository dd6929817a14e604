"""Standing bids: a bid that is put into every auction of its calendar when the gate opens."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import connection, transaction

from marketplace.domain.errors import NotFound, RuleBroken, StateForbids, gettext_noop
from marketplace.domain.money import round_up
from marketplace.domain.periods import market_date
from marketplace.permissions import Actor, actor_for
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.outbox import emit_event
from orders.domain.repeated_windows import MINUTES_PER_DAY, minute_of_day, periods_between
from orders.models import (
    STANDING_BID_TRANSITIONS,
    Auction,
    CalendarKind,
    Order,
    OrderSide,
    OrderSource,
    StandingBid,
    StandingBidCopy,
    StandingBidState,
)
from orders.selectors.capacity import period_starts
from orders.selectors.projects import commitment_of
from orders.services import refusals
from orders.services.buying_rules import MOST_CNY, SumOutOfRange, find_project, require_consent
from orders.services.order_request import CheckedOrder, OrderRequest, check_order
from orders.services.request_record import record_of, request_of
from orders.services.submission import require_trader, submit_order, worst_case_of

logger = structlog.get_logger(__name__)

_NO_AUCTION = UUID(int=0)
_TO_COPY = """
SELECT DISTINCT a.id
  FROM orders_auction a
  JOIN orders_standingbid s ON s.calendar_id = a.calendar_id AND s.state = 'active'
   AND s.created_at < a.gate_opens_at
 WHERE a.state = 'open' AND a.gate_closes_at > market_now()
   AND NOT EXISTS (SELECT FROM orders_standingbidcopy c
                    WHERE c.standing_bid_id = s.id AND c.auction_id = a.id)
"""


class StandingBidNotFound(NotFound):
    """The organisation has no such standing bid."""

    message = gettext_noop("There is no such standing bid.")


class EndInPast(RuleBroken):
    """A standing bid ends today or later."""

    code = "end_in_past"
    message = gettext_noop("A standing bid must end today or later.")


class ProfileNotRepeated(RuleBroken):
    """Intraday auctions differ in length; only a plain window fits them all."""

    code = "profile_not_repeated"
    message = gettext_noop("In intraday auctions only bids with one plain window can be repeated.")


class BudgetUsed(RuleBroken):
    """Another copy would go beyond the budget of the standing bid."""

    code = "budget_used"
    message = gettext_noop("The budget of the standing bid is used up.")


class LinkedBidNotRepeated(RuleBroken):
    """The order that a bid hangs on is in one book only."""

    code = "linked_bid_not_repeated"
    message = gettext_noop("A bid that is linked to another order cannot be repeated.")


class WindowNotThere(RuleBroken):
    """The auction has no period in the window of the standing bid."""

    code = "window_not_there"
    message = gettext_noop("The auction has no period left in the window of the standing bid.")


@transaction.atomic
def create_standing_bid(
    *,
    actor: Actor,
    request: OrderRequest,
    ends_on: date | None = None,
    budget_cny: Decimal | None = None,
    first_order: Order | None = None,
) -> StandingBid:
    """Repeat a bid in every auction of its auction's calendar, from the next gate opening on.

    Args:
        actor: who bids.
        request: the bid, as for one auction of the calendar.
        ends_on: last day of delivery; None for no end.
        budget_cny: most that all copies may cost together, 含税; None for no limit.
        first_order: the order that was made of the same request just now; it counts as a copy.

    Raises:
        RuleBroken: the bid or the limits break a rule; nothing was changed.
    """
    owner = require_trader(actor, OrderSide.BUY)
    auction = Auction.objects.select_related("calendar").filter(public_id=request.auction).first()
    if auction is None or request.side != OrderSide.BUY:
        raise refusals.AuctionNotFound(field="auction")
    checked = check_order(request, auction=auction, owner=owner)
    now = market_now()
    _check_limits(checked, ends_on, budget_cny, today=market_date(now))
    worst = worst_case_of(checked)
    require_consent(owner=owner, total_cny=worst.total_cny, has_consent=False)
    from_minute, until_minute = _minutes(checked)
    standing = StandingBid.objects.create(
        organisation=owner,
        created_by=actor.user,
        calendar=auction.calendar,
        product=checked.product,
        hub=checked.hub,
        project=find_project(owner=owner, public_id=request.project),
        request=record_of(replace(request, auction=_NO_AUCTION)),
        from_minute=from_minute,
        until_minute=until_minute,
        ends_on=ends_on,
        budget_cny=budget_cny,
        created_at=now,
    )
    if first_order is not None:
        StandingBidCopy.objects.create(
            standing_bid=standing, auction=auction, order=first_order, created_at=now
        )
    _audit(standing, actor, "standing_bid.created")
    return standing


@transaction.atomic
def place_standing_bid(
    *,
    actor: Actor,
    request: OrderRequest,
    ends_on: date | None = None,
    budget_cny: Decimal | None = None,
) -> Order:
    """Put a bid into its auction and repeat it in those that follow; both or neither.

    Raises:
        RuleBroken: the bid or the limits of its repetition break a rule; nothing was changed.
    """
    order = submit_order(actor=actor, request=request)
    create_standing_bid(
        actor=actor, request=request, ends_on=ends_on, budget_cny=budget_cny, first_order=order
    )
    return order


def pause_standing_bid(*, actor: Actor, public_id: UUID) -> StandingBid:
    """Leave out the coming auctions until it is resumed; orders in a book stay.

    Raises:
        StandingBidNotFound, StateForbids: nothing was changed.
    """
    return _move(actor, public_id, StandingBidState.PAUSED)


def resume_standing_bid(*, actor: Actor, public_id: UUID) -> StandingBid:
    """Bid again from the next gate opening on.

    Raises:
        StandingBidNotFound, StateForbids: nothing was changed.
    """
    return _move(actor, public_id, StandingBidState.ACTIVE)


def end_standing_bid(*, actor: Actor, public_id: UUID) -> StandingBid:
    """Stop repeating for good; orders in a book stay.

    Raises:
        StandingBidNotFound, StateForbids: nothing was changed.
    """
    return _move(actor, public_id, StandingBidState.ENDED, reason="ended_by_member")


def auctions_to_copy() -> list[int]:
    """Return the open auctions that an active standing bid has not been put into yet."""
    with connection.cursor() as cursor:
        cursor.execute(_TO_COPY)
        return [row[0] for row in cursor.fetchall()]


def copy_standing_bids(*, auction_id: int) -> int:
    """Put the standing bids of its calendar into an open auction; return how many orders it made.

    Each bid is a transaction of its own and leaves one row, an order or the reason why not, so a
    repeated call does nothing and a bid that is refused holds up no other. The hold is placed each
    time. A bid whose last day or budget is reached ends.
    """
    auction = Auction.objects.select_related("calendar").get(pk=auction_id)
    copied = StandingBidCopy.objects.filter(auction=auction)
    waiting = (
        StandingBid.objects.filter(
            calendar=auction.calendar,
            state=StandingBidState.ACTIVE,
            created_at__lt=auction.gate_opens_at,
        )
        .exclude(pk__in=copied.values("standing_bid_id"))
        .order_by("organisation_id", "id")
    )
    made = sum(_copy(standing_id, auction) for standing_id in waiting.values_list("id", flat=True))
    logger.info("standing_bids_copied", auction=auction.code, orders=made)
    return made


@transaction.atomic
def _copy(standing_id: int, auction: Auction) -> bool:
    """Bid once; tell whether an order was made. Locks the standing bid."""
    standing = (
        StandingBid.objects.select_for_update(no_key=True, of=("self",))
        .select_related("project", "created_by", "calendar")
        .get(pk=standing_id)
    )
    is_done = standing.copies.filter(auction=auction).exists()  # type: ignore[attr-defined]
    if standing.state != StandingBidState.ACTIVE or is_done:
        return False
    if _is_over(standing, auction):
        _end(standing, "date_reached")
        return False
    copy = StandingBidCopy(standing_bid=standing, auction=auction, created_at=market_now())
    try:
        with transaction.atomic():
            copy.order = _submit(standing, auction)
    except BudgetUsed:
        _end(standing, "budget_used")
        return False
    except RuleBroken as refusal:
        copy.refusal_code = refusal.code[:40]
        copy.refusal_params = refusal.params
    copy.save(force_insert=True)
    if copy.order_id is None:
        _tell_refused(copy)
    return copy.order_id is not None


def _submit(standing: StandingBid, auction: Auction) -> Order:
    actor = actor_for(user=standing.created_by, organisation_id=standing.organisation_id)
    order = submit_order(actor=actor, request=_request(standing, auction))
    if standing.budget_cny is not None:
        spent = commitment_of(Order.objects.filter(pk__in=_orders_of(standing))).total_cny
        if spent + order.worst_case_cny > standing.budget_cny:
            raise BudgetUsed
    return order


def _orders_of(standing: StandingBid) -> list[int]:
    copies = StandingBidCopy.objects.filter(standing_bid=standing, order__isnull=False)
    return [key for key in copies.values_list("order_id", flat=True) if key is not None]


def _request(standing: StandingBid, auction: Auction) -> OrderRequest:
    """Return the bid for one auction: its window, and its legs as they are.

    Raises:
        WindowNotThere: the auction has no such periods ahead.
    """
    request = request_of(standing.request)
    first, last = request.first_period, request.last_period
    if standing.calendar.kind == CalendarKind.INTRADAY:
        found = periods_between(
            period_starts(auction),
            from_minute=standing.from_minute,
            until_minute=standing.until_minute,
            now=market_now(),
            zone=_zone(),
        )
        if found is None:
            raise WindowNotThere
        first, last = found
    project = standing.project.public_id if standing.project else None
    return replace(
        request,
        auction=auction.public_id,
        first_period=first,
        last_period=last,
        project=project,
        source=OrderSource.STANDING,
    )


def _is_over(standing: StandingBid, auction: Auction) -> bool:
    day = market_date(auction.delivery_starts_at)
    return standing.ends_on is not None and day > standing.ends_on


def _check_limits(
    checked: CheckedOrder, ends_on: date | None, budget_cny: Decimal | None, *, today: date
) -> None:
    if ends_on is not None and ends_on < today:
        raise EndInPast(field="ends_on")
    if budget_cny is not None:
        is_sum = budget_cny.is_finite() and 0 < budget_cny < MOST_CNY
        if not is_sum or budget_cny != round_up(budget_cny):
            raise SumOutOfRange(field="budget")
    if checked.parent is not None:
        raise LinkedBidNotRepeated(field="parent")
    is_intraday = checked.auction.calendar.kind == CalendarKind.INTRADAY
    request = checked.request
    has_profile = bool(request.legs) or any(option.legs for option in request.options)
    if is_intraday and has_profile:
        raise ProfileNotRepeated(field="kind")


def _minutes(checked: CheckedOrder) -> tuple[int, int]:
    """Return the window in minutes of the day; the whole day for auctions that are alike."""
    auction = checked.auction
    if auction.calendar.kind != CalendarKind.INTRADAY:
        return 0, MINUTES_PER_DAY
    starts = period_starts(auction)
    first = minute_of_day(starts[checked.request.first_period - 1], _zone())
    last = minute_of_day(starts[checked.request.last_period - 1], _zone())
    return first, min(last + auction.period_minutes, MINUTES_PER_DAY)


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.MARKET_TIME_ZONE)


@transaction.atomic
def _move(actor: Actor, public_id: UUID, to: StandingBidState, *, reason: str = "") -> StandingBid:
    owner = require_trader(actor, OrderSide.BUY)
    own = StandingBid.objects.select_for_update(no_key=True).filter(organisation=owner)
    standing = own.filter(public_id=public_id).first()
    if standing is None:
        raise StandingBidNotFound
    if not STANDING_BID_TRANSITIONS.is_allowed(standing.state, to):
        raise StateForbids(state=standing.state)
    standing.state = to
    standing.ended_reason = reason
    standing.save(update_fields=["state", "ended_reason"])
    _audit(standing, actor, f"standing_bid.{to.value}")
    return standing


def _end(standing: StandingBid, reason: str) -> None:
    standing.state = STANDING_BID_TRANSITIONS.check(standing.state, StandingBidState.ENDED)
    standing.ended_reason = reason
    standing.save(update_fields=["state", "ended_reason"])
    emit_event(
        topic="standing_bid.ended",
        aggregate=f"standing_bid:{standing.pk}",
        payload={
            "standing_bid_id": standing.pk,
            "organisation_id": standing.organisation_id,
            "reason": reason,
        },
    )


def _tell_refused(copy: StandingBidCopy) -> None:
    emit_event(
        topic="standing_bid.refused",
        aggregate=f"standing_bid:{copy.standing_bid_id}",
        payload={
            "standing_bid_id": copy.standing_bid_id,
            "organisation_id": copy.standing_bid.organisation_id,
            "auction_id": copy.auction_id,
            "code": copy.refusal_code,
        },
    )


def _audit(standing: StandingBid, actor: Actor, action: str) -> None:
    record_audit(
        action=action,
        subject=standing,
        actor=actor.user,
        organisation=actor.organisation,
        after={"state": str(standing.state), "product": standing.product.code},
    )
