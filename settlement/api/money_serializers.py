"""Bills, balances and statements as they are answered."""

from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from marketplace.api.fields import ChoiceField, DayField, ExactDecimalField
from marketplace.api.pagination import PageQuery
from marketplace.api.serializers import QuerySerializer
from settlement.models import InvoiceDirection, InvoiceKind, InvoiceState

LONGEST = timedelta(days=400)
FORMATS = ("json", "csv", "xlsx")


class BillQuery(PageQuery):
    """Filters of one's own bills."""

    direction = ChoiceField(choices=InvoiceDirection.choices, required=False)
    kind = ChoiceField(choices=InvoiceKind.choices, required=False)
    state = ChoiceField(choices=InvoiceState.choices, required=False)


class SpanQuery(QuerySerializer):
    """A span of accounting days, both included, and the format of the answer."""

    default_error_messages = {
        "backwards": _("The last day lies before the first."),
        "too_long": _("At most 400 days at once."),
    }

    since = DayField()
    until = DayField()
    format = ChoiceField(
        choices=FORMATS, required=False, help_text="Else as the Accept header says."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a span that runs backwards or is too long."""
        code = _fault(attrs["since"], attrs["until"])
        if code:
            message = str(self.error_messages[code])
            raise serializers.ValidationError(
                {"until": [serializers.ErrorDetail(message, code=code)]}
            )
        return attrs


def _fault(since: date, until: date) -> str:
    if until < since:
        return "backwards"
    return "too_long" if until - since > LONGEST else ""


class BillOutput(serializers.Serializer):
    """A bill, or a supplier's settlement statement (结算单)."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()
    direction = serializers.CharField()
    kind = serializers.CharField(help_text="bill, credit_note or additional.")
    refers_to = serializers.CharField(
        source="refers_to.number",
        allow_null=True,
        default=None,
        help_text="Number of the first bill, on a correction.",
    )
    run = serializers.CharField(source="run.number")
    auction = serializers.CharField(source="run.auction.code")
    state = serializers.CharField()
    issued_on = serializers.DateField()
    due_on = serializers.DateField()
    net_cny = ExactDecimalField(source="net")
    vat_cny = ExactDecimalField(source="vat")
    gross_cny = ExactDecimalField(source="gross")


class BillLineOutput(serializers.Serializer):
    """A line of a bill."""

    line = serializers.IntegerField()
    kind = serializers.CharField()
    delivery = serializers.UUIDField(source="delivery.public_id", allow_null=True, default=None)
    product = serializers.CharField(source="product.code", allow_null=True, default=None)
    unit_hours = ExactDecimalField()
    net_cny = ExactDecimalField()
    vat_rate = ExactDecimalField()
    vat_cny = ExactDecimalField()


class BillDetailOutput(serializers.Serializer):
    """A bill with its lines."""

    bill = BillOutput()
    lines = BillLineOutput(many=True)


class BillPage(serializers.Serializer):
    """A page of bills."""

    results = BillOutput(many=True)
    next = serializers.CharField(allow_null=True)


class BalanceOutput(serializers.Serializer):
    """The organisation's money; available = deposit + credit limit − held."""

    deposit_cny = ExactDecimalField()
    credit_limit_cny = ExactDecimalField()
    held_cny = ExactDecimalField()
    available_cny = ExactDecimalField()
    receivable_cny = ExactDecimalField()
    payable_cny = ExactDecimalField()


class StatementLineOutput(serializers.Serializer):
    """A movement on an account."""

    effective_on = serializers.DateField()
    recorded_at = serializers.DateTimeField()
    kind = serializers.CharField()
    document = serializers.CharField(allow_blank=True)
    memo = serializers.CharField(allow_blank=True)
    net_cny = ExactDecimalField(allow_null=True)
    vat_cny = ExactDecimalField(allow_null=True)
    gross_cny = ExactDecimalField(allow_null=True)
    amount_cny = ExactDecimalField()
    balance_cny = ExactDecimalField()


class StatementAccountOutput(serializers.Serializer):
    """An account over the span."""

    code = serializers.CharField()
    purpose = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    opening_cny = ExactDecimalField()
    lines = StatementLineOutput(many=True)
    closing_cny = ExactDecimalField()


class StatementHoldOutput(serializers.Serializer):
    """Money set aside, as it stands now."""

    reference = serializers.CharField()
    source_type = serializers.CharField()
    source_id = serializers.CharField()
    auction = serializers.CharField(allow_blank=True)
    placed_at = serializers.DateTimeField()
    placed_cny = ExactDecimalField()
    captured_cny = ExactDecimalField()
    released_cny = ExactDecimalField()
    remaining_cny = ExactDecimalField()


class StatementOutput(serializers.Serializer):
    """The organisation's statement, checked against the ledger."""

    organisation = serializers.CharField(source="organisation.code")
    since = serializers.DateField(source="starts_on")
    until = serializers.DateField(source="ends_on")
    accounts = StatementAccountOutput(many=True)
    holds = StatementHoldOutput(many=True)
