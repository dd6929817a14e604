"""Contracts as they are asked for and answered."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marketplace.api.fields import ChoiceField, ExactDecimalField, TextField
from marketplace.api.pagination import PageQuery
from marketplace.api.serializers import StrictSerializer
from settlement.models import Contract, ContractState
from settlement.selectors.banking.contracts import net_of, parties_of, sums_of
from settlement.services.banking.contract_answers import answers_on


class ContractQuery(PageQuery):
    """Filters of one's contracts."""

    state = ChoiceField(choices=ContractState.choices, required=False)
    confirmation = TextField(required=False, max_length=30, help_text="Number of the allocation.")


class ContractOutput(serializers.Serializer):
    """A contract behind an allocation (合同)."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()
    side = serializers.CharField(help_text="sale, purchase or direct: between whom it is.")
    state = serializers.CharField()
    confirmation = serializers.CharField(source="allocation.number")
    product = serializers.CharField(source="allocation.product.code")
    supply_hub = serializers.CharField(source="allocation.supply_hub.code")
    consumption_hub = serializers.CharField(source="allocation.hub.code")
    starts_at = serializers.DateTimeField(source="allocation.starts_at")
    ends_at = serializers.DateTimeField(source="allocation.ends_at")
    unit_hours = ExactDecimalField(source="allocation.unit_hours")
    net_cny = serializers.SerializerMethodField(help_text="Before tax, as agreed.")
    content_sha256 = serializers.CharField(help_text="Of the document that is signed.")
    drawn_up_on = serializers.DateField()
    sent_at = serializers.DateTimeField(allow_null=True)
    signed_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(ExactDecimalField())
    def get_net_cny(self, contract: Contract) -> str:
        """Return the price before tax."""
        return format(net_of(contract), "f")


class PartyOutput(serializers.Serializer):
    """A party of a contract, and what it said."""

    role = serializers.CharField(help_text="buyer, supplier or market.")
    name = serializers.CharField()
    credit_code = serializers.CharField()
    answer = serializers.CharField(help_text="waiting, signed or refused.")
    answered_at = serializers.DateTimeField(allow_null=True)


class ContractDetailOutput(ContractOutput):
    """A contract with its tax and its parties."""

    vat_rate = serializers.SerializerMethodField()
    vat_cny = serializers.SerializerMethodField()
    gross_cny = serializers.SerializerMethodField()
    parties = serializers.SerializerMethodField()

    @extend_schema_field(ExactDecimalField())
    def get_vat_rate(self, contract: Contract) -> str:
        """Return the rate, such as 0.0600."""
        return format(sums_of(contract).vat_rate, "f")

    @extend_schema_field(ExactDecimalField())
    def get_vat_cny(self, contract: Contract) -> str:
        """Return the tax."""
        return format(sums_of(contract).vat, "f")

    @extend_schema_field(ExactDecimalField())
    def get_gross_cny(self, contract: Contract) -> str:
        """Return the price with tax."""
        return format(sums_of(contract).gross, "f")

    @extend_schema_field(PartyOutput(many=True))
    def get_parties(self, contract: Contract) -> Any:
        """Return who signs, who provides first."""
        said = answers_on(contract)
        rows = [
            {
                "role": role,
                "name": party.name_zh,
                "credit_code": party.credit_code,
                "answer": said[role].state.value if role in said else "waiting",
                "answered_at": said[role].given_at if role in said else None,
            }
            for role, party in parties_of(contract)
        ]
        return PartyOutput(rows, many=True).data


class ContractPage(serializers.Serializer):
    """A page of contracts."""

    next = serializers.CharField(allow_null=True)
    results = ContractOutput(many=True)


class DeclineInput(StrictSerializer):
    """Why a contract is declined."""

    reason = TextField(max_length=200)
