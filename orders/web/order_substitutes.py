"""What would have fitted instead of an unmatched bid, as sentences with a filled-in bid behind."""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.templatetags.market_ui import localname
from orders.models import Order, OrderSide, OrderState
from orders.selectors.auctions import published_run
from orders.selectors.substitutes import Substitute, substitutes_for
from orders.web.names import unit_price_text, window_text
from orders.web.reasons import price_figure

UNMATCHED = (
    OrderState.REJECTED,
    OrderState.PARADOXICALLY_REJECTED,
    OrderState.PARTLY_FILLED,
)
SENTENCES: dict[str, Promise] = {
    "window": _("Other hours: %(window)s cost %(price)s %(unit)s on average."),
    "latency": _("With a round trip of up to %(rtt)s ms the same hours cost %(price)s %(unit)s."),
    "any_distance": _("Without a latency limit the same hours cost %(price)s %(unit)s."),
    "product": _("Another product: %(product)s cost %(price)s %(unit)s in the same hours."),
}


@dataclass(frozen=True, slots=True)
class SubstituteRow:
    """A sentence, and the bid form filled in with it."""

    text: str
    url: str


def substitute_rows(order: Order) -> list[SubstituteRow]:
    """Return what would have fitted, for a bid that was not matched in full; else nothing."""
    if order.side != OrderSide.BUY or order.state not in UNMATCHED:
        return []
    run = published_run(order.auction)
    if run is None:
        return []
    return [_row(order, one) for one in substitutes_for(order=order, run=run)]


def _row(order: Order, found: Substitute) -> SubstituteRow:
    kind = "any_distance" if found.kind == "latency" and found.max_rtt_ms is None else found.kind
    rtt = found.max_rtt_ms
    params = {
        "window": window_text(order.auction, found.first_period, found.last_period),
        "rtt": "" if rtt is None else f"{rtt.normalize():f}",
        "product": localname(found.product),
        "price": price_figure(found.price),
        "unit": unit_price_text(found.product),
    }
    return SubstituteRow(str(SENTENCES[kind]) % params, _bid_url(order, found))


def _bid_url(order: Order, found: Substitute) -> str:
    query = {
        "product": found.product.code,
        "hub": order.hub.code,
        "kind": order.kind,
        "first_period": found.first_period,
        "last_period": found.last_period,
        "price": _plain(order.limit_price),
        "quantity": _plain(order.quantity),
    }
    if found.max_rtt_ms is not None:
        query["max_rtt_ms"] = _plain(found.max_rtt_ms)
    if order.max_carbon_g is not None:
        query["max_carbon_g"] = _plain(order.max_carbon_g)
    return f"{reverse('bid')}?{urlencode(query)}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
