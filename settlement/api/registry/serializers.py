"""Registries, batches, holdings and retirements as they are asked for and answered."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from marketplace.api.fields import (
    ChoiceField,
    DayField,
    ExactDecimalField,
    IdentifierField,
    InstantField,
    StrictDecimalField,
    TextField,
    WholeNumberField,
)
from marketplace.api.pagination import PageQuery
from marketplace.api.serializers import QueryNumberField, QuerySerializer, StrictSerializer
from settlement.models import ImportFormat, RetirementPurpose, UnitState

LARGEST_SERIAL = 2**62
MOST_RANGES = 200
MOST_MONTHS = 120


class BatchQuery(PageQuery):
    """Filters of batches."""

    registry = TextField(required=False, max_length=12)
    vintage = QueryNumberField(required=False, min_value=1990, max_value=2200)


class ProjectQuery(PageQuery):
    """Filters of projects."""

    registry = TextField(required=False, max_length=12)
    text = TextField(required=False, max_length=60)


class HoldingQuery(QuerySerializer):
    """Filters of one's own holdings."""

    registry = TextField(required=False, max_length=12)
    state = ChoiceField(choices=[s for s in UnitState.choices if s[0] != "issued"], required=False)


class SerialQuery(QuerySerializer):
    """A serial as its registry writes it."""

    serial = TextField(max_length=128)
    registry = TextField(required=False, max_length=12)


class FileQuery(QuerySerializer):
    """Whose file it is."""

    registry = TextField(max_length=12)
    name = TextField(required=False, max_length=120)
    file_format = ChoiceField(
        choices=ImportFormat.choices, required=False, help_text="How the file is written."
    )


class RangeInput(StrictSerializer):
    """Serials of a batch, both ends included."""

    batch = IdentifierField()
    first_serial = WholeNumberField(min_value=0, max_value=LARGEST_SERIAL)
    last_serial = WholeNumberField(min_value=0, max_value=LARGEST_SERIAL)

    default_error_messages = {"backwards": _("The last serial lies below the first.")}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a range that runs backwards."""
        if attrs["last_serial"] < attrs["first_serial"]:
            self.fail("backwards")
        return attrs


class RangesInput(StrictSerializer):
    """What a request is about, and optionally a reservation that it uses up."""

    ranges = RangeInput(many=True, min_length=1, max_length=MOST_RANGES)  # type: ignore[call-arg]
    reservation = IdentifierField(required=False)


class TransferInput(RangesInput):
    """Units for another member."""

    to_organisation = TextField(max_length=12, help_text="Member code.")
    reason = TextField(required=False, default="", allow_blank=True)


class ReservationInput(StrictSerializer):
    """Units to set aside; the reference names what for."""

    ranges = RangeInput(many=True, min_length=1, max_length=MOST_RANGES)  # type: ignore[call-arg]
    reference = TextField(max_length=40)
    expires_at = InstantField()


class RetirementInput(RangesInput):
    """Units to use up for one beneficiary; nothing brings them back."""

    beneficiary = TextField(max_length=160, help_text="Member code, or anybody else's name.")
    purpose = ChoiceField(choices=RetirementPurpose.choices)
    claim_month = DayField(help_text="Any day of the month claimed for.")
    claim_hour = InstantField(
        required=False, help_text="Hour of delivery; granular certificates only, and always."
    )
    note = TextField(required=False, default="", allow_blank=True)


class ReasonedInput(StrictSerializer):
    """Units of a member, and why the platform touches them."""

    ranges = RangeInput(many=True, min_length=1, max_length=MOST_RANGES)  # type: ignore[call-arg]
    reason = TextField()


class LockInput(ReasonedInput):
    """Units to lock or to free, and whose they are."""

    holder = TextField(max_length=12)


class CcerRegistrationInput(StrictSerializer):
    """The crediting period of a project that entered CCER, both days included."""

    first_day = DayField()
    last_day = DayField()

    default_error_messages = {"backwards": _("The last day lies before the first.")}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a period that runs backwards."""
        if attrs["last_day"] < attrs["first_day"]:
            self.fail("backwards")
        return attrs


