"""The check before a bid is placed: which condition would keep it from being matched.

It reads listings, published sales and published prices only, never an order in a book.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from marketplace.domain.decimals import multiply_exactly
from marketplace.domain.periods import market_date
from marketplace.permissions import Actor
from marketplace.selectors.catalogue import CatalogueFilter, listed
from marketplace.selectors.clock import market_now
from marketplace.selectors.hubs import hubs_within
from orders.domain.offered_windows import (
    best_choice,
    best_run,
    first_with_units,
    most_at_once,
    units_throughout,
)
from orders.models import Auction, OrderKind, OrderSide, Placement
from orders.selectors.capacity import period_starts
from orders.selectors.price_outlook import Outlook, Wish, price_outlook
from orders.selectors.price_samples import RECENT_DAYS
from orders.selectors.supply_in_reach import Room, room_in_reach
from orders.services import refusals
from orders.services.order_request import CheckedOrder, OrderRequest, check_order
from orders.services.submission import require_trader


@dataclass(frozen=True)
class Finding:
    """One condition that stands in the way: a code and the figures of its sentence."""

    code: str
    params: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class OrderStudy:
    """What an order may expect, and what stands in its way.

    Attributes:
        wishes: each alternative of the order; one for all but blocks with substitutes.
        outlooks: what recent auctions say about each alternative.
        findings: conditions in the way, the worst first; none for a bid that could be served.
        unit_hours: most unit-hours it can take.
        grams: declared carbon if the expected hub serves it all; None when nothing is declared.
    """

    wishes: tuple[Wish, ...]
    outlooks: tuple[Outlook, ...]
    findings: tuple[Finding, ...]
    unit_hours: Decimal
    grams: Decimal | None

    @property
    def best(self) -> Outlook:
        """The alternative with the best chance, the first of equals."""
        return max(self.outlooks, key=lambda outlook: outlook.chance or Decimal(-1))


def study_order(*, actor: Actor, request: OrderRequest) -> OrderStudy:
    """Return what a bid may expect and what would keep it from being matched; changes nothing.

    Raises:
        RuleBroken: a figure or name breaks a rule; the gate is not asked.
    """
    owner = require_trader(actor, OrderSide.BUY)
    auction = Auction.objects.filter(public_id=request.auction).first()
    if auction is None or request.side != OrderSide.BUY:
        raise refusals.AuctionNotFound(field="auction")
    checked = check_order(request, auction=auction, owner=owner)
    now = market_now()
    wishes = _wishes(checked)
    outlooks = tuple(
        price_outlook(auction=auction, kind=request.kind, wish=wish, now=now) for wish in wishes
    )
    by_wish = [
        _findings(checked, wish, outlook) for wish, outlook in zip(wishes, outlooks, strict=True)
    ]
    hours = Decimal(auction.period_minutes) / 60
    unit_hours = multiply_exactly(checked.unit_periods, hours)
    grams = outlooks[0].grams
    return OrderStudy(
        wishes=wishes,
        outlooks=outlooks,
        # An alternative that nothing stands in the way of is enough.
        findings=() if any(not found for found in by_wish) else tuple(by_wish[0]),
        unit_hours=unit_hours,
        grams=None if grams is None else multiply_exactly(grams, unit_hours),
    )


def _wishes(checked: CheckedOrder) -> tuple[Wish, ...]:
    request = checked.request
    if checked.options:
        return tuple(
            Wish(
                product=option.product,
                hub=option.hub,
                max_rtt_ms=checked.max_rtt_ms,
                max_carbon_g=checked.max_carbon_g,
                periods=sorted(option.units),
                steps=[(option.limit_price, max(option.units.values()))],
            )
            for option in checked.options
        )
    steps = [(step.price, step.quantity) for step in request.steps] or [
        (checked.best_limit, checked.quantity)
    ]
    return (
        Wish(
            product=checked.product,
            hub=checked.hub,
            max_rtt_ms=checked.max_rtt_ms,
            max_carbon_g=checked.max_carbon_g,
            periods=range(request.first_period, request.last_period + 1),
            steps=steps,
            duration=request.duration or 0,
        ),
    )


def _findings(checked: CheckedOrder, wish: Wish, outlook: Outlook) -> list[Finding]:
    reached = [hub for hub, _ in hubs_within(wish.hub, wish.max_rtt_ms)]
    if not reached:
        return [Finding("no_hub_in_reach", {"limit": _text(wish.max_rtt_ms)})]
    room = room_in_reach(
        auction=checked.auction,
        product=wish.product,
        hubs=[hub.pk for hub in reached],
        max_carbon_g=wish.max_carbon_g,
    )
    found = _supply_findings(checked, wish, room)
    best = max(limit for limit, _ in wish.steps)
    if outlook.lowest is not None and best < outlook.lowest:
        params = {"lowest": _text(outlook.lowest), "days": RECENT_DAYS, "seen": outlook.seen}
        found.append(Finding("limit_below_all", params))
    return found


def _supply_findings(checked: CheckedOrder, wish: Wish, room: Room) -> list[Finding]:
    total = room.total()
    if not most_at_once(total, wish.periods):
        return [_nothing_offered(checked.auction, wish, total)]
    if checked.request.placement == Placement.SINGLE:
        return _single_findings(checked, wish, room)
    asked = wish.steps[0][1]
    if checked.request.kind == OrderKind.CURVE:
        asked = sum((units for _, units in wish.steps), Decimal(0))
        free = most_at_once(total, wish.periods)
    else:
        free = _FREE[checked.request.kind](total, wish)
        asked = multiply_exactly(asked, checked.request.min_acceptance)
    if free < asked:
        return [Finding("too_few_units", {"free": _text(free), "asked": _text(asked)})]
    return []


def _single_findings(checked: CheckedOrder, wish: Wish, room: Room) -> list[Finding]:
    """Look for one listing with the marks that could serve the whole profile."""
    request = checked.request
    marks = CatalogueFilter(
        product=wish.product.code,
        min_trust=request.min_trust_level or None,
        min_dengbao=request.min_dengbao_level or None,
        xinchuang=request.requires_xinchuang or None,
    )
    with_marks = set(listed(marks, on=market_date(market_now())).values_list("pk", flat=True))
    fitting = [one for one in room.listings if one.listing_id in with_marks]
    if not fitting:
        return [Finding("no_listing_with_marks")]
    asked = multiply_exactly(wish.steps[0][1], request.min_acceptance)
    free = max(_FREE[request.kind](one.units, wish) for one in fitting)
    if free < asked:
        return [Finding("no_single_listing", {"free": _text(free), "asked": _text(asked)})]
    return []


def _nothing_offered(auction: Auction, wish: Wish, total: dict[int, Decimal]) -> Finding:
    if wish.max_carbon_g is not None:
        return Finding("no_listing_in_class", {"grams": _text(wish.max_carbon_g)})
    limit = _text(wish.max_rtt_ms)
    first = first_with_units(total)
    if first is None:
        return Finding("nothing_offered", {"limit": limit})
    starts_at = period_starts(auction)[first - 1]
    code = "offered_later" if first > wish.periods[-1] else "offered_earlier"
    return Finding(code, {"limit": limit, "starts_at": starts_at.isoformat()})


def _throughout(room: dict[int, Decimal], wish: Wish) -> Decimal:
    return units_throughout(room, wish.periods)


def _in_a_run(room: dict[int, Decimal], wish: Wish) -> Decimal:
    return best_run(room, wish.periods[0], wish.periods[-1], wish.duration)


def _anywhere(room: dict[int, Decimal], wish: Wish) -> Decimal:
    return best_choice(room, wish.periods[0], wish.periods[-1], wish.duration)


_FREE: dict[str, Callable[[dict[int, Decimal], Wish], Decimal]] = {
    "block": _throughout,
    "flexible": _in_a_run,
    "interruptible": _anywhere,
}


def _text(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():f}"
