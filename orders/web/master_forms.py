"""Forms of the master data; they check shapes, the services check the market's rules."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.models import Hub, HubKind, Link, Product
from marketplace.templatetags.market_ui import aside, localname
from marketplace.web.form_fields import PlainDecimalField
from orders.models import AuctionCalendar
from orders.services.master_data import (
    CALENDAR_FIXED,
    HUB_FIXED,
    INDICATIVE_CHOICES,
    LINK_FIXED,
    PRODUCT_FIXED,
)

PER_UNIT_HOUR = _("Per unit and hour, VAT excluded.")


class NamedChoiceField(forms.ModelChoiceField):
    """Chooses a row by its name in the reader's language."""

    def label_from_instance(self, obj: Any) -> str:
        """Return name and code."""
        return localname(obj) + aside(obj.code)


class NamedMultipleField(forms.ModelMultipleChoiceField):
    """Chooses several rows by their names."""

    def label_from_instance(self, obj: Any) -> str:
        """Return name and code."""
        return localname(obj) + aside(obj.code)


class NumberListField(forms.CharField):
    """A short list of numbers, separated by commas or blanks."""

    def clean(self, value: Any) -> Any:
        """Return the numbers, rising and each once; a fixed field hands in the stored list."""
        if isinstance(value, list):
            return value
        text = super().clean(value)
        single = PlainDecimalField(places=3, max_digits=6)
        words = text.replace(",", " ").replace("，", " ").split()
        return sorted({single.clean(word) for word in words})

    def prepare_value(self, value: Any) -> Any:
        """Show stored numbers as people write them."""
        if isinstance(value, list):
            return ", ".join(f"{number.normalize():f}" for number in value)
        return value


