"""Freezing: a closed book becomes an auction bundle; what cannot be cleared is set aside."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import structlog
from django.db.models import Max

from marketplace.domain.decimals import on_lot, on_tick
from marketplace.models import Listing, ListingState, OrganisationState, Product
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
        run = self._store(bundle, len(book) - self._refused)
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
            order = item.order
            if not item.is_sell and _has_requirements(item):
                item.eligible = tuple(
                    key
                    for key, listing in sorted(network.listings.items())
                    if key in offered
                    and listing.pool.product_id == order.product_id
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
        refused: set[int] = set()
        self._refused = 0
        while True:
            rest = [item for item in book if item.order.pk not in refused]
            tables = BundleTables(self._auction, network)
            meta = tables.build(rest, units, gbps)
            try:
                return clearing.auction_from_tables(meta, tables.tables)
            except clearing.BundleRefused as error:
                culprit = tables.order_at(error.file, error.line)
                if culprit is None or len(refused) >= MOST_REFUSALS:
                    raise BookCannotBeFrozen(str(error)) from error
                refused.add(culprit)
                self._refused = len(refused)
                item = next(found for found in rest if found.order.pk == culprit)
                self._passes(item, "refused_by_engine", detail=error.reason[:200])

    def _store(self, bundle: clearing.Auction, order_count: int) -> ClearingRun:
        latest = self._auction.runs.aggregate(latest=Max("version"))["latest"] or 0
        run = ClearingRun.objects.create(
            auction=self._auction,
            version=latest + 1,
            bundle_sha256=clearing.bundle_sha256(bundle),
            order_count=order_count,
        )
        RunArchive.objects.create(run=run, bundle=_zipped(bundle))
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
    if order.organisation.state != OrganisationState.APPROVED:
        return "member_not_admitted"
    if item.is_sell and _listing_gone(network.listings.get(order.listing_id or 0)):
        return "listing_not_active"
    if not item.steps and not item.options:
        return "order_incomplete"
    return _figures_fault(item, product, network.periods)


def _listing_gone(listing: Listing | None) -> bool:
    return listing is None or listing.state != ListingState.ACTIVE


def _figures_fault(item: BookOrder, product: Product, periods: int) -> str | None:
    prices = [step.price for step in item.steps] + [limit for limit, _ in item.options.values()]
    legs = [leg for _, found in item.options.values() for leg in found]
    if any(not product.price_min <= price <= product.price_max for price in prices):
        return "price_out_of_band"
    if any(not on_tick(price, product.price_tick) for price in prices):
        return "off_price_tick"
    rows: list[Step | Leg] = [*item.steps, *legs]
    if any(not on_lot(row.quantity, product.quantity_lot) for row in rows):
        return "off_quantity_lot"
    if any(row.last > periods for row in rows):
        return "window_outside_auction"
    limit = item.order.max_rtt_ms
    if limit is not None and product.rtt_classes_ms and limit not in product.rtt_classes_ms:
        return "latency_class_unknown"
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
    """Take a block ask's whole profile from what is left, or nothing."""
    listing = item.order.listing_id or 0
    needs: dict[tuple[int, int], Decimal] = {}
    for _, legs in item.options.values():
        for leg in legs:
            for period in range(leg.first, leg.last + 1):
                key = (listing, period)
                needs[key] = needs.get(key, Decimal(0)) + leg.quantity
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
