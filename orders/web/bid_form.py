"""The bid form: what is wanted, where, when, and up to which price."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from marketplace.models import Hub, Organisation, Product, TrustLevel, WorkloadScenario
from marketplace.selectors.hubs import consumption_hubs
from marketplace.templatetags.market_ui import figure, localname
from marketplace.web.form_fields import DayField, PlainDecimalField
from marketplace.web.market_filter import DENGBAO_LEVELS, cities_first
from orders.models import Auction, Order, OrderKind, OrderSide, OrderState, Placement, Project
from orders.selectors.bands import traded_products
from orders.services.order_profile import WINDOWED
from orders.web.bid_parts import BidParts
from orders.web.names import end_label, periods_of, window_text
from orders.web.reasons import price_figure

HUNDRED = Decimal(100)


class BidForm(BidParts):
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
            (OrderKind.FLEXIBLE, _("Flexible: so long in one go, at any time of the window")),
            (
                OrderKind.INTERRUPTIBLE,
                _("Interruptible: so many hours in all, in the cheapest hours of the window"),
            ),
        ],
    )
    first_period = forms.TypedChoiceField(label=pgettext_lazy("time", "From"), coerce=int)
    last_period = forms.TypedChoiceField(label=pgettext_lazy("time", "Until"), coerce=int)
    duration = forms.IntegerField(
        label=_("How many periods it runs"),
        min_value=1,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    min_acceptance = PlainDecimalField(
        label=_("Smallest share to accept, %"),
        places=2,
        max_digits=3,
        required=False,
        help_text=_("100: all of it or nothing."),
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
    max_carbon_g = PlainDecimalField(
        label=_("Carbon at most, g per unit-hour"),
        places=3,
        max_digits=7,
        required=False,
        help_text=_("Empty: no limit. 0: green capacity only. The next stricter class applies."),
    )
    min_trust_level = forms.TypedChoiceField(
        label=_("Trust level at least"), coerce=int, choices=TrustLevel.choices, initial=0
    )
    min_dengbao_level = forms.TypedChoiceField(
        label=_("MLPS level at least"), coerce=int, initial=0
    )
    requires_xinchuang = forms.BooleanField(label=_("Domestic hardware only"), required=False)
    parent_order = forms.ChoiceField(
        label=_("Only together with"),
        required=False,
        help_text=_("This block is bought at most at the share at which that block is bought."),
    )
    project = forms.ChoiceField(
        label=_("Project"),
        required=False,
        help_text=_("The bid counts towards its budget."),
    )
    repeat = forms.BooleanField(
        label=_("Repeat in every auction of this kind"),
        required=False,
        help_text=_("From the next gate opening on, each time with a hold of its own."),
    )
    ends_on = DayField(label=_("Last day of delivery"), required=False)
    budget = PlainDecimalField(
        label=_("Budget of all repetitions, CNY incl. VAT"),
        places=2,
        max_digits=12,
        required=False,
    )
    note = forms.CharField(
        label=_("Own note"),
        required=False,
        max_length=200,
        help_text=_("Only your organisation sees it."),
    )

    def __init__(
        self, *args: Any, auction: Auction, owner: Organisation | None = None, **kwargs: Any
    ) -> None:
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
        self._offer("parent_order", [("", gettext("no other order")), *_parents(auction, owner)])
        self._offer("project", [("", gettext("no project")), *_projects(owner)])
        self._offer_window()

    def _offer(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def _offer_window(self) -> None:
        periods = periods_of(self.auction)
        starts: list[tuple[Any, Any]] = [(p.number, p.label) for p in periods]
        ends: list[tuple[Any, Any]] = [(p.number, end_label(p, self.auction)) for p in periods]
        self._offer("first_period", starts)
        self._offer("last_period", ends)
        self.fields["last_period"].initial = len(periods)
        length = {"minutes": self.auction.period_minutes}
        self.fields["duration"].help_text = gettext("A period lasts %(minutes)s minutes.") % length
        self.add_rows(starts, ends, _named(self.products))

    @property
    def hints(self) -> list[str]:
        """Return the ticks, lots and bands of the products, as sentences."""
        return [product_hint(product) for product in self.products.values()]

    def clean(self) -> dict[str, Any]:
        """Check what fields say together; the market checks the rest."""
        cleaned = super().clean() or {}
        first, last = cleaned.get("first_period"), cleaned.get("last_period")
        if first and last and last < first:
            self.add_error("last_period", gettext("The window ends before it begins."))
        self.check_rows(cleaned)
        is_windowed = cleaned.get("kind") in WINDOWED
        if is_windowed and not cleaned.get("duration") and "duration" not in self.errors:
            self.add_error("duration", gettext("Say how many periods of the window it runs."))
        share = cleaned.get("min_acceptance")
        if share is not None and share > HUNDRED:
            self.add_error("min_acceptance", gettext("A share is at most 100 %."))
        return cleaned

    def minimum_share(self) -> Decimal:
        """Return the smallest share to accept, 0 to 1; without a word it is all or nothing."""
        if self.cleaned_data["kind"] == OrderKind.CURVE:
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
    "legs": "leg_first_1",
    "options": "other_product_1",
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


def _projects(owner: Organisation | None) -> list[tuple[str, str]]:
    if owner is None:
        return []
    rows = Project.objects.filter(organisation=owner, is_open=True).order_by("name", "id")
    return [(str(row.public_id), row.name) for row in rows]


def _parents(auction: Auction, owner: Organisation | None) -> list[tuple[str, str]]:
    """Return the blocks in the book that another block can hang on."""
    if owner is None:
        return []
    rows = Order.objects.filter(
        auction=auction,
        organisation=owner,
        side=OrderSide.BUY,
        kind=OrderKind.BLOCK,
        state=OrderState.ACTIVE,
    ).select_related("product")
    return [(str(row.public_id), _parent_label(auction, row)) for row in rows.order_by("id")]


def _parent_label(auction: Auction, order: Order) -> str:
    window = window_text(auction, order.first_period, order.last_period)
    units = figure(order.quantity, 0)
    return f"{localname(order.product)} × {units} · {window}"


def _levels() -> list[tuple[int, str]]:
    return [(level, str(level)) for level in DENGBAO_LEVELS]
