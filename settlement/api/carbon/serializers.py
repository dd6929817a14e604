"""Carbon statements as they are answered."""

from rest_framework import serializers

from marketplace.api.fields import ChoiceField, DayField, ExactDecimalField, TextField
from marketplace.api.pagination import PageQuery
from marketplace.api.serializers import QueryNumberField, QuerySerializer, StrictSerializer
from settlement.models import StatementSubject


class CarbonStatementQuery(PageQuery):
    """Filters of carbon statements."""

    month = DayField(required=False, help_text="First day of the month.")
    subject = ChoiceField(choices=StatementSubject.choices, required=False)


class CarbonStatementOutput(serializers.Serializer):
    """A version of a carbon statement; energies are watt-hours."""

    id = serializers.UUIDField(source="public_id")
    organisation = serializers.CharField(source="organisation.code")
    subject = serializers.CharField()
    pool = serializers.CharField(source="pool.identifier", allow_null=True, default=None)
    order = serializers.UUIDField(source="order.public_id", allow_null=True, default=None)
    month = serializers.DateField()
    version = serializers.IntegerField()
    delivery_count = serializers.IntegerField()
    is_estimated = serializers.BooleanField()
    it_wh = serializers.IntegerField()
    facility_wh = serializers.IntegerField()
    matching = serializers.CharField(source="slot")
    matched_wh = serializers.IntegerField()
    residual_wh = serializers.IntegerField()
    excess_wh = serializers.IntegerField()
    certificates = serializers.IntegerField()
    location_based_t = ExactDecimalField()
    market_based_t = ExactDecimalField()
    factor_year = serializers.IntegerField()
    announcement = serializers.CharField()
    residual_factor = ExactDecimalField()
    code_version = serializers.CharField()
    sha256 = serializers.CharField()
    issued_at = serializers.DateTimeField()


class CarbonLineOutput(serializers.Serializer):
    """One delivery of a statement."""

    delivery = serializers.UUIDField(source="delivery.public_id")
    hub = serializers.CharField(source="hub.code")
    hours = serializers.IntegerField()
    it_wh = serializers.IntegerField()
    facility_wh = serializers.IntegerField()
    location_factor = ExactDecimalField()
    location_g = ExactDecimalField()
    is_estimated = serializers.BooleanField()


class CarbonIntensityOutput(serializers.Serializer):
    """Software carbon intensity per unit-hour; nulls where embodied carbon is not known."""

    unit_zh = serializers.CharField()
    unit_en = serializers.CharField()
    unit_hours = ExactDecimalField(source="intensity.unit_hours")
    operational_g = ExactDecimalField(source="intensity.operational_g")
    embodied_g = ExactDecimalField(source="intensity.embodied_g", allow_null=True)
    operational_g_per_unit_hour = ExactDecimalField(
        source="intensity.operational_g_per_unit_hour", allow_null=True
    )
    sci_g_per_unit_hour = ExactDecimalField(source="intensity.sci_g", allow_null=True)
    embodied_missing_for = serializers.ListField(
        child=serializers.CharField(), source="intensity.missing"
    )
    embodied_sources = serializers.ListField(child=serializers.CharField(), source="sources")


class CarbonEffectivenessOutput(serializers.Serializer):
    """Effectiveness of the energy of a statement; certificates change the REF alone."""

    pue = ExactDecimalField(allow_null=True)
    cue_kg_per_kwh = ExactDecimalField(source="cue", allow_null=True)
    ref = ExactDecimalField(allow_null=True)
    intensities = CarbonIntensityOutput(many=True)


class CarbonStatementDetailOutput(serializers.Serializer):
    """A statement with its deliveries and the effectiveness of its energy."""

    statement = CarbonStatementOutput()
    effectiveness = CarbonEffectivenessOutput()
    lines = CarbonLineOutput(many=True)


class CarbonStatementPage(serializers.Serializer):
    """A page of statements."""

    results = CarbonStatementOutput(many=True)
    next = serializers.CharField(allow_null=True)


class StatementInput(StrictSerializer):
    """The month to state."""

    month = DayField(help_text="Any day of the month.")


class CorrectionInput(StrictSerializer):
    """Why a statement is stated again; a closed one needs a reason."""

    reason = TextField(max_length=200, required=False, default="", allow_blank=True)


class FactorSetQuery(QuerySerializer):
    """What a factor file is of."""

    year = QueryNumberField(min_value=2000, max_value=2100)
    announcement = TextField(max_length=160)
    published_on = DayField()
    reason = TextField(max_length=200)


class PueQuery(QuerySerializer):
    """Where metered figures come from."""

    measured_by = TextField(max_length=80)


class FactorSetOutput(serializers.Serializer):
    """A version of published grid factors."""

    id = serializers.UUIDField(source="public_id")
    year = serializers.IntegerField()
    version = serializers.IntegerField()
    announcement = serializers.CharField()
    published_on = serializers.DateField(allow_null=True)
    origin = serializers.CharField()
    state = serializers.CharField()
    sha256 = serializers.CharField()


class FactorSetList(serializers.Serializer):
    """Every factor set."""

    results = FactorSetOutput(many=True)


class PueOutput(serializers.Serializer):
    """How many intervals were taken."""

    intervals = serializers.IntegerField()
