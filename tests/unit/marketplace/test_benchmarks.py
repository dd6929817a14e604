"""Benchmark files: the written schema, and what it refuses."""

import json
from datetime import date
from decimal import Decimal

import pytest

from marketplace.domain.benchmarks import AboveNominal, efficiency_of, read_results
from marketplace.domain.tables import ImportRefused

TODAY = date(2026, 11, 22)
GOOD = {
    "benchmark": "gemm_fp16",
    "value": "313.2",
    "units_tested": "8",
    "measured_on": "2026-11-01",
    "tool": "FlagPerf 1.0",
}


def as_csv(**changes: str) -> bytes:
    """Return a file of one result."""
    cells = {**GOOD, "note": "", **changes}
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in cells.values())
    return (",".join(cells) + "\n" + ",".join(quoted) + "\n").encode()


def as_json(*results: object, schema: str = "hengsuan-benchmark/1") -> bytes:
    """Return a JSON file of these results."""
    return json.dumps({"schema": schema, "results": list(results)}).encode()


def test_both_forms_say_the_same():
    from_csv = read_results(as_csv(), is_json=False, today=TODAY)
    from_json = read_results(as_json(GOOD), is_json=True, today=TODAY)

    for found in (from_csv[0], from_json[0]):
        assert (found.kind.code, found.value, found.units_tested) == (
            "gemm_fp16",
            Decimal("313.2"),
            8,
        )
        assert found.measured_on == date(2026, 11, 1)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"benchmark": "guess"}, "benchmark", "benchmark_unknown"),
        ({"value": "NaN"}, "value", "benchmark_number"),
        ({"value": "0"}, "value", "benchmark_number"),
        ({"value": "１２"}, "value", "benchmark_number"),
        ({"units_tested": "1.5"}, "units_tested", "benchmark_number"),
        ({"measured_on": "2026-11-23"}, "measured_on", "benchmark_day"),
        ({"measured_on": "20261101"}, "measured_on", "benchmark_day"),
        ({"tool": "=cmd|' /C calc'!A0"}, "tool", "benchmark_text"),
        ({"tool": "<script>alert(1)</script>"}, "tool", "benchmark_text"),
        ({"note": "＝1+1"}, "note", "benchmark_text"),
        ({"tool": ""}, "tool", "benchmark_text"),
        ({"note": "x" * 201}, "note", "benchmark_text"),
    ],
)
def test_wrong_cells_are_named(changes, field, code):
    for data, is_json in ((as_csv(**changes), False), (as_json({**GOOD, **changes}), True)):
        with pytest.raises(ImportRefused) as refused:
            read_results(data, is_json=is_json, today=TODAY)

        assert [(row.field, row.code) for row in refused.value.rows] == [(field, code)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 100_000,
        as_json(GOOD, schema="another/1"),
        as_json({**GOOD, "value": 313.2}),
        as_json({**GOOD, "surprise": "1"}),
        as_json(*[GOOD] * 201),
        b"\x89PNG\r\n",
    ],
)
def test_json_outside_the_schema_is_refused_whole(data):
    with pytest.raises(ImportRefused):
        read_results(data, is_json=True, today=TODAY)


def test_efficiency_is_measured_over_nominal_and_never_impossible():
    assert efficiency_of(Decimal("313.2"), Decimal(376)) == Decimal("0.8330")
    assert efficiency_of(Decimal(380), Decimal(376)) == 1
    assert efficiency_of(Decimal(380), None) is None
    with pytest.raises(AboveNominal):
        efficiency_of(Decimal(500), Decimal(376))
