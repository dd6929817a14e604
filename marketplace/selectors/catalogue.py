"""The catalogue: active listings and the filters of the market search."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import (
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Greatest, Least

from marketplace.models import (
    Hub,
    Listing,
    ListingAvailability,
    ListingState,
    MaintenanceWindow,
    OrganisationState,
)
from marketplace.selectors.hubs import hubs_within


@dataclass(frozen=True)
class CatalogueFilter:
    """What a buyer searches for; None is no condition.

    Attributes:
        product: code of a product.
        resource_class: `GP`, `AI` or `HP`.
        hardware: name of a card or processor.
        hub: code of the hub of delivery, or of its national hub node.
        from_hub: the place of consumption that `max_rtt_ms` counts from.
        max_rtt_ms: longest round trip, itself included.
        max_price: the cheapest step may cost this, CNY per unit and hour, 不含税.
        min_quantity: units.
        min_trust: trust level of the pool.
        min_dengbao: 等保 level, with evidence that has not expired.
        xinchuang: domestic hardware only, with evidence that has not expired.
        min_green_share: 0 to 1.
        window: available without a gap from start to end.
        supplier: part of the supplier's name.
    """

    product: str | None = None
    resource_class: str | None = None
    hardware: str | None = None
    hub: str | None = None
    from_hub: Hub | None = None
    max_rtt_ms: Decimal | None = None
    max_price: Decimal | None = None
    min_quantity: Decimal | None = None
    min_trust: int | None = None
    min_dengbao: int | None = None
    xinchuang: bool | None = None
    min_green_share: Decimal | None = None
    window: tuple[datetime, datetime] | None = None
    supplier: str | None = None


def listed(wanted: CatalogueFilter | None = None, *, on: date) -> QuerySet[Listing]:
    """Return the active listings of admitted members that meet every condition.

    Each has `best_price`, its cheapest step in CNY per unit and hour (不含税); cheapest first.

    Args:
        wanted: the conditions.
        on: the market's date, for evidence that expires.
    """
    rows = (
        Listing.objects.filter(
            state=ListingState.ACTIVE, organisation__state=OrganisationState.APPROVED
        )
        .select_related("organisation", "pool__hub__parent", "pool__product", "pool__hardware")
        .annotate(best_price=Min("price_steps__price"))
        .order_by("best_price", "id")
    )
    if wanted is None:
        return rows
    for field in fields(wanted):
        value = getattr(wanted, field.name)
        if value is not None and field.name in _CONDITIONS:
            rows = rows.filter(_CONDITIONS[field.name](value, on))
    if wanted.from_hub is not None:
        rows = rows.filter(pool__hub__in=_reach(wanted.from_hub, wanted.max_rtt_ms))
    return _available(rows, *wanted.window) if wanted.window else rows


def listing_detail(public_id: UUID) -> Listing | None:
    """Return one listing as members see it, or None when it is not on offer."""
    return (
        Listing.objects.filter(public_id=public_id, organisation__state=OrganisationState.APPROVED)
        .filter(state__in=[ListingState.ACTIVE, ListingState.PAUSED])
        .select_related("organisation", "pool__hub__parent", "pool__product", "pool__hardware")
        .prefetch_related("price_steps", "availability", "maintenance")
        .first()
    )


def _unexpired(path: str, on: date) -> Q:
    return Q(**{f"{path}__isnull": True}) | Q(**{f"{path}__gte": on})


def _dengbao(level: int, on: date) -> Q:
    if level <= 0:
        return Q()
    return Q(pool__dengbao_level__gte=level) & _unexpired("pool__dengbao_expires_on", on)


def _xinchuang(required: bool, on: date) -> Q:
    if not required:
        return Q()
    return Q(pool__is_xinchuang=True) & _unexpired("pool__xinchuang_expires_on", on)


def _supplier(text: str, on: date) -> Q:
    return Q(organisation__name_zh__icontains=text) | Q(organisation__name_en__icontains=text)


_CONDITIONS: dict[str, Callable[[Any, date], Q]] = {
    "product": lambda value, on: Q(pool__product__code=value),
    "resource_class": lambda value, on: Q(pool__product__resource_class=value),
    "hardware": lambda value, on: Q(pool__hardware__name=value),
    "hub": lambda value, on: Q(pool__hub__code=value) | Q(pool__hub__parent__code=value),
    "max_price": lambda value, on: Q(best_price__lte=value),
    "min_quantity": lambda value, on: Q(quantity__gte=value),
    "min_trust": lambda value, on: Q(pool__trust_level__gte=value),
    "min_dengbao": _dengbao,
    "xinchuang": _xinchuang,
    "min_green_share": lambda value, on: Q(pool__green_share__gte=value),
    "supplier": _supplier,
}


def _reach(place: Hub, max_rtt_ms: Decimal | None) -> list[int]:
    return [hub.pk for hub, _ in hubs_within(place, max_rtt_ms)]


def _available(
    rows: QuerySet[Listing], starts_at: datetime, ends_at: datetime
) -> QuerySet[Listing]:
    """Keep listings whose windows, which never overlap, add up to the whole of a time."""
    start = Value(starts_at, output_field=DateTimeField())
    end = Value(ends_at, output_field=DateTimeField())
    shared = ExpressionWrapper(
        Least(F("ends_at"), end) - Greatest(F("starts_at"), start), output_field=DurationField()
    )
    touching = ListingAvailability.objects.filter(
        listing=OuterRef("pk"), starts_at__lt=ends_at, ends_at__gt=starts_at
    )
    covered = touching.values("listing").annotate(time=Sum(shared)).values("time")
    pauses = MaintenanceWindow.objects.filter(
        listing=OuterRef("pk"), starts_at__lt=ends_at, ends_at__gt=starts_at
    )
    return rows.annotate(covered=Subquery(covered)).filter(
        ~Exists(pauses), covered__gte=ends_at - starts_at
    )
