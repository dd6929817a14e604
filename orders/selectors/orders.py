"""A member's own orders and allocations; every query starts from the organisation."""

from uuid import UUID

from django.db.models import Count, QuerySet

from marketplace.models import Organisation
from orders.models import Allocation, Order

# What an order consists of, beside its own row.
PARTS = ("curve_steps", "options__legs__hub", "options__legs__product")


def orders_of(organisation: Organisation) -> QuerySet[Order]:
    """Return a member's orders, newest first, with what a list shows (one query)."""
    return (
        Order.objects.filter(organisation=organisation)
        .select_related("auction", "product", "hub", "listing", "scenario", "parent", "project")
        .order_by("-id")
    )


def order_of(organisation: Organisation, public_id: UUID) -> Order | None:
    """Return one of a member's orders with its steps, options and legs; None for foreign ones."""
    found = orders_of(organisation).filter(public_id=public_id)
    return found.prefetch_related(
        "curve_steps", "options__legs__hub", "options__legs__product"
    ).first()


def order_counts(organisation: Organisation) -> dict[str, int]:
    """Return how many orders a member has in each state."""
    rows = Order.objects.filter(organisation=organisation).values_list("state")
    return dict(rows.annotate(number=Count("id")).order_by("state"))


def purchases_of(organisation: Organisation) -> QuerySet[Allocation]:
    """Return what a member bought, newest first."""
    return _allocations().filter(buyer=organisation)


def sales_allocations_of(organisation: Organisation) -> QuerySet[Allocation]:
    """Return what a member sold, newest first."""
    return _allocations().filter(seller=organisation)


def _allocations() -> QuerySet[Allocation]:
    related = ("auction", "product", "hub", "supply_hub", "listing", "buyer", "seller")
    return Allocation.objects.select_related(*related).order_by("-id")
