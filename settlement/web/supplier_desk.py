"""The supplier's half of the overview: money on its way, idle capacity ahead, what needs care."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Max
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from marketplace.domain.periods import market_date
from marketplace.models import Listing, ListingState, Organisation, Product, ResourcePool
from marketplace.selectors.clock import market_now
from marketplace.selectors.evidence import evidence_in_need
from marketplace.templatetags.market_ui import group_digits, localname, unit_text
from marketplace.web.access import current_actor
from marketplace.web.charts import Chart
from marketplace.web.pool_words import evidence_texts
from orders.models import Allocation
from orders.selectors.availability import DayForecast, week_ahead
from orders.selectors.sales import sales_of
from settlement.models import Delivery, DeliveryState, Invoice, InvoiceDirection
from settlement.selectors.deliveries import deliveries_to_hand_over, unmetered_among
from settlement.selectors.supplier_money import statements_of, supplier_money
from settlement.web.payout_pages import step_of

FEW = 5
SOON = timedelta(hours=2)
CALENDAR_WARNING = timedelta(days=3)
FORECAST_DAYS = 7


@dataclass(frozen=True, slots=True)
class ProductOutlook:
    """Unit-hours of one product: free in the coming hour, day and week."""

    product: Product
    free_now: Decimal
    free_day: Decimal
    days: list[DayForecast]

    @property
    def offered(self) -> Decimal:
        """Unit-hours on offer in the week."""
        return sum((day.offered for day in self.days), Decimal(0))

    @property
    def sold(self) -> Decimal:
        """Unit-hours of the week that are sold."""
        return sum((day.sold for day in self.days), Decimal(0))

    @property
    def free(self) -> Decimal:
        """Unit-hours of the week that nobody has bought."""
        return sum((day.free for day in self.days), Decimal(0))

    @property
    def share_sold(self) -> Decimal:
        """Sold of what is on offer in the week, 0 to 1."""
        return self.sold / self.offered if self.offered else Decimal(0)


def supplier_overview(organisation: Organisation) -> dict[str, Any]:
    """Return what the overview shows a supplier."""
    now = market_now()
    waiting = deliveries_to_hand_over(organisation)
    outlook = _outlook(organisation, now)
    return {
        "money": supplier_money(organisation),
        "outlook": outlook,
        "chart": _chart(outlook),
        "alerts": _alerts(organisation, now),
        "waiting_count": waiting.count(),
        "waiting": list(waiting[:FEW]),
    }


def trading_progress(request: HttpRequest) -> dict[str, bool]:
    """Tell how far a new member has come on the market, for the checklist of signing up."""
    organisation = current_actor(request).organisation
    if organisation is None:
        return {}
    deliveries = Delivery.objects.filter(allocation__seller=organisation)
    return {
        "has_sold": Allocation.objects.filter(seller=organisation).exists(),
        "has_handed_over": deliveries.filter(handed_over_at__isnull=False).exists(),
        "has_statement": Invoice.objects.filter(
            organisation=organisation, direction=InvoiceDirection.PAYABLE
        ).exists(),
    }


def _outlook(organisation: Organisation, now: datetime) -> list[ProductOutlook]:
    week = week_ahead(organisation=organisation, since=now, days=FORECAST_DAYS)
    if not week:
        return []
    products = Product.objects.in_bulk(list(week))
    product_of = dict(
        Listing.objects.filter(organisation=organisation, state=ListingState.ACTIVE).values_list(
            "pk", "pool__product_id"
        )
    )
    free_now = _idle_by_product(organisation, now, 1, product_of)
    free_day = _idle_by_product(organisation, now, 24, product_of)
    rows = [
        ProductOutlook(
            products[pk], free_now.get(pk, Decimal(0)), free_day.get(pk, Decimal(0)), days
        )
        for pk, days in week.items()
    ]
    return sorted(rows, key=lambda row: -row.free * row.product.reference_price.amount)


def _idle_by_product(
    organisation: Organisation, now: datetime, hours: int, product_of: dict[int, int]
) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for listing, sales in sales_of(organisation=organisation, since=now, hours=hours).items():
        product = product_of.get(listing)
        if product is not None:
            found[product] = found.get(product, Decimal(0)) + sales.idle
    return found


def _chart(outlook: list[ProductOutlook]) -> Chart | None:
    """Draw the week of the product with the most value idle."""
    if not outlook:
        return None
    row = outlook[0]
    unit = unit_text(row.product)
    days = [f"{day.day:%m-%d}" for day in row.days]
    values = {"unit": unit, "product": localname(row.product), "free": group_digits(row.free, 0, 0)}
    return Chart(
        id="forecast",
        kind="stacked_bars",
        title=gettext("Sold and free, next 7 days: %(product)s") % values,
        summary=gettext("%(free)s %(unit)s of %(product)s are free in the next 7 days.") % values,
        data={
            "x": days,
            "unit": unit,
            "series": [
                {"name": gettext("Sold"), "values": [day.sold for day in row.days]},
                {"name": gettext("Free"), "values": [day.free for day in row.days]},
            ],
        },
        table_head=[gettext("Day"), gettext("Offered"), gettext("Sold"), gettext("Free")],
        table_rows=[
            [
                label,
                *(group_digits(figure, 0, 1) for figure in (day.offered, day.sold, day.free)),
            ]
            for label, day in zip(days, row.days, strict=True)
        ],
        height="sm",
        note=gettext("The first day counts from now on; what auctions will sell is not in it."),
    )


def _alerts(organisation: Organisation, now: datetime) -> list[dict[str, str]]:
    pools = list(organisation.pools.select_related("hub").order_by("identifier"))
    marks = evidence_texts(evidence_in_need(organisation, pools, on=market_date(now)))
    return [
        *_delivery_alerts(organisation, now),
        *_offer_alerts(organisation, pools, now),
        *(
            {
                "tone": mark["tone"],
                "text": mark["text"],
                "url": reverse("pool", args=[mark["pool"].identifier])
                if mark["pool"]
                else reverse("documents"),
                "action": gettext("Look at it"),
            }
            for mark in marks
        ),
        *_statement_alerts(organisation),
    ]


def _delivery_alerts(organisation: Organisation, now: datetime) -> list[dict[str, str]]:
    own = Delivery.objects.filter(allocation__seller=organisation)
    waiting = deliveries_to_hand_over(organisation)
    late = waiting.filter(starts_at__lte=now).count()
    soon = waiting.filter(starts_at__gt=now, starts_at__lte=now + SOON).count()
    ended = own.filter(state=DeliveryState.ACCEPTED, ends_at__lte=now)
    unread = len(unmetered_among(list(ended.values_list("pk", flat=True)[:200])))
    found = []
    if late:
        text = ngettext(
            "%(count)s delivery has begun and is not handed over.",
            "%(count)s deliveries have begun and are not handed over.",
            late,
        )
        found.append(_alert("error", text % {"count": late}, "?view=to-hand-over"))
    if soon:
        text = ngettext(
            "%(count)s delivery begins within two hours and is not handed over.",
            "%(count)s deliveries begin within two hours and are not handed over.",
            soon,
        )
        found.append(_alert("warning", text % {"count": soon}, "?view=to-hand-over"))
    if unread:
        text = ngettext(
            "%(count)s delivery has ended without readings for every period.",
            "%(count)s deliveries have ended without readings for every period.",
            unread,
        )
        found.append(_alert("warning", text % {"count": unread}, "?view=sold&state=accepted"))
    return found


def _alert(tone: str, text: str, query: str) -> dict[str, str]:
    return {
        "tone": tone,
        "text": text,
        "url": f"{reverse('deliveries')}{query}",
        "action": gettext("To the deliveries"),
    }


def _offer_alerts(
    organisation: Organisation, pools: list[ResourcePool], now: datetime
) -> list[dict[str, str]]:
    found = [
        {
            "tone": "warning",
            "text": gettext("%(pool)s is offline since %(time)s: %(reason)s")
            % {
                "pool": localname(pool),
                "time": market_date(pool.offline_since or now),
                "reason": pool.offline_reason,
            },
            "url": reverse("pool", args=[pool.identifier]),
            "action": gettext("To the pool"),
        }
        for pool in pools
        if not pool.is_online
    ]
    ending = (
        Listing.objects.filter(organisation=organisation, state=ListingState.ACTIVE)
        .annotate(reaches=Max("availability__ends_at"))
        .filter(reaches__lte=now + CALENDAR_WARNING)
        .order_by("reaches")
    )
    for listing in ending[:FEW]:
        text = gettext("The calendar of %(listing)s ends on %(day)s: later auctions sell nothing.")
        day = market_date(listing.reaches)  # type: ignore[attr-defined]
        found.append(
            {
                "tone": "warning",
                "text": text % {"listing": localname(listing), "day": day},
                "url": reverse("listing-edit", args=[listing.public_id]),
                "action": gettext("Lengthen it"),
            }
        )
    return found


def _statement_alerts(organisation: Organisation) -> list[dict[str, str]]:
    steps = [step_of(one) for one in statements_of(organisation)[:200]]
    count = sum(step in ("tax_invoice", "refused") for step in steps)
    if not count:
        return []
    text = ngettext(
        "%(count)s statement waits for your tax invoice; nothing of it is paid before.",
        "%(count)s statements wait for your tax invoices; nothing of them is paid before.",
        count,
    )
    return [
        {
            "tone": "info",
            "text": text % {"count": count},
            "url": reverse("payouts"),
            "action": gettext("To the payouts"),
        }
    ]
