"""Grid factors decided by two operators, and metered PUE by who runs the place; signed in only."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import SessionView, operates
from marketplace.api.parsers import CsvParser
from marketplace.domain.tables import decode_upload
from marketplace.permissions import Actor
from settlement.api.carbon.serializers import (
    FactorSetList,
    FactorSetOutput,
    FactorSetQuery,
    PueOutput,
    PueQuery,
)
from settlement.models import FactorSet
from settlement.services.carbon.factors import (
    decide_factor_set,
    parse_factor_file,
    propose_factor_set,
)
from settlement.services.carbon.pue import parse_pue_file, record_pue

TAG = ["carbon"]


def _reads_factors(actor: Actor) -> bool:
    return actor.is_operator or actor.is_platform_finance or actor.is_platform_auditor


def _states_pue(actor: Actor) -> bool:
    return actor.is_operator or actor.can_sell


class FactorSetsView(SessionView):
    """The factor sets."""

    readers = staticmethod(_reads_factors)
    writers = staticmethod(operates)
    parser_classes = [CsvParser]

    @extend_schema(operation_id="factor_sets_list", tags=TAG, responses=FactorSetList)
    def get(self, request: Request) -> Response:
        """List every version of published grid factors, the newest year first."""
        rows = FactorSet.objects.order_by("-year", "-version")
        return Response({"results": FactorSetOutput(rows, many=True).data})

    @extend_schema(
        operation_id="factor_sets_propose",
        tags=TAG,
        parameters=[FactorSetQuery],
        request={"text/csv": OpenApiTypes.STR},
        responses={201: FactorSetOutput},
    )
    def post(self, request: Request) -> Response:
        """Enter a published set from a file; one bad line refuses it. Another operator decides."""
        query = FactorSetQuery.read(request)
        made = propose_factor_set(
            actor=self.actor, rows=parse_factor_file(_text_of(request)), **query
        )
        return Response(FactorSetOutput(made).data, status=status.HTTP_201_CREATED)


class FactorSetApproval(SessionView):
    """The second word on a factor set."""

    readers = staticmethod(operates)
    writers = staticmethod(operates)
    approve: ClassVar[bool] = True

    @extend_schema(
        operation_id="factor_sets_approve", tags=TAG, request=None, responses=FactorSetOutput
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Approve a set that somebody else entered; statements from now on use it."""
        return self._decide(public_id)

    def _decide(self, public_id: UUID) -> Response:
        found = decide_factor_set(actor=self.actor, public_id=public_id, approve=self.approve)
        return Response(FactorSetOutput(found).data)


class FactorSetRefusal(FactorSetApproval):
    """The refusal of a factor set."""

    approve = False

    @extend_schema(
        operation_id="factor_sets_refuse", tags=TAG, request=None, responses=FactorSetOutput
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Refuse a set that somebody else entered."""
        return self._decide(public_id)


class PueFiles(SessionView):
    """Metered PUE."""

    readers = staticmethod(_states_pue)
    writers = staticmethod(_states_pue)
    parser_classes = [CsvParser]

    @extend_schema(
        operation_id="pue_files_import",
        tags=TAG,
        parameters=[PueQuery],
        request={"text/csv": OpenApiTypes.STR},
        responses={201: PueOutput},
    )
    def post(self, request: Request) -> Response:
        """Take a file of intervals: hubs by the operator, pools by their supplier; all or none."""
        source = PueQuery.read(request)["measured_by"]
        count = record_pue(actor=self.actor, rows=parse_pue_file(_text_of(request)), source=source)
        return Response({"intervals": count}, status=status.HTTP_201_CREATED)


def _text_of(request: Request) -> str:
    return decode_upload(request.data if isinstance(request.data, bytes) else b"")
