"""Published clearing runs, and what they carry over the links."""

from django.db.models import QuerySet

from marketplace.models import Product
from orders.models import ClearingRun, LinkFlow, LinkRent, RunState


def published_runs() -> QuerySet[ClearingRun]:
    """Return the runs whose results stand, newest first."""
    runs = ClearingRun.objects.filter(state=RunState.PUBLISHED).select_related("auction")
    return runs.order_by("-id")


def link_flows(*, run: ClearingRun, product: Product | None = None) -> list[dict[str, object]]:
    """Return units over each link by product and period, in one query."""
    rows = LinkFlow.objects.filter(run=run)
    if product is not None:
        rows = rows.filter(product=product)
    values = rows.order_by("link_id", "product_id", "period").values(
        "link__from_hub__code",
        "link__to_hub__code",
        "product__code",
        "period",
        "forward_quantity",
        "reverse_quantity",
    )
    return [dict(row) for row in values]


def link_rents(*, run: ClearingRun) -> list[dict[str, object]]:
    """Return the congestion rents of full link directions by period, in one query."""
    rows = LinkRent.objects.filter(run=run).order_by("link_id", "direction", "period")
    values = rows.values(
        "link__from_hub__code",
        "link__to_hub__code",
        "direction",
        "period",
        "rent_cny_per_gbps",
        "load_gbps",
        "capacity_gbps",
    )
    return [dict(row) for row in values]
