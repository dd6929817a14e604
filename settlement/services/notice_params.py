"""What notifications about auctions and deliveries say, in both languages."""

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from marketplace.domain.periods import MARKET_TIME_ZONE
from marketplace.models import Role
from marketplace.selectors.clock import market_now
from marketplace.services.notifications import Announcement
from orders.models import Auction, CalendarKind
from settlement.models import Delivery

BUYING = frozenset({Role.BUYER.value})
SELLING = frozenset({Role.SUPPLIER.value})


def named_deliveries() -> QuerySet[Delivery]:
    """Return deliveries with everything that notifications name."""
    names = ("product", "supply_hub", "auction__calendar")
    return Delivery.objects.select_related(*(f"allocation__{name}" for name in names))


def auction_params(auction: Auction) -> dict[str, Any]:
    """Return the parameters that name an auction in both languages."""
    start = timezone.localtime(auction.delivery_starts_at, MARKET_TIME_ZONE)
    is_short = auction.calendar.kind == CalendarKind.INTRADAY
    window = f"{start:%m-%d %H:%M}" if is_short else f"{start:%m-%d}"
    return {
        "auction_code": auction.code,
        "auction_zh": f"{auction.calendar.name_zh} {window}",
        "auction_en": f"{auction.calendar.name_en} {window}",
    }


def delivery_announcement(
    delivery: Delivery,
    *,
    organisation_id: int,
    topic: str,
    roles: frozenset[str],
    for_people: bool = True,
    **params: Any,
) -> Announcement:
    """Return what one party of a delivery is told; its allocation must be loaded."""
    return Announcement(
        organisation_id=organisation_id,
        topic=topic,
        # One company may buy from itself by two hands: each side is told as such.
        key=f"{delivery.public_id}:{min(roles)}",
        market_at=market_now(),
        roles=roles,
        path=reverse("delivery", args=[delivery.public_id]),
        params={**delivery_params(delivery), **params},
        for_people=for_people,
    )


def delivery_params(delivery: Delivery) -> dict[str, Any]:
    """Return the parameters that name a delivery in both languages."""
    allocation = delivery.allocation
    return {
        "delivery": str(delivery.public_id),
        "number": allocation.number,
        "unit_hours": plain_quantity(allocation.unit_hours),
        "unit_zh": allocation.product.unit_zh,
        "unit_en": allocation.product.unit_en,
        "product_zh": allocation.product.name_zh,
        "product_en": allocation.product.name_en,
        "hub_zh": allocation.supply_hub.name_zh,
        "hub_en": allocation.supply_hub.name_en,
        "starts_at": delivery.starts_at.isoformat(),
        "ends_at": delivery.ends_at.isoformat(),
    }


def plain_quantity(value: Decimal) -> str:
    """Return a quantity without trailing zeros or exponent."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
