"""A pool in words: its identifier taken apart, its marks, its benchmarks, what happened to it."""

from collections.abc import Iterable
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from marketplace.domain.benchmarks import KINDS
from marketplace.domain.resource_identifier import (
    ResourceIdentifierRefused,
    parse_resource_identifier,
)
from marketplace.models import AuditEvent, PoolBenchmark, ResourceClass, ResourcePool, TrustLevel
from marketplace.selectors.evidence import Evidence
from marketplace.templatetags.audit_words import step_text
from marketplace.templatetags.market_ui import localname

BENCHMARK_NAMES = {
    "gemm_fp16": _("Matrix product, FP16"),
    "gemm_bf16": _("Matrix product, BF16"),
    "gemm_fp32": _("Matrix product, FP32"),
    "hpl_fp64": _("Linpack (HPL), FP64"),
    "memory_bandwidth": _("Memory bandwidth"),
    "allreduce_bandwidth": _("All-reduce bandwidth"),
    "specrate2017_int": _("SPECrate 2017 Integer"),
    "specrate2017_fp": _("SPECrate 2017 Floating Point"),
}
MARK_NAMES = {
    "telecom_licence": _("Telecom licence"),
    "dengbao": _("MLPS evidence"),
    "xinchuang": _("Evidence of domestic hardware"),
}
FIELD_NAMES = {
    "name": _("Name"),
    "name_en": _("English name"),
    "unit_count": _("Units"),
    "power_w_per_unit": _("Power per unit, W"),
    "pue": _("PUE"),
    "green_share": _("Renewable share"),
    "carbon_g_per_unit_hour": _("Declared carbon, g per unit-hour"),
    "carbon_profile_g": _("Carbon by hour of the day, g per unit-hour"),
    "carbon_evidence": _("Evidence of green power"),
    "hardware_id": _("Hardware"),
    "memory_gib_per_unit": _("Memory per unit, GiB"),
    "interconnect": _("Interconnect"),
    "dengbao_level": _("MLPS level"),
    "dengbao_evidence": _("MLPS evidence"),
    "dengbao_expires_on": _("MLPS evidence expires on"),
    "is_xinchuang": _("Domestic hardware"),
    "xinchuang_evidence": _("Evidence of domestic hardware"),
    "xinchuang_expires_on": _("Evidence of domestic hardware expires on"),
    "trust_level": _("Trust level"),
    "identifier": _("Resource identifier"),
    "benchmark_name": _("Benchmark"),
    "benchmark_efficiency": _("Benchmark efficiency"),
}
TRUST_STEPS = {
    TrustLevel.DECLARED: _("Nobody but you has looked at it yet."),
    TrustLevel.DOCUMENTED: _("The operator has checked the documents behind it."),
    TrustLevel.TESTED: _("The operator has measured the machines and they do what you state."),
}


def identifier_parts(pool: ResourcePool) -> list[dict[str, str]]:
    """Return the parts of a pool's identifier with what each means; empty for a foreign one."""
    text = pool.identifier
    try:
        parts = parse_resource_identifier(text)
    except ResourceIdentifierRefused:
        return []
    kind = ResourceClass(parts.resource_class.value).label
    return [
        {"text": text[:2], "meaning": gettext("Country")},
        {
            "text": text[2:6],
            "meaning": gettext("Cluster: %(hub)s") % {"hub": localname(pool.hub)},
        },
        {"text": text[6:10], "meaning": gettext("Number of the supplier on this market")},
        {"text": text[10:12], "meaning": gettext("Resource class: %(kind)s") % {"kind": kind}},
        {"text": text[12:20], "meaning": gettext("Serial number of the pool in its class")},
        {
            "text": text[20:],
            "meaning": gettext("Check digits (ISO 7064 MOD 97-10): a typing error is noticed"),
        },
    ]


def trust_ladder(pool: ResourcePool) -> list[dict[str, Any]]:
    """Return the trust levels as steps, with where the pool stands."""
    return [
        {
            "label": TrustLevel(level).label,
            "note": text if level == pool.trust_level else "",
            "state": "done" if level <= pool.trust_level else "todo",
        }
        for level, text in TRUST_STEPS.items()
    ]


def benchmark_rows(benchmarks: Iterable[PoolBenchmark]) -> list[dict[str, Any]]:
    """Return benchmark results with their names and units."""
    return [
        {
            "result": one,
            "name": BENCHMARK_NAMES.get(one.benchmark, one.benchmark),
            "unit": KINDS[one.benchmark].unit if one.benchmark in KINDS else "",
        }
        for one in benchmarks
    ]


def evidence_texts(marks: Iterable[Evidence]) -> list[dict[str, Any]]:
    """Return warnings in words, each with its tone."""
    return [
        {
            "tone": "error" if mark.state == "expired" else "warning",
            "text": evidence_text(mark),
            "pool": mark.pool,
        }
        for mark in marks
        if mark.needs_care
    ]


def evidence_text(mark: Evidence) -> str:
    """Return one warning: what runs out, of which pool, when."""
    days = mark.days_left or 0
    values = {
        "mark": MARK_NAMES[mark.kind],
        "pool": localname(mark.pool) if mark.pool else "",
        "day": mark.expires_on,
        "days": abs(days),
    }
    if mark.pool is None:
        if mark.state == "expired":
            return gettext("Your telecom licence ran out on %(day)s.") % values
        text = ngettext(
            "Your telecom licence runs out in %(days)s day, on %(day)s.",
            "Your telecom licence runs out in %(days)s days, on %(day)s.",
            days,
        )
        return text % values
    if mark.state == "expired":
        return (
            gettext(
                "%(mark)s of %(pool)s ran out on %(day)s: buyers who ask for it do not find the "
                "pool any more."
            )
            % values
        )
    text = ngettext(
        "%(mark)s of %(pool)s runs out in %(days)s day, on %(day)s.",
        "%(mark)s of %(pool)s runs out in %(days)s days, on %(day)s.",
        days,
    )
    return text % values


def history_rows(events: Iterable[AuditEvent]) -> list[dict[str, Any]]:
    """Return what happened to a pool: what, who, when, and each value before and after."""
    return [
        {
            "event": event,
            "action": capfirst(step_text(event)),
            "changes": _changes(event),
        }
        for event in events
    ]


def _changes(event: AuditEvent) -> list[dict[str, Any]]:
    before, after = event.before or {}, event.after or {}
    return [
        {"name": label, "before": before.get(name), "after": after.get(name)}
        for name, label in FIELD_NAMES.items()
        if before.get(name) != after.get(name)
    ]
