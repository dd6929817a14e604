"""Forms of a delivery: access details, one reading, the filter of the list."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.models import Product
from marketplace.templatetags.market_ui import localname
from marketplace.web.form_fields import DayField, MarketTimeField, PlainDecimalField
from settlement.models import Delivery, DeliveryState


class HandOverForm(forms.Form):
    """What the buyer needs to reach the machines."""

    access_text = forms.CharField(
        label=_("Access details"),
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_(
            "Addresses, accounts, keys, whom to call. Stored encrypted; only the buyer can read "
            "them, and every reading is written down."
        ),
    )


class ReadingForm(forms.Form):
    """Units delivered, averaged over an interval."""

    starts_at = MarketTimeField(label=_("From"))
    ends_at = MarketTimeField(label=_("Until"))
    quantity = PlainDecimalField(
        label=_("Units delivered, average"), places=3, max_digits=9, help_text=_("0 if none ran.")
    )
    energy_wh = PlainDecimalField(
        label=_("IT energy, Wh"),
        places=0,
        max_digits=15,
        required=False,
        help_text=_("If it was metered; otherwise it is estimated from the pool's power."),
    )
    counter = PlainDecimalField(
        label=_("Counter at the end, unit-hours"),
        places=3,
        max_digits=12,
        required=False,
        help_text=_("If the meter has one: it never goes back without an approved reset."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        help_text=_("Needed once the delivery is settled; buyer and finance can read it."),
    )


class DeliveryFilter(forms.Form):
    """Narrows the list of deliveries."""

    q = forms.CharField(label=_("Confirmation number or partner"), required=False, max_length=60)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *DeliveryState.choices],
    )
    product = forms.ChoiceField(label=_("Product"), required=False)
    since = DayField(label=_("Delivered from"), required=False)
    until = DayField(label=_("Delivered until"), required=False)
    auction = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    view = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        products = Product.objects.filter(active=True).order_by("sort_order", "code")
        choices = [(product.code, localname(product)) for product in products]
        self.fields["product"].choices = [  # type: ignore[attr-defined]
            ("", pgettext_lazy("filter", "All")),
            *choices,
        ]

    def narrow(self, deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Return the deliveries asked for; wrong values narrow nothing."""
        asked = self.cleaned_data if self.is_valid() else {}
        text = asked.get("q")
        if text:
            deliveries = deliveries.filter(
                Q(allocation__number__icontains=text)
                | Q(allocation__buyer__name_zh__icontains=text)
                | Q(allocation__seller__name_zh__icontains=text)
                | Q(allocation__buyer__name_en__icontains=text)
                | Q(allocation__seller__name_en__icontains=text)
            )
        exact = {
            "state": "state",
            "product": "allocation__product__code",
            "auction": "allocation__auction__code",
            "since": "ends_at__date__gte",
            "until": "starts_at__date__lte",
        }
        given = {exact[name]: asked[name] for name in exact if asked.get(name)}
        return deliveries.filter(**given)
