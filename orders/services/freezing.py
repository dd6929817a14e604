"""Freezing: a closed book becomes an auction bundle; what cannot be cleared is set aside."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import structlog
from django.db.models import Max

from marketplace.domain.decimals import on_lot, on_tick
from marketplace.models import Listing, ListingState, Product
from marketplace.selectors.clock import market_now
from orders import clearing
from orders.models import (
    Auction,
    AuctionState,
    ClearingRun,
    Placement,
    RunArchive,
    RunState,
)
from orders.services.book import (
    BookOrder,
    BundleTables,
    Leg,
    Network,
    Step,
    read_book,
    read_network,
)
from orders.services.capacity import free_links, free_units, lock_listings
from orders.services.clearing_parts import cut_into_parts
from orders.services.locks import try_network
from orders.services.order_outcomes import OrderEnd, end_orders
from orders.services.transitions import auction_phase

logger = structlog.get_logger(__name__)

LIVE_RUNS = (RunState.FROZEN, RunState.CLEARED, RunState.VERIFIED)
# A book with more orders the engine refuses than this needs a person, not another round.
MOST_REFUSALS = 50


class BookCannotBeFrozen(Exception):
    """The engine refuses the book for a reason that is no single order's."""


def freeze_book(*, auction_id: int) -> bool:
    """Make the bundle of a closed auction and its clearing run; say whether this call did.

    Takes the capacity that is offered and what is left of the links. An order the engine
    would refuse, or whose seller or listing is gone, is quarantined with its reason and its hold is
    released; asks are cut to what is left of their listing, dearest units first.

    Raises:
        BookCannotBeFrozen: the refusal cannot be laid to an order.
    """
    with auction_phase("freeze", auction_id, AuctionState.CLOSED) as auction:
        if auction is None or auction.runs.filter(state__in=LIVE_RUNS).exists():
            return False
        if not try_network():  # another book is being frozen; the next knock tries again
            return False
        freezer = _Freezer(auction)
        freezer.run()
    return True


