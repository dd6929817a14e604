"""The rows of the bid form: limits with units, a profile over the window, substitutes."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext

from marketplace.web.form_fields import PlainDecimalField
from orders.models import OrderKind

STEP_ROWS = 8
SHOWN_ROWS = 3
LEG_ROWS = 6
SUBSTITUTE_ROWS = 4


@dataclass(frozen=True, slots=True)
class PriceStep:
    """One row of the form: the step's own quantity at a limit price, CNY per unit and hour."""

    row: int
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """Units from one period to another, both inclusive."""

    first_period: int
    last_period: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class SubstituteRow:
    """Another product that would do, with its own limit; units None are those of the bid."""

    product: str
    price: Decimal
    quantity: Decimal | None


class BidParts(forms.Form):
    """Adds the rows to a form, checks each row by itself and gives back the filled ones."""

    def add_rows(
        self,
        starts: list[tuple[int, str]],
        ends: list[tuple[int, str]],
        products: list[tuple[str, str]],
    ) -> None:
        """Add all rows; `starts` and `ends` are the choices of periods."""
        for row in range(1, STEP_ROWS + 1):
            self._add_step(row)
        for row in range(1, LEG_ROWS + 1):
            self._add_leg(row, starts, ends)
        for row in range(1, SUBSTITUTE_ROWS + 1):
            self._add_substitute(row, products)

    def _add_step(self, row: int) -> None:
        names = {"row": row}
        self.fields[f"price_{row}"] = _price_field(
            gettext("Limit price %(row)s, CNY per unit and hour, excl. VAT") % names,
            required=row == 1,
        )
        self.fields[f"quantity_{row}"] = _units_field(gettext("Units %(row)s") % names)

    def _add_leg(
        self, row: int, starts: list[tuple[int, str]], ends: list[tuple[int, str]]
    ) -> None:
        names = {"row": row}
        for name, label, periods in (
            ("leg_first", gettext("Part %(row)s from") % names, starts),
            ("leg_last", gettext("Part %(row)s until") % names, ends),
        ):
            self.fields[f"{name}_{row}"] = forms.TypedChoiceField(
                label=label,
                choices=[("", "–"), *periods],
                coerce=int,
                required=False,
                empty_value=None,
            )
        self.fields[f"leg_quantity_{row}"] = _units_field(gettext("Units of part %(row)s") % names)

    def _add_substitute(self, row: int, products: list[tuple[str, str]]) -> None:
        names = {"row": row}
        self.fields[f"other_product_{row}"] = forms.ChoiceField(
            label=gettext("Substitute %(row)s") % names,
            choices=[("", gettext("None")), *products],
            required=False,
        )
        self.fields[f"other_price_{row}"] = _price_field(
            gettext("Limit price of substitute %(row)s, CNY per unit and hour, excl. VAT") % names,
            required=False,
        )
        self.fields[f"other_quantity_{row}"] = _units_field(
            gettext("Units of substitute %(row)s") % names
        )

    # --- what a template shows -----------------------------------------------------------------

    @property
    def step_rows(self) -> list[tuple[Any, ...]]:
        """Return the pairs of price and quantity fields to show: the filled ones and one more."""
        return self._shown(("price", "quantity"), STEP_ROWS, SHOWN_ROWS)

    @property
    def leg_rows(self) -> list[tuple[Any, ...]]:
        """Return from, until and units of the parts to show."""
        return self._shown(("leg_first", "leg_last", "leg_quantity"), LEG_ROWS, 2)

    @property
    def substitute_rows(self) -> list[tuple[Any, ...]]:
        """Return product, price and units of the substitutes to show."""
        names = ("other_product", "other_price", "other_quantity")
        return self._shown(names, SUBSTITUTE_ROWS, 1)

    @property
    def has_legs(self) -> bool:
        """Tell whether a part of a profile was entered, rightly or not."""
        return self._filled(("leg_first", "leg_last", "leg_quantity"), LEG_ROWS) > 0

    @property
    def has_substitutes(self) -> bool:
        """Tell whether a substitute was entered, rightly or not."""
        return self._filled(("other_product", "other_price"), SUBSTITUTE_ROWS) > 0

    def _shown(self, names: tuple[str, ...], most: int, least: int) -> list[tuple[Any, ...]]:
        shown = min(most, max(least, self._filled(names, most) + 1))
        return [tuple(self[f"{name}_{row}"] for name in names) for row in range(1, shown + 1)]

    def _filled(self, names: tuple[str, ...], most: int) -> int:
        """Return the last row in which anything stands."""
        rows = range(1, most + 1)
        return max(
            (row for row in rows if any(self[f"{name}_{row}"].value() for name in names)),
            default=0,
        )

    # --- checks --------------------------------------------------------------------------------

    def check_rows(self, cleaned: dict[str, Any]) -> None:
        """Check each row, and that the kind of order takes it."""
        is_curve = cleaned.get("kind") == OrderKind.CURVE
        for row in range(1, STEP_ROWS + 1):
            self._check_step(cleaned, row, is_curve=is_curve)
        legs = list(self._whole_rows(cleaned, ("leg_first", "leg_last", "leg_quantity"), LEG_ROWS))
        for row in legs:
            if cleaned[f"leg_last_{row}"] < cleaned[f"leg_first_{row}"]:
                self.add_error(f"leg_last_{row}", gettext("The part ends before it begins."))
        others = list(self._whole_rows(cleaned, ("other_product", "other_price"), SUBSTITUTE_ROWS))
        if cleaned.get("kind") != OrderKind.BLOCK:
            for name in [f"leg_first_{row}" for row in legs[:1]]:
                self.add_error(name, gettext("Only a block has parts of different size."))
            for name in [f"other_product_{row}" for row in others[:1]]:
                self.add_error(name, gettext("Only a block has substitutes."))
        elif legs and others:
            self.add_error(
                "other_product_1", gettext("A block has either parts or substitutes, not both.")
            )
        self._require_units(cleaned, has_legs=bool(legs))

    def _require_units(self, cleaned: dict[str, Any], *, has_legs: bool) -> None:
        if not has_legs and cleaned.get("quantity_1") is None and "quantity_1" not in self.errors:
            self.add_error("quantity_1", gettext("This field is required."))

    def _check_step(self, cleaned: dict[str, Any], row: int, *, is_curve: bool) -> None:
        names = (f"price_{row}", f"quantity_{row}")
        given = [name for name in names if cleaned.get(name) is not None]
        if not given or row == 1:
            return
        if not is_curve:
            self.add_error(given[0], gettext("Only a curve has several prices and quantities."))
        elif len(given) == 1 and not any(name in self.errors for name in names):
            missing = next(name for name in names if name not in given)
            self.add_error(missing, gettext("A step needs a price and a quantity."))

    def _whole_rows(
        self, cleaned: dict[str, Any], names: tuple[str, ...], most: int
    ) -> Iterable[int]:
        """Yield the rows in which everything stands; refuse those in which a part is missing."""
        for row in range(1, most + 1):
            fields = [f"{name}_{row}" for name in names]
            given = [name for name in fields if cleaned.get(name) not in (None, "")]
            if len(given) == len(fields):
                yield row
            elif given and not any(name in self.errors for name in fields):
                missing = next(name for name in fields if name not in given)
                self.add_error(missing, gettext("Something is missing in this row."))

    # --- what was entered ----------------------------------------------------------------------

    def steps(self) -> list[PriceStep]:
        """Return the filled limits of a valid form; of a block with parts, its largest one."""
        cleaned = self.cleaned_data
        found = [
            PriceStep(row, cleaned[f"price_{row}"], cleaned[f"quantity_{row}"])
            for row in range(1, STEP_ROWS + 1)
            if cleaned.get(f"price_{row}") is not None
            and cleaned.get(f"quantity_{row}") is not None
        ]
        legs = self.legs()
        if found or not legs:
            return found
        return [PriceStep(1, cleaned["price_1"], max(leg.quantity for leg in legs))]

    def legs(self) -> list[ProfileRow]:
        """Return the parts of a valid form."""
        cleaned = self.cleaned_data
        return [
            ProfileRow(
                cleaned[f"leg_first_{row}"],
                cleaned[f"leg_last_{row}"],
                cleaned[f"leg_quantity_{row}"],
            )
            for row in range(1, LEG_ROWS + 1)
            if cleaned.get(f"leg_quantity_{row}") is not None
        ]

    def substitutes(self) -> list[SubstituteRow]:
        """Return the substitutes of a valid form."""
        cleaned = self.cleaned_data
        return [
            SubstituteRow(
                cleaned[f"other_product_{row}"],
                cleaned[f"other_price_{row}"],
                cleaned.get(f"other_quantity_{row}"),
            )
            for row in range(1, SUBSTITUTE_ROWS + 1)
            if cleaned.get(f"other_product_{row}")
        ]


def _price_field(label: str, *, required: bool) -> PlainDecimalField:
    return PlainDecimalField(label=label, places=6, max_digits=6, required=required)


def _units_field(label: str) -> PlainDecimalField:
    return PlainDecimalField(label=label, places=3, max_digits=9, required=False)
