"""The dated rules of disputes and defaults: in force, to come and past."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Generic, TypeVar

from settlement.models import DefaultRule, DisputeRule
from settlement.selectors.cases.deadlines import (
    FIRST_DEFAULT_TERMS,
    FIRST_DISPUTE_DAYS,
    DefaultTerms,
    DisputeDays,
    default_terms_of,
    dispute_days_of,
)

Rule = TypeVar("Rule", DisputeDays, DefaultTerms)


@dataclass(frozen=True, slots=True)
class DatedRule(Generic[Rule]):
    """A set of rules, from when it counts (None: from the beginning), and how it stands on a day.

    Attributes:
        standing: `in_force`, `coming` or `past`.
    """

    starts_on: date | None
    rule: Rule
    standing: str


def dispute_rules(on: date) -> list[DatedRule[DisputeDays]]:
    """Return the deadlines of disputes, the latest first."""
    rows = DisputeRule.objects.order_by("-effective_from")
    return _dated(
        [(row.effective_from, dispute_days_of(row)) for row in rows], FIRST_DISPUTE_DAYS, on
    )


def default_rules(on: date) -> list[DatedRule[DefaultTerms]]:
    """Return the steps of reminding and the penalties, the latest first."""
    rows = DefaultRule.objects.order_by("-effective_from")
    return _dated(
        [(row.effective_from, default_terms_of(row)) for row in rows], FIRST_DEFAULT_TERMS, on
    )


def _dated(
    rows: Iterable[tuple[date | None, Rule]], first: Rule, on: date
) -> list[DatedRule[Rule]]:
    found: list[DatedRule[Rule]] = []
    is_found = False
    beginning: tuple[date | None, Rule] = (None, first)
    for starts_on, rule in chain(rows, [beginning]):
        is_coming = starts_on is not None and starts_on > on
        standing = "coming" if is_coming else "past" if is_found else "in_force"
        is_found = is_found or not is_coming
        found.append(DatedRule(starts_on, rule, standing))
    return found
