"""The canonical document of a statement's inputs: what is hashed, stored and verified."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings

from settlement.domain.carbon.effectiveness import EmbodiedCarbon
from settlement.domain.carbon.matching import SlotLength
from settlement.domain.carbon.monthly import DeliveryInputs, GreenSupply

RULES_VERSION = "1"
FORMAT = "hengsuan-carbon-statement/1"
_SCALE = 10_000


@dataclass(frozen=True)
class PinnedFactors:
    """The factors a statement uses, and the announcement they come from.

    Attributes:
        factor_set_id: the pinned set.
        year: year the factors describe.
        version: version of the set.
        announcement: its public source.
        published_on: day of publication.
        sha256: hash of the set's rows.
        nation_e4: national average × 10,000.
        residual_e4: national average without market-traded non-fossil energy × 10,000.
        by_province: location factor × 10,000 by English name of the province.
    """

    factor_set_id: int
    year: int
    version: int
    announcement: str
    published_on: date | None
    sha256: str
    nation_e4: int
    residual_e4: int
    by_province: Mapping[str, int]

    def location_e4(self, province: str) -> int:
        """Return the province's factor, or the nation's where none is published."""
        return self.by_province.get(province, self.nation_e4)

    @property
    def residual(self) -> Decimal:
        """The residual factor, kg/kWh."""
        return Decimal(self.residual_e4).scaleb(-4)


@dataclass(frozen=True)
class RetiredCertificates:
    """Certificates retired for the subject, with the energy left for it."""

    retirement: str
    line: int
    line_id: int
    batch: str
    production_month: str
    serials: str
    units: int
    available_wh: int
    hour: str = ""  # of granular certificates, whose units are watt-hours


@dataclass(frozen=True)
class StatementInputs:
    """Everything the figures of a statement follow from."""

    subject: Mapping[str, str]
    month: date
    factors: PinnedFactors
    deliveries: Sequence[DeliveryInputs]
    delivery_ids: Sequence[int]
    hub_ids: Sequence[int]
    certificates: Sequence[RetiredCertificates]
    green: GreenSupply
    # Of the hardware models that a delivery names: embodied carbon, and its source.
    embodied: Mapping[str, tuple[EmbodiedCarbon, str]] = field(default_factory=dict)


def write_inputs(inputs: StatementInputs) -> str:
    """Return the inputs as canonical JSON: sorted keys, no blanks, whole numbers."""
    return json.dumps(_document(inputs), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def hash_inputs(text: str) -> str:
    """Return the SHA-256 of the inputs' UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _document(inputs: StatementInputs) -> dict[str, Any]:
    factors = inputs.factors
    document = {
        "format": FORMAT,
        "subject": dict(inputs.subject),
        "month": f"{inputs.month:%Y-%m}",
        "scales": {"units": 1000, "watts": 100, "pue": _SCALE, "factors": _SCALE},
        "factors": {
            "year": factors.year,
            "version": factors.version,
            "announcement": factors.announcement,
            "published_on": factors.published_on and factors.published_on.isoformat(),
            "sha256": factors.sha256,
            "residual": factors.residual_e4,
            "certificate": 0,
        },
        "matching": {
            "slot": SlotLength(inputs.green.slot).value,
            "whole_wh": inputs.green.whole_wh,
            "hours": inputs.green.hours,
            "certificates": [_certificate(row) for row in inputs.certificates],
            **_on_site(inputs.green),
        },
        # start, seconds, units, metered Wh or null, PUE
        "deliveries": [
            {
                "id": row.key,
                "hub": row.hub,
                "province": row.province,
                "factor": row.factor_e4,
                "watts": row.centiwatts,
                "intervals": row.intervals,
                # Named only where embodied carbon is known: unknown stays missing, never zero.
                **({"hardware": row.hardware} if row.hardware else {}),
            }
            for row in inputs.deliveries
        ],
    }
    if inputs.embodied:
        document["embodied"] = {
            name: {"g_per_unit": of.grams, "lifetime_h": of.lifetime_h, "source": source}
            for name, (of, source) in inputs.embodied.items()
        }
    return document


def _on_site(green: GreenSupply) -> dict[str, Any]:
    """Return start, own, direct and contracted Wh of each hour; nothing where there are none."""
    if not green.on_site:
        return {}
    return {
        "on_site": [(row.hour, row.own_wh, row.direct_wh, row.contract_wh) for row in green.on_site]
    }


def _certificate(row: RetiredCertificates) -> dict[str, Any]:
    return {
        "retirement": row.retirement,
        "line": row.line,
        "batch": row.batch,
        "production_month": row.production_month,
        "serials": row.serials,
        "units": row.units,
        "available_wh": row.available_wh,
        **({"hour": row.hour} if row.hour else {}),
    }


def code_version() -> str:
    """Return the version of the software that computed a statement, and of the rules in it."""
    return f"{settings.CODE_VERSION}, carbon rules {RULES_VERSION}"[:40]
