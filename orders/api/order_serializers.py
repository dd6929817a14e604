"""Orders as they are sent and answered. Prices are CNY per unit and hour, 不含税."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from marketplace.api.fields import (
    ChoiceField,
    ExactDecimalField,
    IdentifierField,
    StrictDecimalField,
    TextField,
    WholeNumberField,
    YesNoField,
)
from marketplace.api.pagination import PageQuery
from marketplace.api.serializers import StrictSerializer
from marketplace.models import Hub
from orders.models import OrderKind, OrderSide, OrderSource, OrderState, Placement
from orders.services.submission import Leg, Option, OrderRequest, Step

LAST_PERIOD = 10_000
_PROFILE = ("legs", "options", "parent_order")
# Which values an order of each kind does not have.
_FOREIGN = {
    OrderKind.CURVE: ("quantity", "limit_price", "min_acceptance", "duration", *_PROFILE),
    OrderKind.BLOCK: ("steps", "duration"),
    OrderKind.FLEXIBLE: ("steps", *_PROFILE),
    OrderKind.INTERRUPTIBLE: ("steps", *_PROFILE),
}


def price_field(**options: Any) -> StrictDecimalField:
    """Return a price: CNY per unit and hour, VAT excluded."""
    return StrictDecimalField(max_digits=6, places=6, **options)


def quantity_field(**options: Any) -> StrictDecimalField:
    """Return a number of units."""
    return StrictDecimalField(max_digits=9, places=3, **options)


class StepInput(StrictSerializer):
    """A step of a curve: its own quantity at a price."""

    price = price_field()
    quantity = quantity_field()


class LegInput(StrictSerializer):
    """Units through a run of periods of a block's profile."""

    first_period = WholeNumberField(min_value=1, max_value=LAST_PERIOD)
    last_period = WholeNumberField(min_value=1, max_value=LAST_PERIOD)
    quantity = quantity_field()


class OptionInput(StrictSerializer):
    """An alternative of a block: its own limit and profile, perhaps of another product or hub."""

    limit_price = price_field()
    product = TextField(max_length=20, required=False, default="", allow_blank=True)
    hub = TextField(max_length=16, required=False, default="", allow_blank=True)
    quantity = quantity_field(required=False)
    legs = LegInput(many=True, required=False)


