"""The terms that the platform proposes to suppliers, and what they come to in a worked example."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from settlement.domain.sla.penalty import PenaltyRating, ServedPeriod, ServiceTerms, rate_penalty

# A quarter of an hour of grace, 95 % of every hour.
STANDARD = ServiceTerms(
    late_minutes=15,
    short_threshold=Decimal("0.95"),
    late_rate=Decimal("0.20"),
    short_rate=Decimal("0.25"),
    lost_rate=Decimal("0.50"),
    cap_share=Decimal("0.20"),
)

EXAMPLE_UNITS = Decimal(10)
EXAMPLE_PRICE = Decimal("5.3337")
# Units delivered in each of four hours, and minutes from the start to the hand-over.
_CASES = (
    ("10 10 10 10", 0),
    ("9.5 10 10 10", 0),
    ("9.499 10 10 10", 0),
    ("10 8 0 10", 0),
    ("0 0 0 10", 0),
    ("10 10 10 10", 15),
    ("10 10 10 10", 16),
    ("0 10 10 10", 61),
)
_START = datetime(2026, 11, 23, tzinfo=UTC)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class WorkedCase:
    """A case of the example under the standard terms.

    Attributes:
        delivered: units in each hour.
        late_minutes: from the start to the hand-over.
        rating: the penalty with its arithmetic.
    """

    delivered: str
    late_minutes: int
    rating: PenaltyRating


def worked_example() -> list[WorkedCase]:
    """Return the cases that `docs/explanation/sla.md` shows, rated by the rule itself."""
    return [_work(delivered, minutes) for delivered, minutes in _CASES]


def _work(delivered: str, minutes: int) -> WorkedCase:
    periods = [
        ServedPeriod(
            _START + hour * _HOUR,
            _START + (hour + 1) * _HOUR,
            EXAMPLE_UNITS,
            Decimal(units),
            EXAMPLE_PRICE,
        )
        for hour, units in enumerate(delivered.split())
    ]
    handed_over_at = _START + timedelta(minutes=minutes)
    rating = rate_penalty(periods, terms=STANDARD, handed_over_at=handed_over_at)
    return WorkedCase(delivered, minutes, rating)
