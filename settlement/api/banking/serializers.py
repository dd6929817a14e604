"""Monthly statements, tax invoices, payouts and bank statements as they are asked and answered."""

from rest_framework import serializers

from marketplace.api.fields import ChoiceField, ExactDecimalField, TextField
from marketplace.api.pagination import PageQuery
from marketplace.api.serializers import StrictSerializer
from settlement.models import (
    MonthlyStatementState,
    PayoutState,
    TaxInvoiceKind,
    TaxInvoiceState,
)


class MonthlyStatementQuery(PageQuery):
    """Filters of one's monthly statements."""

    state = ChoiceField(choices=MonthlyStatementState.choices, required=False)


class MonthlyStatementOutput(serializers.Serializer):
    """A monthly statement of account (月度对账单)."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()
    month = serializers.DateField(help_text="First day of the month.")
    version = serializers.IntegerField()
    state = serializers.CharField()
    opening_cny = ExactDecimalField()
    closing_cny = ExactDecimalField()
    issued_on = serializers.DateField()
    answer_by = serializers.DateField()
    objection = serializers.CharField()
    content = serializers.JSONField(help_text="Accounts with their movements, and documents.")
    content_sha256 = serializers.CharField()


class MonthlyStatementPage(serializers.Serializer):
    """A page of monthly statements."""

    next = serializers.CharField(allow_null=True)
    results = MonthlyStatementOutput(many=True)


class ObjectionInput(StrictSerializer):
    """What is wrong with a statement."""

    objection = TextField(max_length=300)


class TaxInvoiceQuery(PageQuery):
    """Filters of one's tax invoices."""

    state = ChoiceField(choices=TaxInvoiceState.choices, required=False)


class TaxInvoiceInput(StrictSerializer):
    """A tax invoice asked for."""

    kind = ChoiceField(choices=TaxInvoiceKind.choices)
    bills = serializers.ListField(
        child=TextField(max_length=30), min_length=1, max_length=500, help_text="Their numbers."
    )


class TaxInvoiceOutput(serializers.Serializer):
    """A tax invoice (数电票) that the market owes or issued."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.CharField()
    net_cny = ExactDecimalField()
    vat_cny = ExactDecimalField()
    gross_cny = ExactDecimalField()
    tax_number = serializers.CharField(allow_null=True)
    issued_on = serializers.DateField(allow_null=True)
    red_number = serializers.CharField(allow_null=True)
    failure_text = serializers.CharField()


class TaxInvoicePage(serializers.Serializer):
    """A page of tax invoices."""

    next = serializers.CharField(allow_null=True)
    results = TaxInvoiceOutput(many=True)


class PayoutQuery(PageQuery):
    """Filters of one's payouts."""

    state = ChoiceField(choices=PayoutState.choices, required=False)


class PayoutItemOutput(serializers.Serializer):
    """A statement, or a credit note below zero, in a payout."""

    statement = serializers.CharField(source="invoice.number")
    amount_cny = ExactDecimalField()
    held_back_cny = ExactDecimalField()


class PayoutOutput(serializers.Serializer):
    """A payment to the organisation."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()
    state = serializers.CharField()
    amount_cny = ExactDecimalField()
    pay_on = serializers.DateField(source="batch.pay_on")
    paid_on = serializers.DateField(allow_null=True)
    return_reason = serializers.CharField()
    items = PayoutItemOutput(many=True)


class PayoutPage(serializers.Serializer):
    """A page of payouts."""

    next = serializers.CharField(allow_null=True)
    results = PayoutOutput(many=True)


class BankStatementOutput(serializers.Serializer):
    """A bank statement that was taken in."""

    id = serializers.UUIDField(source="public_id")
    account = serializers.CharField(source="account.code")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    opening_cny = ExactDecimalField()
    closing_cny = ExactDecimalField()
    line_count = serializers.IntegerField()
