"""The forms of a listing: facts, price curve, calendar, maintenance."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from marketplace.domain.promises import MOST_DAYS, repeated_windows
from marketplace.models import Listing, Organisation, ResourcePool
from marketplace.selectors.organisations import pools_of
from marketplace.templatetags.market_ui import localname
from marketplace.web.form_fields import DayField, MarketTimeField, PlainDecimalField

MOST_ROWS = 1500
SPARE_ROWS = 2


class PoolChoice(forms.ModelChoiceField):
    """Shows a pool by name, identifier, hub and units."""

    def label_from_instance(self, obj: ResourcePool) -> str:
        """Return one line that tells pools apart."""
        names = [localname(thing) for thing in (obj, obj.hub, obj.product)]
        return " · ".join([*names, obj.identifier])


class ListingForm(forms.Form):
    """What is listed, and how it may be sold."""

    pool = PoolChoice(label=_("Resource pool"), queryset=ResourcePool.objects.none())
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What buyers read."))
    name_en = forms.CharField(
        label=_("English name"),
        max_length=120,
        required=False,
        help_text=_("Shown on English pages; left empty, they show the name above."),
    )
    quantity = PlainDecimalField(
        label=_("Units offered"),
        places=3,
        max_digits=9,
        help_text=_(
            "Cards or cores of the product: a multiple of its lot, at most the pool's units."
        ),
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


class RepeatForm(forms.Form):
    """Hours that repeat from day to day; each becomes a row of the calendar."""

    first_day = DayField(label=_("First day"))
    last_day = DayField(label=_("Last day"))
    from_clock = forms.TimeField(
        label=_("Daily from"),
        initial="00:00",
        widget=forms.TimeInput(attrs={"type": "time", "step": "900"}, format="%H:%M"),
    )
    until_clock = forms.TimeField(
        label=_("Daily until"),
        initial="00:00",
        widget=forms.TimeInput(attrs={"type": "time", "step": "900"}, format="%H:%M"),
        help_text=_("Earlier than the beginning: the next morning. The same: all day."),
    )
    weekdays = forms.MultipleChoiceField(
        label=pgettext_lazy("weekdays", "On"),
        choices=[(str(number), name) for number, name in WEEKDAYS_ABBR.items()],
        initial=[str(number) for number in WEEKDAYS_ABBR],
        widget=forms.CheckboxSelectMultiple,
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a last day before the first, or more than a year of days."""
        given = super().clean() or {}
        first, last = given.get("first_day"), given.get("last_day")
        if first and last and not 0 <= (last - first).days < MOST_DAYS:
            self.add_error("last_day", gettext("The last day must follow within a year."))
        return given

    def windows(self) -> list[tuple[datetime, datetime]]:
        """Return the hours of every chosen day."""
        given = dict(self.cleaned_data)
        given["weekdays"] = [int(number) for number in given["weekdays"]]
        return repeated_windows(**given)


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
