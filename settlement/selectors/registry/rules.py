"""The dated rule sets between certificates and credits, and which of them need a warning."""

from dataclasses import dataclass
from datetime import date

from settlement.domain.carbon.exclusivity import ExclusivityRules, rules_on
from settlement.models import RegistryRuleSet


@dataclass(frozen=True)
class RuleSetRow:
    """A version of a rule set with what a reader must know.

    Attributes:
        rules: the version.
        is_in_use: whether it is the one that decides today.
        needs_warning: whether it is past its stated last day with its renewal unverified.
    """

    rules: RegistryRuleSet
    is_in_use: bool
    needs_warning: bool


def rule_set_on(day: date) -> RegistryRuleSet | None:
    """Return the rule set that decides on a day: the newest begun, its newest version.

    One past its stated end still decides, with a warning; a lapse must not unfreeze anything.
    """
    newest = _newest_versions()
    chosen = rules_on([_pure(rules) for rules in newest.values()], day)
    return newest[chosen.code] if chosen else None


def rule_set_rows(day: date) -> list[RuleSetRow]:
    """Return every version of every rule set, newest first."""
    used = rule_set_on(day)
    rows = RegistryRuleSet.objects.select_related(
        "certificates_from", "credits_from", "proposed_by"
    )
    return [
        RuleSetRow(
            rules,
            is_in_use=used is not None and rules.pk == used.pk,
            needs_warning=used is not None
            and rules.pk == used.pk
            and _pure(rules).needs_warning(day),
        )
        for rules in rows.select_related("proposed_by").order_by("code", "-version")
    ]


def rules_need_warning(day: date) -> bool:
    """Tell whether the rule set in use is past its stated last day, its renewal unverified."""
    rules = rule_set_on(day)
    return rules is not None and _pure(rules).needs_warning(day)


def _newest_versions() -> dict[str, RegistryRuleSet]:
    rows = RegistryRuleSet.objects.order_by("code", "version")
    return {rules.code: rules for rules in rows.select_related("certificates_from")}


def _pure(rules: RegistryRuleSet) -> ExclusivityRules:
    return ExclusivityRules(rules.code, rules.valid_from, rules.valid_to, rules.renewal_verified)