class OrderInput(StrictSerializer):
    """An order.

    A curve has `steps`. A block has `limit_price` and `quantity` or `legs`, or else `options`: at
    most one of them is taken. A flexible order wants `quantity` for `duration` periods in a row
    that start anywhere in its window, an interruptible one for any periods of it.
    """

    default_error_messages = {
        "not_for_kind": _("An order of this kind has no such value."),
    }

    auction = IdentifierField()
    side = ChoiceField(choices=OrderSide.choices)
    kind = ChoiceField(choices=OrderKind.choices)
    product = TextField(max_length=20)
    hub = TextField(
        max_length=16,
        required=False,
        default="",
        allow_blank=True,
        help_text="Buy: where it is consumed. Sell: may be left out, the listing says it.",
    )
    first_period = WholeNumberField(min_value=1, max_value=LAST_PERIOD)
    last_period = WholeNumberField(min_value=1, max_value=LAST_PERIOD)
    steps = StepInput(many=True, required=False)
    quantity = quantity_field(required=False)
    limit_price = price_field(required=False)
    min_acceptance = StrictDecimalField(
        max_digits=1, places=4, required=False, help_text="0 to 1; 1 (the default) is all or none."
    )
    legs = LegInput(many=True, required=False)
    options = OptionInput(many=True, required=False)
    parent_order = IdentifierField(
        required=False, help_text="Block: accepted at most at the share of this block."
    )
    duration = WholeNumberField(
        min_value=1,
        max_value=LAST_PERIOD,
        required=False,
        help_text="Flexible and interruptible: how many periods of the window.",
    )
    placement = ChoiceField(choices=Placement.choices, required=False, default=Placement.ANY)
    max_rtt_ms = StrictDecimalField(max_digits=5, places=3, required=False)
    max_carbon_g = StrictDecimalField(
        max_digits=7,
        places=3,
        required=False,
        help_text="Buy: g per unit-hour at most; 0 takes green capacity only.",
    )
    scenario = TextField(max_length=30, required=False)
    listing = IdentifierField(required=False, help_text="Sell: the listing it is sold from.")
    min_dengbao_level = WholeNumberField(min_value=0, max_value=5, required=False, default=0)
    requires_xinchuang = YesNoField(required=False, default=False)
    min_trust_level = WholeNumberField(min_value=0, max_value=2, required=False, default=0)
    project = IdentifierField(
        required=False, help_text="Buy: the member's own project whose budget it counts towards."
    )
    note = TextField(max_length=200, required=False, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse values that an order of this kind would not use."""
        foreign = list(_FOREIGN[attrs["kind"]])
        if "options" in attrs:
            foreign += ["limit_price", "legs"]
        message = str(self.error_messages["not_for_kind"])
        errors = {
            name: [serializers.ErrorDetail(message, code="not_for_kind")]
            for name in foreign
            if name in attrs
        }
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


def order_request(values: dict[str, Any]) -> OrderRequest:
    """Return checked input as what the service takes."""
    return OrderRequest(
        **{
            **values,
            "steps": tuple(
                Step(step["price"], step["quantity"]) for step in values.get("steps", ())
            ),
            "legs": _legs(values),
            "options": tuple(
                Option(**{**option, "legs": _legs(option)}) for option in values.get("options", ())
            ),
            "source": OrderSource.API,
        }
    )


def _legs(values: dict[str, Any]) -> tuple[Leg, ...]:
    return tuple(Leg(**leg) for leg in values.get("legs", ()))


class OrderQuery(PageQuery):
    """Filters of one's own orders."""

    auction = IdentifierField(required=False)
    state = ChoiceField(choices=OrderState.choices, required=False)
    side = ChoiceField(choices=OrderSide.choices, required=False)
    kind = ChoiceField(choices=OrderKind.choices, required=False)
    product = TextField(max_length=20, required=False)
    hub = TextField(max_length=16, required=False)


class AuctionRef(serializers.Serializer):
    """An auction named."""

    id = serializers.UUIDField(source="public_id")
    code = serializers.CharField()


class StepOutput(serializers.Serializer):
    """A step of a curve."""

    price = ExactDecimalField()
    quantity = ExactDecimalField()


class LegOutput(serializers.Serializer):
    """A part of a block's profile."""

    product = serializers.CharField(source="product.code")
    hub = serializers.CharField(source="hub.code")
    first_period = serializers.IntegerField()
    last_period = serializers.IntegerField()
    quantity = ExactDecimalField()


class OptionOutput(serializers.Serializer):
    """A block's profile with its limit."""

    option_no = serializers.IntegerField()
    limit_price = ExactDecimalField()
    legs = LegOutput(many=True)


class ReasonOutput(serializers.Serializer):
    """Why an order ended as it did: a code, and the figures behind it."""

    code = serializers.CharField(source="reason_code", allow_blank=True)
    params = serializers.DictField(source="reason_params")


class OrderOutput(serializers.Serializer):
    """An order of one's own."""

    id = serializers.UUIDField(source="public_id")
    auction = AuctionRef()
    side = serializers.CharField()
    kind = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    product = serializers.CharField(source="product.code")
    hub = serializers.CharField(source="hub.code")
    listing = serializers.UUIDField(source="listing.public_id", allow_null=True, default=None)
    scenario = serializers.CharField(source="scenario.code", allow_null=True, default=None)
    max_rtt_ms = ExactDecimalField(allow_null=True)
    max_carbon_g = ExactDecimalField(allow_null=True, help_text="Carbon class, g per unit-hour.")
    placement = serializers.CharField()
    min_acceptance = ExactDecimalField()
    min_dengbao_level = serializers.IntegerField()
    requires_xinchuang = serializers.BooleanField()
    min_trust_level = serializers.IntegerField()
    first_period = serializers.IntegerField()
    last_period = serializers.IntegerField()
    steps = StepOutput(source="curve_steps", many=True)
    options = OptionOutput(many=True)
    parent_order = serializers.UUIDField(source="parent.public_id", allow_null=True, default=None)
    duration = serializers.IntegerField(allow_null=True)
    project = serializers.UUIDField(source="project.public_id", allow_null=True, default=None)
    quantity = ExactDecimalField(help_text="Most units in any period.")
    limit_price = ExactDecimalField(help_text="The best limit.")
    worst_case_cny = ExactDecimalField(help_text="What is held at most, VAT and fee included.")
    state = serializers.CharField()
    reason = ReasonOutput(source="*")
    accepted_unit_hours = ExactDecimalField()
    acceptance = ExactDecimalField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    submitted_at = serializers.DateTimeField(help_text="Market time.")
    closed_at = serializers.DateTimeField(allow_null=True)


class OrderPage(serializers.Serializer):
    """A page of orders."""

    results = OrderOutput(many=True)
    next = serializers.CharField(allow_null=True)


class WorstCaseOutput(serializers.Serializer):
    """The most an order can cost; the total is what is held."""

    net_cny = ExactDecimalField()
    fee_cny = ExactDecimalField()
    vat_cny = ExactDecimalField()
    total_cny = ExactDecimalField()


class ReachableHub(serializers.Serializer):
    """A supply hub within the latency class."""

    code = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    rtt_ms = serializers.CharField()

    def to_representation(self, instance: tuple[Hub, Decimal]) -> dict[str, str]:
        """Return a hub and the round-trip time to it."""
        hub, rtt_ms = instance
        return {
            "code": hub.code,
            "name_zh": hub.name_zh,
            "name_en": hub.name_en,
            "rtt_ms": format(rtt_ms, "f"),
        }


class PreviewOutput(serializers.Serializer):
    """What an order would mean; nothing was sent."""

    worst_case = WorstCaseOutput(allow_null=True)
    available_cny = ExactDecimalField(allow_null=True)
    missing_cny = ExactDecimalField()
    expected_price = ExactDecimalField(allow_null=True)
    max_rtt_ms = ExactDecimalField(allow_null=True)
    max_carbon_g = ExactDecimalField(allow_null=True, help_text="Carbon class, g per unit-hour.")
    hubs = ReachableHub(many=True)
    unit_hours = ExactDecimalField()
