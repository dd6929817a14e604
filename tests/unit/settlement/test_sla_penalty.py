"""Penalties by rule: classes of periods, rates, the cap. The numbers stand in sla.md."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from settlement.domain.sla.penalty import ServedPeriod, ServiceTerms, ShortfallKind, rate_penalty
from settlement.domain.sla.standard import STANDARD, worked_example

START = datetime(2026, 11, 23, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TERMS = ServiceTerms(
    late_minutes=15,
    short_threshold=Decimal("0.95"),
    late_rate=Decimal("0.2"),
    short_rate=Decimal("0.25"),
    lost_rate=Decimal("0.5"),
    cap_share=Decimal("0.2"),
)


def _periods(delivered: str, *, price: str = "5.3337", promised: str = "10") -> list[ServedPeriod]:
    return [
        ServedPeriod(
            START + hour * HOUR,
            START + (hour + 1) * HOUR,
            Decimal(promised),
            Decimal(units),
            Decimal(price),
        )
        for hour, units in enumerate(delivered.split())
    ]


def _worked() -> list[list[str]]:
    """Return the rows of the worked example."""
    page = (Path(__file__).parents[3] / "docs" / "explanation" / "sla.md").read_text("utf-8")
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize(("delivered", "late_minutes", "kinds", "uncapped", "amount"), _worked())
def test_each_period_falls_in_one_class(
    delivered: str, late_minutes: str, kinds: str, uncapped: str, amount: str
) -> None:
    rated = rate_penalty(
        _periods(delivered),
        terms=TERMS,
        handed_over_at=START + timedelta(minutes=int(late_minutes)),
    )

    assert [str(each.kind) for each in rated.shortfalls] == kinds.split()
    assert (str(rated.uncapped), str(rated.amount)) == (uncapped, amount)


def test_what_was_never_handed_over_is_lost() -> None:
    rated = rate_penalty(_periods("0 0"), terms=TERMS, handed_over_at=None)

    assert {each.kind for each in rated.shortfalls} == {ShortfallKind.LOST}
    assert (rated.promised_unit_hours, rated.delivered_unit_hours) == (20, 0)


def test_a_period_of_nothing_promised_costs_nothing() -> None:
    assert rate_penalty(_periods("0", promised="0"), terms=TERMS, handed_over_at=None).amount == 0


def test_the_page_works_the_same_example() -> None:
    shown = [
        [
            case.delivered,
            str(case.late_minutes),
            " ".join(each.kind for each in case.rating.shortfalls),
            str(case.rating.uncapped),
            str(case.rating.amount),
        ]
        for case in worked_example()
    ]

    assert shown == _worked()
    assert STANDARD == TERMS
