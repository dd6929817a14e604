"""Forms of hourly green supply: a source, a file of hours, one hour."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.models import Organisation, ResourcePool
from marketplace.templatetags.market_ui import localname
from marketplace.web.form_fields import DayField, MarketTimeField, PlainDecimalField
from settlement.models import GreenSource, SourceKind, SupplyReading

WATTS_PER_KW = 1000

REASONS = {
    "columns": _("The header must name the columns exactly."),
    "cells": _("A cell is missing or there are too many."),
    "too_many": _("The file has more lines than one file may have."),
    "time": _("The time cannot be read; it needs a zone."),
    "not_an_hour": _("An hour begins at its full hour."),
    "unknown_source": _("There is no such source among yours."),
    "reading": _("The reading is either forecast or metered."),
    "not_a_number": _("The figure is no whole number of watt-hours."),
    "negative": _("Energy is never below zero."),
    "above_capacity": _("The energy is more than the capacity gives in an hour."),
    "overlap": _("The same hour of the same source stands there twice."),
    "outside": _("The hour lies outside the time the source is registered for."),
    "not_over": _("The hour is not over yet; what is expected is a forecast."),
    "charge_of_generator": _("Only a storage is charged."),
    "charge_above_generation": _(
        "Storages would take more in this hour than the other sources of the data centre gave."
    ),
    "discharge_above_charge": _(
        "The storage would have given more until this hour than it has been charged with."
    ),
}


class SourceForm(forms.Form):
    """A source of one of the own data centres."""

    pool = forms.ChoiceField(label=_("Data centre"))
    kind = forms.ChoiceField(label=_("Kind"), choices=SourceKind.choices)
    name = forms.CharField(label=_("Name"), max_length=100)
    name_en = forms.CharField(label=_("English name"), max_length=120, required=False)
    capacity_kw = PlainDecimalField(label=_("Capacity, kW"), places=3, max_digits=8)
    valid_from = DayField(label=pgettext_lazy("date", "From"))
    valid_to = DayField(label=pgettext_lazy("date", "Until"), required=False)
    evidence = forms.CharField(
        label=_("Evidence"),
        max_length=200,
        help_text=_("Contract, grid connection or metering point, with its number."),
    )

    def __init__(self, *args: Any, organisation: Organisation | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pools = ResourcePool.objects.filter(organisation=organisation).order_by("identifier")
        choices = [(pool.identifier, f"{localname(pool)} · {pool.identifier}") for pool in pools]
        self.fields["pool"].choices = choices  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """Return what the service takes."""
        given = dict(self.cleaned_data)
        given["capacity_w"] = int(given.pop("capacity_kw") * WATTS_PER_KW)
        return given


class HourForm(forms.Form):
    """One hour of one source."""

    source = forms.ChoiceField(label=pgettext_lazy("green supply", "Source"))
    hour = MarketTimeField(label=_("Hour begins"))
    reading = forms.ChoiceField(label=_("Reading"), choices=SupplyReading.choices)
    energy_wh = forms.IntegerField(label=_("Energy, Wh"))
    charge_wh = forms.IntegerField(
        label=_("Charged, Wh"),
        required=False,
        help_text=_("Of a storage: what it took from the other sources in this hour."),
    )

    def __init__(self, *args: Any, sources: list[GreenSource], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(source.code, f"{source.code} · {localname(source)}") for source in sources]
        self.fields["source"].choices = choices  # type: ignore[attr-defined]
        self.fields["hour"].widget.attrs["step"] = str(int(timedelta(hours=1).total_seconds()))