class MasterForm(forms.ModelForm):
    """A form whose fixed fields are shown and not taken once the row exists."""

    fixed: tuple[str, ...] = ()

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if self.instance.pk:
            for name in self.fixed:
                if name in self.fields:
                    self.fields[name].disabled = True
                    self.fields[name].required = False

    def values(self) -> dict[str, Any]:
        """Return what was typed, without what is fixed."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if not (self.instance.pk and name in self.fixed)
        }

    def clean(self) -> dict[str, Any]:
        """Refuse a code that another row has."""
        values: dict[str, Any] = super().clean() or {}
        if "code" in self.fields and not self.instance.pk:
            rows = self._meta.model._default_manager
            if rows.filter(code=values.get("code")).exists():
                self.add_error("code", _("This code is taken."))
        return values

    def _post_clean(self) -> None:
        """Leave the row alone: the service changes it."""


class HubForm(MasterForm):
    """A hub."""

    fixed = HUB_FIXED
    parent = NamedChoiceField(
        label=_("Parent"),
        required=False,
        queryset=Hub.objects.exclude(kind=HubKind.CITY).order_by("code"),
    )

    class Meta:
        model = Hub
        fields = (
            *("code", "name_zh", "name_en", "short_zh", "short_en", "kind", "parent", "side"),
            *("has_supply", "trades", "id4", "pue_cap", "grid_province"),
            *("schema_x", "schema_y", "source"),
        )
        widgets = {"source": forms.Textarea(attrs={"rows": 2})}


class LinkForm(MasterForm):
    """A link with a capacity each way."""

    fixed = LINK_FIXED
    from_hub = NamedChoiceField(label=_("From hub"), queryset=Hub.objects.order_by("code"))
    to_hub = NamedChoiceField(label=_("To hub"), queryset=Hub.objects.order_by("code"))
    rtt_ms = PlainDecimalField(label=_("RTT, ms"), places=3, max_digits=4)
    tariff_cny_per_gbps_hour = PlainDecimalField(
        label=_("Tariff, CNY per Gbit/s and hour"), places=6, max_digits=6
    )
    forward_gbps = PlainDecimalField(label=_("Capacity forward, Gbit/s"), places=3, max_digits=6)
    reverse_gbps = PlainDecimalField(label=_("Capacity reverse, Gbit/s"), places=3, max_digits=6)

    class Meta:
        model = Link
        fields = (
            *("from_hub", "to_hub", "rtt_ms", "tariff_cny_per_gbps_hour"),
            *("forward_gbps", "reverse_gbps", "active", "source"),
        )
        widgets = {"source": forms.Textarea(attrs={"rows": 2})}


class ProductForm(MasterForm):
    """A product; what orders rest on is set once."""

    fixed = PRODUCT_FIXED
    price_tick = PlainDecimalField(label=_("Price tick, CNY"), initial=Decimal("0.01"))
    clearing_price_tick = PlainDecimalField(
        label=_("Clearing price tick, CNY"), initial=Decimal("0.0001")
    )
    quantity_lot = PlainDecimalField(label=_("Quantity lot"), places=3, initial=Decimal(1))
    price_min = PlainDecimalField(
        label=_("Lowest price, CNY"), initial=Decimal(0), help_text=PER_UNIT_HOUR
    )
    price_max = PlainDecimalField(label=_("Highest price, CNY"), help_text=PER_UNIT_HOUR)
    bandwidth_gbps_per_unit = PlainDecimalField(label=_("Gbit/s per unit"))
    rtt_classes_ms = NumberListField(
        label=_("Latency classes, ms"), help_text=_("Separated by commas, at most six.")
    )
    carbon_classes_g = NumberListField(
        label=_("Carbon classes, g"),
        required=False,
        help_text=_("Per unit and hour, separated by commas, at most six; 0 is green only."),
    )
    power_w_per_unit = PlainDecimalField(label=_("Watts per unit"), places=2)
    pflops_bf16_per_unit = PlainDecimalField(
        label=_("PFLOP/s (dense BF16) per unit"), required=False
    )
    reference_price = PlainDecimalField(
        label=_("Reference price (example), CNY"), help_text=PER_UNIT_HOUR
    )

    class Meta:
        model = Product
        fields = (
            *("code", "resource_class", "name_zh", "name_en", "unit_zh", "unit_en"),
            *("price_tick", "clearing_price_tick", "quantity_lot", "price_min", "price_max"),
            *("bandwidth_gbps_per_unit", "rtt_classes_ms", "carbon_classes_g"),
            "power_w_per_unit",
            *("pflops_bf16_per_unit", "reference_price", "active", "sort_order", "note"),
        )
        widgets = {"note": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if self.instance.pk:
            self.initial["reference_price"] = self.instance.reference_price.amount

    def clean(self) -> dict[str, Any]:
        """Check the figures of a new product against each other."""
        values = super().clean()
        if self.instance.pk:
            return values
        for name in ("price_tick", "clearing_price_tick", "quantity_lot"):
            if values.get(name) is not None and values[name] <= 0:
                self.add_error(name, _("The number must be above zero."))
        low, high = values.get("price_min"), values.get("price_max")
        if low is not None and high is not None and high <= low:
            self.add_error("price_max", _("The highest price must be above the lowest one."))
        for name in ("rtt_classes_ms", "carbon_classes_g"):
            if len(values.get(name) or []) > 6:
                self.add_error(name, _("At most six classes."))
        return values


class CalendarForm(MasterForm):
    """A calendar that makes auctions."""

    fixed = CALENDAR_FIXED
    gate_opens_lead_minutes = forms.IntegerField(
        label=_("Gate opens, minutes before delivery"), min_value=1, max_value=100_000
    )
    gate_closes_lead_minutes = forms.IntegerField(
        label=_("Gate closes, minutes before delivery"), min_value=0, max_value=100_000
    )
    no_cancel_minutes = forms.IntegerField(
        label=_("Last phase, minutes before closure"),
        min_value=0,
        max_value=10_000,
        help_text=_("Then orders may only improve; 0 for no such phase."),
    )
    indicative_minutes = forms.TypedChoiceField(
        label=_("Minutes between indicative figures"),
        coerce=int,
        choices=[(number, number) for number in INDICATIVE_CHOICES],
        initial=15,
    )
    period_minutes = forms.TypedChoiceField(
        label=_("Period, minutes"),
        coerce=int,
        choices=[(number, number) for number in (15, 30, 60, 1440)],
        initial=60,
    )
    products = NamedMultipleField(
        label=_("Products"),
        required=False,
        queryset=Product.objects.filter(active=True).order_by("sort_order", "code"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: all products that are active when an auction is made."),
    )
    is_active = forms.BooleanField(label=_("Makes auctions"), required=False)

    class Meta:
        model = AuctionCalendar
        fields = (
            *("code", "kind", "name_zh", "name_en", "period_minutes", "cadence_minutes"),
            *("horizon_minutes", "gate_opens_lead_minutes", "gate_closes_lead_minutes"),
            *("no_cancel_minutes", "indicative_minutes", "products", "is_active"),
        )
        labels = {"code": _("Code"), "kind": _("Kind")}
