"""Disputes and compute vouchers as they are asked for and answered."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marketplace.api.fields import (
    ChoiceField,
    ExactDecimalField,
    IdentifierField,
    StrictDecimalField,
    TextField,
)
from marketplace.api.pagination import PageQuery
from marketplace.api.serializers import StrictSerializer
from settlement.models import (
    Dispute,
    DisputeGround,
    DisputeState,
    DisputeVisibility,
    VoucherState,
)
from settlement.selectors.cases.disputes import due_on
from settlement.services.cases.dispute_records import LONG_TEXT


class DisputeQuery(PageQuery):
    """Filters of one's disputes."""

    state = ChoiceField(choices=DisputeState.choices, required=False)


class DisputeInput(StrictSerializer):
    """A delivery questioned."""

    delivery = IdentifierField()
    ground = ChoiceField(choices=DisputeGround.choices)
    claim = TextField(max_length=LONG_TEXT, many_lines=True)
    amount = StrictDecimalField(places=2, help_text="Compute before tax, above zero.")


class TextInput(StrictSerializer):
    """An answer."""

    text = TextField(max_length=LONG_TEXT, many_lines=True)


class MessageInput(TextInput):
    """A message."""

    visibility = ChoiceField(choices=DisputeVisibility.choices, required=False)


class MessageOutput(serializers.Serializer):
    """Something said."""

    id = serializers.UUIDField(source="public_id")
    organisation = serializers.CharField(source="organisation.code")
    visibility = serializers.CharField()
    is_answer = serializers.BooleanField()
    text = serializers.CharField()
    market_at = serializers.DateTimeField()


class EvidenceOutput(serializers.Serializer):
    """A file handed in; it is downloaded in the portal."""

    id = serializers.UUIDField(source="public_id")
    organisation = serializers.CharField(source="organisation.code")
    name = serializers.CharField()
    media_type = serializers.CharField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    visibility = serializers.CharField()


class DisputeOutput(serializers.Serializer):
    """A dispute."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()
    delivery = serializers.UUIDField(source="delivery.public_id")
    bill = serializers.CharField(source="bill.number")
    side = serializers.CharField()
    organisation = serializers.CharField(source="organisation.code")
    respondent = serializers.CharField(source="respondent.code")
    ground = serializers.CharField()
    claim = serializers.CharField()
    claimed_net_cny = serializers.SerializerMethodField()
    held_cny = ExactDecimalField()
    state = serializers.CharField()
    opened_on = serializers.DateField()
    due_on = serializers.SerializerMethodField()

    @extend_schema_field(serializers.DecimalField(max_digits=16, decimal_places=2))
    def get_claimed_net_cny(self, dispute: Dispute) -> str:
        """Compute before tax, whichever side asks."""
        return format(abs(dispute.claimed_net_cny), ".2f")

    @extend_schema_field(serializers.DateField(allow_null=True))
    def get_due_on(self, dispute: Dispute) -> str | None:
        """The next deadline while it is open."""
        due = due_on(dispute)
        return due.isoformat() if due else None


class DisputePage(serializers.Serializer):
    """A page of disputes."""

    next = serializers.CharField(allow_null=True)
    results = DisputeOutput(many=True)


class DisputeDetailOutput(serializers.Serializer):
    """A dispute with what the caller may read of it."""

    dispute = DisputeOutput()
    messages = MessageOutput(many=True)
    evidence = EvidenceOutput(many=True)


class VoucherQuery(PageQuery):
    """Filters of one's vouchers."""

    state = ChoiceField(choices=VoucherState.choices, required=False)


class VoucherOutput(serializers.Serializer):
    """A compute voucher."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()
    programme = serializers.CharField(source="programme.code")
    name_zh = serializers.CharField(source="programme.name_zh")
    name_en = serializers.CharField(source="programme.name_en")
    share_of_bill = ExactDecimalField(source="programme.share_of_bill")
    face_cny = ExactDecimalField()
    remaining_cny = ExactDecimalField()
    valid_until = serializers.DateField()
    state = serializers.CharField()


class VoucherPage(serializers.Serializer):
    """A page of vouchers."""

    next = serializers.CharField(allow_null=True)
    results = VoucherOutput(many=True)


class RedeemInput(StrictSerializer):
    """The bill a voucher is used on."""

    bill = IdentifierField()
