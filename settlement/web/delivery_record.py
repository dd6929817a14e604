"""The delivery record: a supplier's own page, and the figures on the pages of its listings."""

from collections.abc import Callable
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from marketplace.models import Organisation, Product
from marketplace.selectors.clock import market_now
from marketplace.web.access import acting_organisation, require_supplier
from settlement.models import Delivery, DeliveryState
from settlement.selectors.deliveries import deliveries_sold_by
from settlement.selectors.delivery_record import RECORD_DAYS, DeliveryRecord, delivery_records
from settlement.web.delivery_facts import reason_text

FEW = 20
RecordOf = Callable[[int, int], DeliveryRecord | None]


def delivery_record_provider(request: HttpRequest) -> RecordOf:
    """Return how to find the record of a supplier in a product, for pages below this layer."""

    def record_of(seller_id: int, product_id: int) -> DeliveryRecord | None:
        found = delivery_records(now=market_now(), seller_id=seller_id, product_id=product_id)
        return found[0] if found else None

    return record_of


@require_supplier
@require_safe
def show_record(request: HttpRequest) -> HttpResponse:
    """Show the record by product, and which deliveries spoiled it."""
    organisation = acting_organisation(request)
    records = delivery_records(now=market_now(), seller_id=organisation.pk)
    products = Product.objects.in_bulk([record.product_id for record in records])
    count = sum(record.deliveries for record in records)
    on_time = sum(record.on_time for record in records)
    context = {
        "rows": [{"record": one, "product": products[one.product_id]} for one in records],
        "days": RECORD_DAYS,
        "count": count,
        "on_time": on_time,
        "on_time_share": Decimal(on_time) / count if count else None,
        "failed_count": sum(record.failed for record in records),
        "failed": [
            {"delivery": one, "reason": reason_text(one.failure_reason)}
            for one in _failed(organisation)
        ],
        "crumbs": [(gettext("Deliveries"), f"{reverse('deliveries')}?view=sold")],
    }
    return render(request, "settlement/delivery_record.html", context)


def _failed(organisation: Organisation) -> list[Delivery]:
    ended = deliveries_sold_by(organisation).exclude(failure_reason="")
    return list(ended.filter(state__in=[DeliveryState.FAILED, DeliveryState.SETTLED])[:FEW])
