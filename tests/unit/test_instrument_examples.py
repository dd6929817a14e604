"""Examples E7 and E8: hours of certificates and a block of VCS, from the table of the pages."""

import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from marketplace.domain.errors import RuleBroken
from settlement.domain.carbon.matching import match_slots
from settlement.domain.registry.granular import (
    GranularHourIssued,
    ProductionHourMismatch,
    certificates_to_use_up,
    check_interval,
    check_within_parent,
)
from settlement.domain.registry.vcs_serials import read_vcs_block

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = tomllib.loads(
    (ROOT / "docs/explanation/carbon-examples.toml").read_text(encoding="utf-8")
)
HOUR = timedelta(hours=1)
CODES = ("one_wh_more", "same_hour_again", "another_hour")


def _figures(name, kind):
    return {line[0]: line[3] for line in EXAMPLES[name][kind]}


def hours_of_e7() -> list[dict[str, str]]:
    """Return the rows of the example's table."""
    table = EXAMPLES["E7"]["tables"]["hours"]
    keys = [column[0] for column in table["columns"]]
    return [dict(zip(keys, row, strict=True)) for row in table["rows"]]


def test_e7_certificates_become_hours():
    parents = int(_figures("E7", "facts")["certificates"])
    issued = used = matched = 0
    for row in hours_of_e7():
        start = datetime.fromisoformat(row["hour"])
        energy, load = int(row["metered_wh"]), int(row["load_wh"])
        check_interval(start, start + HOUR, now=datetime(2026, 11, 22, tzinfo=UTC))
        check_within_parent(energy, sliced_wh=issued, parent_units=parents, parent="P")
        more = certificates_to_use_up(energy, issued_wh=issued, used_up=used)
        covered = match_slots({start: load}, {start: energy})[start].matched_wh
        assert (str(more), str(covered)) == (row["uses_up"], row["matched_wh"])
        issued, used, matched = issued + energy, used + more, matched + covered
    with pytest.raises(RuleBroken) as refused:
        check_within_parent(1, sliced_wh=issued, parent_units=parents, parent="P")

    assert _figures("E7", "results") == {
        "used_up": str(used),
        "issued_wh": str(issued),
        "matched_wh": str(matched),
        "excess_wh": str(issued - matched),
        "one_wh_more": refused.value.code,
        "same_hour_again": GranularHourIssued.code,
        "another_hour": ProductionHourMismatch.code,
    }


def test_e8_a_block_of_vcs():
    block = read_vcs_block(_figures("E8", "facts")["serial"])

    assert _figures("E8", "results") == {
        "units": str(block.run.units),
        "project": block.project,
        "country": block.country,
        "sector": str(block.sector),
        "starts_on": block.starts_on.isoformat(),
        "ends_on": block.ends_on.isoformat(),
        "certified": str(int(block.has_additional_certification)),
    }


@pytest.mark.parametrize("page", ["registry.md", "registry.zh.md"])
def test_the_pages_on_registries_quote_the_examples(page):
    text = (ROOT / "docs/explanation" / page).read_text(encoding="utf-8")

    for row in hours_of_e7():
        assert f"{int(row['metered_wh']):,}" in text
    assert _figures("E8", "facts")["serial"] in text
    assert f"{int(_figures('E8', 'results')['units']):,}" in text
    assert {_figures("E7", "results")[name] for name in CODES} <= set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize("page", ["carbon.md", "carbon.zh.md"])
def test_the_pages_on_carbon_quote_the_first_example(page):
    text = (ROOT / "docs/explanation" / page).read_text(encoding="utf-8")
    results = _figures("E1", "results")

    assert all(results[name] in text for name in ("pue", "cue", "sci"))
