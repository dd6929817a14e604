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
from settlement.models import Delivery, DeliveryState, MeterReading

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
    counter = StrictDecimalField(max_digits=12, places=3, required=False, default=None)
    reason = TextField(
        max_length=200,
        required=False,
        default="",
        allow_blank=True,
        help_text="Why; needed once the delivery is settled.",
    )


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
    counter = ExactDecimalField(places=3, allow_null=True)
    is_late = serializers.BooleanField(help_text="Recorded after settlement.")
    reason = serializers.CharField()
    signed = serializers.SerializerMethodField(help_text="verified, unsigned or none.")

    def get_signed(self, reading: MeterReading) -> str:
        """Return whether the batch carried a signature."""
        return reading.batch.signed if reading.batch else "none"


class SequenceOutput(serializers.Serializer):
    """What one settlement run said of a delivery; a later sequence says the difference."""

    run = serializers.CharField(source="number")
    settled_on = serializers.DateField()
    billed_unit_hours = ExactDecimalField()
    net_cny = ExactDecimalField()


class PenaltyOutput(serializers.Serializer):
    """The penalty of a delivery for short service, with its arithmetic."""

    formula_version = serializers.CharField()
    promised_unit_hours = ExactDecimalField()
    delivered_unit_hours = ExactDecimalField()
    uncapped_cny = ExactDecimalField()
    cap_cny = ExactDecimalField()
    amount_cny = ExactDecimalField()
    intervals = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))


class CorrectionsOutput(serializers.Serializer):
    """How a delivery was settled, sequence by sequence."""

    results = SequenceOutput(many=True)
    penalty = PenaltyOutput(allow_null=True)


class ReadingList(serializers.Serializer):
    """Readings."""

    results = ReadingOutput(many=True)


class ImportedReadings(serializers.Serializer):
    """What an imported file became."""

    count = serializers.IntegerField()
