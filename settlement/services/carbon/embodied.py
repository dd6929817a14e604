"""Embodied carbon of hardware models, from the reference table that comes with the project."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cache

from marketplace.domain.reference import load_table
from settlement.domain.carbon.effectiveness import EmbodiedCarbon


def known_embodied(hardware: Iterable[str | None]) -> dict[str, tuple[EmbodiedCarbon, str]]:
    """Return embodied carbon and its source of those models for which one is known."""
    table = _table()
    return {name: table[name] for name in sorted(set(filter(None, hardware))) if name in table}


@cache
def _table() -> dict[str, tuple[EmbodiedCarbon, str]]:
    return {
        row["hardware"]: (
            EmbodiedCarbon(int(Decimal(row["kg_per_unit"]) * 1000), int(row["lifetime_h"])),
            row["source"],
        )
        for row in load_table("embodied_carbon")
    }
