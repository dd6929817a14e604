"""Giving up a delivery: the supplier is told what it costs, and confirms with a reason."""

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
from marketplace.selectors.rules import rules_at
from marketplace.templatetags.market_ui import figure, group_digits, localname, unit_text
from marketplace.web.access import current_actor, require_supplier
from marketplace.web.form_fields import add_refusal
from settlement.models import Delivery, DeliveryState
from settlement.services.deliveries import give_up_delivery
from settlement.web.delivery_access import find_delivery

GIVEN_UP_FROM = {DeliveryState.SCHEDULED, DeliveryState.HANDED_OVER}


class FailureForm(forms.Form):
    """Why the delivery cannot take place."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The buyer and the market operator read it."),
    )


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def give_up(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask with the consequence in money, then declare that the delivery does not take place."""
    seen = find_delivery(request, public_id)
    if not seen.is_seller:
        raise Http404
    own_page = reverse("delivery", args=[public_id])
    if seen.delivery.state not in GIVEN_UP_FROM:
        messages.info(request, gettext("This delivery cannot be given up any more."))
        return redirect(own_page)
    form = FailureForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            give_up_delivery(
                actor=current_actor(request),
                delivery_public_id=public_id,
                reason=form.cleaned_data["reason"],
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("The delivery is declared as not delivered."))
            return redirect(own_page)
    context = {
        "question": gettext("Declare that this delivery does not take place?"),
        "text": gettext(
            "This cannot be undone. Nothing of it is billed: you earn nothing of it and pay no "
            "fee, the buyer pays nothing and gets its held money back. The market charges no "
            "penalty, but the failure stands in your public delivery record."
        ),
        "lines": _consequences(seen.delivery),
        "form": form,
        "danger": True,
        "confirm_label": gettext("It does not take place"),
        "cancel_url": own_page,
    }
    status = 422 if form.errors else 200
    return render(request, "generic/confirm.html", context, status=status)


def _consequences(delivery: Delivery) -> list[tuple[str, str]]:
    allocation = delivery.allocation
    fee = (allocation.seller_net_cny * rules_at(market_now()).seller_fee_rate).quantize(
        allocation.seller_net_cny
    )
    hours = f"{group_digits(allocation.unit_hours, 0, 3)} {unit_text(allocation.product)}"
    return [
        (gettext("Confirmation number"), allocation.number),
        (gettext("Buyer"), localname(allocation.buyer)),
        (gettext("You would earn, CNY, excl. VAT"), figure(allocation.seller_net_cny)),
        (gettext("Our fee on it, CNY, excl. VAT"), figure(fee)),
        (gettext("You earn instead, CNY"), figure(0)),
        (gettext("Counted as not delivered"), hours),
    ]