class _Freezer:
    """One freezing; collects the orders that are set aside."""

    def __init__(self, auction: Auction) -> None:
        self._auction = auction
        self._set_aside: list[OrderEnd] = []
        self._cleared_orders = 0

    def run(self) -> ClearingRun:
        """Read, check, cut, build, store."""
        book = read_book(self._auction)
        listings = {item.order.listing_id or 0 for item in book if item.is_sell}
        lock_listings(listings)
        network = read_network(self._auction, book)
        book = [item for item in book if self._passes(item, _first_fault(item, network))]
        units = free_units(auction=self._auction, listing_ids=listings)
        book = self._cut_asks(book, units)
        book = self._resolve_eligible(book, network)
        bundle = self._build(book, network, units)
        run = self._store(bundle)
        end_orders(self._set_aside, now=market_now(), event="quarantined")
        if self._set_aside:
            logger.warning(
                "orders_quarantined", auction=self._auction.code, orders=len(self._set_aside)
            )
        return run

    def _passes(self, item: BookOrder, fault: str | None, **params: object) -> bool:
        if fault is not None:
            self._set_aside.append(
                OrderEnd(item.order.pk, item.order.hold_reference, "quarantined", fault, params)
            )
        return fault is None

    def _cut_asks(
        self, book: list[BookOrder], units: Mapping[tuple[int, int], Decimal]
    ) -> list[BookOrder]:
        """Cut asks to what the auction holds, in the order they came in; blocks fit or go."""
        left = dict(units)
        kept = []
        for item in book:
            if not item.is_sell:
                kept.append(item)
                continue
            fits = _cut_curve(item, left) if item.is_curve else _take_block(item, left)
            if self._passes(item, None if fits else "capacity_taken"):
                kept.append(item)
        return kept

    def _resolve_eligible(self, book: list[BookOrder], network: Network) -> list[BookOrder]:
        on = self._auction.delivery_ends_at.date()
        offered = {item.order.listing_id for item in book if item.is_sell}
        kept = []
        for item in book:
            if not item.is_sell and _has_requirements(item):
                item.eligible = tuple(
                    key
                    for key, listing in sorted(network.listings.items())
                    if key in offered
                    and listing.pool.product_id in item.product_ids
                    and meets_requirements(item, listing, on)
                )
            if self._passes(item, "no_eligible_listing" if item.eligible == () else None):
                kept.append(item)
        return kept

    def _build(
        self, book: list[BookOrder], network: Network, units: Mapping[tuple[int, int], Decimal]
    ) -> clearing.Auction:
        """Build the bundle; an order the engine refuses is set aside, and the rest tried again."""
        gbps = free_links(auction=self._auction)
        for _ in range(MOST_REFUSALS + 1):
            book = self._without_orphans(book)
            tables = BundleTables(self._auction, network)
            meta = tables.build(book, units, gbps)
            try:
                bundle = clearing.auction_from_tables(meta, tables.tables)
            except clearing.BundleRefused as error:
                culprit, refusal = tables.order_at(error.file, error.line), error
            else:
                self._cleared_orders = len(book)
                return bundle
            if culprit is None:
                break
            item = next(found for found in book if found.order.pk == culprit)
            self._passes(item, "refused_by_engine", detail=refusal.reason[:200])
            book.remove(item)
        raise BookCannotBeFrozen(str(refusal)) from refusal

    def _without_orphans(self, book: list[BookOrder]) -> list[BookOrder]:
        """Set aside blocks whose parent is not in the book any more, and blocks below those."""
        while True:
            names = {item.order.pk for item in book}
            orphans = [i for i in book if i.order.parent_id is not None]
            orphans = [i for i in orphans if i.order.parent_id not in names]
            if not orphans:
                return book
            for item in orphans:
                self._passes(item, "parent_not_in_book")
            gone = {item.order.pk for item in orphans}
            book = [item for item in book if item.order.pk not in gone]

    def _store(self, bundle: clearing.Auction) -> ClearingRun:
        latest = self._auction.runs.aggregate(latest=Max("version"))["latest"] or 0
        run = ClearingRun.objects.create(
            auction=self._auction,
            version=latest + 1,
            bundle_sha256=clearing.bundle_sha256(bundle),
            order_count=self._cleared_orders,
        )
        RunArchive.objects.create(run=run, bundle=_zipped(bundle))
        cut_into_parts(run=run, bundle=bundle)
        return run


def meets_requirements(item: BookOrder, listing: Listing, on: object) -> bool:
    """Tell whether a listing's pool has what an order asks for, still valid on a date."""
    order, pool = item.order, listing.pool
    graded = pool.dengbao_level >= order.min_dengbao_level and _still_valid(
        pool.dengbao_expires_on, on, needed=order.min_dengbao_level > 0
    )
    domestic = not order.requires_xinchuang or (
        pool.is_xinchuang and _still_valid(pool.xinchuang_expires_on, on, needed=True)
    )
    return graded and domestic and pool.trust_level >= order.min_trust_level


def _still_valid(expires_on: object, on: object, *, needed: bool) -> bool:
    return not needed or expires_on is None or expires_on >= on  # type: ignore[operator]


def _has_requirements(item: BookOrder) -> bool:
    order = item.order
    asked = order.min_dengbao_level or order.requires_xinchuang or order.min_trust_level
    return bool(asked) and order.placement == Placement.SINGLE


