"""Standing offers: active listings are copied into the auctions that take orders."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from marketplace.domain.decimals import on_lot, on_tick
from marketplace.models import (
    Listing,
    ListingPriceStep,
    ListingState,
    OrganisationState,
    Product,
)
from marketplace.selectors.clock import market_now
from orders.models import (
    Auction,
    CurveStep,
    Order,
    OrderKind,
    OrderSide,
    OrderSource,
    OrderState,
)
from orders.selectors.bands import traded_products
from orders.selectors.capacity import unsold_units
from orders.services.cancellation import TAKEN_OUT

_BATCH = 2000


@dataclass(frozen=True)
class _Run:
    """Periods in a row with the same number of units free."""

    first: int
    last: int
    units: Decimal


def copy_standing_offers(*, auction_id: int, only: Collection[int] | None = None) -> int:
    """Put one curve ask a standing listing into the book; return how many.

    A step is clipped to what is available and unsold in each period, dearest units first. Listings
    that have an ask in the book, or whose copy their member took out of it, are left alone, so a
    repeated call adds nothing. Needs the auction locked, or its gate shared and listings locked.

    Args:
        auction_id: an auction that takes orders.
        only: ids of the listings to look at; None for all.
    """
    auction = Auction.objects.get(pk=auction_id)
    listings = _standing_listings(auction, only)
    rooms = unsold_units(auction=auction, listing_ids=[listing.pk for listing in listings])
    steps = _price_steps(list(rooms))
    products = {product.pk: product for product in traded_products(auction)}
    now = market_now()
    asks: list[tuple[Order, list[CurveStep]]] = []
    for listing in listings:
        rows = _clipped_steps(
            steps.get(listing.pk, []),
            rooms.get(listing.pk, {}),
            products[listing.pool.product_id],
        )
        if rows:
            order = _ask(auction, listing, rows)
            order.submitted_at = now
            asks.append((order, rows))
    Order.objects.bulk_create([order for order, _ in asks], batch_size=_BATCH)
    for order, rows in asks:
        for row in rows:
            row.order_id = order.pk
    CurveStep.objects.bulk_create([row for _, rows in asks for row in rows], batch_size=_BATCH)
    return len(asks)


def _standing_listings(auction: Auction, only: Collection[int] | None) -> list[Listing]:
    asks = Order.objects.filter(auction=auction, side=OrderSide.SELL)
    taken_out = Q(source=OrderSource.STANDING, reason_code=TAKEN_OUT)
    in_book = asks.filter(Q(state=OrderState.ACTIVE) | taken_out)
    named = Listing.objects.all() if only is None else Listing.objects.filter(pk__in=only)
    return list(
        named.filter(
            state=ListingState.ACTIVE,
            is_standing=True,
            organisation__state=OrganisationState.APPROVED,
            organisation__is_supplier=True,
            pool__product__in=auction.products.all(),
            pool__hub__trades=True,
        )
        .exclude(pk__in=in_book.values("listing_id"))
        .select_related("pool__product")
        .order_by("id")
    )


def _price_steps(listing_ids: list[int]) -> dict[int, list[tuple[Decimal, Decimal]]]:
    found: dict[int, list[tuple[Decimal, Decimal]]] = {}
    rows = ListingPriceStep.objects.filter(listing_id__in=listing_ids)
    for listing_id, price, quantity in rows.order_by("listing_id", "price", "step").values_list(
        "listing_id", "price", "quantity"
    ):
        found.setdefault(listing_id, []).append((price, quantity))
    return found


def _clipped_steps(
    steps: list[tuple[Decimal, Decimal]], room: dict[int, Decimal], product: Product
) -> list[CurveStep]:
    """Return the steps of an ask: cheapest units first, in lots, as far as each period has room."""
    rows: list[CurveStep] = []
    for run in _runs(room, product.quantity_lot):
        left = run.units
        for price, quantity in _merged(steps, product):
            taken = min(quantity, left)
            if taken <= 0:
                break
            left -= taken
            rows.append(
                CurveStep(first_period=run.first, last_period=run.last, price=price, quantity=taken)
            )
    return rows


def _merged(
    steps: list[tuple[Decimal, Decimal]], product: Product
) -> list[tuple[Decimal, Decimal]]:
    """Join steps of one price, and leave out what this product's rules do not take any more."""
    merged: dict[Decimal, Decimal] = {}
    for price, quantity in steps:
        in_band = product.price_min <= price <= product.price_max
        if (
            in_band
            and on_tick(price, product.price_tick)
            and on_lot(quantity, product.quantity_lot)
        ):
            merged[price] = merged.get(price, Decimal(0)) + quantity
    return sorted(merged.items())


def _runs(room: dict[int, Decimal], lot: Decimal) -> Iterator[_Run]:
    current: _Run | None = None
    for period in sorted(room):
        units = room[period] - room[period] % lot
        if current and current.last == period - 1 and current.units == units:
            current = _Run(current.first, period, units)
            continue
        if current and current.units > 0:
            yield current
        current = _Run(period, period, units)
    if current and current.units > 0:
        yield current


def _ask(auction: Auction, listing: Listing, rows: list[CurveStep]) -> Order:
    per_period: dict[int, Decimal] = {}
    for row in rows:
        per_period[row.first_period] = per_period.get(row.first_period, Decimal(0)) + row.quantity
    return Order(
        auction=auction,
        organisation_id=listing.organisation_id,
        source=OrderSource.STANDING,
        side=OrderSide.SELL,
        kind=OrderKind.CURVE,
        product=listing.pool.product,
        hub_id=listing.pool.hub_id,
        listing=listing,
        first_period=min(row.first_period for row in rows),
        last_period=max(row.last_period for row in rows),
        quantity=max(per_period.values()),
        limit_price=min(row.price for row in rows),
    )
