"""Which column each filter of a list looks at."""

from django_filters import rest_framework as filters

from orders.models import Allocation, Auction, Order


class OrderFilter(filters.FilterSet):
    """Filters of one's own orders."""

    auction = filters.UUIDFilter("auction__public_id")
    state = filters.CharFilter("state")
    side = filters.CharFilter("side")
    kind = filters.CharFilter("kind")
    product = filters.CharFilter("product__code")
    hub = filters.CharFilter("hub__code")

    class Meta:
        model = Order
        fields: list[str] = []


class AuctionFilter(filters.FilterSet):
    """Filters of the auctions."""

    state = filters.CharFilter("state")
    kind = filters.CharFilter("calendar__kind")
    calendar = filters.CharFilter("calendar__code")
    delivers_after = filters.IsoDateTimeFilter("delivery_ends_at", "gt")
    delivers_before = filters.IsoDateTimeFilter("delivery_starts_at", "lt")

    class Meta:
        model = Auction
        fields: list[str] = []


class AllocationFilter(filters.FilterSet):
    """Filters of what one bought or sold."""

    auction = filters.UUIDFilter("auction__public_id")
    product = filters.CharFilter("product__code")

    class Meta:
        model = Allocation
        fields: list[str] = []
