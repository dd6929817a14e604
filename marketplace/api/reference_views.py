"""Reference data that everybody may read: places, links, products, scenarios, market time."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import PublicView
from marketplace.api.fields import ExactDecimalField
from marketplace.selectors.clock import clock_face
from marketplace.selectors.hubs import trading_hubs
from marketplace.selectors.reference import active_links, scenarios, traded_products

TAG = ["market"]


class HubOutput(serializers.Serializer):
    """A place of delivery or consumption."""

    code = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    kind = serializers.CharField()
    parent = serializers.CharField(  # type: ignore[assignment]
        source="parent.code", allow_null=True, default=None
    )
    side = serializers.CharField()
    has_supply = serializers.BooleanField()
    latitude = ExactDecimalField(allow_null=True)
    longitude = ExactDecimalField(allow_null=True)


class HubList(serializers.Serializer):
    """Every place that takes part in auctions."""

    results = HubOutput(many=True)


class LinkOutput(serializers.Serializer):
    """A network link; each direction has its own capacity."""

    from_hub = serializers.CharField(source="from_hub.code")
    to_hub = serializers.CharField(source="to_hub.code")
    rtt_ms = ExactDecimalField()
    tariff_cny_per_gbps_hour = ExactDecimalField()
    forward_gbps = ExactDecimalField()
    reverse_gbps = ExactDecimalField()


class LinkList(serializers.Serializer):
    """Every active link."""

    results = LinkOutput(many=True)


class ProductOutput(serializers.Serializer):
    """A standardised contract with its ticks, lots and price band."""

    code = serializers.CharField()
    resource_class = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    unit_zh = serializers.CharField()
    unit_en = serializers.CharField()
    price_tick = ExactDecimalField()
    quantity_lot = ExactDecimalField()
    price_min = ExactDecimalField()
    price_max = ExactDecimalField()
    bandwidth_gbps_per_unit = ExactDecimalField()
    rtt_classes_ms = serializers.ListField(child=ExactDecimalField())
    reference_price = ExactDecimalField(help_text="An example, CNY per unit and hour, 不含税.")


class ProductList(serializers.Serializer):
    """Every traded product."""

    results = ProductOutput(many=True)


class ScenarioOutput(serializers.Serializer):
    """A workload scenario and the latency limit it fills in."""

    code = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    latency_class = serializers.CharField()
    max_rtt_ms = ExactDecimalField(allow_null=True)


class ScenarioList(serializers.Serializer):
    """Every workload scenario."""

    results = ScenarioOutput(many=True)


class ClockOutput(serializers.Serializer):
    """Market time; a demonstration's clock may run faster than others."""

    now = serializers.DateTimeField()
    speed = ExactDecimalField()
    is_demo = serializers.BooleanField()


class HubsView(PublicView):
    """The places."""

    @extend_schema(operation_id="hubs_list", tags=TAG, responses=HubList)
    def get(self, request: Request) -> Response:
        """List every place that takes part in auctions."""
        return Response({"results": HubOutput(trading_hubs(), many=True).data})


class LinksView(PublicView):
    """The links."""

    @extend_schema(operation_id="links_list", tags=TAG, responses=LinkList)
    def get(self, request: Request) -> Response:
        """List every active link."""
        return Response({"results": LinkOutput(active_links(), many=True).data})


class ProductsView(PublicView):
    """The products."""

    @extend_schema(operation_id="products_list", tags=TAG, responses=ProductList)
    def get(self, request: Request) -> Response:
        """List every traded product."""
        return Response({"results": ProductOutput(traded_products(), many=True).data})


class ScenariosView(PublicView):
    """The workload scenarios."""

    @extend_schema(operation_id="scenarios_list", tags=TAG, responses=ScenarioList)
    def get(self, request: Request) -> Response:
        """List every workload scenario."""
        return Response({"results": ScenarioOutput(scenarios(), many=True).data})


class ClockView(PublicView):
    """Market time."""

    @extend_schema(operation_id="clock_read", tags=TAG, responses=ClockOutput)
    def get(self, request: Request) -> Response:
        """Return market time; gates open and close by it."""
        return Response(ClockOutput(clock_face()).data)
