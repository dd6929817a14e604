"""The form of a resource pool."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.decimals import DecimalRefused, parse_decimal
from marketplace.models import HardwareModel, Hub, Product, ResourcePool
from marketplace.services.checks import plain
from marketplace.services.error_texts import code_text
from marketplace.templatetags.market_ui import aside, localname, unit_text
from marketplace.web.form_fields import DayField, PlainDecimalField

DENGBAO_CHOICES = [
    ("0", pgettext_lazy("level of classified protection", "None")),
    *((str(level), str(level)) for level in range(1, 6)),
]


class NamedChoice(forms.ModelChoiceField):
    """Shows reference data in the page's language."""

    def label_from_instance(self, obj: Any) -> str:
        """Return name_zh or name_en."""
        return localname(obj)


class ProductChoice(NamedChoice):
    """Shows a product with its unit."""

    def label_from_instance(self, obj: Product) -> str:
        """Return the product's name and unit."""
        return localname(obj) + aside(unit_text(obj))


class ProfileField(forms.CharField):
    """Figures for the hours of the day, in one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=500, **options)

    def clean(self, value: Any) -> Any:
        """Return the figures, an empty list for none."""
        words = str(super().clean(value)).replace(",", " ").split()
        try:
            return [parse_decimal(word, max_digits=8, places=3) for word in words]
        except DecimalRefused as refusal:
            raise ValidationError(code_text(refusal.code, dict(refusal.params))) from None

    def prepare_value(self, value: Any) -> Any:
        """Show stored figures as people write them."""
        return " ".join(map(plain, value)) if isinstance(value, list) else value


class PoolForm(forms.Form):
    """Machines of one kind at one hub."""

    name = forms.CharField(label=_("Name"), max_length=100)
    name_en = forms.CharField(
        label=_("English name"),
        max_length=120,
        required=False,
        help_text=_("Shown on English pages; left empty, they show the name above."),
    )
    hub = NamedChoice(
        label=_("Hub"), queryset=Hub.objects.filter(has_supply=True, trades=True).order_by("code")
    )
    product = ProductChoice(
        label=_("Product"),
        queryset=Product.objects.filter(active=True).order_by("sort_order", "code"),
    )
    hardware = forms.ModelChoiceField(
        label=_("Hardware"),
        required=False,
        queryset=HardwareModel.objects.order_by("vendor", "name"),
        help_text=_("From the catalogue; leave it open when yours is not in it."),
    )
    unit_count = PlainDecimalField(
        label=_("Units"), places=3, max_digits=9, help_text=_("Cards, or cores, of the product.")
    )
    power_w_per_unit = PlainDecimalField(
        label=_("Power per unit, W"),
        required=False,
        places=2,
        max_digits=6,
        help_text=_("Left empty: the product's usual figure."),
    )
    pue = PlainDecimalField(
        label=_("PUE"),
        required=False,
        places=4,
        max_digits=1,
        help_text=_("Between 1 and 4; left empty: the hub's cap."),
    )
    green_share = PlainDecimalField(
        label=_("Renewable share, %"), required=False, places=2, max_digits=3
    )
    carbon_g_per_unit_hour = PlainDecimalField(
        label=_("Declared carbon, g per unit-hour"),
        required=False,
        places=3,
        max_digits=8,
        help_text=_(
            "Market-based, green power counted; 0 serves green-only bids. Left empty: the estimate "
            "from the grid of the hub's province."
        ),
    )
    carbon_profile_g = ProfileField(
        label=_("Carbon by hour of the day, g per unit-hour"),
        required=False,
        help_text=_(
            "24 figures from 00:00 on, separated by blanks or commas; left empty: the figure above "
            "holds for every hour. In clearing the dirtiest hour counts."
        ),
    )
    carbon_evidence = forms.CharField(
        label=_("Evidence of green power"),
        required=False,
        max_length=200,
        help_text=_("Number of the power contract or of the green certificates."),
    )
    memory_gib_per_unit = PlainDecimalField(
        label=_("Memory per unit, GiB"), required=False, places=1, max_digits=5
    )
    interconnect = forms.CharField(label=_("Interconnect"), required=False, max_length=80)
    dengbao_level = forms.ChoiceField(
        label=_("MLPS level"), required=False, choices=DENGBAO_CHOICES, initial="0"
    )
    dengbao_evidence = forms.CharField(
        label=_("MLPS evidence"),
        required=False,
        max_length=200,
        help_text=_("Number of the filing certificate and who issued it."),
    )
    dengbao_expires_on = DayField(label=_("MLPS evidence expires on"), required=False)
    is_xinchuang = forms.BooleanField(label=_("Domestic hardware"), required=False)
    xinchuang_evidence = forms.CharField(
        label=_("Evidence of domestic hardware"), required=False, max_length=200
    )
    xinchuang_expires_on = DayField(
        label=_("Evidence of domestic hardware expires on"), required=False
    )

    def details(self) -> dict[str, Any]:
        """Return the input in the service's terms: the level as number, the share as share."""
        given = dict(self.cleaned_data)
        given["dengbao_level"] = int(given["dengbao_level"] or 0)
        given["green_share"] = (given["green_share"] or 0) / 100
        return given


class PoolChangeForm(PoolForm):
    """What can be corrected of a pool; hub and product are part of its identifier."""

    hub = None  # type: ignore[assignment]
    product = None  # type: ignore[assignment]


def stored_details(pool: ResourcePool) -> dict[str, Any]:
    """Return a pool in the form's terms: the share as percentage, the level as text."""
    names = [name for name in PoolForm.base_fields if name not in ("hub", "product")]
    facts = {name: getattr(pool, name) for name in names}
    return {
        **facts,
        "dengbao_level": str(pool.dengbao_level),
        "green_share": pool.green_share * 100,
    }
