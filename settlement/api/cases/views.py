"""Disputes and compute vouchers of the caller's organisation."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import MemberView, sees_trades
from marketplace.api.idempotent import IDEMPOTENCY_KEY, answer_with_key
from marketplace.api.pagination import page_of
from marketplace.api.serializers import checked_body
from settlement.api.cases.serializers import (
    DisputeDetailOutput,
    DisputeInput,
    DisputeOutput,
    DisputePage,
    DisputeQuery,
    MessageInput,
    MessageOutput,
    RedeemInput,
    TextInput,
    VoucherOutput,
    VoucherPage,
    VoucherQuery,
)
from settlement.models import Voucher, VoucherState
from settlement.selectors.cases.disputes import (
    dispute_for,
    disputes_for,
    evidence_for,
    messages_for,
)
from settlement.services.cases.dispute_records import add_message
from settlement.services.cases.disputes import (
    answer_dispute,
    insist_on_dispute,
    open_dispute,
    withdraw_dispute,
)
from settlement.services.cases.redemption import redeem_voucher

TAG = ["disputes and vouchers"]


class CaseView(MemberView):
    """An endpoint about disputes or vouchers of the organisation."""

    readers = staticmethod(sees_trades)
    writers = staticmethod(sees_trades)
    read_scope = "finance"
    write_scope = "finance"

    def described(self, public_id: UUID) -> Any:
        """Return a dispute as the caller may read it; raises NotFound."""
        dispute = dispute_for(self.actor, public_id)
        return DisputeDetailOutput(
            {
                "dispute": dispute,
                "messages": messages_for(self.actor, dispute),
                "evidence": evidence_for(self.actor, dispute),
            }
        ).data


class DisputeList(CaseView):
    """The organisation's disputes."""

    @extend_schema(
        operation_id="disputes_list", tags=TAG, parameters=[DisputeQuery], responses=DisputePage
    )
    def get(self, request: Request) -> Response:
        """List the disputes that the organisation opened or has to answer."""
        query = DisputeQuery.read(request)
        rows = disputes_for(self.actor)
        if "state" in query:
            rows = rows.filter(state=query["state"])
        return page_of(rows, request, DisputeOutput, limit=query["limit"], after=query.get("after"))

    @extend_schema(
        operation_id="disputes_open",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=DisputeInput,
        responses={201: DisputeDetailOutput},
    )
    def post(self, request: Request) -> Response:
        """Open a dispute about a settled delivery; its disputed part is held."""
        given = checked_body(DisputeInput, request)

        def work() -> tuple[int, Any]:
            dispute = open_dispute(
                actor=self.actor,
                delivery_public_id=given["delivery"],
                ground=given["ground"],
                claim=given["claim"],
                claimed_net_cny=given["amount"],
            )
            return status.HTTP_201_CREATED, self.described(dispute.public_id)

        return answer_with_key(self, work)


class DisputeDetail(CaseView):
    """One dispute."""

    @extend_schema(operation_id="disputes_read", tags=TAG, responses=DisputeDetailOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return a dispute with what was said and handed in."""
        return Response(self.described(public_id))


class DisputeAnswer(CaseView):
    """The other side's answer."""

    @extend_schema(
        operation_id="disputes_answer",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=TextInput,
        responses={200: DisputeDetailOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Answer once, within the term."""
        dispute_for(self.actor, public_id)
        text = checked_body(TextInput, request)["text"]

        def work() -> tuple[int, Any]:
            answer_dispute(actor=self.actor, public_id=public_id, text=text)
            return status.HTTP_200_OK, self.described(public_id)

        return answer_with_key(self, work)


class DisputeInsistence(CaseView):
    """The opener's wish for a ruling."""

    @extend_schema(
        operation_id="disputes_insist",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={200: DisputeDetailOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Ask for a ruling after the answer."""

        def work() -> tuple[int, Any]:
            insist_on_dispute(actor=self.actor, public_id=public_id)
            return status.HTTP_200_OK, self.described(public_id)

        return answer_with_key(self, work)


class DisputeWithdrawal(CaseView):
    """The opener's withdrawal."""

    @extend_schema(
        operation_id="disputes_withdraw",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={200: DisputeDetailOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Take an own dispute back, which frees what was held."""

        def work() -> tuple[int, Any]:
            withdraw_dispute(actor=self.actor, public_id=public_id)
            return status.HTTP_200_OK, self.described(public_id)

        return answer_with_key(self, work)


class DisputeMessages(CaseView):
    """Messages of a dispute."""

    @extend_schema(
        operation_id="disputes_say",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=MessageInput,
        responses={201: MessageOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Add a message to an open dispute."""
        dispute_for(self.actor, public_id)
        given = checked_body(MessageInput, request)

        def work() -> tuple[int, Any]:
            message = add_message(
                actor=self.actor,
                public_id=public_id,
                text=given["text"],
                visibility=given.get("visibility", "parties"),
            )
            return status.HTTP_201_CREATED, MessageOutput(message).data

        return answer_with_key(self, work)


class VoucherList(CaseView):
    """The organisation's compute vouchers."""

    @extend_schema(
        operation_id="vouchers_list", tags=TAG, parameters=[VoucherQuery], responses=VoucherPage
    )
    def get(self, request: Request) -> Response:
        """List the organisation's vouchers, the latest first."""
        query = VoucherQuery.read(request)
        rows = Voucher.objects.filter(organisation=self.organisation).select_related("programme")
        rows = rows.exclude(state__in=(VoucherState.ENTERED, VoucherState.REJECTED))
        if "state" in query:
            rows = rows.filter(state=query["state"])
        return page_of(rows, request, VoucherOutput, limit=query["limit"], after=query.get("after"))


class VoucherRedemption(CaseView):
    """A voucher used on a bill."""

    @extend_schema(
        operation_id="vouchers_redeem",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=RedeemInput,
        responses={200: VoucherOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Use an own voucher on an own bill; new bills use vouchers by themselves."""
        bill = checked_body(RedeemInput, request)["bill"]

        def work() -> tuple[int, Any]:
            voucher = redeem_voucher(actor=self.actor, public_id=public_id, bill_public_id=bill)
            return status.HTTP_200_OK, VoucherOutput(voucher).data

        return answer_with_key(self, work)