def _first_fault(item: BookOrder, network: Network) -> str | None:
    """Return the code of the first rule an order breaks now, None when it can be cleared."""
    order = item.order
    product = network.products.get(order.product_id)
    if product is None or order.hub_id not in network.hubs:
        return "not_traded_any_more"
    if order.organisation_id not in network.admitted:
        return "member_not_admitted"
    if item.is_sell and _listing_gone(network.listings.get(order.listing_id or 0)):
        return "listing_not_active"
    if not item.is_windowed and not item.steps and not item.options:
        return "order_incomplete"
    if any(key not in network.products for key in item.product_ids):
        return "not_traded_any_more"
    if any(leg.hub_id not in network.hubs for _, legs in item.options.values() for leg in legs):
        return "not_traded_any_more"
    faults = [_figures_fault(item, product, network.periods)]
    faults += [_option_fault(item, network, *option) for option in item.options.values()]
    return next((fault for fault in faults if fault is not None), None)


def _listing_gone(listing: Listing | None) -> bool:
    return listing is None or listing.state != ListingState.ACTIVE


def _figures_fault(item: BookOrder, product: Product, periods: int) -> str | None:
    """Return the first fault of a curve's steps, or of a flexible order's own figures."""
    order = item.order
    rows = list(item.steps)
    if item.is_windowed:
        rows.append(Step(order.first_period, order.last_period, order.limit_price, order.quantity))
    if any(not product.price_min <= row.price <= product.price_max for row in rows):
        return "price_out_of_band"
    if any(not on_tick(row.price, product.price_tick) for row in rows):
        return "off_price_tick"
    return _rows_fault(item, product, rows, periods)


def _option_fault(
    item: BookOrder, network: Network, limit: Decimal, legs: Sequence[Leg]
) -> str | None:
    """Return the first fault of an alternative, by the rules of each product in it."""
    for product in {leg.product_id: leg for leg in legs}:
        own = network.products[product]
        if not own.price_min <= limit <= own.price_max:
            return "price_out_of_band"
        if not on_tick(limit, own.price_tick):
            return "off_price_tick"
        rows = [leg for leg in legs if leg.product_id == product]
        fault = _rows_fault(item, own, rows, network.periods)
        if fault is not None:
            return fault
    return None


def _rows_fault(
    item: BookOrder, product: Product, rows: Sequence[Step | Leg], periods: int
) -> str | None:
    if any(not on_lot(row.quantity, product.quantity_lot) for row in rows):
        return "off_quantity_lot"
    if any(row.last > periods for row in rows):
        return "window_outside_auction"
    limit = item.order.max_rtt_ms
    if limit is not None and product.rtt_classes_ms and limit not in product.rtt_classes_ms:
        return "latency_class_unknown"
    grams = item.order.max_carbon_g
    if grams is not None and grams not in product.carbon_classes_g:
        return "carbon_class_unknown"
    return None


def _cut_curve(item: BookOrder, left: dict[tuple[int, int], Decimal]) -> bool:
    """Cut a curve ask period by period, cheapest units first; say whether anything is left."""
    listing = item.order.listing_id or 0
    kept = []
    for step in sorted(item.steps, key=lambda step: (step.price, step.first)):
        for period in range(step.first, step.last + 1):
            taken = min(step.quantity, left.get((listing, period), Decimal(0)))
            if taken > 0:
                left[listing, period] -= taken
                kept.append(replace(step, first=period, last=period, quantity=taken))
    item.steps[:] = kept
    return bool(kept)


def _take_block(item: BookOrder, left: dict[tuple[int, int], Decimal]) -> bool:
    """Take what a block ask needs at most, whichever alternative is taken, or nothing."""
    listing = item.order.listing_id or 0
    needs: dict[tuple[int, int], Decimal] = {}
    for _, legs in item.options.values():
        for leg in legs:
            for period in range(leg.first, leg.last + 1):
                key = (listing, period)
                needs[key] = max(leg.quantity, needs.get(key, Decimal(0)))
    if any(left.get(key, Decimal(0)) < units for key, units in needs.items()):
        return False
    for key, units in needs.items():
        left[key] -= units
    return True


def _zipped(bundle: clearing.Auction) -> bytes:
    with tempfile.TemporaryDirectory(prefix="hengsuan-") as folder:
        path = Path(folder) / "bundle.zip"
        clearing.write_bundle(bundle, path)
        return path.read_bytes()
