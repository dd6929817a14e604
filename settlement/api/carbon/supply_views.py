"""Hourly green supply: sources, hours by JSON or file, shares of data centres, stated shares."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import MemberView, SessionView, operates, sells
from marketplace.api.parsers import CsvParser
from marketplace.api.serializers import checked_body
from marketplace.domain.tables import decode_upload
from marketplace.permissions import Actor
from settlement.api.carbon.supply_serializers import (
    PoolSharesList,
    ReferenceInput,
    ReferenceList,
    ReferenceOutput,
    SharesQuery,
    SourceInput,
    SourceList,
    SourceOutput,
    SupplyInput,
    SupplyTaken,
)
from settlement.models import GreenReference
from settlement.selectors.carbon.scores import pool_figures
from settlement.selectors.carbon.statements import reads_all
from settlement.selectors.carbon.supply import sources_for
from settlement.services.carbon.references import state_reference
from settlement.services.carbon.supply import (
    SupplyRow,
    parse_supply_file,
    record_supply,
    register_source,
)

TAG = ["carbon"]


def _reads(actor: Actor) -> bool:
    return reads_all(actor) or actor.can_sell


class SupplyView(MemberView):
    """An endpoint about the green supply of the own data centres."""

    readers = staticmethod(_reads)
    writers = staticmethod(sells)
    write_scope = "deliveries"


class GreenSources(SupplyView):
    """Sources of green energy."""

    @extend_schema(operation_id="green_sources_list", tags=TAG, responses=SourceList)
    def get(self, request: Request) -> Response:
        """List the sources of the own data centres; the market's people see all."""
        return Response({"results": SourceOutput(sources_for(self.actor), many=True).data})

    @extend_schema(
        operation_id="green_sources_register",
        tags=TAG,
        request=SourceInput,
        responses={201: SourceOutput},
    )
    def post(self, request: Request) -> Response:
        """Register a source of one of the own data centres; it gets a code."""
        made = register_source(actor=self.actor, **checked_body(SourceInput, request))
        return Response(SourceOutput(made).data, status=status.HTTP_201_CREATED)


class GreenSupply(SupplyView):
    """Hours of green supply, and the shares that follow from them."""

    @extend_schema(
        operation_id="green_supply_shares",
        tags=TAG,
        parameters=[SharesQuery],
        responses=PoolSharesList,
    )
    def get(self, request: Request) -> Response:
        """Return the green shares of data centres in a month and the year up to it."""
        month = SharesQuery.read(request)["month"].replace(day=1)
        own = None if reads_all(self.actor) else self.organisation
        figures = pool_figures(month=month, organisation=own)
        return Response(PoolSharesList({"results": figures}).data)

    @extend_schema(
        operation_id="green_supply_record",
        tags=TAG,
        request=SupplyInput,
        responses={201: SupplyTaken},
    )
    def post(self, request: Request) -> Response:
        """Record hours, all or none; what is known with the same figures changes nothing."""
        hours = checked_body(SupplyInput, request)["hours"]
        rows = [SupplyRow(line=number, **hour) for number, hour in enumerate(hours, start=1)]
        taken = record_supply(actor=self.actor, rows=rows)
        return Response({"hours": taken}, status=status.HTTP_201_CREATED)


class GreenSupplyFiles(SupplyView):
    """Files of hours."""

    parser_classes = [CsvParser]

    @extend_schema(
        operation_id="green_supply_files_import",
        tags=TAG,
        request={"text/csv": OpenApiTypes.STR},
        responses={201: SupplyTaken},
    )
    def post(self, request: Request) -> Response:
        """Take a file of hours: the whole of it, or nothing with the line that is wrong."""
        text = decode_upload(request.data if isinstance(request.data, bytes) else b"")
        taken = record_supply(actor=self.actor, rows=parse_supply_file(text))
        return Response({"hours": taken}, status=status.HTTP_201_CREATED)


class GreenReferences(SessionView):
    """Published shares that green figures are held against."""

    writers = staticmethod(operates)

    @extend_schema(operation_id="green_references_list", tags=TAG, responses=ReferenceList)
    def get(self, request: Request) -> Response:
        """List stated shares of grids and the targets of data centres, the newest first."""
        rows = GreenReference.objects.order_by("kind", "area_en", "-valid_from")
        return Response({"results": ReferenceOutput(rows, many=True).data})

    @extend_schema(
        operation_id="green_references_state",
        tags=TAG,
        request=ReferenceInput,
        responses={201: ReferenceOutput},
    )
    def post(self, request: Request) -> Response:
        """Enter a published share with its source; a later day supersedes it."""
        made = state_reference(actor=self.actor, **checked_body(ReferenceInput, request))
        return Response(ReferenceOutput(made).data, status=status.HTTP_201_CREATED)
