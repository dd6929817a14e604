"""Forms of recognition: terms of agreements, netting cycles, obligations."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.templatetags.market_ui import localname
from marketplace.web.form_fields import DayField, PlainDecimalField
from settlement.models import AgreementVersion, CapPeriod, InstrumentType, Registry, RegistryUnit
from settlement.services.recognition.terms import NEVER_TONNES, TermsDraft
from settlement.web.funds_forms import MemberChoice

TYPES = [choice for choice in InstrumentType.choices if choice[0] not in NEVER_TONNES]


class RegistryChoice(forms.ModelChoiceField):
    """Shows a registry of tonnes by code and name."""

    def __init__(self, **options: Any) -> None:
        registries = Registry.objects.filter(unit=RegistryUnit.TCO2E).order_by("code")
        super().__init__(queryset=registries, **options)

    def label_from_instance(self, obj: Registry) -> str:
        """Return code and name."""
        return f"{obj.code} · {localname(obj)}"


class TermsForm(forms.Form):
    """What a version of an agreement says, with conservative defaults."""

    instrument_types = forms.MultipleChoiceField(
        label=_("Instrument types"),
        choices=TYPES,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Green certificates never become tonnes."),
    )
    programmes = forms.CharField(
        label=_("Programmes"),
        max_length=300,
        required=False,
        help_text=_("Codes with commas; empty takes every programme."),
    )
    vintage_min = forms.IntegerField(label=_("First vintage"), min_value=1990, max_value=2100)
    vintage_max = forms.IntegerField(label=_("Last vintage"), min_value=1990, max_value=2100)
    factor_k = PlainDecimalField(label=_("Factor k"), places=4, help_text=_("Above 0, at most 1."))
    discount_d = PlainDecimalField(
        label=_("Discount d"), places=4, help_text=_("A credit counts k × (1 − d) tonnes.")
    )
    relative_cap = PlainDecimalField(
        label=_("Share of a statement"),
        places=4,
        required=False,
        help_text=_("0.05 is 5 %; empty for no cap."),
    )
    absolute_cap_t = PlainDecimalField(
        label=_("Common cap, tCO₂e"), places=6, max_digits=18, required=False
    )
    party_cap_t = PlainDecimalField(
        label=_("Cap of one party, tCO₂e"), places=6, max_digits=18, required=False
    )
    cap_period = forms.ChoiceField(label=_("Caps count over"), choices=CapPeriod.choices)
    valid_from = DayField(label=_("In force from"))
    valid_to = DayField(label=_("In force until"))
    adjustment_required = forms.BooleanField(
        label=_("Corresponding adjustment required"), required=False
    )
    priority = forms.IntegerField(
        label=_("Priority"), min_value=1, max_value=9999, help_text=_("Lower is tried first.")
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )

    def terms(self) -> TermsDraft:
        """Return the terms as entered."""
        given = self.cleaned_data
        names = set(TermsDraft.__dataclass_fields__) - {"instrument_types", "programmes"}
        codes = given["programmes"].replace("，", ",").split(",")
        return TermsDraft(
            instrument_types=tuple(given["instrument_types"]),
            programmes=tuple(code.strip() for code in codes if code.strip()),
            **{name: given[name] for name in names},
        )


class AgreementForm(TermsForm):
    """A new agreement: its direction and its first terms."""

    code = forms.CharField(label=_("Code"), max_length=24)
    name_zh = forms.CharField(label=_("Chinese name"), max_length=120)
    name_en = forms.CharField(label=_("English name"), max_length=160)
    from_registry = RegistryChoice(label=_("Units of"))
    to_scheme = forms.ModelChoiceField(label=_("Count in"), queryset=Registry.objects.none())

    field_order = ("code", "name_zh", "name_en", "from_registry", "to_scheme")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["to_scheme"].queryset = Registry.objects.order_by("code")  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )


class CycleForm(forms.Form):
    """A new netting cycle over one fungibility class."""

    code = forms.CharField(label=_("Code"), max_length=30)
    registry = RegistryChoice(label=_("Registry"))
    instrument_type = forms.ChoiceField(label=_("Instrument"), choices=TYPES)
    vintage_year = forms.IntegerField(label=_("Vintage"), min_value=1990, max_value=2100)
    cut_off_on = DayField(label=_("Cut-off"))
    reference_price_cny = PlainDecimalField(
        label=_("Reference price, CNY/t"),
        places=4,
        help_text=_("For fractions of a tonne, which settle in cash."),
    )


class ObligationForm(forms.Form):
    """What one data centre owes another."""

    payer = MemberChoice(label=_("Owes"))
    payee = MemberChoice(label=_("Is owed"))
    quantity_t = PlainDecimalField(label=_("Tonnes"), places=6, max_digits=18)
    reference = forms.CharField(
        label=_("Reference"), max_length=60, help_text=_("Contract or statement; counts once.")
    )


class FailureForm(ReasonForm):
    """A party that cannot deliver or pay."""

    party = forms.ChoiceField(label=_("Party"))

    field_order = ("party", "reason")

    def __init__(self, *args: Any, parties: list[tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["party"].choices = parties  # type: ignore[attr-defined]


def initial_terms(source: TermsDraft | AgreementVersion) -> dict[str, Any]:
    """Return terms as the initial values of the form."""
    names = TermsDraft.__dataclass_fields__
    given = {name: getattr(source, name) for name in names}
    given["programmes"] = ", ".join(given["programmes"])
    given["instrument_types"] = list(given["instrument_types"])
    return given
