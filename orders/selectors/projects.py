"""Projects of a buyer, and what the orders booked to them cost.

Sums are CNY with fee and VAT (含税).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet, Sum

from marketplace.models import Organisation
from orders.models import Allocation, Order, OrderSide, OrderState, Project
from orders.ports.collateral import collateral_port

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Commitment:
    """What orders hold while they are in the book, and what was bought of the others."""

    held_cny: Decimal = ZERO
    bought_cny: Decimal = ZERO

    @property
    def total_cny(self) -> Decimal:
        """Both together."""
        return self.held_cny + self.bought_cny


def projects_of(*, organisation: Organisation) -> QuerySet[Project]:
    """Return the projects of a member, open ones first, by name."""
    return Project.objects.filter(organisation=organisation).order_by("-is_open", "name", "id")


def project_commitments(*, projects: Iterable[Project]) -> dict[object, Commitment]:
    """Return the commitment of each project, by its key, in a fixed number of queries."""
    keys = [project.pk for project in projects]
    return _commitments(Order.objects.filter(project__in=keys), group="project_id")


def commitment_of(orders: QuerySet[Order]) -> Commitment:
    """Return the commitment of some orders together."""
    found = _commitments(orders, group="side")
    return found.get(OrderSide.BUY.value, Commitment())


def _commitments(orders: QuerySet[Order], *, group: str) -> dict[object, Commitment]:
    buys = orders.filter(side=OrderSide.BUY).order_by()
    active = buys.filter(state=OrderState.ACTIVE)
    held = dict(active.values_list(group).annotate(total=Sum("worst_case_cny")))
    bought = list(
        Allocation.objects.filter(buy_order__in=buys.values("pk"))
        .order_by()
        .values_list(f"buy_order__{group}", "product_id")
        .annotate(net=Sum("buyer_net_cny"))
    )
    costs = collateral_port().worst_cases([(product, net) for _, product, net in bought])
    spent: dict[object, Decimal] = {}
    for (key, _, _), cost in zip(bought, costs, strict=True):
        spent[key] = spent.get(key, ZERO) + cost.total_cny
    keys = held.keys() | spent.keys()
    return {key: Commitment(held.get(key) or ZERO, spent.get(key, ZERO)) for key in keys}
