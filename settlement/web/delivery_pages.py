"""One delivery: its way, its figures, hand-over, confirmation by the buyer, readings."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.models import Role
from marketplace.selectors.clock import market_now
from marketplace.services.error_texts import error_text
from marketplace.templatetags.market_ui import figure, group_digits, localname
from marketplace.web.access import current_actor, require_buyer, require_supplier
from marketplace.web.form_fields import add_refusal
from orders.web.names import auction_name
from settlement.models import DeliveryState, InvoiceLine
from settlement.selectors.banking.contracts import contracts_for
from settlement.selectors.cases.disputes import disputes_of_delivery
from settlement.selectors.corrections.history import history_of
from settlement.selectors.deliveries import latest_readings
from settlement.services.deliveries import accept_delivery, hand_over, reveal_access
from settlement.services.metering import record_reading
from settlement.services.metering_rules import is_after_settlement
from settlement.web.delivery_access import SeenDelivery, find_delivery, require_reader
from settlement.web.delivery_facts import metering_chart, period_figures, reason_text, way_of
from settlement.web.delivery_failure import GIVEN_UP_FROM
from settlement.web.delivery_forms import HandOverForm, ReadingForm
from settlement.web.delivery_list import open_for_hand_over, own_net

METERED = {DeliveryState.HANDED_OVER, DeliveryState.ACCEPTED, DeliveryState.COMPLETED}


@require_reader
@require_safe
def show_delivery(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a delivery from the visitor's side."""
    return render_delivery(request, find_delivery(request, public_id))


def render_delivery(
    request: HttpRequest, seen: SeenDelivery, *, status: int = 200, **forms: Any
) -> HttpResponse:
    """Render the page of a delivery, with a refused form where there is one."""
    delivery = seen.delivery
    figures = period_figures(delivery)
    allocation = delivery.allocation
    context = {
        "seen": seen,
        "delivery": delivery,
        "allocation": allocation,
        "auction_name": auction_name(allocation.auction),
        "steps": way_of(delivery),
        "figures": figures,
        "chart": metering_chart(delivery, figures),
        "readings": list(latest_readings(delivery).select_related("recorded_by", "batch")),
        "emission": delivery.emissions.select_related("factor").order_by("-version").first(),
        "net": None if seen.is_platform else own_net(delivery, is_bought=seen.is_buyer),
        "failure": reason_text(delivery.failure_reason),
        "bill_lines": _bill_lines(seen),
        "has_access": delivery.accesses.exists(),
        "crumbs": _crumbs(seen),
        "contracts": contracts_for(seen.actor).filter(allocation=allocation),
        "disputes": disputes_of_delivery(seen.actor, seen.delivery),
        **_allowed(seen),
        "history": history_of(delivery, is_seller=seen.is_seller and not seen.is_platform),
        "hand_over_form": HandOverForm(),
        "reading_form": ReadingForm(),
        **forms,
    }
    return render(request, "settlement/delivery.html", context, status=status)


def _bill_lines(seen: SeenDelivery) -> list[InvoiceLine]:
    lines = InvoiceLine.objects.filter(delivery=seen.delivery).select_related("invoice")
    if not seen.is_platform:
        lines = lines.filter(invoice__organisation=seen.actor.organisation)
    return list(lines.order_by("invoice__direction", "id"))


def _crumbs(seen: SeenDelivery) -> list[tuple[str, str]]:
    if seen.is_platform:
        return [(gettext("Settlement summary"), reverse("settlement-summary"))]
    view = "bought" if seen.is_buyer else "sold"
    return [(gettext("Deliveries"), f"{reverse('deliveries')}?view={view}")]


def _allowed(seen: SeenDelivery) -> dict[str, bool]:
    delivery, actor = seen.delivery, seen.actor
    sells = seen.is_seller and actor.can_sell
    buys = seen.is_buyer and actor.can_buy
    return {
        "can_hand_over": sells and open_for_hand_over(delivery) and market_now() < delivery.ends_at,
        "can_give_up": sells and delivery.state in GIVEN_UP_FROM,
        "can_meter": sells and (delivery.state in METERED or is_after_settlement(delivery)),
        "can_reveal": buys and delivery.handed_over_at is not None,
        "can_accept": buys and delivery.state == DeliveryState.HANDED_OVER,
        "can_dispute": (seen.is_seller or seen.is_buyer)
        and delivery.state == DeliveryState.SETTLED
        and actor.has(Role.BUYER, Role.SUPPLIER, Role.FINANCE),
    }


@sensitive_post_parameters("access_text")
@require_supplier
@require_POST
def give_access(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Hand over: store the access details for the buyer."""
    seen = find_delivery(request, public_id)
    form = HandOverForm(request.POST)
    if form.is_valid():
        try:
            hand_over(
                actor=current_actor(request),
                delivery_public_id=public_id,
                access_text=form.cleaned_data["access_text"],
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Access is handed over; the buyer can read it now."))
            return redirect("delivery", public_id=public_id)
    return render_delivery(request, seen, status=422, hand_over_form=form)


@never_cache
@require_buyer
@require_POST
def show_access(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show the access details to the buyer; this is written down in the audit trail."""
    seen = find_delivery(request, public_id)
    try:
        text = reveal_access(actor=current_actor(request), delivery_public_id=public_id)
    except RuleBroken as error:
        messages.error(request, error_text(error))
        return redirect("delivery", public_id=public_id)
    context = {"delivery": seen.delivery, "allocation": seen.delivery.allocation, "text": text}
    context["crumbs"] = _crumbs(seen)
    context["can_accept"] = seen.delivery.state == DeliveryState.HANDED_OVER
    return render(request, "settlement/delivery_access.html", context)


@require_buyer
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_delivery(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask, then confirm that the access works."""
    seen = find_delivery(request, public_id)
    own_page = reverse("delivery", args=[public_id])
    if request.method == "POST":
        try:
            accept_delivery(actor=current_actor(request), delivery_public_id=public_id)
        except RuleBroken as error:
            messages.error(request, error_text(error))
        else:
            messages.success(request, gettext("The hand-over is confirmed."))
        return redirect(own_page)
    allocation = seen.delivery.allocation
    context = {
        "question": gettext("Confirm the hand-over?"),
        "text": gettext(
            "You confirm that the access works. From then on what is metered is billed."
        ),
        "lines": [
            (gettext("Confirmation number"), allocation.number),
            (gettext("Supplier"), localname(allocation.seller)),
            (gettext("Unit-hours"), group_digits(allocation.unit_hours, 0, 3)),
            (gettext("Amount, CNY, excl. VAT"), figure(allocation.buyer_net_cny)),
        ],
        "confirm_label": gettext("Confirm"),
        "cancel_url": own_page,
    }
    return render(request, "generic/confirm.html", context)


@require_supplier
@require_POST
def add_reading(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Store one reading; the same interval again is a correction."""
    seen = find_delivery(request, public_id)
    form = ReadingForm(request.POST)
    if form.is_valid():
        given = dict(form.cleaned_data)
        energy = given.pop("energy_wh")
        try:
            record_reading(
                actor=current_actor(request),
                delivery_public_id=public_id,
                energy_wh=None if energy is None else int(energy),
                **given,
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("The reading is stored."))
            return redirect(f"{reverse('delivery', args=[public_id])}#readings")
    return render_delivery(request, seen, status=422, reading_form=form)
