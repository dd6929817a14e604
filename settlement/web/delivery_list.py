"""The lists of deliveries: to hand over (待交付), sold, bought."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_safe

from marketplace.permissions import Actor
from marketplace.web.access import acting_organisation, current_actor, require_trader
from marketplace.web.csv_answers import csv_answer
from marketplace.web.polling import fingerprint, live_address, unchanged_list
from settlement.models import Delivery, DeliveryState
from settlement.selectors.deliveries import (
    deliveries_bought_by,
    deliveries_sold_by,
    deliveries_to_hand_over,
)
from settlement.web.delivery_forms import DeliveryFilter

PAGE_SIZE = 25
CSV_HEAD = (
    "confirmation",
    "delivery",
    "side",
    "partner",
    "auction",
    "product",
    "supply_hub",
    "consumption_hub",
    "starts_at",
    "ends_at",
    "unit_hours",
    "net_cny_excl_vat",
    "state",
    "handed_over_at",
    "accepted_at",
)
VIEWS = {
    "to-hand-over": deliveries_to_hand_over,
    "sold": deliveries_sold_by,
    "bought": deliveries_bought_by,
}


def offered_views(actor: Actor) -> list[str]:
    """Return the lists that make sense for the organisation, the most urgent first."""
    organisation = actor.organisation
    views = []
    if organisation and organisation.is_supplier:
        views += ["to-hand-over", "sold"]
    if organisation and organisation.is_buyer:
        views.append("bought")
    return views


def _chosen(request: HttpRequest) -> tuple[str, list[str]]:
    views = offered_views(current_actor(request)) or ["bought"]
    asked = request.GET.get("view", "")
    return asked if asked in views else views[0], views


def _found(request: HttpRequest, view: str) -> tuple[DeliveryFilter, QuerySet[Delivery]]:
    form = DeliveryFilter({**request.GET.dict(), "view": view})
    return form, form.narrow(VIEWS[view](acting_organisation(request)))


@require_trader
@require_safe
def list_deliveries(request: HttpRequest) -> HttpResponse:
    """Show one of the lists."""
    view, views = _chosen(request)
    form, deliveries = _found(request, view)
    page = Paginator(deliveries, PAGE_SIZE).get_page(request.GET.get("page"))
    state = fingerprint(page.paginator.count, *((each.pk, each.state) for each in page.object_list))
    answer = unchanged_list(request, state)
    if answer is not None:
        return answer
    context = {
        "live_url": live_address(request, state),
        "filter_form": form,
        "page_obj": page,
        "view": view,
        "is_bought": view == "bought",
        "rows": [_row(delivery, view) for delivery in page.object_list],
        "tabs": _tabs(view, views, request),
        "reset_url": f"{reverse('deliveries')}?view={view}",
        "is_filtered": any(request.GET.get(name) for name in form.fields if name != "view"),
        "can_meter": current_actor(request).can_sell,
        "result_text": gettext("%(count)s deliveries") % {"count": page.paginator.count},
    }
    return render(request, "settlement/deliveries.html", context)


def _row(delivery: Delivery, view: str) -> dict[str, Any]:
    allocation = delivery.allocation
    is_bought = view == "bought"
    return {
        "delivery": delivery,
        "allocation": allocation,
        "partner": allocation.seller if is_bought else allocation.buyer,
        "net": own_net(delivery, is_bought=is_bought),
    }


def own_net(delivery: Delivery, *, is_bought: bool) -> Decimal:
    """Return what the delivery costs or earns, CNY without VAT."""
    allocation = delivery.allocation
    return allocation.buyer_net_cny if is_bought else allocation.seller_net_cny


def _tabs(active: str, views: list[str], request: HttpRequest) -> list[dict[str, Any]]:
    names = {
        "to-hand-over": pgettext("deliveries", "To hand over"),
        "sold": pgettext("deliveries", "Sold"),
        "bought": pgettext("deliveries", "Bought"),
    }
    organisation = acting_organisation(request)
    waiting = deliveries_to_hand_over(organisation).count() if "to-hand-over" in views else None
    own = reverse("deliveries")
    return [
        {
            "label": names[view],
            "url": f"{own}?view={view}",
            "active": view == active,
            "count": waiting if view == "to-hand-over" else None,
        }
        for view in views
    ]


@require_trader
@require_safe
def export_deliveries(request: HttpRequest) -> HttpResponse:
    """Answer the chosen list as CSV."""
    view, _views = _chosen(request)
    _form, deliveries = _found(request, view)
    return csv_answer("deliveries.csv", CSV_HEAD, _csv_rows(deliveries, view))


def _csv_rows(deliveries: Iterable[Delivery], view: str) -> Iterable[list[object]]:
    is_bought = view == "bought"
    for delivery in deliveries:
        allocation = delivery.allocation
        yield [
            allocation.number,
            delivery.public_id,
            "buy" if is_bought else "sell",
            (allocation.seller if is_bought else allocation.buyer).code,
            allocation.auction.code,
            allocation.product.code,
            allocation.supply_hub.code,
            allocation.hub.code,
            delivery.starts_at.isoformat(),
            delivery.ends_at.isoformat(),
            allocation.unit_hours,
            own_net(delivery, is_bought=is_bought),
            delivery.state,
            delivery.handed_over_at.isoformat() if delivery.handed_over_at else "",
            delivery.accepted_at.isoformat() if delivery.accepted_at else "",
        ]


def open_for_hand_over(delivery: Delivery) -> bool:
    """Tell whether access details may (still) be given."""
    return delivery.state in {
        DeliveryState.SCHEDULED,
        DeliveryState.HANDED_OVER,
        DeliveryState.ACCEPTED,
    }
