"""Which deliveries a visitor may see, and from which side."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest

from marketplace.permissions import Actor
from marketplace.web.access import current_actor, require, trades
from settlement.models import Delivery

PARTIES = (
    "allocation__auction__calendar",
    "allocation__buyer",
    "allocation__seller",
    "allocation__product",
    "allocation__hub",
    "allocation__supply_hub",
    "allocation__listing__pool__hardware",
    "allocation__buy_order__scenario",
)


def is_of_platform(actor: Actor) -> bool:
    """Tell whether the actor may read every member's deliveries."""
    return actor.is_operator or actor.is_platform_finance or actor.is_platform_auditor


require_reader = require(lambda actor: trades(actor) or is_of_platform(actor))


@dataclass(frozen=True, slots=True)
class SeenDelivery:
    """A delivery with the side from which it is looked at."""

    delivery: Delivery
    actor: Actor

    @property
    def is_buyer(self) -> bool:
        """Whether the visitor's organisation bought it."""
        return self.delivery.allocation.buyer_id == self._organisation

    @property
    def is_seller(self) -> bool:
        """Whether the visitor's organisation sold it."""
        return self.delivery.allocation.seller_id == self._organisation

    @property
    def is_platform(self) -> bool:
        """Whether the visitor reads for the market operator."""
        return is_of_platform(self.actor)

    @property
    def _organisation(self) -> int | None:
        return self.actor.organisation.pk if self.actor.organisation else None


def find_delivery(request: HttpRequest, public_id: UUID) -> SeenDelivery:
    """Return a delivery that the visitor's organisation is party to, or answer 404."""
    actor = current_actor(request)
    rows = Delivery.objects.select_related(*PARTIES).filter(public_id=public_id)
    if not is_of_platform(actor):
        own = actor.organisation
        rows = rows.filter(Q(allocation__buyer=own) | Q(allocation__seller=own))
    delivery = rows.first()
    if delivery is None:
        raise Http404
    return SeenDelivery(delivery, actor)
