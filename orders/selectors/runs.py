"""Clearing runs: those of an auction, the published ones, and what they carry over the links."""

from django.db.models import Count, Q, QuerySet

from marketplace.models import Product
from orders.models import Auction, ClearingRun, LinkFlow, LinkRent, PartState, RunState


def published_runs() -> QuerySet[ClearingRun]:
    """Return the runs whose results stand, newest first."""
    runs = ClearingRun.objects.filter(state=RunState.PUBLISHED).select_related("auction")
    return runs.order_by("-id")


def runs_with_parts(auction: Auction) -> QuerySet[ClearingRun]:
    """Return an auction's runs, newest first, with `part_count` and `cleared_parts`."""
    cleared = Q(parts__state=PartState.CLEARED)
    runs = ClearingRun.objects.filter(auction=auction).order_by("-version")
    return runs.annotate(part_count=Count("parts"), cleared_parts=Count("parts", filter=cleared))


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
