"""Indicative figures: at fixed marks the standing book is cleared, and little of it is told.

The clearing is one like any other, of the book as it stands, with little search over blocks. It is
published rounded, only for cells in which at least five members stand, and no order, count or hash
of the book with it. `orders.domain.indicative` holds the rules.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from marketplace.domain.money import round_quotient
from marketplace.models import Hub, Product
from marketplace.selectors.clock import market_now
from orders import clearing
from orders.domain.indicative import (
    CellBook,
    Figures,
    join_books,
    may_show_sum,
    rounded_price,
    rounded_units,
    shown_hubs,
)
from orders.models import Auction, AuctionState, IndicativeCell, IndicativeMark
from orders.services.book import BookOrder
from orders.services.standing_book import StandingBook, read_standing_book

logger = structlog.get_logger(__name__)

# Trials over changed block choices: an estimate is not worth a long search.
WORK_LIMIT = 0
PLACES = 8
Cell = tuple[int, int]  # product id, period
Books = dict[Cell, dict[int, CellBook]]


@dataclass(frozen=True)
class _Outcome:
    """Hourly prices by (product code, hub code, period), and units bought there."""

    prices: Mapping[tuple[str, str, int], Decimal]
    bought: Mapping[tuple[str, str, int], Decimal]


def mark_before(now: datetime, minutes: int) -> datetime:
    """Return the last mark of market time: whole multiples of the interval since midnight UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (now - midnight) // timedelta(minutes=minutes)
    return midnight + passed * timedelta(minutes=minutes)


def due_marks() -> list[tuple[int, datetime]]:
    """Return (auction id, mark) of open auctions whose last mark has no figures yet.

    A mark that was missed is not made up for: its book is gone.
    """
    now = market_now()
    if _is_resting():
        return []
    found = []
    rows = Auction.objects.filter(
        state=AuctionState.OPEN,
        gate_opens_at__lt=now,
        gate_closes_at__gt=now,
        calendar__indicative_minutes__gt=0,
    ).select_related("calendar")
    for auction in rows.order_by("gate_closes_at", "id"):
        mark = mark_before(now, auction.calendar.indicative_minutes)
        if mark > auction.gate_opens_at and not auction.marks.filter(marked_at__gte=mark).exists():
            found.append((auction.pk, mark))
    return found


def _is_resting() -> bool:
    """Tell whether figures were made a moment ago: a fast clock would ask for nothing else."""
    since = timezone.now() - timedelta(seconds=settings.INDICATIVE_PAUSE_S)
    return IndicativeMark.objects.filter(recorded_at__gt=since).exists()


def publish_indicative(*, auction_id: int, marked_at: datetime) -> bool:
    """Clear the standing book of an open auction and publish what may be told of it.

    The row of the mark is the claim: a second worker does nothing, and a dead one costs a mark.

    Args:
        auction_id: an auction; nothing happens unless its gate is open.
        marked_at: the mark, market time.

    Returns:
        Whether this call made the figures.
    """
    auction = Auction.objects.get(pk=auction_id)
    if auction.state != AuctionState.OPEN or auction.gate_closes_at <= market_now():
        return False
    try:
        with transaction.atomic():
            mark = IndicativeMark.objects.create(auction=auction, marked_at=marked_at)
    except IntegrityError:
        return False
    standing = read_standing_book(auction)
    if standing is None:
        return True
    cells = list(_cells(auction, mark, standing, _clear(auction, standing)))
    # Not after closure: by then the figures would be of a book that is about to be published.
    if Auction.objects.filter(pk=auction_id, state=AuctionState.OPEN).exists():
        IndicativeCell.objects.bulk_create(cells, batch_size=2000)
    logger.info("indicative_published", auction=auction.code, mark=marked_at.isoformat())
    return True


def _clear(auction: Auction, standing: StandingBook) -> _Outcome:
    terms = replace(standing.bundle.terms, work_limit=WORK_LIMIT)
    result = clearing.clear(replace(standing.bundle, terms=terms))
    minutes = auction.period_minutes
    prices = {
        (row.product, row.hub, row.period): round_quotient(row.price * 60, minutes, PLACES)
        for row in result.delivered_prices
        if row.price is not None and row.max_rtt_ms is None and row.max_carbon is None
    }
    bought: dict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    for row in result.assignments:
        bought[row.product, row.hub, row.period] += row.quantity
    return _Outcome(prices, bought)


def _cells(
    auction: Auction, mark: IndicativeMark, standing: StandingBook, outcome: _Outcome
) -> Iterator[IndicativeCell]:
    network = standing.network
    for (product_id, period), books in _books(standing.book).items():
        product = network.products[product_id]
        shown = shown_hubs(books)
        for hub_id in sorted(shown):
            hub = network.hubs[hub_id]
            place = (product.code, hub.code, period)
            price, volume = outcome.prices.get(place), outcome.bought.get(place, Decimal(0))
            figures = _figures(product, books[hub_id], price, volume)
            yield _row(mark, product, hub, period, figures)
        if may_show_sum(books):
            price, volume = _together(product, period, outcome)
            figures = _figures(product, join_books(books), price, volume)
            yield _row(mark, product, None, period, figures)


def _together(product: Product, period: int, outcome: _Outcome) -> tuple[Decimal | None, Decimal]:
    """Return the average delivered price weighted by what is bought, and all that is bought."""
    sums = [
        (outcome.prices[place], units)
        for place, units in outcome.bought.items()
        if (place[0], place[2]) == (product.code, period) and place in outcome.prices
    ]
    volume = sum((units for _, units in sums), Decimal(0))
    if not volume:
        return None, volume
    value = sum((price * units for price, units in sums), Decimal(0))
    return round_quotient(value, volume, PLACES), volume


def _figures(product: Product, book: CellBook, price: Decimal | None, volume: Decimal) -> Figures:
    imbalance = Decimal(0) if price is None else book.imbalance_at(price)
    return Figures(
        price=None if price is None else rounded_price(price, product.price_tick),
        volume=rounded_units(volume),
        imbalance=rounded_units(imbalance),
    )


def _row(
    mark: IndicativeMark, product: Product, hub: Hub | None, period: int, figures: Figures
) -> IndicativeCell:
    return IndicativeCell(
        mark=mark,
        product=product,
        hub=hub,
        period=period,
        price=figures.price,
        volume=figures.volume,
        imbalance=figures.imbalance,
    )


def _books(book: Iterable[BookOrder]) -> Books:
    """Return what stands in each cell; orders that may be served at any time count in none."""
    books: Books = defaultdict(lambda: defaultdict(CellBook))
    for item in book:
        for product_id, hub_id, first, last, price, units in _parts(item):
            for period in range(first, last + 1):
                cell = books[product_id, period][hub_id]
                cell.members.add(item.order.organisation_id)
                (cell.asks if item.is_sell else cell.bids).append((price, units))
    return books


def _parts(item: BookOrder) -> Iterator[tuple[int, int, int, int, Decimal, Decimal]]:
    order = item.order
    for step in item.steps:
        yield order.product_id, order.hub_id, step.first, step.last, step.price, step.quantity
    # Of substitutes at most one is taken: the first one stands for the order.
    for limit, legs in list(item.options.values())[:1]:
        for leg in legs:
            yield leg.product_id, leg.hub_id, leg.first, leg.last, limit, leg.quantity
