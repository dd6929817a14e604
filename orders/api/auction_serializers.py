"""Auctions, prices, flows and curves as everybody may read them."""

from rest_framework import serializers

from marketplace.api.fields import (
    ChoiceField,
    ExactDecimalField,
    InstantField,
    StrictDecimalField,
    TextField,
)
from marketplace.api.pagination import PageQuery
from marketplace.api.serializers import QueryNumberField, QuerySerializer
from orders.api.order_serializers import AuctionRef
from orders.models import Auction, AuctionState, CalendarKind
from orders.selectors.auctions import AuctionDetail, is_sealed


class AuctionQuery(PageQuery):
    """Filters of the auctions; `open` ones take orders."""

    state = ChoiceField(choices=AuctionState.choices, required=False)
    kind = ChoiceField(choices=CalendarKind.choices, required=False)
    calendar = TextField(max_length=20, required=False)
    delivers_after = InstantField(required=False)
    delivers_before = InstantField(required=False)


class AuctionOutput(serializers.Serializer):
    """An auction; nothing about its book before the gate has closed."""

    id = serializers.UUIDField(source="public_id")
    code = serializers.CharField()
    calendar = serializers.CharField(source="calendar.code")
    kind = serializers.CharField(source="calendar.kind")
    name_zh = serializers.CharField(source="calendar.name_zh")
    name_en = serializers.CharField(source="calendar.name_en")
    state = serializers.CharField()
    state_reason = serializers.CharField(allow_blank=True)
    gate_opens_at = serializers.DateTimeField()
    gate_closes_at = serializers.DateTimeField()
    no_cancel_from = serializers.DateTimeField()
    delivery_starts_at = serializers.DateTimeField()
    delivery_ends_at = serializers.DateTimeField()
    period_minutes = serializers.IntegerField()
    period_count = serializers.IntegerField()
    order_count = serializers.SerializerMethodField(help_text="Null before gate closure.")
    book_sha256 = serializers.SerializerMethodField(help_text="Null before gate closure.")

    def get_order_count(self, auction: Auction) -> int | None:
        """Return how many orders are in the frozen book."""
        return None if is_sealed(auction) else auction.book_order_count

    def get_book_sha256(self, auction: Auction) -> str | None:
        """Return the hash of the frozen book."""
        return None if is_sealed(auction) else auction.book_sha256 or None


class AuctionPage(serializers.Serializer):
    """A page of auctions."""

    results = AuctionOutput(many=True)
    next = serializers.CharField(allow_null=True)


class TransitionOutput(serializers.Serializer):
    """A change of an auction's state."""

    from_state = serializers.CharField(allow_blank=True)
    to_state = serializers.CharField()
    market_at = serializers.DateTimeField()
    reason = serializers.CharField(allow_blank=True)


class RunOutput(serializers.Serializer):
    """A published clearing run: its input and result by hash, and how good the result is."""

    id = serializers.UUIDField(source="public_id")
    auction = AuctionRef()
    version = serializers.IntegerField()
    state = serializers.CharField()
    engine_version = serializers.CharField(allow_blank=True)
    status = serializers.CharField(allow_blank=True)
    bundle_sha256 = serializers.CharField()
    result_sha256 = serializers.CharField(allow_blank=True)
    order_count = serializers.IntegerField()
    welfare_cny = ExactDecimalField(allow_null=True)
    upper_bound_cny = ExactDecimalField(allow_null=True)
    gap = ExactDecimalField(allow_null=True)
    buyer_payments_cny = ExactDecimalField(allow_null=True)
    seller_receipts_cny = ExactDecimalField(allow_null=True)
    congestion_rent_cny = ExactDecimalField(allow_null=True)
    tariffs_cny = ExactDecimalField(allow_null=True)
    blocks_accepted = serializers.IntegerField()
    blocks_paradoxically_rejected = serializers.IntegerField()
    published_at = serializers.DateTimeField(allow_null=True)


class RunPage(serializers.Serializer):
    """A page of clearing runs."""

    results = RunOutput(many=True)
    next = serializers.CharField(allow_null=True)


class AuctionDetailOutput(serializers.Serializer):
    """An auction with its products, history and published run."""

    auction = AuctionOutput()
    products = serializers.SerializerMethodField(help_text="Codes.")
    timeline = TransitionOutput(many=True)
    run = RunOutput(allow_null=True)

    def get_products(self, detail: AuctionDetail) -> list[str]:
        """Return the codes of what the auction trades."""
        return [product.code for product in detail.products]


class PriceQuery(QuerySerializer):
    """Which prices of an auction."""

    product = TextField(max_length=20)
    hub = TextField(max_length=16, required=False)
    kind = ChoiceField(choices=["supply", "delivered"], required=False, default="supply")
    carbon_class_g = StrictDecimalField(
        max_digits=7,
        places=3,
        required=False,
        help_text="Prices of this carbon class, g per unit-hour, instead of those without a limit.",
    )


class PriceOutput(serializers.Serializer):
    """A price of a period: at a supply hub, or delivered within a latency class."""

    hub = serializers.CharField(source="hub__code")
    period = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    max_rtt_ms = ExactDecimalField(allow_null=True)
    carbon_class_g = ExactDecimalField(allow_null=True, help_text="g per unit-hour.")
    price = ExactDecimalField(allow_null=True, help_text="CNY per unit and hour, VAT excluded.")
    supplied = ExactDecimalField(help_text="Units, with the price without a carbon limit.")
    consumed = ExactDecimalField(help_text="Units.")


class PriceList(serializers.Serializer):
    """Prices of a published auction; empty before publication."""

    published = serializers.BooleanField()
    results = PriceOutput(many=True)


class ProductQuery(QuerySerializer):
    """Narrows flows to a product."""

    product = TextField(max_length=20, required=False)


class FlowOutput(serializers.Serializer):
    """Units over a link in a period."""

    from_hub = serializers.CharField(source="link__from_hub__code")
    to_hub = serializers.CharField(source="link__to_hub__code")
    product = serializers.CharField(source="product__code")
    period = serializers.IntegerField()
    forward_quantity = ExactDecimalField()
    reverse_quantity = ExactDecimalField()


class RentOutput(serializers.Serializer):
    """Congestion rent of a full link direction in a period."""

    from_hub = serializers.CharField(source="link__from_hub__code")
    to_hub = serializers.CharField(source="link__to_hub__code")
    direction = serializers.CharField()
    period = serializers.IntegerField()
    rent_cny_per_gbps = ExactDecimalField()
    load_gbps = ExactDecimalField()
    capacity_gbps = ExactDecimalField()


class FlowList(serializers.Serializer):
    """Flows and rents of a published auction; empty before publication."""

    published = serializers.BooleanField()
    flows = FlowOutput(many=True)
    rents = RentOutput(many=True)


class CurveQuery(QuerySerializer):
    """Which curves of an auction."""

    product = TextField(max_length=20)
    period = QueryNumberField(min_value=1, max_value=10_000)
    hub = TextField(max_length=16, required=False)


class CurvePointOutput(serializers.Serializer):
    """Units at a price, and all units up to it in merit order."""

    price = ExactDecimalField()
    quantity = ExactDecimalField()
    cumulative = ExactDecimalField()


class CurvesOutput(serializers.Serializer):
    """Supply from the cheapest, demand from the dearest; a side with few members is hidden."""

    is_hidden = serializers.BooleanField()
    supply = CurvePointOutput(many=True)
    demand = CurvePointOutput(many=True)
