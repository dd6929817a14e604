"""Loads the published grid emission factors that ship with the project."""

from decimal import Decimal

from marketplace.domain.reference import load_table
from settlement.models import GridEmissionFactor

NATIONAL = "National"
_CONFLICT = ["province_en", "year", "level", "basis"]
_UPDATED = ["province_zh", "kg_per_kwh", "source", "confidence"]


def load_grid_factors() -> int:
    """Bring the stored factors up to the shipped table; return how many there are.

    A record of emissions keeps the factor's figure of its day beside the reference.
    """
    GridEmissionFactor.objects.bulk_create(
        [
            GridEmissionFactor(
                # Of the nation there are several figures; level and basis tell them apart.
                province_en=NATIONAL if row["level"] == "national" else row["area_en"],
                province_zh=row["area_zh"],
                level=row["level"],
                year=int(row["year"]),
                basis=row["basis"],
                kg_per_kwh=Decimal(row["factor_kg_per_kwh"]),
                source=row["source"],
                confidence=row["confidence"],
            )
            for row in load_table("grid_emission_factors")
        ],
        update_conflicts=True,
        unique_fields=_CONFLICT,
        update_fields=_UPDATED,
    )
    return GridEmissionFactor.objects.count()
