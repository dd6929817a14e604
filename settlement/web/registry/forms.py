"""Forms about units: ranges of serials, transfers, retirements, what the platform does."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.periods import MARKET_TIME_ZONE, market_date
from marketplace.models import Organisation, OrganisationState
from marketplace.web.uploads import UploadForm
from settlement.domain.registry.granular import hour_of
from settlement.models import (
    BatchKind,
    ImportFormat,
    Programme,
    Registry,
    RetirementPurpose,
    UnitBatch,
)

LARGEST_SERIAL = 2**62
_CERTIFICATES = (RetirementPurpose.VOLUNTARY, RetirementPurpose.GREEN_POWER)
_CREDITS = (
    RetirementPurpose.VOLUNTARY,
    RetirementPurpose.COMPLIANCE,
    RetirementPurpose.REPLACEMENT,
    RetirementPurpose.RECOGNITION,
)


class MemberField(forms.ModelChoiceField):
    """An admitted member, by name and code."""

    def label_from_instance(self, obj: Any) -> str:
        """Return name and code."""
        return f"{obj.name_zh} · {obj.code}"


def members(*, without: Organisation | None = None) -> Any:
    """Return admitted members by name."""
    rows = Organisation.objects.filter(state=OrganisationState.APPROVED, is_platform=False)
    others = rows.exclude(pk=without.pk) if without else rows
    return others.order_by("name_zh")


class RangeForm(forms.Form):
    """Serials of a batch, both ends included."""

    first_serial = forms.IntegerField(
        label=_("First serial"), min_value=0, max_value=LARGEST_SERIAL
    )
    last_serial = forms.IntegerField(label=_("Last serial"), min_value=0, max_value=LARGEST_SERIAL)

    def clean(self) -> dict[str, Any]:
        """Refuse a range that runs backwards."""
        values = super().clean() or self.cleaned_data
        first, last = values.get("first_serial"), values.get("last_serial")
        if first is not None and last is not None and last < first:
            self.add_error("last_serial", _("The last serial lies below the first."))
        return values


class TransferForm(RangeForm):
    """Units for another member."""

    to_organisation = MemberField(label=_("Receiver"), queryset=Organisation.objects.none())
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200)

    def __init__(self, *args: Any, own: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to_organisation"].queryset = members(without=own)  # type: ignore[attr-defined]


class RetirementForm(RangeForm):
    """Units to use up for one beneficiary."""

    beneficiary = forms.CharField(
        label=_("Beneficiary"),
        max_length=160,
        help_text=_("A member's code, or the name of somebody else."),
    )
    purpose = forms.ChoiceField(label=pgettext_lazy("retirement", "Purpose"))
    claim_month = forms.DateField(
        label=_("Month claimed for"),
        input_formats=["%Y-%m", "%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m", attrs={"type": "month"}),
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=200)

    def __init__(self, *args: Any, batch: UnitBatch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = _CREDITS if batch.kind == BatchKind.CREDIT else _CERTIFICATES
        self.fields["purpose"].choices = [  # type: ignore[attr-defined]
            (purpose.value, purpose.label) for purpose in offered
        ]
        if batch.kind == BatchKind.GRANULAR:
            hour = hour_of(batch.bundle.starts_at)
            self.fields["claim_hour"] = forms.ChoiceField(
                label=_("Hour of delivery"),
                choices=[(hour.isoformat(), f"{hour.astimezone(MARKET_TIME_ZONE):%Y-%m-%d %H:%M}")],
                help_text=_("Granular certificates serve the hour that they were produced in."),
            )
            self.initial["claim_month"] = market_date(hour).replace(day=1)
            self.fields["claim_month"].disabled = True

    def clean_claim_hour(self) -> datetime:
        """Return the hour of delivery."""
        return datetime.fromisoformat(self.cleaned_data["claim_hour"])


class TouchForm(RangeForm):
    """Serials of any batch, and why the platform touches them."""

    batch = forms.CharField(
        label=_("Issue"), max_length=64, help_text=_("The registry's id of the issue.")
    )
    reason = forms.CharField(label=_("Reason"), max_length=200)
    field_order: tuple[str, ...] = ("batch", "first_serial", "last_serial", "reason")

    def clean_batch(self) -> UnitBatch:
        """Return the batch of the issue."""
        found = UnitBatch.objects.filter(issuance_id=self.cleaned_data["batch"]).first()
        if found is None:
            raise forms.ValidationError(_("There is no such issue."), code="unknown")
        return found


class LockForm(TouchForm):
    """Serials of a member that a dispute is about."""

    holder = MemberField(label=_("Holder"), queryset=Organisation.objects.none())
    field_order: tuple[str, ...] = ("batch", "first_serial", "last_serial", "holder", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["holder"].queryset = members()  # type: ignore[attr-defined]


class RegistryFileForm(UploadForm):
    """A file of a registry in one of the formats."""

    registry = forms.ModelChoiceField(
        label=_("Registry"), queryset=Registry.objects.order_by("code"), empty_label=None
    )
    file_format = forms.ChoiceField(label=_("Format"), choices=ImportFormat.choices)
    field_order = ("registry", "file_format", "file")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["file"]
        field.label = _("File")
        field.widget.attrs["accept"] = ".csv,text/csv,.json,application/json"


class CreditingPeriodForm(forms.Form):
    """Days for which a project may ask for credits."""

    first_day = forms.DateField(
        label=_("First day"), widget=forms.DateInput(attrs={"type": "date"})
    )
    last_day = forms.DateField(label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        """Refuse a period that runs backwards."""
        values = super().clean() or self.cleaned_data
        first, last = values.get("first_day"), values.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day lies before the first."))
        return values


class CcerIssueForm(forms.Form):
    """A CCER issue for the energy of one month."""

    programme = forms.ModelChoiceField(
        label=_("Programme"), queryset=Programme.objects.none(), empty_label=None
    )
    issuance_id = forms.CharField(label=_("Issue"), max_length=64)
    first_serial = forms.CharField(label=_("First serial"), max_length=128)
    last_serial = forms.CharField(label=_("Last serial"), max_length=128)
    units = forms.IntegerField(label=_("Credits"), min_value=1, max_value=10**9)
    month = forms.DateField(
        label=_("Month"),
        input_formats=["%Y-%m", "%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m", attrs={"type": "month"}),
    )
    mwh = forms.IntegerField(label=_("Verified energy, MWh"), min_value=1, max_value=10**9)
    baseline_factor = forms.DecimalField(
        label=_("Baseline factor, t/MWh"), max_digits=8, decimal_places=4, min_value=0
    )
    issued_on = forms.DateField(
        label=pgettext_lazy("units", "Issued on"),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    holder = MemberField(label=_("Holder"), queryset=Organisation.objects.none())

    def __init__(self, *args: Any, credits_from: Registry, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Programme.objects.filter(registry=credits_from).select_related("registry__asset")
        self.fields["programme"].queryset = rows.order_by("code")  # type: ignore[attr-defined]
        self.fields["holder"].queryset = members()  # type: ignore[attr-defined]
