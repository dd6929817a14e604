"""Hubs, links, products and calendars: changed by the operator, audited, never under a book.

What a frozen book or an order in an open one rests on is not changed: ticks, lots and classes of a
product stay as they were made, a link in use keeps what is sold of it, and while a book is being
cleared the network stands still. Price bands and market rules take two people
(`marketplace.services.market_terms`).
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Max, ProtectedError, Q

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.models import Hub, Link, Listing, ListingState, Product, ResourcePool
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import Missing, check_range, require_operator
from orders.models import (
    AuctionCalendar,
    CalendarKind,
    ClearingRun,
    LinkCommitment,
    LinkDirection,
    Order,
    OrderState,
    RunState,
)
from orders.services.locks import wait_network

Row = TypeVar("Row", bound=models.Model)

HUB_FIXED = ("code", "id4")
LINK_FIXED = ("from_hub", "to_hub")
PRODUCT_FIXED = (
    *("code", "resource_class", "price_tick", "clearing_price_tick", "quantity_lot"),
    *("bandwidth_gbps_per_unit", "rtt_classes_ms", "carbon_classes_g", "price_min", "price_max"),
)
CALENDAR_FIXED = ("code", "kind")
INDICATIVE_CHOICES = (0, 5, 10, 15, 30, 60)
MOST_GBPS = Decimal(999_999)


class FieldFixed(RuleBroken):
    """A value that others rest on does not change any more."""

    code = "field_fixed"
    message = gettext_noop("This cannot be changed once it exists; make a new entry instead.")
    status = 409


class HubInUse(RuleBroken):
    """Something stands at the hub."""

    code = "hub_in_use"
    message = gettext_noop(
        "The hub is in use: %(pools)s pools, %(listings)s active listings, %(orders)s orders in "
        "open auctions, %(links)s links."
    )
    status = 409


class LinkExists(RuleBroken):
    """The two hubs are linked already; one link serves both directions."""

    code = "link_exists"
    message = gettext_noop(
        "These two hubs are linked already; one link serves both directions, each with a capacity."
    )
    status = 409


class LinkSold(RuleBroken):
    """More of the link is sold than would be left."""

    code = "link_sold"
    message = gettext_noop("%(gbps)s Gbit/s of this direction are sold already.")
    status = 409


class BookInClearing(RuleBroken):
    """While a book is being cleared the network stands still."""

    code = "book_in_clearing"
    message = gettext_noop("Auction %(auction)s is being cleared; try again when it is published.")
    status = 409


class GatesUpsideDown(RuleBroken):
    """The gate of a calendar closes before it opens, or binds before it opens."""

    code = "gates_upside_down"
    message = gettext_noop(
        "The gate must open before it closes, and the last phase must fit in between."
    )


@transaction.atomic
def save_hub(*, actor: Actor, hub: Hub | None, values: Mapping[str, Any]) -> Hub:
    """Make a hub, or change one.

    Raises:
        NotPermitted, FieldFixed, HubInUse, BookInClearing: nothing was changed.
    """
    require_operator(actor)
    row = _prepared(Hub, hub, values, fixed=HUB_FIXED)
    if hub is not None:
        stops = (hub.trades and not row.trades) or (hub.has_supply and not row.has_supply)
        if stops:
            _still_network()
            _require_unused(hub, links=False, pools=False)
    return _saved(actor, row, hub, values)


@transaction.atomic
def delete_hub(*, actor: Actor, hub: Hub) -> None:
    """Remove a hub at which nothing ever was.

    Raises:
        NotPermitted, HubInUse: nothing was changed.
    """
    platform = require_operator(actor)
    _require_unused(hub)
    pk = hub.pk
    try:
        with transaction.atomic():
            hub.delete()
    except ProtectedError:
        raise HubInUse(**_uses(hub)) from None
    hub.pk = pk
    before = {"code": hub.code, "name_zh": hub.name_zh}
    record_audit(
        action="hub.deleted", subject=hub, actor=actor.user, organisation=platform, before=before
    )


@transaction.atomic
def save_link(*, actor: Actor, link: Link | None, values: Mapping[str, Any]) -> Link:
    """Make a link, or change one; a link has a capacity in each direction.

    Raises:
        NotPermitted, FieldFixed, LinkExists, LinkSold, BookInClearing: nothing was changed.
        OutOfRange, Missing: with the field.
    """
    require_operator(actor)
    _still_network()
    row = _prepared(Link, link, values, fixed=LINK_FIXED)
    for field in ("forward_gbps", "reverse_gbps"):
        if getattr(row, field) is None:
            raise Missing(field=field)
        check_range(getattr(row, field), least=Decimal(0), most=MOST_GBPS, field=field)
    _check_ends(row)
    if link is not None:
        _keep_sold(row)
    return _saved(actor, row, link, values)


@transaction.atomic
def save_product(*, actor: Actor, product: Product | None, values: Mapping[str, Any]) -> Product:
    """Make a product, or change what no order rests on: names, energy, order, whether it trades.

    Raises:
        NotPermitted, FieldFixed: nothing was changed.
    """
    require_operator(actor)
    row = _prepared(Product, product, values, fixed=PRODUCT_FIXED)
    return _saved(actor, row, product, values)


@transaction.atomic
def save_calendar(
    *,
    actor: Actor,
    calendar: AuctionCalendar | None,
    values: Mapping[str, Any],
    products: Iterable[Product] | None = None,
) -> AuctionCalendar:
    """Make a calendar, or change one; auctions that exist already keep their times.

    Raises:
        NotPermitted, FieldFixed, GatesUpsideDown, OutOfRange: nothing was changed.
    """
    require_operator(actor)
    row = _prepared(AuctionCalendar, calendar, values, fixed=CALENDAR_FIXED)
    _check_calendar(row)
    chosen = None if products is None else sorted(product.code for product in products)
    before = [] if calendar is None else sorted(p.code for p in calendar.products.all())
    extra = {} if chosen is None or chosen == before else {"products": (before, chosen)}
    saved = _saved(actor, row, calendar, values, extra=extra)
    if products is not None:
        saved.products.set(products)
    return saved


def _prepared(
    model: type[Row], row: Row | None, values: Mapping[str, Any], *, fixed: tuple[str, ...]
) -> Row:
    """Return a row with the new values, the stored one left as it is."""
    if row is None:
        return model(**values)
    copy = model._default_manager.select_for_update().get(pk=row.pk)
    for name, value in values.items():
        if name in fixed and getattr(copy, name) != value:
            raise FieldFixed(field=name)
        setattr(copy, name, value)
    return copy


def _saved(
    actor: Actor,
    row: Row,
    stored: Row | None,
    values: Mapping[str, Any],
    *,
    extra: Mapping[str, tuple[object, object]] | None = None,
) -> Row:
    before = {} if stored is None else {n: _text(getattr(stored, n)) for n in values}
    after = {name: _text(getattr(row, name)) for name in values}
    changed = [name for name in values if before.get(name) != after[name]]
    row.save()
    more = extra or {}
    if changed or more:
        record_audit(
            action=f"{row._meta.model_name}.{'added' if stored is None else 'changed'}",
            subject=row,
            actor=actor.user,
            organisation=actor.organisation,
            before={
                **{name: before[name] for name in changed if name in before},
                **{name: old for name, (old, _) in more.items()},
            }
            or None,
            after={
                **{name: after[name] for name in changed},
                **{name: new for name, (_, new) in more.items()},
            },
        )
    return row


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _uses(hub: Hub) -> dict[str, Any]:
    """Return how much of what stands at a hub."""
    listings = Listing.objects.filter(pool__hub=hub, state=ListingState.ACTIVE)
    orders = Order.objects.filter(hub=hub, state=OrderState.ACTIVE)
    return {
        "pools": ResourcePool.objects.filter(hub=hub).count(),
        "listings": listings.count(),
        "orders": orders.count(),
        "links": Link.objects.filter(Q(from_hub=hub) | Q(to_hub=hub)).count(),
    }


def _require_unused(hub: Hub, *, links: bool = True, pools: bool = True) -> None:
    uses = _uses(hub)
    counted = {"listings", "orders", *(["links"] if links else []), *(["pools"] if pools else [])}
    if any(uses[name] for name in counted):
        raise HubInUse(**uses)


def _still_network() -> None:
    """Wait until no book is being frozen, and refuse while one is being cleared."""
    wait_network()
    live = (RunState.FROZEN, RunState.CLEARED, RunState.VERIFIED)
    run = ClearingRun.objects.filter(state__in=live).select_related("auction").first()
    if run is not None:
        raise BookInClearing(auction=run.auction.code)


def _check_ends(link: Link) -> None:
    ends = Q(from_hub=link.from_hub, to_hub=link.to_hub) | Q(
        from_hub=link.to_hub, to_hub=link.from_hub
    )
    if link.from_hub_id == link.to_hub_id or Link.objects.filter(ends).exclude(pk=link.pk).exists():
        raise LinkExists(field="to_hub")


def _keep_sold(link: Link) -> None:
    sold = LinkCommitment.objects.filter(link=link, slot_starts_at__gte=market_now())
    most = dict(
        sold.values_list("direction").annotate(most=Max("committed_gbps")).order_by("direction")
    )
    for direction, field in (
        (LinkDirection.FORWARD, "forward_gbps"),
        (LinkDirection.REVERSE, "reverse_gbps"),
    ):
        needed = most.get(direction, Decimal(0))
        if getattr(link, field) < needed:
            raise LinkSold(field=field, gbps=needed.normalize())


def _check_calendar(calendar: AuctionCalendar) -> None:
    window = calendar.gate_opens_lead_minutes - calendar.gate_closes_lead_minutes
    if window <= 0:
        raise GatesUpsideDown(field="gate_opens_lead_minutes")
    if calendar.no_cancel_minutes > window:
        raise GatesUpsideDown(field="no_cancel_minutes")
    is_intraday = calendar.kind == CalendarKind.INTRADAY
    if is_intraday:
        cadence = Decimal(calendar.cadence_minutes)
        check_range(cadence, least=Decimal(15), most=Decimal(1440), field="cadence_minutes")
    if calendar.indicative_minutes not in INDICATIVE_CHOICES:
        raise RuleBroken(
            "choice_unknown", gettext_noop("Choose one of the list."), "indicative_minutes"
        )
