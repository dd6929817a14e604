"""The platform's hand on netting cycles, step by step; signed in only."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.serializers import checked_body
from settlement.api.recognition.desk_serializers import CycleInput, FailureInput, ObligationInput
from settlement.api.recognition.desk_views import ConfirmedDeskView, DeskView
from settlement.api.recognition.serializers import ComputationOutput, CycleOutput, ObligationOutput
from settlement.api.recognition.views import TAG, CyclesView
from settlement.services.recognition.netting import compute_cycle, fail_party, settle_cycle
from settlement.services.recognition.netting_entry import (
    CycleDraft,
    ObligationDraft,
    add_obligation,
    freeze_cycle,
    open_cycle,
)
from settlement.services.registry.access import may_keep_registry


class CyclesDesk(CyclesView):
    """The netting cycles, and a new one."""

    writers = staticmethod(may_keep_registry)

    @extend_schema(
        operation_id="netting_cycles_open",
        tags=TAG,
        request=CycleInput,
        responses={201: CycleOutput},
    )
    def post(self, request: Request) -> Response:
        """Open a cycle over units of one registry, kind and vintage."""
        cycle = open_cycle(actor=self.actor, draft=CycleDraft(**checked_body(CycleInput, request)))
        return Response(CycleOutput(cycle).data, status=status.HTTP_201_CREATED)


class Obligations(DeskView):
    """What is owed in a cycle."""

    @extend_schema(
        operation_id="netting_cycles_add_obligation",
        tags=TAG,
        request=ObligationInput,
        responses={201: ObligationOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Add what one member owes another; the same reference again returns the first."""
        values = checked_body(ObligationInput, request)
        draft = ObligationDraft(statement_public_id=values.pop("statement", None), **values)
        made = add_obligation(actor=self.actor, cycle_public_id=public_id, draft=draft)
        return Response(ObligationOutput(made).data, status=status.HTTP_201_CREATED)


class CycleStep(ConfirmedDeskView):
    """A step of a cycle; the subclass names the service and what it answers with."""

    step: ClassVar[Callable[..., Any]]
    output: ClassVar[type[CycleOutput] | type[ComputationOutput]] = CycleOutput

    def post(self, request: Request, public_id: UUID) -> Response:
        """Take the step; a repeated call changes nothing."""
        done = type(self).step(actor=self.actor, cycle_public_id=public_id)
        return Response(type(self).output(done).data)


def _describe(name: str, text: str, output: Any = CycleOutput) -> Any:
    operation = extend_schema(
        operation_id=f"netting_cycles_{name}",
        tags=TAG,
        description=text,
        request=None,
        responses=output,
    )
    return extend_schema_view(post=operation)


@_describe("freeze", "Close a cycle for obligations; a repeated call changes nothing.")
class CycleFreezing(CycleStep):
    """A cycle that takes no more."""

    step = staticmethod(freeze_cycle)


@_describe(
    "compute", "Net a frozen cycle; a repeated call returns what it finds.", ComputationOutput
)
class CycleComputation(CycleStep):
    """The netting."""

    step = staticmethod(compute_cycle)
    output = ComputationOutput


@_describe(
    "settle",
    "Move units and cash of a computation that somebody else made. If a party cannot perform, "
    "nothing moves: it leaves the cycle, which is computed anew and stays `computed`.",
)
class CycleSettlement(CycleStep):
    """The settlement."""

    step = staticmethod(settle_cycle)


class CycleFailures(ConfirmedDeskView):
    """Parties that leave a cycle."""

    @extend_schema(
        operation_id="netting_cycles_fail_party",
        tags=TAG,
        request=FailureInput,
        responses={201: ComputationOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Take a party out with all its obligations; the rest is computed anew."""
        values = checked_body(FailureInput, request)
        computation = fail_party(
            actor=self.actor,
            cycle_public_id=public_id,
            party_code=values["party"],
            reason=values["reason"],
        )
        return Response(ComputationOutput(computation).data, status=status.HTTP_201_CREATED)
