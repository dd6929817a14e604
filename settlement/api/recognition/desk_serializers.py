"""What the platform's people enter about agreements, schemes and netting cycles."""

from typing import Any

from rest_framework import serializers

from marketplace.api.fields import (
    ChoiceField,
    DayField,
    IdentifierField,
    StrictDecimalField,
    TextField,
    WholeNumberField,
    YesNoField,
)
from marketplace.api.serializers import StrictSerializer
from settlement.api.recognition.serializers import AgreementTermsOutput
from settlement.models import AgreementStatus, CapPeriod
from settlement.services.recognition.terms import TermsDraft

MOST_CODES = 50
FIRST_YEAR, LAST_YEAR = 1990, 2100


class TermsInput(StrictSerializer):
    """What a version says; what is left out takes the conservative default, null means no cap."""

    instrument_types = serializers.ListField(
        child=TextField(max_length=20), min_length=1, max_length=MOST_CODES
    )
    programmes = serializers.ListField(
        child=TextField(max_length=40), required=False, max_length=MOST_CODES
    )
    vintage_min = WholeNumberField(min_value=FIRST_YEAR, max_value=LAST_YEAR)
    vintage_max = WholeNumberField(min_value=FIRST_YEAR, max_value=LAST_YEAR)
    valid_from = DayField()
    valid_to = DayField()
    factor_k = StrictDecimalField(required=False)
    discount_d = StrictDecimalField(required=False)
    relative_cap = StrictDecimalField(required=False, allow_null=True)
    absolute_cap_t = StrictDecimalField(required=False, allow_null=True)
    party_cap_t = StrictDecimalField(required=False, allow_null=True)
    cap_period = ChoiceField(choices=CapPeriod.choices, required=False)
    adjustment_required = YesNoField(required=False)
    priority = WholeNumberField(min_value=1, max_value=9999, required=False)


class VersionInput(StrictSerializer):
    """Changed terms and why."""

    terms = TermsInput()
    reason = TextField(max_length=300)


class AgreementInput(VersionInput):
    """A new agreement in one direction, its first terms and why."""

    code = TextField(max_length=24)
    name_zh = TextField(max_length=120)
    name_en = TextField(max_length=160)
    from_registry = TextField(max_length=12)
    to_scheme = TextField(max_length=12)


class StatusInput(StrictSerializer):
    """Whether an agreement is used or rests, and why."""

    status = ChoiceField(choices=AgreementStatus.choices)
    reason = TextField(max_length=300)


class VersionDecisionInput(StrictSerializer):
    """Why a proposal is approved or refused; a refusal needs a reason."""

    reason = TextField(max_length=300, required=False, default="", allow_blank=True)


class SchemeInput(StrictSerializer):
    """In which scheme an organisation reports from a day on."""

    organisation = TextField(max_length=12, help_text="Member code.")
    scheme = TextField(max_length=12)
    valid_from = DayField()


class AdjustmentInput(StrictSerializer):
    """The corresponding adjustment of a batch, with its proof."""

    batch = IdentifierField()
    reference = TextField(max_length=120)
    adjusted_on = DayField()


class CycleInput(StrictSerializer):
    """A netting cycle of one registry, kind and vintage, with the price of fractions."""

    code = TextField(max_length=30)
    registry = TextField(max_length=12)
    instrument_type = TextField(max_length=20)
    vintage_year = WholeNumberField(min_value=FIRST_YEAR, max_value=LAST_YEAR)
    cut_off_on = DayField()
    reference_price_cny = StrictDecimalField()


class ObligationInput(StrictSerializer):
    """What one member owes another; a statement of the payer may stand behind it."""

    payer = TextField(max_length=12, help_text="Member code.")
    payee = TextField(max_length=12, help_text="Member code.")
    quantity_t = StrictDecimalField()
    reference = TextField(max_length=60)
    statement = IdentifierField(required=False)


class FailureInput(StrictSerializer):
    """A party that will not deliver or pay, and why."""

    party = TextField(max_length=12, help_text="Member code.")
    reason = TextField(max_length=300)


class VersionOutput(AgreementTermsOutput):
    """A version of an agreement with its state."""

    id = serializers.UUIDField(source="public_id")
    agreement = serializers.UUIDField(source="agreement.public_id")
    code = serializers.CharField(source="agreement.code")
    state = serializers.CharField()
    reason = serializers.CharField()


class VersionList(serializers.Serializer):
    """Versions that wait for a second person."""

    results = VersionOutput(many=True)


class SchemeOutput(serializers.Serializer):
    """The scheme of an organisation from a day on."""

    organisation = serializers.CharField(source="organisation.code")
    scheme = serializers.CharField(source="scheme.code")
    valid_from = serializers.DateField()


class AdjustmentOutput(serializers.Serializer):
    """A corresponding adjustment that is recorded."""

    batch = serializers.UUIDField(source="batch.public_id")
    reference = serializers.CharField()
    adjusted_on = serializers.DateField()


def terms_draft(values: dict[str, Any]) -> TermsDraft:
    """Return checked terms as the service takes them."""
    lists = {name: tuple(values.get(name, ())) for name in ("instrument_types", "programmes")}
    return TermsDraft(**{**values, **lists})
