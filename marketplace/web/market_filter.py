"""The filters of the market search, and the listings that they leave."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Case, DecimalField, F, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.models import (
    HardwareModel,
    Hub,
    HubKind,
    Listing,
    Product,
    ResourceClass,
    TrustLevel,
    WorkloadScenario,
)
from marketplace.selectors.catalogue import CatalogueFilter, listed
from marketplace.selectors.hubs import consumption_hubs, routes_from
from marketplace.templatetags.market_ui import localname
from marketplace.web.form_fields import MarketTimeField

ANY = pgettext_lazy("filter", "Any")
DENGBAO_LEVELS = (2, 3, 4)


def tick_filter(**attrs: str) -> forms.NumberInput:
    """Return an input for a number that keeps what was typed."""
    return forms.NumberInput(attrs={"inputmode": "decimal", "step": "any", **attrs})


class MarketFilter(forms.Form):
    """What a buyer looks for; empty fields are no condition."""

    resource_class = forms.ChoiceField(label=_("Class"), required=False)
    product = forms.ChoiceField(label=_("Product"), required=False)
    hardware = forms.ChoiceField(label=_("Card or processor"), required=False)
    hub = forms.ChoiceField(label=_("Hub"), required=False)
    city = forms.ChoiceField(label=_("From my city"), required=False)
    scenario = forms.ChoiceField(label=_("What the work is"), required=False)
    max_rtt = forms.DecimalField(
        label=_("Latency at most, ms"),
        required=False,
        min_value=Decimal(0),
        max_digits=8,
        decimal_places=3,
        widget=tick_filter(),
    )
    max_price = forms.DecimalField(
        label=_("Price at most, excl. VAT"),
        required=False,
        min_value=Decimal(0),
        max_digits=14,
        decimal_places=6,
        widget=tick_filter(),
    )
    min_units = forms.DecimalField(
        label=_("Units at least"),
        required=False,
        min_value=Decimal(0),
        max_digits=14,
        decimal_places=3,
        widget=tick_filter(),
    )
    free_from = MarketTimeField(label=_("Free from"), required=False)
    free_until = MarketTimeField(label=_("Free until"), required=False)
    trust = forms.TypedChoiceField(label=_("Trust"), required=False, coerce=int, empty_value=None)
    dengbao = forms.TypedChoiceField(
        label=_("MLPS level at least"), required=False, coerce=int, empty_value=None
    )
    green = forms.DecimalField(
        label=_("Green share at least, %"),
        required=False,
        min_value=Decimal(0),
        max_value=Decimal(100),
        max_digits=5,
        decimal_places=2,
        widget=tick_filter(),
    )
    xinchuang = forms.TypedChoiceField(
        label=_("Domestic hardware"),
        required=False,
        choices=[("", ANY), ("1", _("Only domestic"))],
        coerce=lambda text: text == "1",
        empty_value=None,
    )

    supplier = forms.CharField(label=_("Supplier"), required=False, max_length=60)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = list(consumption_hubs())
        self.scenarios = list(WorkloadScenario.objects.order_by("sort_order", "code"))
        supply = [hub for hub in self.places if hub.has_supply]
        products = Product.objects.filter(active=True).order_by("sort_order", "code")
        self._offer("resource_class", _classes())
        self._offer("product", [(p.code, localname(p)) for p in products])
        self._offer("hardware", _hardware())
        self._offer("hub", [(hub.code, localname(hub)) for hub in supply])
        self._offer("city", [(hub.code, localname(hub)) for hub in cities_first(self.places)])
        self._offer("scenario", [(s.code, localname(s)) for s in self.scenarios])
        self._offer("trust", [(level.value, level.label) for level in TrustLevel if level.value])
        self._offer("dengbao", [(level, str(level)) for level in DENGBAO_LEVELS])

    def _offer(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        self.fields[name].choices = [("", ANY), *choices]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Take a time by both its ends, the later one last, in quarters of an hour."""
        cleaned = super().clean() or {}
        start, end = cleaned.get("free_from"), cleaned.get("free_until")
        if bool(start) != bool(end) and not self.errors:
            missing = "free_until" if start else "free_from"
            self.add_error(missing, _("A time has a beginning and an end."))
        elif start and end and end <= start:
            self.add_error("free_until", _("The end must be after the beginning."))
        return cleaned

    def free_window(self) -> tuple[datetime, datetime] | None:
        """Return the time in which the capacity must be free throughout."""
        start, end = self.cleaned_data["free_from"], self.cleaned_data["free_until"]
        return (start, end) if start and end else None

    def chosen_city(self) -> Hub | None:
        """Return the place of consumption that was chosen."""
        code = self.cleaned_data.get("city")
        return next((hub for hub in self.places if hub.code == code), None)

    def latency_limit(self) -> Decimal | None:
        """Return the limit in ms: the number given, else that of the kind of work."""
        if self.cleaned_data.get("max_rtt") is not None:
            return self.cleaned_data["max_rtt"]
        code = self.cleaned_data.get("scenario")
        return next((s.max_rtt_ms for s in self.scenarios if s.code == code), None)


