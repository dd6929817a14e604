"""The provinces of the grid: kept in English, read and shown in the reader's language."""

from __future__ import annotations

from functools import cache

from marketplace.domain.reference import load_table


@cache
def provinces() -> dict[str, str]:
    """Return the Chinese name of each province by the English one, which tables keep."""
    rows = load_table("grid_emission_factors")
    return {row["area_en"]: row["area_zh"] for row in rows if row["level"] == "province"}


def find_province(name: str) -> str | None:
    """Return the English name of a province that somebody wrote in either language."""
    wanted = name.strip().casefold()
    for english, chinese in provinces().items():
        if wanted in {english.casefold(), chinese, f"{chinese}省", f"{chinese}市"}:
            return english
    return None
