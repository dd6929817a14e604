"""Price bands and market rules: what is in force, what comes, and proposing a change."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.models import (
    CounterpartyMode,
    MarketRules,
    PaymentTermUnit,
    PriceBand,
    Product,
    RequestState,
    TwoPersonRequest,
)
from marketplace.selectors.clock import market_now
from marketplace.selectors.rules import rules_at
from marketplace.services.market_terms import (
    BAND_ACTION,
    RULE_FIELDS,
    RULES_ACTION,
    propose_market_rules,
    propose_price_band,
)
from marketplace.templatetags.market_ui import figure, localname, percent
from marketplace.web.access import current_actor, require_operator
from marketplace.web.form_fields import MarketTimeField, PlainDecimalField, add_refusal
from orders.web.request_pages import describe_request
from orders.web.rule_words import rule_words

PAGE_SIZE = 25


class BandForm(forms.Form):
    """A new band of a product, from when, and why."""

    price_min = PlainDecimalField(label=_("Lowest price"))
    price_max = PlainDecimalField(label=_("Highest price"))
    valid_from = MarketTimeField(
        label=_("Valid from"),
        help_text=_("Market time. Auctions whose gate is open by then keep their band."),
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )


class RulesForm(forms.Form):
    """New market rules, filled in with those in force."""

    valid_from = MarketTimeField(label=_("Valid from"), help_text=_("Market time, in the future."))
    counterparty = forms.ChoiceField(label=_("Counterparty"), choices=CounterpartyMode.choices)
    buyer_fee_rate = PlainDecimalField(
        label=_("Fee of buyers"), places=5, help_text=_("A share: 0.005 is half a percent.")
    )
    seller_fee_rate = PlainDecimalField(label=_("Fee of sellers"), places=5)
    fee_vat_rate = PlainDecimalField(label=_("VAT on fees"), places=4)
    max_order_notional_cny = PlainDecimalField(label=_("Largest order, CNY"), places=2)
    acceptance_timeout_hours = forms.IntegerField(
        label=_("Hours to accept a delivery"), min_value=0, max_value=3650
    )
    payment_term_days = forms.IntegerField(label=_("Days to pay"), min_value=0, max_value=3650)
    payment_term_unit = forms.ChoiceField(
        label=_("Days to pay are"), choices=PaymentTermUnit.choices
    )
    confirmation_workdays = forms.IntegerField(
        label=_("Workdays to confirm a monthly statement"), min_value=0, max_value=3650
    )
    bundle_publication_delay_days = forms.IntegerField(
        label=_("Days until bundles are public"), min_value=0, max_value=3650
    )
    resale_allowed = forms.BooleanField(label=_("Resale allowed"), required=False)
    note = forms.CharField(
        label=_("Note"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )


@require_operator
@require_safe
def list_bands(request: HttpRequest) -> HttpResponse:
    """Show every product's band in force, what is coming, and what waits for approval."""
    now = market_now()
    bands = PriceBand.objects.select_related("product", "request").order_by("-valid_from", "-id")
    page = Paginator(bands, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "products": Product.objects.order_by("sort_order", "code"),
        "page_obj": page,
        "now": now,
        "requests": _waiting(BAND_ACTION),
        "result_text": gettext("%(count)s changes") % {"count": page.paginator.count},
    }
    return render(request, "orders/bands.html", context)


@require_operator
@require_http_methods(["GET", "HEAD", "POST"])
def propose_band(request: HttpRequest, code: str) -> HttpResponse:
    """Take in a new band for a product; another operator decides on it."""
    product = get_object_or_404(Product, code=code)
    initial = {"price_min": product.price_min, "price_max": product.price_max}
    form = BandForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            propose_price_band(actor=current_actor(request), product=product, **form.cleaned_data)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Another operator decides on the new band."))
            return redirect("price-bands")
    context = {
        "form": form,
        "title": gettext("Price band of %(name)s") % {"name": localname(product)},
        "submit_label": gettext("Ask for approval"),
        "cancel_url": reverse("price-bands"),
        "crumbs": [(gettext("Price bands"), reverse("price-bands"))],
    }
    return render(request, "orders/terms_form.html", context, status=422 if form.errors else 200)


@require_operator
@require_safe
def list_rules(request: HttpRequest) -> HttpResponse:
    """Show the versions of the market rules, the newest first."""
    now = market_now()
    page = Paginator(MarketRules.objects.order_by("-valid_from"), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    words = rule_words()
    in_force = rules_at(now)
    context = {
        "page_obj": page,
        "now": now,
        "in_force": in_force,
        "lines": [(words[name], _shown(in_force, name)) for name in RULE_FIELDS],
        "requests": _waiting(RULES_ACTION),
        "result_text": gettext("%(count)s versions") % {"count": page.paginator.count},
    }
    return render(request, "orders/rules.html", context)


def _decimal_shown(value: Decimal, name: str) -> str:
    if not name.endswith("_rate"):
        return figure(value, 2)
    return percent(value, 3 if name.endswith("fee_rate") else 1)


def _shown(rules: MarketRules, name: str) -> Any:
    if name == "counterparty":
        return rules.get_counterparty_display()
    if name == "payment_term_unit":
        return rules.get_payment_term_unit_display()
    value = getattr(rules, name)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, Decimal):
        return _decimal_shown(value, name)
    if name == "note" and value:
        return gettext(
            value
        )  # the software's own note is in the catalogue, others stay as they are
    return value if value not in ("", None) else "–"


@require_operator
@require_http_methods(["GET", "HEAD", "POST"])
def propose_rules(request: HttpRequest) -> HttpResponse:
    """Take in new market rules; another operator decides on them."""
    current = rules_at(market_now())
    # A note is about the rules it was written for.
    initial = {name: getattr(current, name) for name in RULE_FIELDS if name != "note"}
    form = RulesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        valid_from, reason = values.pop("valid_from"), values.pop("reason")
        changes = {n: value for n, value in values.items() if value != getattr(current, n)}
        if changes.keys() == {"note"} and not values["note"]:
            changes.clear()
        try:
            propose_market_rules(
                actor=current_actor(request),
                valid_from=valid_from,
                reason=reason,
                changes=changes,
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Another operator decides on the new rules."))
            return redirect("market-rules")
    context = {
        "form": form,
        "title": gettext("New market rules"),
        "submit_label": gettext("Ask for approval"),
        "cancel_url": reverse("market-rules"),
        "crumbs": [(gettext("Market rules"), reverse("market-rules"))],
    }
    return render(request, "orders/terms_form.html", context, status=422 if form.errors else 200)


def _waiting(action: str) -> list[dict[str, Any]]:
    rows = TwoPersonRequest.objects.filter(action=action, state=RequestState.PENDING)
    return [describe_request(row) for row in rows.select_related("requested_by").order_by("id")]