class MonthEnergyInput(StrictSerializer):
    """Verified energy of a month."""

    month = DayField()
    mwh = WholeNumberField(min_value=1, max_value=10**9)


class CcerIssueInput(StrictSerializer):
    """A CCER issue; the serials end in their running number."""

    programme = TextField(max_length=40)
    issuance_id = TextField(max_length=64)
    first_serial = TextField(max_length=128)
    last_serial = TextField(max_length=128)
    units = WholeNumberField(min_value=1, max_value=10**9)
    months = MonthEnergyInput(many=True, min_length=1, max_length=MOST_MONTHS)  # type: ignore[call-arg]
    baseline_factor = StrictDecimalField()
    issued_on = DayField()
    holder = TextField(max_length=12)


class ProgrammeOutput(serializers.Serializer):
    """A methodology."""

    code = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    instrument_type = serializers.CharField()
    non_permanence_share = ExactDecimalField(places=4)


class TotalsOutput(serializers.Serializer):
    """Units by state; issued is the sum of all states."""

    issued = serializers.IntegerField()
    by_state = serializers.DictField(child=serializers.IntegerField())


class RegistryOutput(serializers.Serializer):
    """A registry with its programmes and totals."""

    code = serializers.CharField(source="registry.code")
    name_zh = serializers.CharField(source="registry.name_zh")
    name_en = serializers.CharField(source="registry.name_en")
    jurisdiction = serializers.CharField(source="registry.jurisdiction")
    kind = serializers.CharField(source="registry.kind")
    unit = serializers.CharField(source="registry.unit")
    batches = serializers.IntegerField()
    projects = serializers.IntegerField()
    totals = TotalsOutput()
    programmes = ProgrammeOutput(many=True)


class RegistryList(serializers.Serializer):
    """Every registry."""

    results = RegistryOutput(many=True)


class ProjectOutput(serializers.Serializer):
    """A plant or a sink."""

    id = serializers.UUIDField(source="public_id")
    registry = serializers.CharField(source="registry.code")
    native_id = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    province = serializers.CharField()
    technology = serializers.CharField()
    ccer_state = serializers.CharField()
    ccer_registered_on = serializers.DateField(allow_null=True)


class ProjectPage(serializers.Serializer):
    """A page of projects."""

    results = ProjectOutput(many=True)
    next = serializers.CharField(allow_null=True)


class BatchOutput(serializers.Serializer):
    """A batch as its registry issued it."""

    id = serializers.UUIDField(source="public_id")
    registry = serializers.CharField(source="registry.code")
    programme = serializers.CharField(source="programme.code")
    project = serializers.CharField(source="project.native_id")
    instrument_type = serializers.CharField(source="programme.instrument_type")
    issuance_id = serializers.CharField()
    vintage_year = serializers.IntegerField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    first_serial = serializers.IntegerField()
    last_serial = serializers.IntegerField()
    first_serial_text = serializers.SerializerMethodField()
    last_serial_text = serializers.SerializerMethodField()
    units = serializers.IntegerField()
    issued_on = serializers.DateField()
    expires_on = serializers.DateField(allow_null=True)

    def get_first_serial_text(self, batch: Any) -> str:
        """Return the first serial as the registry writes it."""
        return str(batch.serial_text(batch.first_serial))

    def get_last_serial_text(self, batch: Any) -> str:
        """Return the last serial as the registry writes it."""
        return str(batch.serial_text(batch.last_serial))


class BatchPage(serializers.Serializer):
    """A page of batches."""

    results = BatchOutput(many=True)
    next = serializers.CharField(allow_null=True)


