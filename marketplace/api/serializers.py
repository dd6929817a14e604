"""What every serializer of the interface shares."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request


class StrictSerializer(serializers.Serializer):
    """Input in which an unknown name is an error: nothing is silently ignored or assigned."""

    default_error_messages = {
        "unknown_field": _("There is no such field."),
    }

    def to_internal_value(self, data: Any) -> Any:
        """Return the checked values; names that are not fields are errors beside the others."""
        errors: dict[str, Any] = {}
        values: Any = {}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            errors.update(error.detail)  # type: ignore[arg-type]
        if isinstance(data, Mapping):
            message = str(self.error_messages["unknown_field"])
            for name in sorted(set(map(str, data)) - set(self.fields)):
                errors[name[:60]] = [serializers.ErrorDetail(message, code="unknown_field")]
        if errors:
            raise serializers.ValidationError(errors)
        return values


class QuerySerializer(StrictSerializer):
    """Parameters of a query string: each at most once, none unknown."""

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """Return the checked parameters of a request; raises ValidationError."""
        pairs = request.query_params
        message = str(_("Give this parameter once."))
        repeated = {
            name[:60]: [serializers.ErrorDetail(message, code="repeated")]
            for name in pairs
            if len(pairs.getlist(name)) > 1
        }
        if repeated:
            raise serializers.ValidationError(repeated)
        checked = cls(data={name: pairs[name] for name in pairs})
        checked.is_valid(raise_exception=True)
        return checked.validated_data


class QueryNumberField(serializers.IntegerField):
    """A whole number in a query string, of ASCII digits only."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number, or refuse other digits and signs."""
        if not (isinstance(data, str) and data.isascii() and data.isdigit() and len(data) < 10):
            self.fail("invalid")
        return int(data)


def checked_body(serializer_class: type[serializers.Serializer], request: Request) -> Any:
    """Return the checked body of a request; raises ValidationError."""
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data