def cities_first(hubs: list[Hub]) -> list[Hub]:
    """Return the places with the demand cities on top."""
    return sorted(hubs, key=lambda hub: (hub.kind != HubKind.CITY, hub.pk))


def _classes() -> list[tuple[str, Any]]:
    return [choice for choice in ResourceClass.choices if choice[0] != ResourceClass.STORAGE]


def _hardware() -> list[tuple[str, str]]:
    names = (
        HardwareModel.objects.filter(pk__in=Listing.objects.values("pool__hardware"))
        .order_by("name")
        .values_list("name", flat=True)
    )
    return [(name, name) for name in names]


@dataclass(frozen=True)
class Search:
    """The listings found, and the round trip in ms to each hub when a city was chosen."""

    rows: QuerySet[Listing]
    city: Hub | None
    rtt_by_hub: dict[str, Decimal]


SORTS = {
    "price": "best_price",
    "quantity": "quantity",
    "green": "pool__green_share",
    "trust": "pool__trust_level",
    "rtt": "rtt",
}


def search(form: MarketFilter, *, on: date, sort: str) -> Search:
    """Return what the filters leave, sorted; a refused form filters nothing."""
    valid = form.is_valid()
    city = form.chosen_city() if valid else None
    routes = routes_from(city.code) if city else {}
    rtt_by_hub = {code: route.rtt_ms for code, route in routes.items()}
    rows = listed(_wanted(form, city) if valid else None, on=on)
    return Search(_sorted(rows, sort, rtt_by_hub), city, rtt_by_hub)


def _wanted(form: MarketFilter, city: Hub | None) -> CatalogueFilter:
    given = form.cleaned_data
    green = given.get("green")
    return CatalogueFilter(
        product=given["product"] or None,
        resource_class=given["resource_class"] or None,
        hardware=given["hardware"] or None,
        hub=given["hub"] or None,
        from_hub=city,
        max_rtt_ms=form.latency_limit() if city else None,
        max_price=given["max_price"],
        min_quantity=given["min_units"],
        window=form.free_window(),
        supplier=given["supplier"] or None,
        min_trust=given["trust"],
        min_dengbao=given["dengbao"],
        xinchuang=given["xinchuang"],
        min_green_share=None if green is None else green / 100,
    )


def _sorted(
    rows: QuerySet[Listing], sort: str, rtt_by_hub: dict[str, Decimal]
) -> QuerySet[Listing]:
    name = sort.removeprefix("-")
    field = SORTS.get(name)
    if field is None or (name == "rtt" and not rtt_by_hub):
        return rows
    if name == "rtt":
        rows = rows.annotate(
            rtt=Case(
                *(When(pool__hub__code=code, then=Value(ms)) for code, ms in rtt_by_hub.items()),
                output_field=DecimalField(max_digits=10, decimal_places=3),
            )
        )
    order = F(field).desc(nulls_last=True) if sort.startswith("-") else F(field).asc()
    return rows.order_by(order, "id")
