"""Projects that two registries may both have credited: same sector and country, same time.

A hint for a person and no refusal: neighbours in a sector are common, one project under two names
is what it looks for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

# Sectoral scopes of technologies that the market's own registries name: energy, waste, forests.
SCOPES = {
    "onshore_wind": 1,
    "offshore_wind": 1,
    "photovoltaic": 1,
    "solar_thermal": 1,
    "biogas": 13,
    "afforestation": 14,
    "forestry": 14,
    "mangrove": 14,
}


@dataclass(frozen=True, slots=True, order=True)
class CreditedSpan:
    """A project with a time for which a registry issued units to it.

    Attributes:
        registry: its code.
        project: the registry's id of the project.
        sector: sectoral scope, or None.
        country: two letters, or empty.
        starts_on: first day of the issue's period.
        ends_on: its last day.
    """

    registry: str
    project: str
    sector: int | None
    country: str
    starts_on: date
    ends_on: date

    def may_be_the_same(self, other: CreditedSpan) -> bool:
        """Say whether the two could be one project credited twice."""
        return (
            self.registry != other.registry
            and self.sector is not None
            and self.sector == other.sector
            and self.country != ""
            and self.country == other.country
            and self.starts_on <= other.ends_on
            and other.starts_on <= self.ends_on
        )


def possible_doubles(
    ones: Iterable[CreditedSpan], others: Iterable[CreditedSpan]
) -> list[tuple[CreditedSpan, CreditedSpan]]:
    """Return pairs that could be one project; of two projects the earliest pair only."""
    known = sorted(set(others))
    found: dict[tuple[str, str, str, str], tuple[CreditedSpan, CreditedSpan]] = {}
    for one in sorted(set(ones)):
        for other in known:
            if one.may_be_the_same(other):
                key = (one.registry, one.project, other.registry, other.project)
                found.setdefault(key, (one, other))
    return list(found.values())
