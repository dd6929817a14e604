"""Own orders: list, one order with its outcome in lines, cancelling, export."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.models import Product
from marketplace.selectors.clock import market_now
from marketplace.services.error_texts import error_text
from marketplace.templatetags.market_ui import localname
from marketplace.web.access import current_actor, require, require_trader
from marketplace.web.csv_answers import csv_answer
from orders.models import Auction, AuctionState, Order, OrderSide, OrderState
from orders.services.cancellation import cancel_order
from orders.web.names import auction_name, window_text
from orders.web.order_outcome import describe_outcome
from orders.web.order_rows import order_row, with_parts
from orders.web.order_substitutes import substitute_rows
from orders.web.reasons import advice, reason_text
from orders.web.revision_pages import may_revise

PAGE_SIZE = 25
RECENT_AUCTIONS = 40
EXPORT_LIMIT = 20_000

require_dealer = require(lambda actor: actor.can_buy or actor.can_sell)


class OrderFilter(forms.Form):
    """Narrows the list of own orders; an unknown value narrows nothing."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *OrderState.choices],
    )
    auction = forms.ChoiceField(label=_("Auction"), required=False)
    product = forms.ChoiceField(label=_("Product"), required=False)
    side = forms.ChoiceField(
        label=_("Side"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *OrderSide.choices],
    )

    def __init__(self, data: Any, *, orders: QuerySet[Order]) -> None:
        super().__init__(data)
        asked = data.get("auction", "") if data else ""
        self._offer("auction", _auction_choices(orders, asked))
        products = Product.objects.order_by("sort_order", "code")
        self._offer("product", [(p.code, localname(p)) for p in products])

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        everything = ("", pgettext_lazy("filter", "All"))
        self.fields[name].choices = [everything, *choices]  # type: ignore[attr-defined]

    def narrow(self, orders: QuerySet[Order]) -> QuerySet[Order]:
        """Return the orders that the filter asks for."""
        chosen = self.cleaned_data if self.is_valid() else {}
        fields = {
            "state": "state",
            "auction": "auction__code",
            "product": "product__code",
            "side": "side",
        }
        wanted = {path: chosen[name] for name, path in fields.items() if chosen.get(name)}
        return orders.filter(**wanted)


def _auction_choices(orders: QuerySet[Order], asked: str) -> list[tuple[str, str]]:
    recent = orders.order_by().values("auction_id")
    auctions = Auction.objects.filter(pk__in=recent).select_related("calendar")
    rows = list(auctions.order_by("-gate_closes_at", "-id")[:RECENT_AUCTIONS])
    if asked and asked not in {auction.code for auction in rows}:
        rows += list(auctions.filter(code=asked)[:1])
    return [(auction.code, auction_name(auction)) for auction in rows]


def own_orders(request: HttpRequest) -> QuerySet[Order]:
    """Return the orders of the organisation that asks, and no others."""
    return Order.objects.filter(organisation=current_actor(request).organisation)


def find_own_order(request: HttpRequest, public_id: UUID) -> Order:
    """Return an own order; somebody else's is not found."""
    order = with_parts(own_orders(request)).filter(public_id=public_id).first()
    if order is None:
        raise Http404
    return order


@require_trader
@require_safe
def list_orders(request: HttpRequest) -> HttpResponse:
    """Show the organisation's orders, newest first."""
    orders = own_orders(request)
    form = OrderFilter(request.GET, orders=orders)
    page = Paginator(with_parts(form.narrow(orders)).order_by("-id"), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "filter_form": form,
        "page_obj": page,
        "rows": [order_row(order) for order in page.object_list],
        "filtered": any(request.GET.get(name) for name in form.fields),
        "csv_query": request.GET.urlencode(),
        "can_buy": current_actor(request).can_buy,
        "result_text": gettext("%(count)s orders") % {"count": page.paginator.count},
    }
    return render(request, "orders/order_list.html", context)


