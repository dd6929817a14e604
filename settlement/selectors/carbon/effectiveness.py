"""Effectiveness and intensity of a carbon statement, out of what it stores and pins."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marketplace.models import Product
from settlement.domain.carbon.effectiveness import (
    EmbodiedCarbon,
    Intensity,
    Work,
    cue_of,
    intensity_of,
    pue_of,
    ref_of,
)
from settlement.models import EmissionStatement


@dataclass(frozen=True)
class UnitIntensity:
    """Software carbon intensity for one functional unit, such as the card-hour."""

    unit_zh: str
    unit_en: str
    intensity: Intensity
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Effectiveness:
    """Effectiveness of the energy of a statement's month; what is not known is None.

    Attributes:
        pue, cue, ref: of the energy that the statement states.
        intensities: one for each functional unit; units are never added together.
    """

    pue: Decimal | None
    cue: Decimal | None
    ref: Decimal | None
    intensities: tuple[UnitIntensity, ...] = ()


def effectiveness_of(statement: EmissionStatement, *, with_sci: bool = True) -> Effectiveness:
    """Return the effectiveness of a statement.

    Args:
        statement: any version.
        with_sci: read the stored inputs for the intensities as well.
    """
    return Effectiveness(
        pue=pue_of(statement.facility_wh, statement.it_wh),
        cue=cue_of(statement.location_g, statement.it_wh),
        ref=ref_of(statement.matched_wh, statement.facility_wh),
        intensities=tuple(_intensities(statement)) if with_sci else (),
    )


def _intensities(statement: EmissionStatement) -> Iterable[UnitIntensity]:
    document = json.loads(statement.inputs)
    stored = {row["id"]: row for row in document["deliveries"]}
    known = {
        name: (EmbodiedCarbon(row["g_per_unit"], row["lifetime_h"]), row["source"])
        for name, row in document.get("embodied", {}).items()
    }
    works: dict[tuple[str, str], list[tuple[Work, str]]] = {}
    lines = statement.lines.order_by("pk").values_list(
        "delivery__public_id",
        "location_g",
        "delivery__allocation__product_id",
        "delivery__allocation__listing__pool__hardware__name",
    )
    rows = list(lines)
    products = Product.objects.in_bulk({row[2] for row in rows})
    for public_id, grams, product_id, named in rows:
        row = stored[str(public_id)]
        embodied, source = known.get(row.get("hardware", ""), (None, ""))
        hardware = row.get("hardware") or named or ""
        product = products[product_id]
        work = Work(_amount(row["intervals"]), grams, hardware, embodied)
        works.setdefault((product.unit_zh, product.unit_en), []).append((work, source))
    for (unit_zh, unit_en), found in sorted(works.items(), key=lambda item: item[0][1]):
        yield UnitIntensity(
            unit_zh=unit_zh,
            unit_en=unit_en,
            intensity=intensity_of(work for work, _ in found),
            sources=tuple(sorted({source for _, source in found if source})),
        )


def _amount(intervals: Iterable[Any]) -> int:
    return sum(seconds * milli for _start, seconds, milli, _metered, _pue in intervals)
