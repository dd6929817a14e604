"""The bid form: what is wanted, where, when, and up to which price."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from marketplace.models import Hub, Product, TrustLevel, WorkloadScenario
from marketplace.selectors.hubs import consumption_hubs
from marketplace.templatetags.market_ui import localname
from marketplace.web.form_fields import PlainDecimalField
from marketplace.web.market_filter import DENGBAO_LEVELS, cities_first
from orders.models import Auction, OrderKind, Placement
from orders.selectors.bands import traded_products
from orders.web.names import end_clock, periods_of
from orders.web.reasons import price_figure

STEP_ROWS = 8
SHOWN_ROWS = 3
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class PriceStep:
    """One row of the form: the step's own quantity at a limit price, CNY per unit and hour."""

    row: int
    price: Decimal
    quantity: Decimal


class BidForm(forms.Form):
    """A buy order of one auction; what the market refuses comes back to the field it is about."""

    scenario = forms.ChoiceField(
        label=_("What the work is"),
        required=False,
        help_text=_("Fills in how near the machines must be."),
    )
    product = forms.ChoiceField(label=_("Product"))
    hub = forms.ChoiceField(
        label=_("Where it is used"),
        help_text=_("Your city, or the hub where your data are."),
    )
    kind = forms.ChoiceField(
        label=_("How it may be filled"),
        widget=forms.RadioSelect,
        initial=OrderKind.CURVE,
        choices=[
            (OrderKind.CURVE, _("Curve: more at a lower price, each hour by itself")),
            (OrderKind.BLOCK, _("Block: the whole window together, or not at all")),
        ],
    )
    first_period = forms.TypedChoiceField(label=pgettext_lazy("time", "From"), coerce=int)
    last_period = forms.TypedChoiceField(label=pgettext_lazy("time", "Until"), coerce=int)
    min_acceptance = PlainDecimalField(
        label=_("Smallest share to accept, %"),
        places=2,
        max_digits=3,
        required=False,
        help_text=_("100: the whole block or nothing."),
    )
    placement = forms.ChoiceField(
        label=_("Who may serve it"), choices=Placement.choices, initial=Placement.ANY
    )
    max_rtt_ms = PlainDecimalField(
        label=_("Round trip at most, ms"),
        places=3,
        max_digits=5,
        required=False,
        help_text=_("Empty: what the kind of work needs. The next stricter class applies."),
    )
    min_trust_level = forms.TypedChoiceField(
        label=_("Trust level at least"), coerce=int, choices=TrustLevel.choices, initial=0
    )
    min_dengbao_level = forms.TypedChoiceField(
        label=_("MLPS level at least"), coerce=int, initial=0
    )
    requires_xinchuang = forms.BooleanField(label=_("Domestic hardware only"), required=False)
    note = forms.CharField(
        label=_("Own note"),
        required=False,
        max_length=200,
        help_text=_("Only your organisation sees it."),
    )

    def __init__(self, *args: Any, auction: Auction, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auction = auction
        self.products: dict[str, Product] = {
            product.code: product for product in traded_products(auction) if product.active
        }
        places = cities_first(list(consumption_hubs()))
        self.hubs: dict[str, Hub] = {hub.code: hub for hub in places}
        self.scenarios = {
            row.code: row for row in WorkloadScenario.objects.order_by("sort_order", "code")
        }
        self._offer("scenario", [("", gettext("No special need")), *_named(self.scenarios)])
        self._offer("product", _named(self.products))
        self._offer("hub", _named(self.hubs))
        self._offer("min_dengbao_level", [(0, gettext("none required")), *_levels()])
        self._offer_window()
        for row in range(1, STEP_ROWS + 1):
            self._add_step(row)

    def _offer(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def _offer_window(self) -> None:
        periods = periods_of(self.auction)
        self._offer("first_period", [(p.number, p.label) for p in periods])
        self._offer("last_period", [(p.number, _end_label(p, self.auction)) for p in periods])
        self.fields["last_period"].initial = len(periods)

    def _add_step(self, row: int) -> None:
        names = {"row": row}
        self.fields[f"price_{row}"] = PlainDecimalField(
            label=gettext("Limit price %(row)s, CNY per unit and hour, excl. VAT") % names,
            places=6,
            max_digits=6,
            required=row == 1,
        )
        self.fields[f"quantity_{row}"] = PlainDecimalField(
            label=gettext("Units %(row)s") % names,
            places=3,
            max_digits=9,
            required=row == 1,
        )

    @property
    def hints(self) -> list[str]:
        """Return the ticks, lots and bands of the products, as sentences."""
        return [product_hint(product) for product in self.products.values()]

    @property
    def step_rows(self) -> list[tuple[Any, Any]]:
        """Return the pairs of price and quantity fields to show: the filled ones and two more."""
        filled = [
            row
            for row in range(1, STEP_ROWS + 1)
            if self[f"price_{row}"].value() or self[f"quantity_{row}"].value()
        ]
        shown = min(STEP_ROWS, max(SHOWN_ROWS, max(filled, default=0) + 1))
        return [(self[f"price_{row}"], self[f"quantity_{row}"]) for row in range(1, shown + 1)]

    def clean(self) -> dict[str, Any]:
        """Check what fields say together; the market checks the rest."""
        cleaned = super().clean() or {}
        first, last = cleaned.get("first_period"), cleaned.get("last_period")
        if first and last and last < first:
            self.add_error("last_period", gettext("The window ends before it begins."))
        for row in range(2, STEP_ROWS + 1):
            self._check_row(cleaned, row)
        share = cleaned.get("min_acceptance")
        if share is not None and share > HUNDRED:
            self.add_error("min_acceptance", gettext("A share is at most 100 %."))
        return cleaned

    def _check_row(self, cleaned: dict[str, Any], row: int) -> None:
        names = (f"price_{row}", f"quantity_{row}")
        given = [name for name in names if cleaned.get(name) is not None]
        if not given:
            return
        if len(given) == 1 and not any(name in self.errors for name in names):
            missing = next(name for name in names if name not in given)
            self.add_error(missing, gettext("A step needs a price and a quantity."))
        elif cleaned.get("kind") == OrderKind.BLOCK:
            self.add_error(given[0], gettext("A block has one price and one quantity."))

    def steps(self) -> list[PriceStep]:
        """Return the filled rows of a valid form."""
        cleaned = self.cleaned_data
        return [
            PriceStep(row, cleaned[f"price_{row}"], cleaned[f"quantity_{row}"])
            for row in range(1, STEP_ROWS + 1)
            if cleaned.get(f"price_{row}") is not None
            and cleaned.get(f"quantity_{row}") is not None
        ]

    def minimum_share(self) -> Decimal:
        """Return the smallest share to accept, 0 to 1; a block without a word is whole or not."""
        if self.cleaned_data["kind"] != OrderKind.BLOCK:
            return Decimal(0)
        share = self.cleaned_data.get("min_acceptance")
        return Decimal(1) if share is None else share / HUNDRED


# Names of the market's inputs where the form calls them otherwise.
FIELD_NAMES = {
    "steps": "price_1",
    "price": "price_1",
    "limit_price": "price_1",
    "quantity": "quantity_1",
    "window": "first_period",
    "min_acceptance": "min_acceptance",
}


def product_hint(product: Product) -> str:
    """Return tick, lot and band of a product in one sentence."""
    values = {
        "name": localname(product),
        "tick": price_figure(product.price_tick),
        "low": price_figure(product.price_min),
        "high": price_figure(product.price_max),
        "lot": f"{product.quantity_lot.normalize():f}",
    }
    return (
        gettext(
            "%(name)s: price in steps of %(tick)s from %(low)s to %(high)s, "
            "units in multiples of %(lot)s."
        )
        % values
    )


def _named(rows: dict[str, Any]) -> list[tuple[str, str]]:
    return [(code, localname(row)) for code, row in rows.items()]


def _levels() -> list[tuple[int, str]]:
    return [(level, str(level)) for level in DENGBAO_LEVELS]


def _end_label(period: Any, auction: Auction) -> str:
    if auction.period_minutes >= 24 * 60:
        return gettext("end of %(day)s") % {"day": period.label}
    clock = end_clock(period.ends_at)
    day = period.label.rpartition(" ")[0]
    return f"{day} {clock}".strip()
