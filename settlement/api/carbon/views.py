"""Carbon statements: list, one with its deliveries, evidence, closing."""

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import MemberView
from marketplace.api.pagination import page_of
from marketplace.api.serializers import checked_body
from marketplace.permissions import Actor
from settlement.api.carbon.serializers import (
    CarbonStatementDetailOutput,
    CarbonStatementOutput,
    CarbonStatementPage,
    CarbonStatementQuery,
    CorrectionInput,
    StatementInput,
)
from settlement.api.money_views import FileNegotiation, file_answer
from settlement.exports.carbon.evidence import CONTENT_TYPES, FORMATS, INPUTS, evidence_file
from settlement.selectors.carbon.effectiveness import effectiveness_of
from settlement.selectors.carbon.statements import (
    lines_of_statement,
    reads_all,
    statement_for,
    statements_for,
)
from settlement.services.carbon.closing import close_statement, subject_of
from settlement.services.carbon.gathering import SubjectKey
from settlement.services.carbon.statements import issue_statement

TAG = ["carbon"]


def _reads(actor: Actor) -> bool:
    organisation = actor.organisation
    own = organisation is not None and not organisation.is_platform
    return reads_all(actor) or (own and actor.can_see_own_money)


def _closes(actor: Actor) -> bool:
    return _reads(actor) and not actor.is_platform_auditor


class CarbonView(MemberView):
    """An endpoint about carbon statements: the own ones, or everybody's for the market's people."""

    readers = staticmethod(_reads)
    writers = staticmethod(_closes)
    read_scope = "finance"


class CarbonStatementList(CarbonView):
    """The current statements."""

    @extend_schema(
        operation_id="carbon_statements_list",
        tags=TAG,
        parameters=[CarbonStatementQuery],
        responses=CarbonStatementPage,
    )
    def get(self, request: Request) -> Response:
        """List current carbon statements, the latest issued first."""
        query = CarbonStatementQuery.read(request)
        rows = statements_for(self.actor)
        for name in ("month", "subject"):
            if name in query:
                rows = rows.filter(**{name: query[name]})
        return page_of(
            rows, request, CarbonStatementOutput, limit=query["limit"], after=query.get("after")
        )

    @extend_schema(
        operation_id="carbon_statements_issue",
        tags=TAG,
        request=StatementInput,
        responses={201: CarbonStatementOutput},
    )
    def post(self, request: Request) -> Response:
        """State a month of the own organisation as a buyer from what is settled so far.

        The same inputs give the same statement; changed ones supersede it by a next version.
        """
        month = checked_body(StatementInput, request)["month"].replace(day=1)
        if self.organisation.is_platform:
            raise NotFound
        statement = issue_statement(
            subject=SubjectKey.of_buyer(self.organisation), month=month, actor=self.actor
        )
        return Response(CarbonStatementOutput(statement).data, status=status.HTTP_201_CREATED)


class CarbonStatementDetail(CarbonView):
    """One statement."""

    @extend_schema(
        operation_id="carbon_statements_read", tags=TAG, responses=CarbonStatementDetailOutput
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return a version of a carbon statement with its deliveries, PUE, CUE, REF and SCI."""
        statement = statement_for(self.actor, public_id)
        content = {
            "statement": statement,
            "effectiveness": effectiveness_of(statement),
            "lines": lines_of_statement(statement),
        }
        return Response(CarbonStatementDetailOutput(content).data)


class CarbonEvidence(CarbonView):
    """The evidence of a statement."""

    content_negotiation_class = FileNegotiation

    @extend_schema(
        operation_id="carbon_statements_evidence",
        tags=TAG,
        parameters=[
            OpenApiParameter(
                "file_format", str, OpenApiParameter.PATH, enum=[*FORMATS, INPUTS], required=True
            )
        ],
        responses={(200, kind): OpenApiTypes.BINARY for kind in CONTENT_TYPES.values()},
    )
    def get(self, request: Request, public_id: UUID, file_format: str) -> HttpResponse:
        """Return the evidence as a file; `inputs` is the document that the SHA-256 is of."""
        return file_answer(evidence_file(statement_for(self.actor, public_id), file_format))


class CarbonStatementClose(CarbonView):
    """Closing a statement."""

    @extend_schema(
        operation_id="carbon_statements_close",
        tags=TAG,
        request=None,
        responses=CarbonStatementOutput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Close a statement of a month that is over: no certificate is added any more."""
        statement = close_statement(actor=self.actor, public_id=public_id)
        return Response(CarbonStatementOutput(statement).data)


class CarbonStatementCorrection(CarbonView):
    """Stating a subject's month again."""

    @extend_schema(
        operation_id="carbon_statements_correct",
        tags=TAG,
        request=CorrectionInput,
        responses=CarbonStatementOutput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """State the same subject and month again; once the statement is closed, with a reason."""
        values = checked_body(CorrectionInput, request)
        found = statement_for(self.actor, public_id)
        made = issue_statement(
            subject=subject_of(found), month=found.month, actor=self.actor, **values
        )
        return Response(CarbonStatementOutput(made).data)
