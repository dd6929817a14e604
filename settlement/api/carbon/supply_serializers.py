"""Hourly green supply as it is taken and answered."""

from rest_framework import serializers

from marketplace.api.fields import (
    ChoiceField,
    DayField,
    ExactDecimalField,
    InstantField,
    StrictDecimalField,
    TextField,
    WholeNumberField,
)
from marketplace.api.serializers import QuerySerializer, StrictSerializer
from settlement.models import ReferenceKind, SourceKind, SupplyReading

MOST_HOURS = 1000


class SourceInput(StrictSerializer):
    """A source of one of the own data centres."""

    pool = TextField(max_length=22, help_text="Identifier of the data centre.")
    kind = ChoiceField(choices=SourceKind.choices)
    name = TextField(max_length=100)
    name_en = TextField(max_length=120, required=False, default="", allow_blank=True)
    capacity_w = WholeNumberField(min_value=1, max_value=100_000_000_000)
    valid_from = DayField()
    valid_to = DayField(required=False, allow_null=True, default=None)
    evidence = TextField(max_length=200)


class SourceOutput(serializers.Serializer):
    """A source of green energy."""

    id = serializers.UUIDField(source="public_id")
    code = serializers.CharField()
    pool = serializers.CharField(source="pool.identifier")
    kind = serializers.CharField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    capacity_w = serializers.IntegerField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)
    evidence = serializers.CharField()


class SourceList(serializers.Serializer):
    """The sources that the caller may see."""

    results = SourceOutput(many=True)


class SupplyHourInput(StrictSerializer):
    """One hour of one source; energies are whole watt-hours."""

    source = TextField(max_length=24)  # type: ignore[assignment]
    hour = InstantField(help_text="Start of the hour.")
    reading = ChoiceField(choices=SupplyReading.choices)
    energy_wh = WholeNumberField(min_value=-(10**12), max_value=10**12)
    charge_wh = WholeNumberField(min_value=-(10**12), max_value=10**12, required=False, default=0)


class SupplyInput(StrictSerializer):
    """Hours that are taken together or not at all."""

    hours = SupplyHourInput(many=True, max_length=MOST_HOURS)  # type: ignore[call-arg]


class SupplyTaken(serializers.Serializer):
    """How many hours were new or changed."""

    hours = serializers.IntegerField()


class SharesQuery(QuerySerializer):
    """Which month."""

    month = DayField(help_text="Any day of the month.")


class FiguresOutput(serializers.Serializer):
    """Sums of carbon statements of data centres; shares are 0 to 1."""

    facility_wh = serializers.IntegerField()
    certificates_wh = serializers.IntegerField(source="certified_wh")
    direct_wh = serializers.IntegerField()
    own_wh = serializers.IntegerField()
    green_wh = serializers.IntegerField(source="matched_wh")
    green_share = ExactDecimalField(source="gap.share", allow_null=True)
    target = ExactDecimalField(source="target.share")
    target_source = serializers.CharField(source="target.source")
    gap_wh = serializers.IntegerField(source="gap.gap_wh")
    gap_certificates = serializers.IntegerField(source="gap.certificates")
    hourly_score = ExactDecimalField(source="score", allow_null=True)
    volume_share = ExactDecimalField(source="volume", allow_null=True)
    grid_share = ExactDecimalField(allow_null=True)
    grid_source = serializers.CharField()


class PoolSharesOutput(serializers.Serializer):
    """A data centre with its month and its year to date."""

    pool = serializers.CharField(source="pool.identifier")
    hub = serializers.CharField(source="pool.hub.code")
    month = FiguresOutput()
    year_to_date = FiguresOutput(source="year")


class PoolSharesList(serializers.Serializer):
    """Green shares of data centres; monitored, not assessed."""

    results = PoolSharesOutput(many=True)


class ReferenceInput(StrictSerializer):
    """A published share with its source."""

    kind = ChoiceField(choices=ReferenceKind.choices)
    area = TextField(max_length=40, required=False, default="", allow_blank=True)
    valid_from = DayField()
    share = StrictDecimalField(max_digits=1, places=4)
    source = TextField(max_length=200)  # type: ignore[assignment]
    note = TextField(max_length=200, required=False, default="", allow_blank=True)


class ReferenceOutput(serializers.Serializer):
    """A stated share: of a grid, or wanted of data centres."""

    kind = serializers.CharField()
    area = serializers.CharField(source="area_en")
    valid_from = serializers.DateField()
    share = ExactDecimalField()
    source = serializers.CharField()  # type: ignore[assignment]
    note = serializers.CharField()


class ReferenceList(serializers.Serializer):
    """Every stated share."""

    results = ReferenceOutput(many=True)
