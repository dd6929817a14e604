"""Statements to confirm, tax invoices, payouts; and the bank's file for the market's finance."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import MemberView, sees_trades
from marketplace.api.idempotent import IDEMPOTENCY_KEY, answer_with_key
from marketplace.api.pagination import page_of
from marketplace.api.parsers import CsvParser, XmlParser
from marketplace.api.serializers import checked_body
from marketplace.domain.errors import NotFound
from marketplace.permissions import Actor
from marketplace.services.idempotency import fingerprint_of
from settlement.api.banking.serializers import (
    BankStatementOutput,
    MonthlyStatementOutput,
    MonthlyStatementPage,
    MonthlyStatementQuery,
    ObjectionInput,
    PayoutOutput,
    PayoutPage,
    PayoutQuery,
    TaxInvoiceInput,
    TaxInvoiceOutput,
    TaxInvoicePage,
    TaxInvoiceQuery,
)
from settlement.models import Invoice, MonthlyStatement, Payout, PayoutState, TaxInvoice
from settlement.services.banking.monthly_statements import (
    confirm_monthly_statement,
    object_to_monthly_statement,
)
from settlement.services.banking.statements import import_statement
from settlement.services.banking.tax_invoices import request_tax_invoice

TAG = ["statements and payments"]


def keeps_books(actor: Actor) -> bool:
    """Tell whether the actor keeps the market's books."""
    return actor.is_platform_finance


class BankingView(MemberView):
    """An endpoint about statements, tax invoices or payouts of the organisation."""

    readers = staticmethod(sees_trades)
    writers = staticmethod(sees_trades)
    read_scope = "finance"
    write_scope = "finance"


class MonthlyStatementList(BankingView):
    """The organisation's monthly statements."""

    @extend_schema(
        operation_id="monthly_statements_list",
        tags=TAG,
        parameters=[MonthlyStatementQuery],
        responses=MonthlyStatementPage,
    )
    def get(self, request: Request) -> Response:
        """List the monthly statements, every version of them."""
        query = MonthlyStatementQuery.read(request)
        rows = MonthlyStatement.objects.filter(organisation=self.organisation).order_by("-pk")
        if "state" in query:
            rows = rows.filter(state=query["state"])
        limits = {"limit": query["limit"], "after": query.get("after")}
        return page_of(rows, request, MonthlyStatementOutput, **limits)


class MonthlyStatementConfirmation(BankingView):
    """The answer yes."""

    @extend_schema(
        operation_id="monthly_statements_confirm",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=MonthlyStatementOutput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Confirm a statement (对账确认)."""

        def work() -> tuple[int, Any]:
            one = confirm_monthly_statement(actor=self.actor, public_id=public_id)
            return status.HTTP_200_OK, MonthlyStatementOutput(one).data

        return answer_with_key(self, work)


class MonthlyStatementObjection(BankingView):
    """The answer no."""

    @extend_schema(
        operation_id="monthly_statements_object",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=ObjectionInput,
        responses=MonthlyStatementOutput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Object to a statement and say what is wrong."""
        given = checked_body(ObjectionInput, request)

        def work() -> tuple[int, Any]:
            one = object_to_monthly_statement(
                actor=self.actor, public_id=public_id, objection=given["objection"]
            )
            return status.HTTP_200_OK, MonthlyStatementOutput(one).data

        return answer_with_key(self, work)


class TaxInvoiceList(BankingView):
    """The tax invoices that the market owes or issued."""

    @extend_schema(
        operation_id="tax_invoice_requests_list",
        tags=TAG,
        parameters=[TaxInvoiceQuery],
        responses=TaxInvoicePage,
    )
    def get(self, request: Request) -> Response:
        """List the tax invoices asked for, with their numbers once issued."""
        query = TaxInvoiceQuery.read(request)
        rows = TaxInvoice.objects.filter(organisation=self.organisation).order_by("-pk")
        if "state" in query:
            rows = rows.filter(state=query["state"])
        limits = {"limit": query["limit"], "after": query.get("after")}
        return page_of(rows, request, TaxInvoiceOutput, **limits)

    @extend_schema(
        operation_id="tax_invoice_requests_create",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=TaxInvoiceInput,
        responses={201: TaxInvoiceOutput},
    )
    def post(self, request: Request) -> Response:
        """Ask for a tax invoice on bills of the organisation."""
        given = checked_body(TaxInvoiceInput, request)

        def work() -> tuple[int, Any]:
            made = request_tax_invoice(
                actor=self.actor,
                organisation=self.organisation,
                kind=given["kind"],
                bills=self._bills(given["bills"]),
            )
            return status.HTTP_201_CREATED, TaxInvoiceOutput(made).data

        return answer_with_key(self, work)

    def _bills(self, numbers: list[str]) -> list[Invoice]:
        wanted = set(numbers)
        bills = list(Invoice.objects.filter(organisation=self.organisation, number__in=wanted))
        if len(bills) != len(wanted):
            raise NotFound(field="bills")
        return bills


class PayoutList(BankingView):
    """Payments to the organisation."""

    @extend_schema(
        operation_id="payouts_list", tags=TAG, parameters=[PayoutQuery], responses=PayoutPage
    )
    def get(self, request: Request) -> Response:
        """List the payments to the organisation with the statements each one pays."""
        query = PayoutQuery.read(request)
        rows = (
            Payout.objects.filter(organisation=self.organisation)
            .exclude(state=PayoutState.DROPPED)
            .select_related("batch")
            .prefetch_related("items__invoice")
            .order_by("-pk")
        )
        if "state" in query:
            rows = rows.filter(state=query["state"])
        limits = {"limit": query["limit"], "after": query.get("after")}
        return page_of(rows, request, PayoutOutput, **limits)


class BankStatementImport(MemberView):
    """The bank's file."""

    writers = staticmethod(keeps_books)
    write_scope = "finance"
    parser_classes = [CsvParser, XmlParser]

    @extend_schema(
        operation_id="bank_statements_import",
        tags=TAG,
        parameters=[
            IDEMPOTENCY_KEY,
            OpenApiParameter("account", str, OpenApiParameter.PATH, description="Its code."),
        ],
        request={"text/csv": OpenApiTypes.STR, "application/xml": OpenApiTypes.STR},
        responses={201: BankStatementOutput},
    )
    def post(self, request: Request, account: str) -> Response:
        """Take in a statement, camt.053 or CSV in the account's layout; all of it or nothing."""
        data = request.data if isinstance(request.data, bytes) else b""
        is_xml = request.content_type.startswith(XmlParser.media_type)
        filename = "api.xml" if is_xml else "api.csv"

        def work() -> tuple[int, Any]:
            made = import_statement(
                actor=self.actor, account_code=account, filename=filename, data=data
            )
            return status.HTTP_201_CREATED, BankStatementOutput(made).data

        return answer_with_key(self, work, content=fingerprint_of(data.hex()))
