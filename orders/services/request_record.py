"""An order as entered, written down as JSON and read back: approvals and standing bids keep it."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from orders.services.order_request import OrderRequest


def record_of(request: OrderRequest) -> dict[str, Any]:
    """Return a request as plain JSON values; decimals and ids become text."""
    return dict(_plain(request))


def request_of(record: Mapping[str, Any]) -> OrderRequest:
    """Return the request that was written down.

    Fields that the record does not know have their defaults; fields that requests no longer have
    are left out.
    """
    found = _build(OrderRequest, record)
    assert isinstance(found, OrderRequest)  # noqa: S101 - narrows the type
    return found


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, UUID) else value


def _build(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        chosen = next(part for part in get_args(kind) if part is not type(None))
        return _build(chosen, value)
    if origin is tuple:
        return tuple(_build(get_args(kind)[0], item) for item in value)
    if is_dataclass(kind):
        hints = _hints(kind)  # type: ignore[arg-type]
        known = {name: _build(hints[name], item) for name, item in value.items() if name in hints}
        return kind(**known)  # type: ignore[operator]
    return kind(value) if kind in (Decimal, UUID) else value


@lru_cache(maxsize=16)
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
