"""Recognitions, agreements and netting cycles as they are asked for and answered."""

from rest_framework import serializers

from marketplace.api.fields import ExactDecimalField, IdentifierField, WholeNumberField
from marketplace.api.pagination import PageQuery
from marketplace.api.serializers import StrictSerializer

MOST_RANGES = 200
LARGEST_SERIAL = 2**62


class ChosenInput(StrictSerializer):
    """Serials of a batch, both ends included."""

    batch = IdentifierField()
    first_serial = WholeNumberField(min_value=0, max_value=LARGEST_SERIAL)
    last_serial = WholeNumberField(min_value=0, max_value=LARGEST_SERIAL)


class RecognitionInput(StrictSerializer):
    """What is to be recognised: credits chosen by the rules, named ones, or a retirement."""

    statement = IdentifierField()
    chosen = serializers.ListField(child=ChosenInput(), required=False, max_length=MOST_RANGES)
    retirement = IdentifierField(required=False)


class RecognitionQuery(PageQuery):
    """Parameters of the list of recognitions."""


class RecognitionOutput(serializers.Serializer):
    """A recognition; tonnes have 6 decimals."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()
    statement = serializers.UUIDField(source="statement.public_id")
    organisation = serializers.CharField(source="organisation.code")
    scheme = serializers.CharField(source="scheme.code")
    claim_month = serializers.DateField()
    recognised_on = serializers.DateField()
    market_based_t = ExactDecimalField(places=6)
    need_t = ExactDecimalField(places=6)
    applied_t = ExactDecimalField(places=6)
    residual_t = ExactDecimalField(places=6)
    over_coverage_t = ExactDecimalField(places=6)


class RecognitionEventOutput(serializers.Serializer):
    """One retirement line recognised under one version of an agreement."""

    id = serializers.UUIDField(source="public_id")
    agreement = serializers.CharField(source="version.agreement.code")
    version = serializers.IntegerField(source="version.number")
    retirement = serializers.UUIDField(source="retirement_line.retirement.public_id")
    registry = serializers.CharField(source="retirement_line.batch.registry.code")
    batch = serializers.UUIDField(source="retirement_line.batch.public_id")
    first_serial = serializers.IntegerField(source="retirement_line.first_serial")
    last_serial = serializers.IntegerField(source="retirement_line.last_serial")
    vintage_year = serializers.IntegerField(source="retirement_line.batch.vintage_year")
    credits = serializers.IntegerField()
    tonnes_per_credit = ExactDecimalField(source="factor", places=8)
    recognised_t = ExactDecimalField(places=6)
    applied_t = ExactDecimalField(places=6)
    cap_usage_t = ExactDecimalField(source="usage_t", places=6)
    cap_period = serializers.CharField()


class RecognitionDetailOutput(serializers.Serializer):
    """A recognition with its events."""

    recognition = RecognitionOutput()
    events = RecognitionEventOutput(many=True)


class RecognitionPage(serializers.Serializer):
    """A page of recognitions."""

    results = RecognitionOutput(many=True)
    next = serializers.CharField(allow_null=True)


class AgreementTermsOutput(serializers.Serializer):
    """The version that counts."""

    number = serializers.IntegerField()
    status = serializers.CharField()
    instrument_types = serializers.ListField(child=serializers.CharField())
    programmes = serializers.ListField(child=serializers.CharField())
    vintage_min = serializers.IntegerField()
    vintage_max = serializers.IntegerField()
    factor_k = ExactDecimalField(places=4)
    discount_d = ExactDecimalField(places=4)
    relative_cap = ExactDecimalField(places=4, allow_null=True)
    absolute_cap_t = ExactDecimalField(places=6, allow_null=True)
    party_cap_t = ExactDecimalField(places=6, allow_null=True)
    cap_period = serializers.CharField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField()
    adjustment_required = serializers.BooleanField()
    priority = serializers.IntegerField()


class AgreementOutput(serializers.Serializer):
    """An agreement of recognition in one direction, with what is used of its caps."""

    id = serializers.UUIDField(source="agreement.public_id")
    code = serializers.CharField(source="agreement.code")
    name_zh = serializers.CharField(source="agreement.name_zh")
    name_en = serializers.CharField(source="agreement.name_en")
    from_registry = serializers.CharField(source="agreement.from_registry.code")
    to_scheme = serializers.CharField(source="agreement.to_scheme.code")
    is_in_force = serializers.BooleanField()
    period = serializers.CharField(source="cap_period", allow_blank=True)
    used_t = ExactDecimalField(places=6)
    own_used_t = ExactDecimalField(source="party_used_t", places=6)
    terms = AgreementTermsOutput(source="version", allow_null=True)


class AgreementList(serializers.Serializer):
    """Every agreement."""

    results = AgreementOutput(many=True)


class CycleOutput(serializers.Serializer):
    """A netting cycle."""

    id = serializers.UUIDField(source="public_id")
    code = serializers.CharField()
    registry = serializers.CharField(source="registry.code")
    instrument_type = serializers.CharField()
    vintage_year = serializers.IntegerField()
    cut_off_on = serializers.DateField()
    reference_price_cny = ExactDecimalField(places=4)
    state = serializers.CharField()


class CyclePage(serializers.Serializer):
    """A page of cycles."""

    results = CycleOutput(many=True)
    next = serializers.CharField(allow_null=True)


class ObligationOutput(serializers.Serializer):
    """What one party owes another."""

    id = serializers.UUIDField(source="public_id")
    payer = serializers.CharField(source="payer.code")
    payee = serializers.CharField(source="payee.code")
    quantity_t = ExactDecimalField(places=6)
    reference = serializers.CharField()


class PositionOutput(serializers.Serializer):
    """A party after netting; cash above zero is received."""

    organisation = serializers.CharField(source="position.organisation.code")
    receivable_t = ExactDecimalField(source="position.receivable_t", places=6)
    payable_t = ExactDecimalField(source="position.payable_t", places=6)
    net_t = ExactDecimalField(source="position.net_t", places=6)
    delivers_units = serializers.IntegerField(source="position.delivers_units")
    receives_units = serializers.IntegerField(source="position.receives_units")
    cash_cny = ExactDecimalField(places=2)


class ComputationOutput(serializers.Serializer):
    """The computation that counts: the measures of netting."""

    number = serializers.IntegerField()
    gross_t = ExactDecimalField(places=6)
    net_t = ExactDecimalField(places=6)
    netting_ratio = ExactDecimalField(source="ratio", places=4)
    rounding_cny = ExactDecimalField(places=2)
    input_sha256 = serializers.CharField()


class CycleDetailOutput(serializers.Serializer):
    """A cycle with what the caller may see of it: a member its own obligations and position."""

    cycle = CycleOutput()
    computation = ComputationOutput(allow_null=True)
    obligations = ObligationOutput(many=True)
    positions = PositionOutput(many=True)
