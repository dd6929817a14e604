"""Keeps a listing's calendar and its committed capacity in step (the marketplace's port)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q, QuerySet

from marketplace.domain.availability import CapacityWindow, capacity_in
from marketplace.domain.periods import MARKET_TIME_ZONE, SLOT_MINUTES, Period
from marketplace.ports.commitments import CapacityCommitted, ListingBound
from marketplace.selectors.clock import market_now
from orders.models import Auction, AuctionState, CapacityCommitment, OrderState
from orders.services.capacity import offers_of, units_in_flight


class BookedCommitments:
    """Commitments as the auctions wrote them down."""

    def fit_commitments(
        self,
        *,
        listing_id: int,
        windows: Sequence[CapacityWindow],
        maintenance: Sequence[Period],
        since: datetime,
    ) -> None:
        """Set the available units of every slot from ``since`` on to the new calendar's.

        The caller holds the listing's row, the slots are locked in order of time.

        Raises:
            CapacityCommitted: at the first slot with more committed than would be available.
        """
        slots = CapacityCommitment.objects.select_for_update().filter(
            listing_id=listing_id, slot_starts_at__gte=since
        )
        changed = []
        for slot in slots.order_by("slot_starts_at"):
            ends_at = slot.slot_starts_at + timedelta(minutes=SLOT_MINUTES)
            available = capacity_in(Period(slot.slot_starts_at, ends_at), windows, maintenance)
            _refuse_oversold(slot, available)
            if slot.available != available:
                slot.available = available
                changed.append(slot)
        CapacityCommitment.objects.bulk_update(changed, ["available"], batch_size=500)
        _keep_offers(listing_id, windows, maintenance, since)

    def require_unbound(self, *, listing_id: int) -> None:
        """Check that a listing may leave the market now; raises ListingBound."""
        bound = _bound_auctions().filter(
            orders__listing_id=listing_id, orders__state=OrderState.ACTIVE
        )
        auction = bound.order_by("gate_closes_at").first()
        if auction is not None:
            raise ListingBound(auction=auction.code)


def _keep_offers(
    listing_id: int,
    windows: Sequence[CapacityWindow],
    maintenance: Sequence[Period],
    since: datetime,
) -> None:
    """Refuse to take away what auctions offer that are being cleared."""
    offers = units_in_flight(listing_id=listing_id, since=since)
    for auction in _bound_auctions():
        own = offers_of(auction=auction, listing_id=listing_id, since=since)
        for starts_at, units in own.items():
            # Asks of two open books may stand on the same units: the larger one has to stay.
            offers[starts_at] = max(offers.get(starts_at, Decimal(0)), units)
    sold = CapacityCommitment.objects.filter(listing_id=listing_id, slot_starts_at__in=offers)
    committed = dict(sold.values_list("slot_starts_at", "committed"))
    for starts_at in sorted(offers):
        slot = Period(starts_at, starts_at + timedelta(minutes=SLOT_MINUTES))
        taken = offers[starts_at] + committed.get(starts_at, Decimal(0))
        _refuse(starts_at, taken, capacity_in(slot, windows, maintenance))


def _bound_auctions() -> QuerySet[Auction]:
    """Return the auctions that are in their last phase, or closed and not frozen yet."""
    last_phase = Q(state=AuctionState.OPEN, no_cancel_from__lte=market_now())
    return Auction.objects.filter(last_phase | Q(state=AuctionState.CLOSED))


def _refuse_oversold(slot: CapacityCommitment, available: Decimal) -> None:
    _refuse(slot.slot_starts_at, slot.committed, available)


def _refuse(starts_at: datetime, committed: Decimal, available: Decimal) -> None:
    if committed > available:
        raise CapacityCommitted(
            field="windows",
            at=f"{starts_at.astimezone(MARKET_TIME_ZONE):%Y-%m-%d %H:%M}",
            committed=committed,
            available=available,
        )
