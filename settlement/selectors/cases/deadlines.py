"""Deadlines of disputes and defaults, by the rules in force and the market's calendar."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from settlement.models import DefaultRule, DisputeRule


@dataclass(frozen=True)
class DisputeDays:
    """Working days of a dispute: to open it, to answer, to insist, to rule."""

    open_days: int
    answer_days: int
    insist_days: int
    ruling_days: int


@dataclass(frozen=True)
class DefaultTerms:
    """Working days after the due date to each step, and the penalty's rates."""

    first_reminder_days: int
    second_reminder_days: int
    default_days: int
    penalty_rate_per_day: Decimal
    penalty_cap_rate: Decimal


# In force until the market writes a dated rule of its own.
FIRST_DISPUTE_DAYS = DisputeDays(open_days=10, answer_days=5, insist_days=5, ruling_days=10)
FIRST_DEFAULT_TERMS = DefaultTerms(1, 5, 10, Decimal("0.0005"), Decimal("0.2"))


def dispute_days(on: date) -> DisputeDays:
    """Return the deadlines of disputes in force on a day."""
    rule = DisputeRule.objects.filter(effective_from__lte=on).order_by("-effective_from").first()
    if rule is None:
        return FIRST_DISPUTE_DAYS
    return dispute_days_of(rule)


def dispute_days_of(rule: DisputeRule) -> DisputeDays:
    """Return what a stored rule says."""
    return DisputeDays(rule.open_days, rule.answer_days, rule.insist_days, rule.ruling_days)


def default_terms(on: date) -> DefaultTerms:
    """Return the steps of reminding and the penalty in force on a day."""
    rule = DefaultRule.objects.filter(effective_from__lte=on).order_by("-effective_from").first()
    if rule is None:
        return FIRST_DEFAULT_TERMS
    return default_terms_of(rule)


def default_terms_of(rule: DefaultRule) -> DefaultTerms:
    """Return what a stored rule says."""
    return DefaultTerms(
        rule.first_reminder_days,
        rule.second_reminder_days,
        rule.default_days,
        rule.penalty_rate_per_day,
        rule.penalty_cap_rate,
    )
