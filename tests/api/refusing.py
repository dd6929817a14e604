"""Requests that break a rule: each names the code it meets, and is sent in both languages."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.apps import apps

from marketplace.models import AuditEvent, OutboxEvent
from settlement.models import AccountBalance, SerialRange
from tests.api.callers import Caller

LANGUAGES = ("en", "zh-hans")
CSV = {"Content-Type": "text/csv"}


@dataclass(frozen=True)
class Ask:
    """A request that is not sent yet."""

    caller: Caller
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, language: str) -> Any:
        """Send it in a language."""
        caller = Caller(self.caller.client, {**self.caller.headers, "Accept-Language": language})
        return caller.post(self.path, self.body, **self.headers)


@dataclass(frozen=True)
class Refusal:
    """How a code is met.

    Attributes:
        code: the code of the rule.
        prepare: makes everything ready and returns the request, or one for each language where the
            first refusal settles the matter.
        status: what it is answered with.
        line: the line of a refused file that carries the code; None when the answer itself does.
    """

    code: str
    prepare: Callable[[], Ask | tuple[Ask, Ask]]
    status: int
    line: int | None

    def asks(self) -> tuple[Ask, Ask]:
        """Return the prepared requests, one for each language."""
        made = self.prepare()
        return made if isinstance(made, tuple) else (made, made)

    def __str__(self) -> str:
        return f"{self.code}-{self.prepare.__module__.rpartition('.')[2]}.{self.prepare.__name__}"


REFUSALS: list[Refusal] = []


def reaches(code: str, *, status: int = 400, line: int | None = None) -> Callable[..., Any]:
    """Say of a function that the request it prepares meets a code."""

    def keep(prepare: Callable[[], Ask | tuple[Ask, Ask]]) -> Any:
        REFUSALS.append(Refusal(code, prepare, status, line))
        return prepare

    return keep


def books() -> dict[str, Any]:
    """Return everything that a refusal leaves alone: all rows counted, units and balances whole."""
    models = [*apps.get_app_config("settlement").get_models(), AuditEvent, OutboxEvent]
    counted = {model.__name__: model.objects.count() for model in models}
    ranges = SerialRange.objects.order_by("batch_id", "serials")
    balances = AccountBalance.objects.order_by("account_id")
    return {
        **counted,
        "units": _rows(ranges.values_list("batch_id", "serials", "state", "organisation_id")),
        "balances": _rows(balances.values_list("account_id", "debit", "credit")),
    }


def _rows(rows: Iterable[tuple[Any, ...]]) -> list[tuple[str, ...]]:
    return [
        tuple(format(cell, "f") if isinstance(cell, Decimal) else str(cell) for cell in row)
        for row in rows
    ]
