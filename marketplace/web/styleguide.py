"""The style guide: every part of the design language on one page, with example figures.

Mounted only where ``settings.STYLEGUIDE`` or DEBUG is on; members never see it.
"""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from marketplace.selectors.clock import market_now
from marketplace.web.styleguide_charts import example_charts

STATES = (
    ("draft", _("Draft")),
    ("scheduled", _("Scheduled")),
    ("open", _("Open")),
    ("closed", _("Gate closed")),
    ("published", _("Published")),
    ("filled", _("Filled")),
    ("partly_filled", _("Partly filled")),
    ("rejected", _("Not matched")),
    ("paused", _("Paused")),
    ("cancelled", _("Cancelled")),
)


class ExampleForm(forms.Form):
    """One field of each kind."""

    quantity = forms.DecimalField(
        label=_("Quantity"), help_text=_("In cards, in lots of 8."), min_value=8
    )
    price = forms.DecimalField(
        label=_("Limit price"), help_text=_("CNY per card-hour, without VAT; tick 0.01.")
    )
    kind = forms.ChoiceField(
        label=_("Order type"), choices=[("curve", _("Curve order")), ("block", _("Block order"))]
    )
    side = forms.ChoiceField(
        label=_("Side"), choices=[("buy", _("Buy")), ("sell", _("Sell"))], widget=forms.RadioSelect
    )
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea)
    agreed = forms.BooleanField(label=_("I have read the market rules"))


class ExampleFilter(forms.Form):
    """The filter row of a list."""

    q = forms.CharField(label=_("Search"), required=False)
    kind = forms.ChoiceField(
        label=_("Order type"), choices=[("", _("All")), ("block", _("Block order"))], required=False
    )


def example_orders() -> list[SimpleNamespace]:
    """Return table rows in several states."""
    rows = (
        ("B-20261122-0184", "贵安 · 910B", "Gui'an · 910B", "320", "11.80", "filled"),
        ("B-20261122-0185", "中卫 · H20", "Zhongwei · H20", "1024", "9.65", "partly_filled"),
        ("B-20261122-0186", "韶关 · L40S", "Shaoguan · L40S", "64", "4.20", "rejected"),
        ("B-20261122-0187", "和林格尔 · CPU", "Horinger · CPU", "12000", "0.085", "published"),
    )
    return [
        SimpleNamespace(
            number=number,
            product=SimpleNamespace(name_zh=zh, name_en=en),
            quantity=Decimal(quantity),
            price=Decimal(price),
            state=state,
            label=dict(STATES)[state],
        )
        for number, zh, en, quantity, price, state in rows
    ]


def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every part; 404 in a market that serves members."""
    if not (settings.DEBUG or getattr(settings, "STYLEGUIDE", False)):
        raise Http404
    refused = ExampleForm({"quantity": "-3", "price": "abc", "kind": "curve"})
    refused.is_valid()
    now = market_now()
    orders = Paginator(example_orders(), 2)
    context: dict[str, Any] = {
        "form": refused,
        "empty_form": ExampleForm(auto_id="new_%s"),
        "filter_form": ExampleFilter(auto_id="filter_%s"),
        "page_obj": orders.page(1),
        "orders": example_orders(),
        "charts": example_charts(),
        "badges": STATES,
        "now": now,
        "later": now + timedelta(hours=9),
        "steps": [
            {"label": _("Gate open"), "state": "done", "note": "10:00"},
            {"label": _("Gate closed"), "state": "done", "note": "12:00"},
            {"label": _("Clearing"), "state": "now", "note": _("since 12 s")},
            {"label": _("Published"), "state": "todo", "note": ""},
        ],
        "pairs": [
            (_("Contract"), "CNF-2026-000184"),
            (_("Delivery"), "2026-11-23 00:00–24:00"),
            (_("Latency class"), "≤ 20 ms"),
        ],
        "crumbs": [(_("Auctions"), "/auctions/")],
        "tabs": [
            {"label": _("All"), "url": "?tab=all", "active": True, "count": 42},
            {"label": _("Open"), "url": "?tab=open", "active": False, "count": 3},
        ],
        "sums": [
            (_("Worst case, without VAT"), "92,160.00 CNY", ""),
            (_("VAT"), "5,529.60 CNY", ""),
            (_("Held on your account"), "97,689.60 CNY", ""),
        ],
    }
    return render(request, "styleguide.html", context)
