"""The operator's hand on an auction: halt, resume, cancel; signed in, with a reason."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import SessionView, operates
from marketplace.api.fields import TextField
from marketplace.api.serializers import StrictSerializer, checked_body
from orders.api.auction_serializers import AuctionOutput
from orders.models import Auction
from orders.selectors.auctions import recent_auctions
from orders.services.interventions import cancel_auction, halt_auction, resume_auction

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


@_describe("cancel", "Call an auction off; every hold is released.")
class AuctionCancellation(InterventionView):
    """Cancelling an auction."""

    intervene = staticmethod(cancel_auction)
