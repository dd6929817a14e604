"""Deliveries and readings as they are sent and answered."""

from rest_framework import serializers

from marketplace.api.fields import (
    ChoiceField,
    ExactDecimalField,
    InstantField,
    StrictDecimalField,
    TextField,
    WholeNumberField,
)
from marketplace.api.pagination import PageQuery
from marketplace.api.serializers import StrictSerializer
from settlement.models import Delivery, DeliveryState

SIDES = ("bought", "sold")
MOST_READINGS = 1000
_MOST_WH = 10**15 - 1


class DeliveryQuery(PageQuery):
    """Filters of one's own deliveries."""

    side = ChoiceField(choices=SIDES, required=False, default="bought")
    state = ChoiceField(choices=DeliveryState.choices, required=False)


class DeliveryOutput(serializers.Serializer):
    """A delivery; who delivers and who receives know each other by name."""

    id = serializers.UUIDField(source="public_id")
    allocation = serializers.UUIDField(source="allocation.public_id")
    number = serializers.CharField(source="allocation.number")
    side = serializers.SerializerMethodField()
    counterparty = serializers.SerializerMethodField()
    product = serializers.CharField(source="allocation.product.code")
    supply_hub = serializers.CharField(source="allocation.supply_hub.code")
    hub = serializers.CharField(source="allocation.hub.code")
    unit_hours = ExactDecimalField(source="allocation.unit_hours")
    state = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    handed_over_at = serializers.DateTimeField(allow_null=True)
    accepted_at = serializers.DateTimeField(allow_null=True)
    acceptance_timed_out = serializers.BooleanField()
    completed_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)
    failure_reason = serializers.CharField(allow_blank=True)

    def get_side(self, delivery: Delivery) -> str:
        """Return bought or sold."""
        return self.context["side"]

    def get_counterparty(self, delivery: Delivery) -> str:
        """Return the Chinese name of the other side."""
        allocation = delivery.allocation
        other = allocation.seller if self.context["side"] == "bought" else allocation.buyer
        return other.name_zh


class DeliveryPage(serializers.Serializer):
    """A page of deliveries."""

    results = DeliveryOutput(many=True)
    next = serializers.CharField(allow_null=True)


class AccessInput(StrictSerializer):
    """How the buyer gets in."""

    access_text = TextField(max_length=10_000, many_lines=True)


class AccessOutput(serializers.Serializer):
    """How to get in, as the supplier wrote it."""

    access_text = serializers.CharField()


class ReadingInput(StrictSerializer):
    """Units delivered, averaged over an interval; the same interval again corrects it."""

    starts_at = InstantField()
    ends_at = InstantField()
    quantity = StrictDecimalField(max_digits=9, places=3)
    energy_wh = WholeNumberField(min_value=0, max_value=_MOST_WH, required=False, default=None)


class NamedReadingInput(ReadingInput):
    """A reading of the delivery it names."""

    delivery = TextField(max_length=40, help_text="Id of the delivery, or its number CJ-….")


class ReadingsInput(StrictSerializer):
    """Readings of several deliveries: all of them are stored, or none."""

    readings: serializers.ListSerializer = serializers.ListSerializer(
        child=NamedReadingInput(), min_length=1, max_length=MOST_READINGS
    )


class ReadingOutput(serializers.Serializer):
    """A stored reading."""

    delivery = serializers.UUIDField(source="delivery.public_id")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    revision = serializers.IntegerField()
    quantity = ExactDecimalField(places=3)
    quality = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    energy_wh = serializers.IntegerField(allow_null=True)


class ReadingList(serializers.Serializer):
    """Readings."""

    results = ReadingOutput(many=True)


class ImportedReadings(serializers.Serializer):
    """What an imported file became."""

    count = serializers.IntegerField()
