"""Keeps a listing's calendar and its committed capacity in step (the marketplace's port)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from marketplace.domain.availability import CapacityWindow, capacity_in
from marketplace.domain.periods import MARKET_TIME_ZONE, SLOT_MINUTES, Period
from marketplace.ports.commitments import CapacityCommitted
from orders.models import CapacityCommitment


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


def _refuse_oversold(slot: CapacityCommitment, available: Decimal) -> None:
    if slot.committed > available:
        raise CapacityCommitted(
            field="windows",
            at=f"{slot.slot_starts_at.astimezone(MARKET_TIME_ZONE):%Y-%m-%d %H:%M}",
            committed=slot.committed,
            available=available,
        )
