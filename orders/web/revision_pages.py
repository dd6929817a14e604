"""Changing an own order in the book; in the last phase for the better only."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from marketplace.domain.errors import RuleBroken
from marketplace.selectors.clock import market_now
from marketplace.services.checks import plain
from marketplace.web.access import acting_organisation, current_actor, require
from marketplace.web.form_fields import PlainDecimalField, add_refusal
from orders.models import AuctionState, Order, OrderKind, OrderState
from orders.selectors.orders import orders_of
from orders.services.order_request import Step
from orders.services.revision import (
    NotRevisable,
    revisable_legs,
    revisable_steps,
    revise_order,
)
from orders.web.names import auction_name, unit_price_text, window_text

require_trader = require(lambda actor: actor.can_buy or actor.can_sell)
SPARE_STEPS = 2


class RevisionForm(forms.Form):
    """Price and units of every step of a curve, or of the block."""

    def __init__(self, *args: Any, order: Order, **more: Any) -> None:
        super().__init__(*args, **more)
        self.order = order
        self.is_curve = order.kind == OrderKind.CURVE
        if self.is_curve:
            for number, step in enumerate(self._old_steps(), start=1):
                self._add(f"price_{number}", _("Limit, excl. VAT"), step.price if step else None)
                units = step.quantity if step else None
                self._add(f"quantity_{number}", _("Units"), units, places=3)
            return
        limit, legs = revisable_legs(order)
        self._add("limit_price", _("Limit, excl. VAT"), limit)
        if len(legs) == 1:
            self._add("quantity", _("Units"), legs[0].quantity, places=3)

    def _old_steps(self) -> list[Step | None]:
        return [*revisable_steps(self.order), *[None] * SPARE_STEPS]

    def _add(self, name: str, label: Any, value: Decimal | None, places: int = 6) -> None:
        self.fields[name] = PlainDecimalField(
            label=label,
            places=places,
            required=False,
            initial=None if value is None else plain(value),
        )

    def rows(self) -> list[tuple[Any, Any]]:
        """Return the pairs of fields, one pair a step."""
        if self.is_curve:
            count = len(self.fields) // 2
            return [(self[f"price_{n}"], self[f"quantity_{n}"]) for n in range(1, count + 1)]
        return [(self["limit_price"], self["quantity"] if "quantity" in self.fields else "")]

    def clean(self) -> dict[str, Any]:
        """Refuse half a step."""
        values: dict[str, Any] = super().clean() or {}
        if self.is_curve:
            for number in range(1, len(self.fields) // 2 + 1):
                pair = (values.get(f"price_{number}"), values.get(f"quantity_{number}"))
                if (pair[0] is None) != (pair[1] is None):
                    missing = "price" if pair[0] is None else "quantity"
                    self.add_error(f"{missing}_{number}", _("A step needs a price and units."))
        return values

    def change(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        values = self.cleaned_data
        if not self.is_curve:
            return {name: values.get(name) for name in ("limit_price", "quantity")}
        count = len(self.fields) // 2
        pairs = [(values[f"price_{n}"], values[f"quantity_{n}"]) for n in range(1, count + 1)]
        return {"steps": tuple(Step(p, q) for p, q in pairs if p is not None and q is not None)}


def may_revise(order: Order) -> bool:
    """Tell whether an own order can be changed in place now."""
    if order.state != OrderState.ACTIVE or order.auction.state != AuctionState.OPEN:
        return False
    try:
        if order.kind == OrderKind.CURVE:
            revisable_steps(order)
        else:
            revisable_legs(order)
    except NotRevisable:
        return False
    return order.auction.gate_closes_at > market_now()


@require_trader
@require_http_methods(["GET", "HEAD", "POST"])
def change_order(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show an own order's prices and units to be changed, and take the change in."""
    order = orders_of(acting_organisation(request)).filter(public_id=public_id).first()
    if order is None or not may_revise(order):
        raise Http404
    form = RevisionForm(request.POST or None, order=order)
    if request.method == "POST" and form.is_valid():
        try:
            changed = revise_order(
                actor=current_actor(request), order_public_id=public_id, **form.change()
            )
        except RuleBroken as error:
            add_refusal(form, error, names={"steps": "price_1"})
        else:
            messages.success(
                request, gettext("The order is changed; its hold fits the new limits.")
            )
            return redirect("order", public_id=changed.public_id)
    auction = order.auction
    context = {
        "form": form,
        "order": order,
        "auction_name": auction_name(auction),
        "window": window_text(auction, order.first_period, order.last_period),
        "price_unit": unit_price_text(order.product),
        "only_better": auction.no_cancel_from <= market_now(),
        "is_buy": order.side == "buy",
        "submit_label": gettext("Change the order"),
        "cancel_url": reverse("order", args=[public_id]),
        "crumbs": [(gettext("My orders"), reverse("orders"))],
    }
    return render(request, "orders/order_revise.html", context, status=422 if form.errors else 200)
