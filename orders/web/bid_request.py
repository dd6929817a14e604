"""What a valid bid form asks of the market."""

from typing import Any
from uuid import UUID

from orders.models import OrderKind, OrderSide, Placement
from orders.services.order_profile import WINDOWED
from orders.services.order_request import Leg, Option, OrderRequest, Step
from orders.web.bid_form import BidForm


def order_request(form: BidForm) -> OrderRequest:
    """Return the order that a valid form describes."""
    given = form.cleaned_data
    return OrderRequest(
        auction=form.auction.public_id,
        side=OrderSide.BUY,
        kind=given["kind"],
        product=given["product"],
        hub=given["hub"],
        first_period=given["first_period"],
        last_period=given["last_period"],
        max_rtt_ms=given["max_rtt_ms"],
        max_carbon_g=given["max_carbon_g"],
        scenario=given["scenario"] or None,
        note=given["note"],
        project=UUID(given["project"]) if given["project"] else None,
        **_figures(form),
        **_conditions(given),
    )


def _figures(form: BidForm) -> dict[str, Any]:
    """Return prices, units and shape by the kind of order."""
    kind, steps = form.cleaned_data["kind"], form.steps()
    if kind == OrderKind.CURVE:
        return {"steps": tuple(Step(step.price, step.quantity) for step in steps)}
    main = steps[0]
    figures: dict[str, Any] = {
        "limit_price": main.price,
        "quantity": main.quantity,
        "min_acceptance": form.minimum_share(),
    }
    if kind in WINDOWED:
        return {**figures, "duration": form.cleaned_data["duration"]}
    parent = form.cleaned_data["parent_order"]
    return {
        **figures,
        "legs": _legs(form),
        "options": _options(form),
        "parent_order": UUID(parent) if parent else None,
    }


def _legs(form: BidForm) -> tuple[Leg, ...]:
    return tuple(Leg(row.first_period, row.last_period, row.quantity) for row in form.legs())


def _options(form: BidForm) -> tuple[Option, ...]:
    """Return the bid itself and its substitutes; none when there are no substitutes."""
    substitutes = form.substitutes()
    if not substitutes:
        return ()
    main = form.steps()[0]
    own = Option(limit_price=main.price, quantity=main.quantity)
    others = [
        Option(limit_price=row.price, product=row.product, quantity=row.quantity or main.quantity)
        for row in substitutes
    ]
    return (own, *others)


def _conditions(given: dict[str, Any]) -> dict[str, Any]:
    """Return who may serve it; marks of a listing need one listing for all of it."""
    if given["kind"] == OrderKind.CURVE or given["placement"] != Placement.SINGLE:
        return {}
    return {
        "placement": Placement.SINGLE,
        "min_dengbao_level": given["min_dengbao_level"],
        "requires_xinchuang": given["requires_xinchuang"],
        "min_trust_level": given["min_trust_level"],
    }
