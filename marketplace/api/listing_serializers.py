"""Pools and listings as they are sent and answered. Prices: CNY per unit and hour, 不含税."""

from typing import Any

from rest_framework import serializers

from marketplace.api.fields import (
    ChoiceField,
    ExactDecimalField,
    InstantField,
    StrictDecimalField,
    TextField,
    WholeNumberField,
    YesNoField,
)
from marketplace.api.pagination import PageQuery
from marketplace.api.serializers import StrictSerializer
from marketplace.models import ListingState


def _quantity(**options: Any) -> StrictDecimalField:
    return StrictDecimalField(max_digits=9, places=3, **options)


class PriceStepInput(StrictSerializer):
    """A step of a price curve: its own units at a price."""

    quantity = _quantity()
    price = StrictDecimalField(max_digits=6, places=6)


class WindowInput(StrictSerializer):
    """When how many units are available."""

    starts_at = InstantField()
    ends_at = InstantField()
    quantity = _quantity()


class ListingChanges(StrictSerializer):
    """What can be changed of a listing; what is left out stays."""

    name = TextField(max_length=100, required=False)
    quantity = _quantity(required=False)
    price_steps = PriceStepInput(many=True, required=False)
    windows = WindowInput(many=True, required=False)
    min_run_hours = WholeNumberField(min_value=1, max_value=720, required=False)
    is_standing = YesNoField(required=False)
    note = TextField(max_length=300, required=False, allow_blank=True)


class ListingInput(ListingChanges):
    """A listing of units of a pool."""

    pool = TextField(max_length=22, help_text="The pool's resource identifier.")
    name = TextField(max_length=100)
    quantity = _quantity()
    price_steps = PriceStepInput(many=True)
    windows = WindowInput(many=True)
    activate = YesNoField(required=False, default=True)


def listing_values(values: dict[str, Any]) -> dict[str, Any]:
    """Return checked input as the keyword arguments of the listing services."""
    found = dict(values)
    if "price_steps" in found:
        found["price_steps"] = [(step["quantity"], step["price"]) for step in found["price_steps"]]
    if "windows" in found:
        found["windows"] = [(w["starts_at"], w["ends_at"], w["quantity"]) for w in found["windows"]]
    return found


class ListingQuery(PageQuery):
    """Filters of one's own listings."""

    state = ChoiceField(choices=ListingState.choices, required=False)
    pool = TextField(max_length=22, required=False)


class PriceStepOutput(serializers.Serializer):
    """A step of a price curve."""

    quantity = ExactDecimalField()
    price = ExactDecimalField()


class WindowOutput(serializers.Serializer):
    """When how many units are available."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = ExactDecimalField()


class ListingOutput(serializers.Serializer):
    """A listing of one's own."""

    id = serializers.UUIDField(source="public_id")
    pool = serializers.CharField(source="pool.identifier")
    hub = serializers.CharField(source="pool.hub.code")
    product = serializers.CharField(source="pool.product.code")
    name = serializers.CharField()
    quantity = ExactDecimalField()
    price_steps = PriceStepOutput(many=True)
    windows = WindowOutput(source="availability", many=True)
    min_run_hours = serializers.IntegerField()
    is_standing = serializers.BooleanField()
    state = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    source = serializers.CharField()  # type: ignore[assignment]
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ListingPage(serializers.Serializer):
    """A page of listings."""

    results = ListingOutput(many=True)
    next = serializers.CharField(allow_null=True)


class ImportOutput(serializers.Serializer):
    """What an imported file became."""

    count = serializers.IntegerField()
    ids = serializers.ListField(child=serializers.UUIDField())


class PoolOutput(serializers.Serializer):
    """Machines of one kind at one hub."""

    identifier = serializers.CharField()
    hub = serializers.CharField(source="hub.code")
    product = serializers.CharField(source="product.code")
    hardware = serializers.CharField(source="hardware.name", allow_null=True, default=None)
    name = serializers.CharField()
    unit_count = ExactDecimalField()
    trust_level = serializers.IntegerField()
    dengbao_level = serializers.IntegerField()
    is_xinchuang = serializers.BooleanField()
    power_w_per_unit = ExactDecimalField()
    pue = ExactDecimalField()
    green_share = ExactDecimalField()
    carbon_g_per_unit_hour = ExactDecimalField(
        allow_null=True, help_text="Declared, market-based; None: the estimate from the grid."
    )
    carbon_profile_g = serializers.ListField(
        child=ExactDecimalField(),
        help_text="Declared carbon of each hour of the day from 00:00, market time; or none.",
    )
    carbon_evidence = serializers.CharField(allow_blank=True)


class PoolList(serializers.Serializer):
    """The organisation's pools."""

    results = PoolOutput(many=True)


class PoolInput(StrictSerializer):
    """Machines to register."""

    hub = TextField(max_length=16)
    product = TextField(max_length=20)
    hardware = TextField(max_length=100, required=False)
    name = TextField(max_length=100)
    unit_count = _quantity()
    interconnect = TextField(max_length=80, required=False, allow_blank=True)
    dengbao_level = WholeNumberField(min_value=0, max_value=5, required=False)
    dengbao_evidence = TextField(max_length=200, required=False, allow_blank=True)
    is_xinchuang = YesNoField(required=False)
    xinchuang_evidence = TextField(max_length=200, required=False, allow_blank=True)
    power_w_per_unit = StrictDecimalField(max_digits=6, places=2, required=False)
    pue = StrictDecimalField(max_digits=1, places=4, required=False)
    green_share = StrictDecimalField(max_digits=1, places=4, required=False)
    carbon_g_per_unit_hour = StrictDecimalField(
        max_digits=8, places=3, required=False, help_text="Needs `carbon_evidence`."
    )
    carbon_profile_g = serializers.ListField(
        child=StrictDecimalField(max_digits=8, places=3),
        max_length=24,
        required=False,
        help_text="24 figures, one for each hour of the day; needs `carbon_evidence`.",
    )
    carbon_evidence = TextField(max_length=200, required=False, allow_blank=True)
