"""A member's own units: holdings, transfers, reservations, retirements.

Moving units needs a signed-in person: no scope of a token allows it.
"""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import MemberView, sees_trades
from marketplace.api.idempotent import IDEMPOTENCY_KEY, answer_with_key
from marketplace.api.pagination import PageQuery, page_of
from marketplace.api.serializers import checked_body
from marketplace.permissions import Actor
from settlement.api.registry.serializers import (
    HoldingList,
    HoldingOutput,
    HoldingQuery,
    MovementOutput,
    ReservationInput,
    ReservationOutput,
    RetirementDetailOutput,
    RetirementInput,
    RetirementOutput,
    RetirementPage,
    TransferInput,
)
from settlement.models import Retirement
from settlement.selectors.registry.holdings import (
    holdings_of,
    reads_all_units,
    retirements_for,
)
from settlement.selectors.registry.naming import (
    beneficiary_named,
    blocks_named,
    member_named,
    reservation_named,
)
from settlement.services.registry.access import may_move_units
from settlement.services.registry.holdings import (
    release_reservation,
    reserve_units,
    retire_units,
    transfer_units,
)

TAG = ["certificates and credits"]


def reads_units(actor: Actor) -> bool:
    """Tell whether the actor reads retirements: members their own, the platform all."""
    return sees_trades(actor) or reads_all_units(actor)


class UnitView(MemberView):
    """An endpoint about the organisation's own units."""

    readers = staticmethod(sees_trades)
    writers = staticmethod(may_move_units)
    read_scope = "finance"


class HoldingsView(UnitView):
    """The holdings."""

    @extend_schema(
        operation_id="holdings_list", tags=TAG, parameters=[HoldingQuery], responses=HoldingList
    )
    def get(self, request: Request) -> Response:
        """List every range of serials that the organisation holds or used up, with its state."""
        query = HoldingQuery.read(request)
        rows = holdings_of(
            self.organisation, registry=query.get("registry", ""), state=query.get("state", "")
        )
        return Response({"results": HoldingOutput(rows, many=True).data})


class TransfersView(UnitView):
    """Transfers."""

    @extend_schema(
        operation_id="unit_transfers_create",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=TransferInput,
        responses={201: MovementOutput},
    )
    def post(self, request: Request) -> Response:
        """Hand units to another member; one unusable serial refuses the whole request."""
        values = checked_body(TransferInput, request)

        def work() -> tuple[int, Any]:
            movement = transfer_units(
                actor=self.actor,
                ranges=blocks_named(values["ranges"]),
                to_organisation=member_named(values["to_organisation"], field="to_organisation"),
                reason=values["reason"],
                reservation=reservation_named(values.get("reservation"), self.organisation),
            )
            return status.HTTP_201_CREATED, MovementOutput(movement).data

        return answer_with_key(self, work)


class ReservationsView(UnitView):
    """Reservations."""

    @extend_schema(
        operation_id="unit_reservations_create",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=ReservationInput,
        responses={201: ReservationOutput},
    )
    def post(self, request: Request) -> Response:
        """Set units aside until a time; the reference names what for, once per organisation."""
        values = checked_body(ReservationInput, request)

        def work() -> tuple[int, Any]:
            reservation = reserve_units(
                actor=self.actor,
                ranges=blocks_named(values["ranges"]),
                expires_at=values["expires_at"],
                source_type="member",
                source_id=f"{self.organisation.code}:{values['reference']}",
            )
            return status.HTTP_201_CREATED, ReservationOutput(reservation).data

        return answer_with_key(self, work)


class ReservationRelease(UnitView):
    """The end of a reservation."""

    @extend_schema(
        operation_id="unit_reservations_release",
        tags=TAG,
        request=None,
        responses=ReservationOutput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Give the units of an own reservation back before its time."""
        reservation = reservation_named(public_id, self.organisation)
        if reservation is None:
            raise NotFound
        released = release_reservation(actor=self.actor, reservation=reservation)
        return Response(ReservationOutput(released).data)


class RetirementsView(UnitView):
    """Retirements."""

    readers = staticmethod(reads_units)

    @extend_schema(
        operation_id="retirements_list", tags=TAG, parameters=[PageQuery], responses=RetirementPage
    )
    def get(self, request: Request) -> Response:
        """List retirements by or for the organisation, newest first."""
        query = PageQuery.read(request)
        rows = retirements_for(self.actor)
        return page_of(
            rows, request, RetirementOutput, limit=query["limit"], after=query.get("after")
        )

    @extend_schema(
        operation_id="retirements_create",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=RetirementInput,
        responses={201: RetirementDetailOutput},
    )
    def post(self, request: Request) -> Response:
        """Use units up for one beneficiary; nothing brings them back."""
        values = checked_body(RetirementInput, request)

        def work() -> tuple[int, Any]:
            retirement = retire_units(
                actor=self.actor,
                ranges=blocks_named(values["ranges"]),
                beneficiary=beneficiary_named(values["beneficiary"]),
                purpose=values["purpose"],
                claim_month=values["claim_month"],
                claim_hour=values.get("claim_hour"),
                note=values["note"],
                reservation=reservation_named(values.get("reservation"), self.organisation),
            )
            return status.HTTP_201_CREATED, _detail(retirement)

        return answer_with_key(self, work)


class RetirementView(UnitView):
    """One retirement."""

    readers = staticmethod(reads_units)

    @extend_schema(operation_id="retirements_read", tags=TAG, responses=RetirementDetailOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return a retirement with its serials."""
        found = retirements_for(self.actor).filter(public_id=public_id).first()
        if found is None:
            raise NotFound
        return Response(_detail(found))


def _detail(retirement: Retirement) -> Any:
    lines = retirement.lines.select_related("batch").order_by("line")
    return RetirementDetailOutput({"retirement": retirement, "lines": lines}).data
