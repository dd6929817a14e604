"""Why an order ended as it did, in words: stored are a code and parameters, the text is made here.

Prices in the parameters are CNY per unit and hour, VAT excluded.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from marketplace.templatetags.market_ui import as_decimal, figure, unit_text
from orders.models import Order, OrderKind, OrderSide, OrderState
from orders.web.names import unit_price_text

MOST_PLACES = 6
REASON_PLACES = 4  # as in every table of prices
SMALLEST = Decimal("0.0001")
PRICES = (
    *("limit", "price", "missing", "gain", "average_price"),
    *("price_without_limit", "price_without_congestion"),
)
QUANTITIES = ("accepted_unit_hours",)

BUY_REASONS: dict[str, str | Promise] = {
    "filled": _("Bought in full at %(average_price)s %(unit)s on average."),
    "at_margin": _(
        "Your limit of %(limit)s %(unit)s is exactly the price: at the margin the quantity is "
        "shared among all bids at this price."
    ),
    "partly_in_the_money": _(
        "Bought where your limit reached the price; the next step needed "
        "%(missing)s %(unit)s more (price %(price)s, limit %(limit)s)."
    ),
    "partly_accepted": _("A part of the order was bought, above your smallest share."),
    "out_of_the_money": _(
        "The price %(price)s %(unit)s was above your limit of %(limit)s; "
        "%(missing)s more would have been needed."
    ),
    "latency": _(
        "Within your latency limit the price was %(price)s; without the limit it was "
        "%(price_without_limit)s %(unit)s, below your limit of %(limit)s."
    ),
    "carbon": _(
        "Within your carbon limit the price was %(price)s; without the limit it was "
        "%(price_without_limit)s %(unit)s, below your limit of %(limit)s."
    ),
    "no_supply": _("No hub within reach had anything to sell in your window."),
    "no_supply_in_class": _(
        "No hub within reach had anything to sell within your carbon limit in your window."
    ),
    "paradoxically_rejected": _(
        "Your limit of %(limit)s was %(gain)s above the average price of %(price)s %(unit)s, but "
        "taking the whole order would have made a loss for others. Smaller orders or a smaller "
        "least share match more easily."
    ),
    "link_full": _(
        "The link %(link)s was full: carried over it, a unit would have cost "
        "%(price_without_congestion)s, below your limit of %(limit)s; the price was %(price)s "
        "%(unit)s."
    ),
    "not_placeable": _(
        "No single listing that meets your conditions could serve the whole window."
    ),
}
SELL_REASONS: dict[str, str | Promise] = {
    "filled": _("Sold in full."),
    "at_margin": _(
        "Your price of %(limit)s is exactly the clearing price: at the margin the quantity is "
        "shared among all offers at this price."
    ),
    "partly_in_the_money": _(
        "Sold where the clearing price reached yours; the next step asked "
        "%(missing)s %(unit)s more (price %(price)s, asked %(limit)s)."
    ),
    "partly_accepted": _("A part of the order was sold, above your smallest share."),
    "out_of_the_money": _(
        "You asked %(limit)s %(unit)s, the clearing price was %(price)s; "
        "%(missing)s less would have sold."
    ),
    "no_demand": _("Nobody within reach wanted to buy in your window."),
    "paradoxically_rejected": _(
        "The average price of %(price)s %(unit)s was %(gain)s above the %(limit)s you asked, but "
        "taking the whole order would have made a loss for others."
    ),
    "not_placeable": _("The order could not be placed as a whole."),
    "link_full": _(
        "The link %(link)s was full: carried over it, a unit would have earned "
        "%(price_without_congestion)s, above the %(limit)s you asked; at your hub the price was "
        "%(price)s %(unit)s."
    ),
    "listing_full": _("Your listing had nothing left for the units you offered at this price."),
}
# The price was good enough and a rest stayed all the same: nothing was missing in the limit.
WITHIN_THE_LIMIT: dict[str, str | Promise] = {
    OrderSide.BUY: _(
        "The price %(price)s %(unit)s was within your limit of %(limit)s, but not all units could "
        "be supplied."
    ),
    OrderSide.SELL: _(
        "The clearing price %(price)s %(unit)s reached the %(limit)s you asked, but not all units "
        "were taken."
    ),
}
COMMON_REASONS: dict[str, str | Promise] = {
    "cancelled_by_member": _("Cancelled by your organisation before the gate closed."),
    "member_defaulted": _("Cancelled by the market because your organisation is in default."),
    "replaced": _("Replaced by a changed order of your organisation."),
    "parent_rejected": _("The order it is linked to was not matched, so this one was not either."),
    "parent_not_in_book": _(
        "The order it is linked to had left the book when it was frozen; the hold is free."
    ),
    "auction_cancelled": _("The market operator cancelled the auction; the hold is free."),
    "quarantined": _("The order could not be read when the book was frozen; the hold is free."),
}
STATE_REASONS: dict[str, str | Promise] = {
    OrderState.ACTIVE: _("In the book, sealed until the gate closes."),
    OrderState.CANCELLED: _("Cancelled; the hold is free."),
    OrderState.QUARANTINED: COMMON_REASONS["quarantined"],
    OrderState.FILLED: _("Filled."),
    OrderState.PARTLY_FILLED: _("Filled in part."),
    OrderState.REJECTED: _("Not matched; the hold is free."),
    OrderState.PARADOXICALLY_REJECTED: _("Rejected although its price was good enough."),
}


def reason_text(order: Order) -> str:
    """Return one sentence on what became of an order and why, with figures and units."""
    table = BUY_REASONS if order.side == OrderSide.BUY else SELL_REASONS
    template = table.get(order.reason_code) or COMMON_REASONS.get(order.reason_code)
    if order.reason_code == "partly_in_the_money" and _missed_nothing(order):
        template = WITHIN_THE_LIMIT[order.side]
    params = readable(order.reason_params or {}, order)
    if template is not None:
        try:
            return str(template) % params
        except KeyError:  # an older record without these figures
            pass
    return str(STATE_REASONS.get(order.state, ""))


def _missed_nothing(order: Order) -> bool:
    params = order.reason_params or {}
    return "missing" in params and not as_decimal(params["missing"])


def readable(params: Mapping[str, Any], order: Order) -> dict[str, str]:
    """Return the parameters as figures with separators, with the units they are in."""
    texts = {name: str(value) for name, value in params.items()}
    for name in PRICES:
        if name in params:
            texts[name] = _short_price(as_decimal(params[name]))
    for name in QUANTITIES:
        if name in params:
            texts[name] = figure(params[name], 0)
    if "link_zh" in texts:
        language = "zh" if (get_language() or "").startswith("zh") else "en"
        texts["link"] = texts[f"link_{language}"]
    return {**texts, "unit": unit_price_text(order.product), "units": unit_text(order.product)}


def _short_price(price: Decimal | None) -> str:
    if price is not None and abs(price) >= SMALLEST:
        price = round(price, REASON_PLACES)
    return price_figure(price)


def price_figure(price: Decimal | None) -> str:
    """Return a price with two decimals, and more only where it has more."""
    if price is None:
        return figure(None)
    digits = max(2, min(MOST_PLACES, -int(price.normalize().as_tuple().exponent)))
    return figure(price, digits)


def advice(order: Order) -> str:
    """Return what would have helped, or nothing."""
    if order.state != OrderState.REJECTED or order.side != OrderSide.BUY:
        return ""
    if order.reason_code == "latency":
        return gettext("If the work can stand a longer way, allow more latency.")
    if order.reason_code == "carbon":
        return gettext("Bid more for green capacity, or allow more carbon.")
    if order.reason_code == "link_full":
        return gettext("An alternative at a hub on the other side of the link could match.")
    if order.reason_code == "not_placeable":
        return gettext("Allow several listings, or ask for fewer marks and a shorter window.")
    if order.reason_code == "out_of_the_money" and order.kind == OrderKind.BLOCK:
        return gettext("A curve order would have bought the cheaper hours.")
    return ""
