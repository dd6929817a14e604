"""Latency limits are snapped to a product's classes, to the stricter side."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal


def snapped_class(limit: Decimal | None, classes: Iterable[Decimal]) -> tuple[bool, Decimal | None]:
    """Return whether a limit can be met, and the widest class that is not wider than it.

    Args:
        limit: round trip in ms; None for no limit.
        classes: the product's classes in ms; without any, the limit is its own class.
    """
    known = sorted(classes)
    if limit is None or not known:
        return True, limit
    reached = [width for width in known if width <= limit] if limit.is_finite() else []
    return bool(reached), reached[-1] if reached else None
