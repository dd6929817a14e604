"""Deliveries from both sides, and the readings that meter them."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import MemberView, buys, sees_trades, sells
from marketplace.api.idempotent import IDEMPOTENCY_KEY, answer_with_key
from marketplace.api.pagination import page_of
from marketplace.api.parsers import CsvParser
from marketplace.api.serializers import checked_body
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.services.idempotency import fingerprint_of
from settlement.api.delivery_serializers import (
    SIDES,
    AccessInput,
    AccessOutput,
    CorrectionsOutput,
    DeliveryOutput,
    DeliveryPage,
    DeliveryQuery,
    ImportedReadings,
    ReadingInput,
    ReadingList,
    ReadingOutput,
    ReadingsInput,
)
from settlement.api.meter_signatures import SIGNATURE, envelope_of
from settlement.models import Delivery
from settlement.selectors.corrections.history import history_of
from settlement.selectors.deliveries import (
    deliveries_bought_by,
    deliveries_sold_by,
    latest_readings,
)
from settlement.services.deliveries import accept_delivery, hand_over, reveal_access
from settlement.services.meter_keys import BatchEnvelope
from settlement.services.metering import ReadingDraft, import_readings, record_readings

TAG = ["deliveries"]
SOURCE = "api"
_ROWS = {"bought": deliveries_bought_by, "sold": deliveries_sold_by}


def meters(actor: Actor) -> bool:
    """Tell whether the actor may send readings: suppliers, and the operator for them."""
    return actor.can_sell or actor.is_operator


class DeliveryView(MemberView):
    """An endpoint about deliveries of the organisation."""

    readers = staticmethod(sees_trades)
    write_scope = "deliveries"

    def described(self, public_id: UUID) -> Any:
        """Return a delivery as the organisation's side reads it; raises NotFound."""
        delivery, side = _own(self.organisation, public_id)
        return DeliveryOutput(delivery, context={"side": side}).data


class DeliveryList(DeliveryView):
    """The organisation's deliveries."""

    @extend_schema(
        operation_id="deliveries_list",
        tags=TAG,
        parameters=[DeliveryQuery],
        responses=DeliveryPage,
    )
    def get(self, request: Request) -> Response:
        """List the deliveries that the organisation receives (bought) or makes (sold)."""
        query = DeliveryQuery.read(request)
        rows = _ROWS[query["side"]](self.organisation)
        if "state" in query:
            rows = rows.filter(state=query["state"])
        return page_of(
            rows,
            request,
            DeliveryOutput,
            limit=query["limit"],
            after=query.get("after"),
            order=("-starts_at", "-id"),
            context={"side": query["side"]},
        )


class DeliveryDetail(DeliveryView):
    """One delivery of the organisation."""

    @extend_schema(operation_id="deliveries_read", tags=TAG, responses=DeliveryOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return a delivery that the organisation receives or makes."""
        return Response(self.described(public_id))


class HandOver(DeliveryView):
    """The supplier's hand-over."""

    writers = staticmethod(sells)

    @extend_schema(
        operation_id="deliveries_hand_over",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=AccessInput,
        responses={200: DeliveryOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Give the buyer access; the text is stored encrypted, a later one replaces it."""
        text = checked_body(AccessInput, request)["access_text"]

        def work() -> tuple[int, Any]:
            hand_over(actor=self.actor, delivery_public_id=public_id, access_text=text)
            return status.HTTP_200_OK, self.described(public_id)

        return answer_with_key(self, work)


class Acceptance(DeliveryView):
    """The buyer's confirmation."""

    writers = staticmethod(buys)

    @extend_schema(
        operation_id="deliveries_accept",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={200: DeliveryOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Confirm that access works; silence counts as consent after the market's hours."""

        def work() -> tuple[int, Any]:
            accept_delivery(actor=self.actor, delivery_public_id=public_id)
            return status.HTTP_200_OK, self.described(public_id)

        return answer_with_key(self, work, content="")


class AccessReveal(DeliveryView):
    """The buyer's look at the access details."""

    writers = staticmethod(buys)

    @extend_schema(
        operation_id="deliveries_reveal_access",
        tags=TAG,
        request=None,
        responses={200: AccessOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Return the access details; every look is written into the audit trail."""
        text = reveal_access(actor=self.actor, delivery_public_id=public_id)
        return Response({"access_text": text}, headers={"Cache-Control": "no-store"})


class DeliveryReadings(DeliveryView):
    """The readings of one delivery."""

    writers = staticmethod(meters)

    @extend_schema(operation_id="deliveries_readings", tags=TAG, responses=ReadingList)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return the newest reading of each interval of a delivery."""
        delivery, _side = _own(self.organisation, public_id)
        rows = latest_readings(delivery).select_related("delivery", "batch")
        return Response({"results": ReadingOutput(rows, many=True).data})

    @extend_schema(
        operation_id="deliveries_record_reading",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=ReadingInput,
        responses={201: ReadingList},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Store one reading of a delivery."""
        values = checked_body(ReadingInput, request)
        return _record(self, [{**values, "delivery": str(public_id)}])


class DeliveryCorrections(DeliveryView):
    """How a delivery was settled, sequence by sequence."""

    @extend_schema(operation_id="deliveries_corrections", tags=TAG, responses=CorrectionsOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return what each settlement run said of one's side of a delivery, and its penalty."""
        delivery, side = _own(self.organisation, public_id)
        history = history_of(delivery, is_seller=side == "sold")
        return Response(CorrectionsOutput(history).data)


class Readings(DeliveryView):
    """Readings of several deliveries."""

    writers = staticmethod(meters)

    @extend_schema(
        operation_id="readings_record",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY, *SIGNATURE],
        request=ReadingsInput,
        responses={201: ReadingList},
    )
    def post(self, request: Request) -> Response:
        """Store readings of one's own deliveries, all of them or none."""
        envelope = envelope_of(request, request.body)
        return _record(self, checked_body(ReadingsInput, request)["readings"], envelope)


class ReadingImport(DeliveryView):
    """Readings from a CSV file."""

    writers = staticmethod(meters)
    parser_classes = [CsvParser]

    @extend_schema(
        operation_id="readings_import",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY, *SIGNATURE],
        request={"text/csv": OpenApiTypes.STR},
        responses={201: ImportedReadings},
    )
    def post(self, request: Request) -> Response:
        """Store every reading of a CSV file, or none; errors name line, column and reason."""
        data = request.data if isinstance(request.data, bytes) else b""
        envelope = envelope_of(request, data)

        def work() -> tuple[int, Any]:
            stored = import_readings(
                actor=self.actor,
                data=data,
                key_fingerprint=envelope.key_fingerprint,
                signature=envelope.signature,
            )
            return status.HTTP_201_CREATED, {"count": len(stored)}

        return answer_with_key(self, work, content=fingerprint_of(data.hex()))


def _record(
    view: MemberView, readings: list[dict[str, Any]], envelope: BatchEnvelope | None = None
) -> Response:
    drafts = [ReadingDraft(**reading) for reading in readings]

    def work() -> tuple[int, Any]:
        stored = record_readings(actor=view.actor, drafts=drafts, source=SOURCE, envelope=envelope)
        return status.HTTP_201_CREATED, {"results": ReadingOutput(stored, many=True).data}

    return answer_with_key(view, work)


def _own(organisation: Organisation, public_id: UUID) -> tuple[Delivery, str]:
    """Return a delivery with the side that the organisation has in it; raises NotFound."""
    for side in SIDES:
        delivery = _ROWS[side](organisation).filter(public_id=public_id).first()
        if delivery is not None:
            return delivery, side
    raise NotFound
