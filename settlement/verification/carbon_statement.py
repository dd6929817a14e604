"""Recomputes a carbon statement from its stored inputs, by a way of its own.

Nothing of the calculator is used here: exact fractions instead of scaled integers and arrays, one
pass over the hours, the standard library alone. The rules are those of
`docs/explanation/carbon.md`.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

FORMAT = "hengsuan-carbon-statement/1"
_HOUR = 3600
_CERTIFICATE = 1_000_000


def find_differences(
    inputs: str, stated: Mapping[str, Any], lines: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Return what of a statement does not follow from its inputs; nothing when all of it does.

    Args:
        inputs: the stored canonical document.
        stated: the statement's figures by name, the hash among them.
        lines: the figures of its lines by public id of the delivery.
    """
    found = []
    digest = hashlib.sha256(inputs.encode("utf-8")).hexdigest()
    if digest != stated["sha256"]:
        found.append(f"sha256: {stated['sha256']} stated, {digest} of the inputs")
    document = json.loads(inputs)
    if document.get("format") != FORMAT:
        return [*found, f"format: {document.get('format')} is unknown"]
    figures, line_figures = recompute(document)
    found.extend(_compare("", figures, stated))
    for key in sorted({*lines, *line_figures}):
        if key not in lines or key not in line_figures:
            found.append(f"line {key}: missing on one side")
            continue
        found.extend(_compare(f"line {key} ", line_figures[key], lines[key]))
    return found


def recompute(document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the figures of the statement and of its lines, from the inputs alone."""
    scales = document["scales"]
    load_by_hour: dict[int, int] = defaultdict(int)
    lines: dict[str, dict[str, Any]] = {}
    location = Fraction(0)
    for delivery in document["deliveries"]:
        it_total = facility_total = 0
        estimated = False
        for start, it_wh, facility_wh, is_estimated in _hours(delivery, scales):
            it_total += it_wh
            facility_total += facility_wh
            estimated = estimated or is_estimated
            load_by_hour[start // _HOUR] += facility_wh
        grams = facility_total * Fraction(delivery["factor"], scales["factors"])
        location += grams
        lines[delivery["id"]] = {
            "it_wh": it_total,
            "facility_wh": facility_total,
            "location_g": _decimal(grams, 4),
            "is_estimated": estimated,
        }
    load = sum(load_by_hour.values())
    site = _on_site(document["matching"].get("on_site", ()), load_by_hour)
    matched, excess = _matched(document["matching"], load_by_hour)
    covered_on_site = site["own_wh"] + site["direct_wh"]
    certified, matched = matched, matched + covered_on_site
    factors = document["factors"]
    market = (load - matched) * Fraction(factors["residual"], scales["factors"])
    market += matched * Fraction(factors["certificate"], scales["factors"])
    figures = {
        "delivery_count": len(lines),
        "is_estimated": any(line["is_estimated"] for line in lines.values()),
        "it_wh": sum(line["it_wh"] for line in lines.values()),
        "facility_wh": load,
        "matched_wh": matched,
        "residual_wh": load - matched,
        "excess_wh": excess + site.pop("unused_wh"),
        **site,
        "certificates": (certified + _CERTIFICATE - 1) // _CERTIFICATE,
        "location_g": _decimal(location, 4),
        "market_g": _decimal(market, 4),
        "location_based_t": _decimal(location / 1_000_000, 6),
        "market_based_t": _decimal(market / 1_000_000, 6),
        "factor_year": factors["year"],
        "announcement": factors["announcement"],
        "residual_factor": _decimal(Fraction(factors["residual"], scales["factors"]), 4),
        "slot": document["matching"]["slot"],
    }
    return figures, lines


def _hours(
    delivery: Mapping[str, Any], scales: Mapping[str, int]
) -> Iterator[tuple[int, int, int, bool]]:
    """Yield start, IT and facility watt-hours of each interval, and whether it is estimated."""
    watts = Fraction(delivery["watts"], scales["watts"])
    for start, seconds, units, metered_wh, pue in delivery["intervals"]:
        energy = Fraction(units, scales["units"]) * Fraction(seconds, _HOUR) * watts
        it_wh = _half_up(energy) if metered_wh is None else metered_wh
        yield start, it_wh, _half_up(it_wh * Fraction(pue, scales["pue"])), metered_wh is None


def _on_site(rows: Iterable[Sequence[int]], load_by_hour: dict[int, int]) -> dict[str, int]:
    """Take own, then direct supply off the load of its hour; say what was covered."""
    found = dict.fromkeys(("own_wh", "direct_wh", "hourly_wh", "supply_wh", "unused_wh"), 0)
    for start, own, direct, contract in rows:
        load = load_by_hour.get(start // _HOUR, 0)
        covered = min(load, own + direct)
        found["own_wh"] += min(load, own)
        found["direct_wh"] += covered - min(load, own)
        found["hourly_wh"] += min(load, own + direct + contract)
        found["supply_wh"] += own + direct + contract
        found["unused_wh"] += own + direct - covered
        load_by_hour[start // _HOUR] = load - covered
    return found


def _matched(matching: Mapping[str, Any], load_by_hour: Mapping[int, int]) -> tuple[int, int]:
    if matching["slot"] != "hour":
        load = sum(load_by_hour.values())
        return min(load, matching["whole_wh"]), max(0, matching["whole_wh"] - load)
    green: dict[int, int] = defaultdict(int)
    for start, energy_wh in matching["hours"]:
        green[start // _HOUR] += energy_wh
    matched = sum(min(load_by_hour.get(hour, 0), energy) for hour, energy in green.items())
    return matched, sum(green.values()) - matched


def _half_up(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def _decimal(value: Fraction, places: int) -> Decimal:
    return Decimal(_half_up(value * 10**places)) / 10**places


def _compare(prefix: str, figures: Mapping[str, Any], stated: Mapping[str, Any]) -> list[str]:
    return [
        f"{prefix}{name}: {stated[name]} stated, {value} recomputed"
        for name, value in figures.items()
        if stated[name] != value
    ]
