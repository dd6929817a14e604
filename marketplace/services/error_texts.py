"""Texts of refusals in the reader's language, whichever layer they come from."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.domain.errors import RuleBroken

MESSAGES_BY_CODE = {
    "empty": gettext_noop("This value is required."),
    "not_ascii": gettext_noop("Write numbers with the digits 0 to 9 only."),
    "not_a_number": gettext_noop("Enter a plain number."),
    "too_precise": gettext_noop("At most %(places)s digits after the point."),
    "too_large": gettext_noop("At most %(max_digits)s digits before the point."),
    "negative": gettext_noop("The number must not be negative."),
    "wrong_length": gettext_noop("A unified social credit code has 18 characters."),
    "wrong_character": gettext_noop(
        "The unified social credit code holds a character that does not belong there."
    ),
    "wrong_check_digit": gettext_noop(
        "The last character of the unified social credit code does not fit: please check it."
    ),
    "transition_not_allowed": gettext_noop("This cannot be done in the present state."),
}


def error_text(error: Exception) -> str:
    """Return what to tell the user about a refusal.

    Knows every RuleBroken, and by their codes the refusals of the pure domain.
    """
    if isinstance(error, RuleBroken):
        return message_text(error.message, error.params)
    params = getattr(error, "params", None) or {}
    return code_text(getattr(error, "code", ""), params)


def code_text(code: str, params: dict[str, object]) -> str:
    """Return the text of a refusal of the pure domain."""
    message = MESSAGES_BY_CODE.get(code, gettext_noop("The request breaks a rule of the market."))
    return message_text(message, params)


def message_text(message: str, params: dict[str, object]) -> str:
    """Return a msgid in the active language with its placeholders filled."""
    return _(message) % params if params else _(message)
