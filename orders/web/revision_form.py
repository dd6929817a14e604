"""The form that opens with an order as it was entered, and says what is to be different."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from marketplace.services.checks import plain
from marketplace.templatetags.market_ui import localname
from marketplace.web.form_fields import PlainDecimalField
from orders.models import BlockOption, Order, OrderKind
from orders.services.order_contents import revisable_options, revisable_steps
from orders.services.order_profile import WINDOWED, Step
from orders.services.revision import OptionChange, OrderChange
from orders.web.names import end_label, periods_of

SPARE_STEPS = 2


@dataclass(frozen=True)
class Row:
    """Fields side by side; a title where an order has several of them."""

    fields: list[Any]
    title: str = ""


class RevisionForm(forms.Form):
    """Base of the forms: one for each shape of order.

    Attributes:
        names: inputs of the service, and the fields where their refusals are shown.
    """

    names: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, order: Order, **more: Any) -> None:
        super().__init__(*args, **more)
        self.order = order
        self.add_fields()

    def add_fields(self) -> None:
        """Add the fields with what the order has now."""
        raise NotImplementedError

    def rows(self) -> list[Row]:
        """Return the fields as a reader sees them."""
        raise NotImplementedError

    def change(self) -> OrderChange:
        """Return what the valid form wants to be different."""
        raise NotImplementedError

    def add_price(self, name: str, value: Decimal | None, *, required: bool = True) -> None:
        """Add a limit."""
        self._add(name, _("Limit, excl. VAT"), value, places=6, required=required)

    def add_units(self, name: str, value: Decimal | None, *, required: bool = True) -> None:
        """Add a number of units."""
        self._add(name, _("Units"), value, places=3, required=required)

    def _add(
        self, name: str, label: Any, value: Decimal | None, *, places: int, required: bool
    ) -> None:
        self.fields[name] = PlainDecimalField(
            label=label,
            places=places,
            required=required,
            initial=None if value is None else plain(value),
        )


class CurveRevisionForm(RevisionForm):
    """Price and units of every step, and of two more."""

    names: ClassVar[dict[str, str]] = {"steps": "price_1"}

    def add_fields(self) -> None:
        """Add a pair of fields a step."""
        self.steps: list[Step | None] = [*revisable_steps(self.order), *[None] * SPARE_STEPS]
        for number, step in enumerate(self.steps, start=1):
            self.add_price(f"price_{number}", step.price if step else None, required=False)
            self.add_units(f"quantity_{number}", step.quantity if step else None, required=False)

    def rows(self) -> list[Row]:
        """Return one pair a step."""
        return [Row([self[f"price_{n}"], self[f"quantity_{n}"]]) for n in self._numbers]

    @property
    def _numbers(self) -> range:
        return range(1, len(self.steps) + 1)

    def clean(self) -> dict[str, Any]:
        """Refuse half a step."""
        values: dict[str, Any] = super().clean() or {}
        for number in self._numbers:
            pair = (values.get(f"price_{number}"), values.get(f"quantity_{number}"))
            if (pair[0] is None) != (pair[1] is None):
                missing = "price" if pair[0] is None else "quantity"
                self.add_error(f"{missing}_{number}", _("A step needs a price and units."))
        return values

    def change(self) -> OrderChange:
        """Return the whole curve."""
        given = self.cleaned_data
        pairs = [(given[f"price_{n}"], given[f"quantity_{n}"]) for n in self._numbers]
        steps = tuple(Step(p, q) for p, q in pairs if p is not None and q is not None)
        return OrderChange(steps=steps)


class BlockRevisionForm(RevisionForm):
    """Limit of each alternative, and its units where its profile has one part."""

    names: ClassVar[dict[str, str]] = {
        "options": "price_1",
        "limit_price": "price_1",
        "quantity": "quantity_1",
    }

    def add_fields(self) -> None:
        """Add a limit an alternative, and units."""
        self.options: list[BlockOption] = revisable_options(self.order)
        for option in self.options:
            self.add_price(f"price_{option.option_no}", option.limit_price)
            legs = list(option.legs.all())
            if len(legs) == 1:
                self.add_units(f"quantity_{option.option_no}", legs[0].quantity)

    def rows(self) -> list[Row]:
        """Return one row an alternative, with its name where there are several."""
        return [
            Row([self[name] for name in self._names(option)], self._title(option))
            for option in self.options
        ]

    def _names(self, option: BlockOption) -> list[str]:
        names = [f"price_{option.option_no}", f"quantity_{option.option_no}"]
        return [name for name in names if name in self.fields]

    def _title(self, option: BlockOption) -> str:
        if len(self.options) == 1:
            return ""
        leg = option.legs.all()[0]
        names = {
            "number": option.option_no,
            "product": localname(leg.product),
            "hub": localname(leg.hub),
        }
        return gettext("Alternative %(number)s: %(product)s, %(hub)s") % names

    def change(self) -> OrderChange:
        """Return limits and units of the alternatives."""
        given = self.cleaned_data
        return OrderChange(
            options=tuple(
                OptionChange(given.get(f"price_{n}"), given.get(f"quantity_{n}"))
                for n in (option.option_no for option in self.options)
            )
        )


class WindowedRevisionForm(RevisionForm):
    """Limit, units, window and duration of a flexible or interruptible bid."""

    def add_fields(self) -> None:
        """Add the five figures of such a bid."""
        order = self.order
        self.add_price("limit_price", order.limit_price)
        self.add_units("quantity", order.quantity)
        periods = periods_of(order.auction)
        self.fields["first_period"] = forms.TypedChoiceField(
            label=pgettext_lazy("time", "From"),
            coerce=int,
            choices=[(p.number, p.label) for p in periods],
            initial=order.first_period,
        )
        self.fields["last_period"] = forms.TypedChoiceField(
            label=pgettext_lazy("time", "Until"),
            coerce=int,
            choices=[(p.number, end_label(p, order.auction)) for p in periods],
            initial=order.last_period,
        )
        self.fields["duration"] = forms.IntegerField(
            label=_("How many periods it runs"),
            min_value=1,
            initial=order.duration,
            widget=forms.TextInput(attrs={"inputmode": "numeric"}),
            help_text=gettext("A period lasts %(minutes)s minutes.")
            % {"minutes": order.auction.period_minutes},
        )

    def rows(self) -> list[Row]:
        """Return what is wanted, then when."""
        return [
            Row([self["limit_price"], self["quantity"]]),
            Row([self["first_period"], self["last_period"]]),
            Row([self["duration"]]),
        ]

    def clean(self) -> dict[str, Any]:
        """Refuse a window that ends before it begins."""
        values: dict[str, Any] = super().clean() or {}
        first, last = values.get("first_period"), values.get("last_period")
        if first and last and last < first:
            self.add_error("last_period", gettext("The window ends before it begins."))
        return values

    def change(self) -> OrderChange:
        """Return the five figures."""
        return OrderChange(**self.cleaned_data)


def revision_form(order: Order, data: Any = None) -> RevisionForm:
    """Return the form for an order's shape.

    Raises:
        NotRevisable: the order cannot be changed in place.
    """
    if order.kind == OrderKind.CURVE:
        return CurveRevisionForm(data, order=order)
    if order.kind in WINDOWED:
        return WindowedRevisionForm(data, order=order)
    return BlockRevisionForm(data, order=order)
