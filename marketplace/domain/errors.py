"""The refusals of the market: every broken rule has a name, a stable code and parameters."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar


def gettext_noop(message: str) -> str:
    """Mark a text for the translators; the edges translate it when they show it."""
    return message


class RuleBroken(Exception):
    """A request broke a rule of the market, and nothing was changed.

    Subclasses are named for the rule and carry its `code` and `message` as class attributes:
    `raise PoolNotFound(field="pool")`. The general form `RuleBroken(code, message, …)` is for
    rules that need no name of their own.

    Attributes:
        code: stable snake-case name of the rule; programs may rely on it.
        message: English text with `%(name)s` placeholders; the msgid of its translations.
        field: the input that broke the rule, or None when it was the request as a whole.
        params: values of the placeholders, JSON-able (decimals become text).
    """

    code: str = "rule_broken"
    message: str = gettext_noop("The request breaks a rule of the market.")
    # Which HTTP status an edge answers with: 400 unless a subclass knows better.
    status: ClassVar[int] = 400

    def __init__(
        self,
        code: str | None = None,
        message: str | None = None,
        field: str | None = None,
        **params: object,
    ) -> None:
        self.code = code or type(self).code
        self.message = message or type(self).message
        self.field = field
        self.params = {name: _plain(value) for name, value in params.items()}
        super().__init__(self.code)

    def __str__(self) -> str:
        """Return the English text with its parameters, for logs and tests."""
        return self.message % self.params if self.params else self.message


class NotPermitted(RuleBroken):
    """The actor does not hold the role that this needs."""

    code = "not_permitted"
    message = gettext_noop("Your role does not allow this.")
    status = 403


class NotFound(RuleBroken):
    """There is no such thing, or it belongs to somebody else: the answer is the same."""

    code = "not_found"
    message = gettext_noop("There is no such entry.")
    status = 404


class NotAdmitted(RuleBroken):
    """The organisation is not admitted to the market (yet, or any more)."""

    code = "not_admitted"
    message = gettext_noop("Your organisation is not admitted to the market.")
    status = 403


class StateForbids(RuleBroken):
    """The thing is in a state in which this cannot be done."""

    code = "state_forbids"
    message = gettext_noop("This cannot be done in the present state.")
    status = 409


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    return str(value)
