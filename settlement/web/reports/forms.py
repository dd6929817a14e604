"""The form of a report's parameters, made from the kind of report."""

from collections.abc import Mapping
from typing import Any

from django import forms

from marketplace.web.form_fields import DayField
from settlement.exports.kinds import ReportKind
from settlement.exports.parameters import Parameter, ParameterKind


class ParametersForm(forms.Form):
    """The parameters of one kind of report; members are not asked which member."""

    def __init__(self, kind: ReportKind, given: Mapping[str, str], *, is_own: bool) -> None:
        super().__init__(given)
        for parameter in kind.parameters:
            if not (is_own and parameter.kind == ParameterKind.MEMBER):
                self.fields[parameter.name] = _field(parameter)


def _field(parameter: Parameter) -> forms.Field:
    words: dict[str, Any] = {"label": parameter.label, "required": False}
    if parameter.kind == ParameterKind.DATE:
        return DayField(**words)
    if parameter.kind == ParameterKind.CHOICE:
        return forms.ChoiceField(choices=parameter.choices, **words)
    return forms.CharField(max_length=60, **words)
