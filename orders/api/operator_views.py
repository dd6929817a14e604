"""The operator's hand on an auction, signed in and with a reason.

Halting and resuming happen at once; cancelling, extending and clearing again are requests that
another operator decides on.
"""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import SessionView, operates
from marketplace.api.fields import TextField, WholeNumberField
from marketplace.api.serializers import StrictSerializer, checked_body
from marketplace.models import TwoPersonRequest
from marketplace.services.two_person import refuse_request
from orders.api.auction_serializers import AuctionOutput
from orders.models import Auction
from orders.selectors.auctions import recent_auctions
from orders.services.control import (
    approve,
    request_cancellation,
    request_extension,
    request_rerun,
)
from orders.services.interventions import halt_auction, resume_auction

TAG = ["operator"]


class ReasonInput(StrictSerializer):
    """Why the operator steps in."""

    reason = TextField(max_length=300)


class InterventionView(SessionView):
    """One way of stepping in; the subclass names the service."""

    readers = staticmethod(operates)
    writers = staticmethod(operates)
    intervene: ClassVar[Callable[..., Auction]]

    def post(self, request: Request, public_id: UUID) -> Response:
        """Step in, and return the auction."""
        reason = checked_body(ReasonInput, request)["reason"]
        rows: Any = recent_auctions().filter(public_id=public_id)
        auction = rows.first()
        if auction is None:
            raise NotFound
        type(self).intervene(actor=self.actor, auction_id=auction.pk, reason=reason)
        return Response(AuctionOutput(rows.get()).data)


def _describe(name: str, text: str) -> Any:
    operation = extend_schema(
        operation_id=f"auctions_{name}",
        tags=TAG,
        description=text,
        request=ReasonInput,
        responses={200: AuctionOutput},
    )
    return extend_schema_view(post=operation)


@_describe("halt", "Stop an auction where it is.")
class AuctionHalt(InterventionView):
    """Halting an auction."""

    intervene = staticmethod(halt_auction)


@_describe("resume", "Let a halted or parked auction go on.")
class AuctionResumption(InterventionView):
    """Resuming an auction."""

    intervene = staticmethod(resume_auction)


class TwoPersonRequestOutput(serializers.ModelSerializer):
    """A request that another operator decides on; times are real time."""

    id = serializers.UUIDField(source="public_id")

    class Meta:
        model = TwoPersonRequest
        fields = (
            *("id", "action", "object_name", "params", "reason", "state"),
            *("requested_at", "expires_at", "decided_at", "decision_note"),
        )


class RequestView(SessionView):
    """One act that needs a second operator; the subclass names the service."""

    readers = staticmethod(operates)
    writers = staticmethod(operates)
    ask: ClassVar[Callable[..., TwoPersonRequest]]
    body: ClassVar[type[StrictSerializer]] = ReasonInput

    def post(self, request: Request, public_id: UUID) -> Response:
        """Write the request down; another operator decides."""
        values = checked_body(type(self).body, request)
        auction = recent_auctions().filter(public_id=public_id).first()
        if auction is None:
            raise NotFound
        made = type(self).ask(actor=self.actor, auction_id=auction.pk, **values)
        return Response(TwoPersonRequestOutput(made).data, status=202)


class ExtensionInput(ReasonInput):
    """By how many minutes of market time the gate closes later, and why."""

    minutes = WholeNumberField(min_value=1, max_value=1440)


def _describe_request(name: str, text: str, body: type[StrictSerializer] = ReasonInput) -> Any:
    operation = extend_schema(
        operation_id=f"auctions_{name}",
        tags=TAG,
        description=text,
        request=body,
        responses={202: TwoPersonRequestOutput},
    )
    return extend_schema_view(post=operation)


@_describe_request("cancel", "Ask to call an auction off; another operator decides.")
class AuctionCancellation(RequestView):
    """Cancelling an auction."""

    ask = staticmethod(request_cancellation)


@_describe_request("rerun", "Ask to clear a closed, unpublished book again.")
class AuctionRerun(RequestView):
    """Clearing an auction again."""

    ask = staticmethod(request_rerun)


@_describe_request("extend", "Ask to put the gate closure off.", ExtensionInput)
class AuctionExtension(RequestView):
    """Extending a gate."""

    ask = staticmethod(request_extension)
    body = ExtensionInput


class NoteInput(StrictSerializer):
    """What the one who decides adds."""

    note = TextField(max_length=300, required=False, default="")


class DecisionView(SessionView):
    """A decision on another operator's request; the subclass names the service."""

    readers = staticmethod(operates)
    writers = staticmethod(operates)
    decide: ClassVar[Callable[..., TwoPersonRequest]]

    def post(self, request: Request, public_id: UUID) -> Response:
        """Decide, and return the request."""
        note = checked_body(NoteInput, request)["note"]
        made = type(self).decide(actor=self.actor, public_id=public_id, note=note)
        return Response(TwoPersonRequestOutput(made).data)


def _describe_decision(name: str, text: str) -> Any:
    operation = extend_schema(
        operation_id=f"operator_requests_{name}",
        tags=TAG,
        description=text,
        request=NoteInput,
        responses={200: TwoPersonRequestOutput},
    )
    return extend_schema_view(post=operation)


@_describe_decision("approve", "Approve another operator's request and carry it out.")
class RequestApproval(DecisionView):
    """Approving."""

    decide = staticmethod(approve)


@_describe_decision("refuse", "Refuse another operator's request; the note says why.")
class RequestRefusal(DecisionView):
    """Refusing."""

    decide = staticmethod(refuse_request)


@extend_schema_view(
    get=extend_schema(
        operation_id="operator_requests_list",
        tags=TAG,
        responses=TwoPersonRequestOutput(many=True),
        description="The requests that wait, and the latest ones that were decided.",
    )
)
class RequestList(SessionView):
    """Two-person requests."""

    readers = staticmethod(operates)
    writers = staticmethod(operates)

    def get(self, request: Request) -> Response:
        """List requests, the newest first."""
        rows = TwoPersonRequest.objects.order_by("-id")[:100]
        return Response(TwoPersonRequestOutput(rows, many=True).data)
