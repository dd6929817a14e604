"""What one's own organisation bought and sold (成交). Each side reads its own money only."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import MemberView, sees_trades
from marketplace.api.fields import ChoiceField, ExactDecimalField, IdentifierField, TextField
from marketplace.api.pagination import PageQuery, page_of
from marketplace.models import Organisation
from orders.api.filters import AllocationFilter
from orders.api.order_serializers import AuctionRef
from orders.models import Allocation
from orders.selectors.orders import purchases_of, sales_allocations_of

TAG = ["orders"]
SIDES = ("bought", "sold")


class AllocationQuery(PageQuery):
    """Filters of one's own allocations."""

    side = ChoiceField(choices=SIDES, required=False, default="bought")
    auction = IdentifierField(required=False)
    product = TextField(max_length=20, required=False)


class AllocationPeriodOutput(serializers.Serializer):
    """One delivery period of an allocation."""

    period = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = ExactDecimalField()
    price = serializers.SerializerMethodField(help_text="CNY per unit and hour, VAT excluded.")

    def get_price(self, period: Any) -> str:
        """Return the price of the reader's own side."""
        price = period.buyer_price if self.context["side"] == "bought" else period.seller_price
        return format(price, "f")


class AllocationOutput(serializers.Serializer):
    """An accepted quantity, as one side of it reads it."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()
    side = serializers.SerializerMethodField()
    auction = AuctionRef()
    order = serializers.SerializerMethodField()
    product = serializers.CharField(source="product.code")
    supply_hub = serializers.CharField(source="supply_hub.code")
    hub = serializers.CharField(source="hub.code")
    flow_type = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    unit_hours = ExactDecimalField()
    net_cny = serializers.SerializerMethodField(help_text="VAT and fee excluded.")

    def get_side(self, allocation: Any) -> str:
        """Return bought or sold."""
        return self.context["side"]

    def get_order(self, allocation: Any) -> str:
        """Return the id of the reader's own order."""
        own = "buy_order" if self.context["side"] == "bought" else "sell_order"
        return str(getattr(allocation, own).public_id)

    def get_net_cny(self, allocation: Any) -> str:
        """Return the sum of the reader's own side."""
        is_bought = self.context["side"] == "bought"
        return format(allocation.buyer_net_cny if is_bought else allocation.seller_net_cny, "f")


class AllocationDetailOutput(AllocationOutput):
    """An allocation with its periods."""

    periods = AllocationPeriodOutput(many=True)


class AllocationPage(serializers.Serializer):
    """A page of allocations."""

    results = AllocationOutput(many=True)
    next = serializers.CharField(allow_null=True)


class AllocationList(MemberView):
    """The organisation's allocations."""

    readers = staticmethod(sees_trades)

    @extend_schema(
        operation_id="allocations_list",
        tags=TAG,
        parameters=[AllocationQuery],
        responses=AllocationPage,
    )
    def get(self, request: Request) -> Response:
        """List what the organisation bought or sold, newest first."""
        query = AllocationQuery.read(request)
        rows = AllocationFilter(query, queryset=_own(self.organisation, query["side"])).qs
        return page_of(
            rows,
            request,
            AllocationOutput,
            limit=query["limit"],
            after=query.get("after"),
            context={"side": query["side"]},
        )


class AllocationView(MemberView):
    """One allocation of the organisation."""

    readers = staticmethod(sees_trades)

    @extend_schema(operation_id="allocations_read", tags=TAG, responses=AllocationDetailOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return an allocation with its periods, as the organisation's side reads it."""
        for side in SIDES:
            row = _own(self.organisation, side).filter(Q(public_id=public_id)).first()
            if row is not None:
                periods = list(row.periods.order_by("period"))
                body = AllocationOutput(row, context={"side": side}).data
                shown = AllocationPeriodOutput(periods, many=True, context={"side": side}).data
                return Response({**body, "periods": shown})
        raise NotFound


def _own(organisation: Organisation, side: str) -> QuerySet[Allocation]:
    rows = purchases_of if side == "bought" else sales_allocations_of
    return rows(organisation).select_related("buy_order", "sell_order")
