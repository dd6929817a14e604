"""Forms of contracts: the filter of the list, and which allocation to draw up."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.periods import month_window
from orders.models import Allocation
from settlement.models import Contract, ContractState
from settlement.selectors.banking.contracts import with_party


class ContractFilter(forms.Form):
    """Narrows the list of contracts."""

    q = forms.CharField(label=_("Contract or confirmation number"), required=False, max_length=30)
    party = forms.CharField(label=_("Other party"), required=False, max_length=60)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *ContractState.choices],
    )
    month = forms.DateField(
        label=_("Month of delivery"),
        required=False,
        input_formats=["%Y-%m"],
        widget=forms.DateInput(attrs={"type": "month"}, format="%Y-%m"),
        error_messages={"invalid": _("Enter a month such as 2026-11.")},
    )

    def narrow(self, contracts: QuerySet[Contract]) -> QuerySet[Contract]:
        """Return the contracts asked for; wrong values narrow nothing."""
        asked = self.cleaned_data if self.is_valid() else {}
        if asked.get("q"):
            text = asked["q"]
            contracts = contracts.filter(
                Q(number__icontains=text) | Q(allocation__number__icontains=text)
            )
        if asked.get("party"):
            contracts = contracts.filter(with_party(asked["party"]))
        if asked.get("state"):
            contracts = contracts.filter(state=asked["state"])
        if asked.get("month"):
            window = month_window(asked["month"])
            contracts = contracts.filter(
                allocation__starts_at__gte=window.starts_at,
                allocation__starts_at__lt=window.ends_at,
            )
        return contracts


class DrawUpForm(forms.Form):
    """The allocation whose contracts are to be drawn up."""

    confirmation = forms.CharField(
        label=_("Confirmation number"),
        max_length=30,
        help_text=_("Of the allocation, as its confirmation and its delivery show it."),
    )

    def clean_confirmation(self) -> Any:
        """Return the allocation of the number."""
        number = self.cleaned_data["confirmation"].strip()
        found = Allocation.objects.select_related("auction").filter(number=number).first()
        if found is None:
            raise forms.ValidationError(_("There is no confirmation of this number."))
        return found
