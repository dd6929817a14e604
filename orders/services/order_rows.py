"""Orders as plain rows: a book of a hundred thousand is read at once, and none of it is saved."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from orders.models import Auction, Order


class OrderRow(NamedTuple):
    """What freezing and publication need of an order; fields are named as those of the model."""

    pk: int
    public_id: UUID
    hold_reference: UUID | None
    organisation_id: int
    side: str
    kind: str
    parent_id: int | None
    product_id: int
    hub_id: int
    listing_id: int | None
    max_rtt_ms: Decimal | None
    max_carbon_g: Decimal | None
    placement: str
    min_acceptance: Decimal
    min_dengbao_level: int
    requires_xinchuang: bool
    min_trust_level: int
    first_period: int
    last_period: int
    duration: int | None
    quantity: Decimal
    limit_price: Decimal
    worst_case_cny: Decimal


def read_orders(auction: Auction) -> Iterable[OrderRow]:
    """Return the orders in the book of an auction, in the order they came in, in one query."""
    orders = Order.objects.filter(auction=auction, state="active").order_by("submitted_at", "id")
    return map(OrderRow._make, orders.values_list(*OrderRow._fields))