class HoldingOutput(serializers.Serializer):
    """Serials of one batch in one state."""

    batch = serializers.UUIDField(source="batch.public_id")
    registry = serializers.CharField(source="batch.registry.code")
    programme = serializers.CharField(source="batch.programme.code")
    instrument_type = serializers.CharField(source="batch.programme.instrument_type")
    project = serializers.CharField(source="batch.project.native_id")
    vintage_year = serializers.IntegerField(source="batch.vintage_year")
    starts_on = serializers.DateField(source="batch.starts_on")
    expires_on = serializers.DateField(source="batch.expires_on", allow_null=True)
    first_serial = serializers.IntegerField()
    last_serial = serializers.IntegerField()
    units = serializers.IntegerField()
    state = serializers.CharField()
    reservation = serializers.UUIDField(
        source="reservation.public_id", allow_null=True, default=None
    )


class HoldingList(serializers.Serializer):
    """One's own holdings."""

    results = HoldingOutput(many=True)


class MovementOutput(serializers.Serializer):
    """A movement of units."""

    id = serializers.UUIDField(source="public_id")
    kind = serializers.CharField()
    registry = serializers.CharField(source="registry.code")
    effective_on = serializers.DateField()
    journal_entry = serializers.UUIDField(source="entry.public_id")
    reason = serializers.CharField()


class ReservationOutput(serializers.Serializer):
    """Units set aside."""

    id = serializers.UUIDField(source="public_id")
    registry = serializers.CharField(source="registry.code")
    reference = serializers.CharField(source="source_id")
    units = serializers.IntegerField()
    state = serializers.CharField()
    expires_at = serializers.DateTimeField()


class RetirementLineOutput(serializers.Serializer):
    """Serials that a retirement used up."""

    id = serializers.UUIDField(source="public_id")
    batch = serializers.UUIDField(source="batch.public_id")
    first_serial = serializers.IntegerField()
    last_serial = serializers.IntegerField()
    units = serializers.IntegerField()


class RetirementOutput(serializers.Serializer):
    """A retirement."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()
    registry = serializers.CharField(source="registry.code")
    organisation = serializers.CharField(source="organisation.code")
    beneficiary = serializers.CharField(source="beneficiary_name")
    purpose = serializers.CharField()
    claim_month = serializers.DateField()
    claim_hour = serializers.DateTimeField(allow_null=True)
    units = serializers.IntegerField()
    retired_on = serializers.DateField()
    note = serializers.CharField()


class RetirementPage(serializers.Serializer):
    """A page of retirements."""

    results = RetirementOutput(many=True)
    next = serializers.CharField(allow_null=True)


class RetirementDetailOutput(serializers.Serializer):
    """A retirement with its serials."""

    retirement = RetirementOutput()
    lines = RetirementLineOutput(many=True)


class SerialEventOutput(serializers.Serializer):
    """A movement in the life of a serial; holders only where they are the reader's own."""

    kind = serializers.CharField(source="line.movement.kind")
    effective_on = serializers.DateField(source="line.movement.effective_on")
    from_state = serializers.CharField(source="line.from_state")
    to_state = serializers.CharField(source="line.to_state")
    from_holder = serializers.CharField(source="from_holder.code", allow_null=True, default=None)
    to_holder = serializers.CharField(source="to_holder.code", allow_null=True, default=None)
    retirement = serializers.CharField(source="retirement.number", allow_null=True, default=None)


class SerialOutput(serializers.Serializer):
    """One serial: where it belongs and what happened to it."""

    serial = serializers.CharField()
    batch = BatchOutput()
    events = SerialEventOutput(many=True)


class DutyOutput(serializers.Serializer):
    """A duty to replace units that the registry took back."""

    id = serializers.UUIDField(source="public_id")
    retirement = serializers.CharField(source="line.retirement.number")
    units = serializers.IntegerField()
    state = serializers.CharField()


class InvalidationOutput(serializers.Serializer):
    """What was invalidated and what has to be replaced."""

    movement = MovementOutput()
    duties = DutyOutput(many=True)
