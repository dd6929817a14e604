"""The organisation's own money: balance, bills, statement."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import MemberView, sees_trades
from marketplace.api.pagination import page_of
from settlement.api.money_serializers import (
    BalanceOutput,
    BillDetailOutput,
    BillOutput,
    BillPage,
    BillQuery,
    SpanQuery,
    StatementOutput,
)
from settlement.exports.files import export_statement
from settlement.exports.report import ExportFile
from settlement.selectors.balances import funds_of
from settlement.selectors.invoices import invoice_for, invoices_of, lines_of
from settlement.selectors.statements import participant_statement

TAG = ["money"]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMAT_OF_TYPE = {"text/csv": "csv", XLSX: "xlsx"}


class MoneyView(MemberView):
    """An endpoint about the organisation's own money."""

    readers = staticmethod(sees_trades)
    read_scope = "finance"


class FileNegotiation(BaseContentNegotiation):
    """Errors are JSON whatever the caller accepts; files are chosen by the view."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the one parser."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        """Return the one renderer."""
        return renderers[0], renderers[0].media_type


class BalanceView(MoneyView):
    """The balance."""

    @extend_schema(operation_id="balance_read", tags=TAG, responses=BalanceOutput)
    def get(self, request: Request) -> Response:
        """Return deposit, credit limit, what is held and what is free."""
        return Response(BalanceOutput(funds_of(self.organisation)).data)


class BillList(MoneyView):
    """The bills."""

    @extend_schema(operation_id="bills_list", tags=TAG, parameters=[BillQuery], responses=BillPage)
    def get(self, request: Request) -> Response:
        """List the organisation's bills (receivable) and settlement statements (payable)."""
        query = BillQuery.read(request)
        rows = invoices_of(self.organisation)
        for name in ("direction", "kind", "state"):
            if name in query:
                rows = rows.filter(**{name: query[name]})
        return page_of(rows, request, BillOutput, limit=query["limit"], after=query.get("after"))


class BillView(MoneyView):
    """One bill."""

    @extend_schema(operation_id="bills_read", tags=TAG, responses=BillDetailOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return one of the organisation's own bills with its lines."""
        bill = invoice_for(self.organisation, public_id)
        return Response(BillDetailOutput({"bill": bill, "lines": lines_of(bill)}).data)


class StatementView(MoneyView):
    """The statement."""

    content_negotiation_class = FileNegotiation

    @extend_schema(
        operation_id="statement_read",
        tags=TAG,
        parameters=[SpanQuery],
        responses={
            (200, "application/json"): StatementOutput,
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, XLSX): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request) -> Response | HttpResponse:
        """Return every movement of the organisation's accounts between two accounting days."""
        query = SpanQuery.read(request)
        span = (query["since"], query["until"])
        wanted = query.get("format") or accepted_format(request)
        if wanted == "json":
            return Response(StatementOutput(participant_statement(self.organisation, *span)).data)
        return file_answer(export_statement(self.organisation, *span, file_format=wanted))


def accepted_format(request: Request) -> str:
    """Return the format of the first media type that names one, else JSON."""
    for part in request.headers.get("Accept", "").split(","):
        media_type = part.split(";")[0].strip().lower()
        if media_type in FORMAT_OF_TYPE:
            return FORMAT_OF_TYPE[media_type]
        if media_type in ("application/json", "*/*"):
            break
    return "json"


def file_answer(file: ExportFile) -> HttpResponse:
    """Return a finished file as a download."""
    return HttpResponse(
        file.content,
        content_type=file.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file.filename}"',
            "Digest": f"sha-256={file.manifest['sha256']}",
        },
    )
