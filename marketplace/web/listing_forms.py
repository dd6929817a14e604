"""The forms of a listing: facts, price curve, calendar, maintenance."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.models import Listing, Organisation, ResourcePool
from marketplace.selectors.organisations import pools_of
from marketplace.templatetags.market_ui import localname
from marketplace.web.form_fields import MarketTimeField, PlainDecimalField

MOST_ROWS = 1500
SPARE_ROWS = 2


class PoolChoice(forms.ModelChoiceField):
    """Shows a pool by name, identifier, hub and units."""

    def label_from_instance(self, obj: ResourcePool) -> str:
        """Return one line that tells pools apart."""
        return f"{localname(obj)} · {localname(obj.hub)} · {localname(obj.product)} · {obj.identifier}"


class ListingForm(forms.Form):
    """What is listed, and how it may be sold."""

    pool = PoolChoice(label=_("Resource pool"), queryset=ResourcePool.objects.none())
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What buyers read."))
    quantity = PlainDecimalField(
        label=_("Units offered"),
        places=3,
        max_digits=9,
        help_text=_("A multiple of the product's lot, at most the pool's units."),
    )
    min_run_hours = PlainDecimalField(
        label=_("Minimum run, hours"), places=0, max_digits=3, initial="1"
    )
    is_standing = forms.BooleanField(
        label=_("Offer it in every auction (standing offer)"), required=False, initial=True
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Buyers read it on the listing's page."),
    )

    def __init__(
        self, *args: Any, owner: Organisation, listing: Listing | None, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.fields["pool"].queryset = pools_of(owner)  # type: ignore[attr-defined]
        if listing is not None:
            self.fields["pool"].initial = listing.pool_id
            self.fields["pool"].disabled = True


class StepForm(forms.Form):
    """One step of the price curve."""

    quantity = PlainDecimalField(label=_("Units of the step"), places=3, max_digits=9)
    price = PlainDecimalField(label=_("Price, CNY per unit and hour, excl. VAT"), max_digits=6)


class WindowForm(forms.Form):
    """One stretch of time in which units are available."""

    starts_at = MarketTimeField(label=_("From"))
    ends_at = MarketTimeField(label=_("Until"))
    quantity = PlainDecimalField(label=_("Units"), places=3, max_digits=9, required=False)


class MaintenanceForm(forms.Form):
    """A time in which nothing is sold."""

    starts_at = MarketTimeField(label=_("From"))
    ends_at = MarketTimeField(label=_("Until"))
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


class Rows(forms.BaseFormSet):
    """Rows of a table to fill in; empty ones do not count, so emptying a row takes it out."""

    def initial_form_count(self) -> int:
        """Treat every row that was sent alike, whether it was there before or not."""
        return 0 if self.is_bound else super().initial_form_count()

    def refuse(self, message: str) -> None:
        """Put a message above the rows."""
        self.non_form_errors().append(message)

    def filled(self) -> list[dict[str, Any]]:
        """Return the cleaned values of the rows that hold something."""
        return [form.cleaned_data for form in self.forms if form.has_changed()]


def row_forms(kind: type[forms.Form], *, rows: int) -> type[Rows]:
    """Return a set of `rows` row forms, every one of which may stay empty."""
    return forms.formset_factory(  # type: ignore[return-value]
        kind, formset=Rows, extra=rows, max_num=MOST_ROWS, validate_max=True
    )


Step = tuple[Decimal, Decimal]
Window = tuple[datetime, datetime, Decimal]


def steps_from(rows: Rows) -> list[Step]:
    """Return the price curve as the service takes it."""
    return [(row["quantity"], row["price"]) for row in rows.filled()]


def windows_from_rows(rows: Rows, quantity: Decimal) -> list[Window]:
    """Return the calendar as the service takes it; a window without units offers all."""
    return [
        (row["starts_at"], row["ends_at"], row["quantity"] or quantity) for row in rows.filled()
    ]
