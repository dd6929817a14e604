"""Projects of other registries that a file's projects could be: same sector, country and time."""

from collections.abc import Sequence

from settlement.domain.registry.cross_registry import SCOPES, CreditedSpan, possible_doubles
from settlement.models import BatchKind, Registry, UnitBatch


def warnings_about(registry: Registry, spans: Sequence[CreditedSpan]) -> list[dict[str, str]]:
    """Return a warning for each pair of projects that could be one, by their names."""
    if not spans:
        return []
    elsewhere = (
        UnitBatch.objects.filter(
            kind=BatchKind.CREDIT,
            starts_on__lte=max(span.ends_on for span in spans),
            ends_on__gte=min(span.starts_on for span in spans),
        )
        .exclude(registry=registry)
        .select_related("project", "registry")
    )
    pairs = possible_doubles(spans, map(_span, elsewhere))
    return [
        {
            "code": "CROSS_REGISTRY_DOUBLE",
            "project": one.project,
            "registry": other.registry,
            "other": other.project,
            "sector": str(one.sector),
            "country": one.country,
            "starts_on": max(one.starts_on, other.starts_on).isoformat(),
            "ends_on": min(one.ends_on, other.ends_on).isoformat(),
        }
        for one, other in pairs
    ]


def _span(batch: UnitBatch) -> CreditedSpan:
    project = batch.project
    return CreditedSpan(
        registry=batch.registry.code,
        # Credits of the market's own registries may be of a project that certificates registered.
        project=project.native_id,
        sector=project.sector or SCOPES.get(project.technology),
        country=project.country or batch.registry.jurisdiction[:2],
        starts_on=batch.starts_on,
        ends_on=batch.ends_on,
    )