@require_trader
@require_safe
def show_order(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one own order: what was asked, what came of it and what it costs, line by line."""
    order = find_own_order(request, public_id)
    context = {
        "order": order,
        "row": order_row(order),
        "advice": advice(order),
        "steps": _windowed(order, order.curve_steps.order_by("-price", "first_period")),
        "options": _options(order),
        "outcome": describe_outcome(order),
        "substitutes": substitute_rows(order),
        "can_cancel": _can_cancel(request, order),
        "can_change": _can_act(request, order) and may_revise(order),
    }
    return render(request, "orders/order_detail.html", context)


def _options(order: Order) -> list[dict[str, Any]]:
    options = order.options.order_by("option_no").prefetch_related("legs__product", "legs__hub")
    return [{"option": option, "legs": _windowed(order, option.legs.all())} for option in options]


def _windowed(order: Order, parts: Iterable[Any]) -> list[dict[str, Any]]:
    """Return steps or legs, each with its window in market time."""
    return [
        {"part": part, "window": window_text(order.auction, part.first_period, part.last_period)}
        for part in parts
    ]


def _can_cancel(request: HttpRequest, order: Order) -> bool:
    """Tell whether it can be cancelled; in the last phase it may only improve."""
    return _can_act(request, order) and order.auction.no_cancel_from > market_now()


def _can_act(request: HttpRequest, order: Order) -> bool:
    actor = current_actor(request)
    may = actor.can_buy if order.side == OrderSide.BUY else actor.can_sell
    return may and order.state == OrderState.ACTIVE and order.auction.state == AuctionState.OPEN


@require_dealer
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask before cancelling, then cancel."""
    order = find_own_order(request, public_id)
    if request.method == "POST" and request.POST.get("confirmed") == "yes":
        try:
            cancel_order(actor=current_actor(request), order_public_id=order.public_id)
        except RuleBroken as refusal:
            messages.error(request, error_text(refusal))
        else:
            messages.success(request, gettext("The order is cancelled and its hold is free."))
        return redirect("order", public_id=order.public_id)
    return render(request, "orders/order_cancel.html", _cancel_question(order))


def _cancel_question(order: Order) -> dict[str, Any]:
    row = order_row(order)
    return {
        "order": order,
        "row": row,
        "question": gettext("Cancel this order?"),
        "confirm_label": gettext("Cancel the order"),
        "danger": True,
        "cancel_url": reverse("order", args=[order.public_id]),
    }


CSV_HEAD = (
    "order_id",
    "auction",
    "side",
    "kind",
    "product",
    "hub",
    "first_period",
    "last_period",
    "quantity",
    "limit_price_cny_per_unit_hour_excl_vat",
    "max_rtt_ms",
    "worst_case_cny_incl_vat",
    "state",
    "accepted_unit_hours",
    "reason_code",
    "reason",
    "submitted_at",
    "max_carbon_g_per_unit_hour",
)


@require_trader
@require_safe
def export_orders(request: HttpRequest) -> HttpResponse:
    """Answer the filtered orders as CSV: machine names, the reason in the page's language."""
    orders = own_orders(request)
    form = OrderFilter(request.GET, orders=orders)
    chosen = with_parts(form.narrow(orders)).order_by("-id")[:EXPORT_LIMIT]
    return csv_answer("orders.csv", CSV_HEAD, [_csv_row(order) for order in chosen])


def _csv_row(order: Order) -> list[object]:
    return [
        str(order.public_id),
        order.auction.code,
        order.side,
        order.kind,
        order.product.code,
        order.hub.code,
        order.first_period,
        order.last_period,
        plain(order.quantity),
        plain(order.limit_price),
        plain(order.max_rtt_ms),
        plain(order.worst_case_cny),
        order.state,
        plain(order.accepted_unit_hours),
        order.reason_code,
        reason_text(order),
        order.submitted_at.isoformat(),
        plain(order.max_carbon_g),
    ]


def plain(number: Decimal | None) -> str:
    """Return a number without separators, as programs read it."""
    return "" if number is None else f"{number:f}"
