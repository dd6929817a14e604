"""What happens while the gate is open: indicative figures, and changing an order in the book."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import PublicView
from marketplace.api.fields import ExactDecimalField, WholeNumberField
from marketplace.api.idempotent import IDEMPOTENCY_KEY, answer_with_key
from marketplace.api.serializers import StrictSerializer, checked_body
from orders.api.order_serializers import (
    LAST_PERIOD,
    OrderOutput,
    StepInput,
    price_field,
    quantity_field,
)
from orders.api.order_views import OrderEntryView
from orders.models import Auction
from orders.selectors.indicative import cells_of, latest_mark
from orders.selectors.orders import order_of
from orders.services.order_request import Step
from orders.services.revision import OptionChange, OrderChange, revise_order


class IndicativeCellOutput(serializers.Serializer):
    """Rounded figures of a product at a hub (null: all hubs) in a period."""

    product = serializers.CharField(source="product.code")
    hub = serializers.SerializerMethodField()
    period = serializers.IntegerField()
    price = ExactDecimalField(allow_null=True, help_text="CNY per unit and hour, VAT excluded.")
    volume = ExactDecimalField(help_text="Units matched.")
    imbalance = ExactDecimalField(help_text="Units of demand minus supply at the price.")

    def get_hub(self, cell: Any) -> str | None:
        """Return the hub's code, or null for all hubs together."""
        return cell.hub.code if cell.hub else None


class IndicativeOutput(serializers.Serializer):
    """The last mark of an auction; no figures where fewer than five members stand."""

    marked_at = serializers.DateTimeField(allow_null=True)
    results = IndicativeCellOutput(many=True)


class AuctionIndicative(PublicView):
    """Indicative figures of an auction."""

    @extend_schema(operation_id="auctions_indicative", tags=["market"], responses=IndicativeOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return the last indicative figures before gate closure, rounded."""
        auction = Auction.objects.filter(public_id=public_id).first()
        if auction is None:
            raise NotFound
        mark = latest_mark(auction)
        found = {
            "marked_at": mark.marked_at if mark else None,
            "results": cells_of(mark) if mark else [],
        }
        return Response(IndicativeOutput(found).data)


class OptionChangeInput(StrictSerializer):
    """New limit and units of one alternative; what is left out stays."""

    limit_price = price_field(required=False)
    quantity = quantity_field(required=False)


class RevisionInput(StrictSerializer):
    """What becomes different: the whole curve, or limit, units and times; the rest stays."""

    steps = StepInput(many=True, required=False)
    limit_price = price_field(required=False)
    quantity = quantity_field(required=False)
    options = OptionChangeInput(
        many=True,
        required=False,
        help_text="Block with alternatives: one for each, in their order.",
    )
    first_period = WholeNumberField(
        min_value=1,
        max_value=LAST_PERIOD,
        required=False,
        help_text="Flexible and interruptible: where the window begins.",
    )
    last_period = WholeNumberField(
        min_value=1,
        max_value=LAST_PERIOD,
        required=False,
        help_text="Flexible and interruptible: where the window ends.",
    )
    duration = WholeNumberField(
        min_value=1,
        max_value=LAST_PERIOD,
        required=False,
        help_text="Flexible and interruptible: how many periods of the window.",
    )


def order_change(values: dict[str, Any]) -> OrderChange:
    """Return checked input as what the service takes."""
    return OrderChange(
        **{
            **values,
            "steps": tuple(Step(**step) for step in values.get("steps", ())),
            "options": tuple(OptionChange(**option) for option in values.get("options", ())),
        }
    )


class OrderRevision(OrderEntryView):
    """Changing an order in the book."""

    http_method_names = ["post"]

    @extend_schema(
        operation_id="orders_change",
        tags=["orders"],
        parameters=[IDEMPOTENCY_KEY],
        request=RevisionInput,
        responses={200: OrderOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Replace an order by one with other prices, units or times; at last only better ones."""
        values = checked_body(RevisionInput, request)

        def work() -> tuple[int, Any]:
            order = revise_order(
                actor=self.actor,
                order_public_id=public_id,
                change=order_change(values),
            )
            found = order_of(self.organisation, order.public_id)
            return status.HTTP_200_OK, OrderOutput(found).data

        return answer_with_key(self, work)
