"""The trade confirmation (成交确认单) of a delivery: on screen, for print, and as PDF."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from marketplace.domain.money import round_money, vat_of
from marketplace.domain.periods import market_date
from marketplace.selectors.organisations import platform
from marketplace.selectors.rules import vat_rate_for
from orders.web.names import auction_name
from settlement.web.delivery_access import find_delivery, require_reader
from settlement.web.delivery_list import own_net


@require_reader
@require_safe
def show_confirmation(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show the confirmation with the visitor's own prices."""
    seen = find_delivery(request, public_id)
    allocation = seen.delivery.allocation
    is_bought = not seen.is_seller
    net = round_money(own_net(seen.delivery, is_bought=is_bought))
    rate = vat_rate_for(allocation.product, on=market_date(allocation.starts_at))
    vat = vat_of(net, rate)
    periods = list(allocation.periods.order_by("period"))
    context = {
        "seen": seen,
        "delivery": seen.delivery,
        "allocation": allocation,
        "auction_name": auction_name(allocation.auction),
        "platform": platform(),
        "is_bought": is_bought,
        "member": allocation.buyer if is_bought else allocation.seller,
        "rows": [
            {
                "period": period,
                "price": period.buyer_price if is_bought else period.seller_price,
            }
            for period in periods
        ],
        "net": net,
        "vat": vat,
        "vat_rate": rate,
        "gross": net + vat,
        "crumbs": [(allocation.number, reverse("delivery", args=[public_id]))],
    }
    return render(request, "settlement/confirmation.html", context)
