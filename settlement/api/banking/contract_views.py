"""Contracts of the organisation: read, signed, declined."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.idempotent import IDEMPOTENCY_KEY, answer_with_key
from marketplace.api.pagination import page_of
from marketplace.api.serializers import checked_body
from marketplace.domain.errors import NotFound
from settlement.api.banking.contract_serializers import (
    ContractDetailOutput,
    ContractOutput,
    ContractPage,
    ContractQuery,
    DeclineInput,
)
from settlement.api.banking.views import BankingView
from settlement.selectors.banking.contracts import contracts_for
from settlement.services.banking.contract_answers import decline_contract, sign_contract

TAG = ["contracts"]


class ContractList(BankingView):
    """The organisation's contracts."""

    @extend_schema(
        operation_id="contracts_list", tags=TAG, parameters=[ContractQuery], responses=ContractPage
    )
    def get(self, request: Request) -> Response:
        """List the contracts that were sent for signature."""
        query = ContractQuery.read(request)
        rows = contracts_for(self.actor)
        if "state" in query:
            rows = rows.filter(state=query["state"])
        if "confirmation" in query:
            rows = rows.filter(allocation__number=query["confirmation"])
        limits = {"limit": query["limit"], "after": query.get("after")}
        return page_of(rows, request, ContractOutput, **limits)


class ContractView(BankingView):
    """One contract."""

    @extend_schema(operation_id="contracts_read", tags=TAG, responses=ContractDetailOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Read a contract with its tax, its parties and what they said."""
        found = contracts_for(self.actor).filter(public_id=public_id).first()
        if found is None:
            raise NotFound
        return Response(ContractDetailOutput(found).data)


class ContractSignature(BankingView):
    """The answer yes."""

    @extend_schema(
        operation_id="contracts_sign",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=ContractDetailOutput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Sign a contract for the organisation (签署)."""

        def work() -> tuple[int, Any]:
            one = sign_contract(actor=self.actor, public_id=public_id)
            return status.HTTP_200_OK, ContractDetailOutput(one).data

        return answer_with_key(self, work)


class ContractRefusal(BankingView):
    """The answer no."""

    @extend_schema(
        operation_id="contracts_decline",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=DeclineInput,
        responses=ContractDetailOutput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Decline a contract and say why; it becomes void."""
        given = checked_body(DeclineInput, request)

        def work() -> tuple[int, Any]:
            one = decline_contract(actor=self.actor, public_id=public_id, reason=given["reason"])
            return status.HTTP_200_OK, ContractDetailOutput(one).data

        return answer_with_key(self, work)
