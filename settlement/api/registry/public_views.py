"""The registry explorer for programs: public facts, without holders."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import PublicView
from marketplace.api.pagination import page_of
from settlement.api.registry.instrument_serializers import BatchDetailOutput
from settlement.api.registry.serializers import (
    BatchOutput,
    BatchPage,
    BatchQuery,
    ProjectOutput,
    ProjectPage,
    ProjectQuery,
    RegistryList,
    RegistryOutput,
    SerialOutput,
    SerialQuery,
)
from settlement.selectors.registry.explorer import (
    UnitTotals,
    batch_of_serial,
    batch_totals,
    batches_shown,
    projects_shown,
    registry_faces,
)
from settlement.selectors.registry.holdings import life_of_serial

TAG = ["registries"]


class RegistriesView(PublicView):
    """The registries."""

    @extend_schema(operation_id="registries_list", tags=TAG, responses=RegistryList)
    def get(self, request: Request) -> Response:
        """List every registry with its programmes and its units by state."""
        return Response({"results": RegistryOutput(registry_faces(), many=True).data})


class ProjectsView(PublicView):
    """The projects."""

    @extend_schema(
        operation_id="registry_projects_list",
        tags=TAG,
        parameters=[ProjectQuery],
        responses=ProjectPage,
    )
    def get(self, request: Request) -> Response:
        """List projects, newest first."""
        query = ProjectQuery.read(request)
        rows = projects_shown(registry=query.get("registry", ""), text=query.get("text", ""))
        return page_of(rows, request, ProjectOutput, limit=query["limit"], after=query.get("after"))


class BatchesView(PublicView):
    """The batches."""

    @extend_schema(
        operation_id="unit_batches_list", tags=TAG, parameters=[BatchQuery], responses=BatchPage
    )
    def get(self, request: Request) -> Response:
        """List batches of certificates and credits, newest first."""
        query = BatchQuery.read(request)
        rows = batches_shown(registry=query.get("registry", ""), vintage=query.get("vintage"))
        return page_of(rows, request, BatchOutput, limit=query["limit"], after=query.get("after"))


class BatchView(PublicView):
    """One batch."""

    @extend_schema(operation_id="unit_batches_read", tags=TAG, responses=BatchDetailOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return a batch with its units by state."""
        batch = batches_shown().filter(public_id=public_id).first()
        if batch is None:
            raise NotFound
        totals = batch_totals([batch]).get(batch.pk, UnitTotals({}))
        return Response(BatchDetailOutput({"batch": batch, "totals": totals}).data)


class SerialView(PublicView):
    """One serial."""

    @extend_schema(
        operation_id="serials_read", tags=TAG, parameters=[SerialQuery], responses=SerialOutput
    )
    def get(self, request: Request) -> Response:
        """Return what happened to a serial from issue to death, without holders."""
        query = SerialQuery.read(request)
        found = batch_of_serial(query["serial"], registry=query.get("registry", ""))
        if found is None:
            raise NotFound
        batch, number = found
        content = {
            "serial": batch.serial_text(number),
            "batch": batch,
            "events": life_of_serial(batch, number, None),
        }
        return Response(SerialOutput(content).data)
