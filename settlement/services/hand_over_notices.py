"""One notice for all hand-overs of an auction: people are not told of each delivery by itself.

Systems are: a webhook gets one event a delivery.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse

from marketplace.selectors.clock import market_now
from marketplace.services.notifications import Announcement
from orders.models import Auction
from settlement.models import Delivery, DeliveryState
from settlement.services.notice_params import (
    BUYING,
    SELLING,
    auction_params,
    delivery_announcement,
    delivery_params,
)


def handed_over_notices(deliveries: Sequence[Delivery]) -> Iterator[Announcement]:
    """Tell buyers of what was handed over: of each delivery systems, of the auction people.

    The notice of an auction grows with each hand-over; the first one names its delivery.

    Args:
        deliveries: what was just handed over, with allocation, product, hub and auction loaded.
    """
    for delivery in deliveries:
        yield delivery_announcement(
            delivery,
            organisation_id=delivery.allocation.buyer_id,
            topic="delivery.handed_over",
            roles=BUYING,
            for_people=False,
        )
    counts = _bought(deliveries)
    newest = {(d.allocation.buyer_id, d.allocation.auction_id): d for d in deliveries}
    for (buyer_id, auction_id), delivery in newest.items():
        auction = delivery.allocation.auction
        bought, handed_over = counts[buyer_id, auction_id]
        query = urlencode({"view": "bought", "auction": auction.code})
        is_many = handed_over > 1
        yield Announcement(
            organisation_id=buyer_id,
            topic="delivery.handed_over",
            key=auction.code,
            market_at=market_now(),
            roles=BUYING,
            params={
                **({} if is_many else delivery_params(delivery)),
                **auction_params(auction),
                "deliveries": handed_over,
                "bought": bought,
            },
            path=f"{reverse('deliveries')}?{query}"
            if is_many
            else reverse("delivery", args=[delivery.public_id]),
            for_systems=False,
            grows=True,
        )


def due_notices(deliveries: Iterable[Delivery]) -> Iterator[Announcement]:
    """Remind suppliers of what is to be handed over: of each delivery systems, of a start people.

    Args:
        deliveries: what begins soon, with allocation, product, hub and auction loaded.
    """
    together: dict[tuple[int, Auction, datetime], list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        allocation = delivery.allocation
        together[allocation.seller_id, allocation.auction, delivery.starts_at].append(delivery)
        yield delivery_announcement(
            delivery,
            organisation_id=allocation.seller_id,
            topic="delivery.due",
            roles=SELLING,
            for_people=False,
        )
    for (seller_id, auction, starts_at), own in together.items():
        is_many = len(own) > 1
        yield Announcement(
            organisation_id=seller_id,
            topic="delivery.due",
            key=f"{auction.code}:{starts_at:%Y%m%d%H%M}",
            market_at=market_now(),
            roles=SELLING,
            params={
                **({"starts_at": starts_at.isoformat()} if is_many else delivery_params(own[0])),
                **auction_params(auction),
                "deliveries": len(own),
            },
            path=f"{reverse('deliveries')}?view=to-hand-over"
            if is_many
            else reverse("delivery", args=[own[0].public_id]),
            for_systems=False,
        )


def _bought(deliveries: Sequence[Delivery]) -> dict[tuple[int, int], tuple[int, int]]:
    """Return by buyer and auction how many deliveries there are, and how many handed over."""
    rows = (
        Delivery.objects.filter(
            allocation__buyer_id__in={d.allocation.buyer_id for d in deliveries},
            allocation__auction_id__in={d.allocation.auction_id for d in deliveries},
        )
        .exclude(state=DeliveryState.FAILED, handed_over_at=None)
        .values_list("allocation__buyer_id", "allocation__auction_id")
        .annotate(
            bought=Count("pk"), handed_over=Count("pk", filter=Q(handed_over_at__isnull=False))
        )
        .order_by()
    )
    return {(buyer, auction): (bought, handed) for buyer, auction, bought, handed in rows}
