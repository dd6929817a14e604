"""Benchmark results as suppliers upload them: a written schema, read strictly.

A file is CSV with the columns of `COLUMNS`, or JSON:

    {"schema": "hengsuan-benchmark/1",
     "results": [{"benchmark": "gemm_fp16", "value": "313.2", "units_tested": "8",
                  "measured_on": "2026-11-01", "tool": "FlagPerf 1.0", "note": ""}]}

Every value is a text in both; a number of JSON may have lost digits on its way here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from marketplace.domain.decimals import DecimalRefused, parse_decimal
from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.tables import (
    MAX_BYTES,
    FileEmpty,
    FileTooLarge,
    ImportRefused,
    Row,
    RowError,
    decode_upload,
    read_upload,
)

SCHEMA = "hengsuan-benchmark/1"
REQUIRED = ("benchmark", "value", "units_tested", "measured_on", "tool")
OPTIONAL = ("note",)
COLUMNS = (*REQUIRED, *OPTIONAL)
MAX_RESULTS = 200
EARLIEST = date(2015, 1, 1)
# A measurement may lie above nominal by this much: boost clocks, rounding of data sheets.
MOST_EFFICIENT = Decimal("1.0500")
_PLACES = Decimal("0.0001")
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class BenchmarkKind:
    """A benchmark that the market knows: its unit and the catalogue's nominal figure."""

    code: str
    unit: str
    nominal_field: str = ""


KINDS = {
    kind.code: kind
    for kind in (
        BenchmarkKind("gemm_fp16", "TFLOP/s", "fp16_tflops"),
        BenchmarkKind("gemm_bf16", "TFLOP/s", "bf16_tflops"),
        BenchmarkKind("gemm_fp32", "TFLOP/s", "fp32_tflops"),
        BenchmarkKind("hpl_fp64", "TFLOP/s", "fp64_tflops"),
        BenchmarkKind("memory_bandwidth", "GB/s"),
        BenchmarkKind("allreduce_bandwidth", "GB/s"),
        BenchmarkKind("specrate2017_int", "SPECrate"),
        BenchmarkKind("specrate2017_fp", "SPECrate"),
    )
}


class SchemaUnknown(RuleBroken):
    """A JSON file does not say that it follows the schema, or does not follow it."""

    code = "schema_unknown"
    message = gettext_noop("The JSON file must follow the schema %(schema)s.")


class BenchmarkUnknown(RuleBroken):
    """A benchmark that the market does not know."""

    code = "benchmark_unknown"
    message = gettext_noop("Unknown benchmark; known are: %(known)s.")


class NumberRefused(RuleBroken):
    """A figure is not written plainly, or makes no sense."""

    code = "benchmark_number"
    message = gettext_noop("Enter a plain number above zero, at most %(places)s decimals.")


class DayRefused(RuleBroken):
    """The day of the measurement is no date, in the future, or too long ago."""

    code = "benchmark_day"
    message = gettext_noop("Enter a date such as 2026-11-01 that is not in the future.")


class TextRefused(RuleBroken):
    """A text is missing, too long, or would act as a formula or markup elsewhere."""

    code = "benchmark_text"
    message = gettext_noop(
        "Enter a plain text of at most %(most)s characters: no formula, no markup."
    )


class AboveNominal(RuleBroken):
    """A measured figure lies above what the card can do."""

    code = "above_nominal"
    message = gettext_noop("%(value)s is more than the nominal %(nominal)s of the hardware allows.")


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """One checked result: the figure is per unit of the pool's product."""

    line: int
    kind: BenchmarkKind
    value: Decimal
    units_tested: int
    measured_on: date
    tool: str
    note: str


def read_results(data: bytes, *, is_json: bool, today: date) -> list[BenchmarkResult]:
    """Return the results of an uploaded file, all of them or none.

    Args:
        data: the file, at most 2 MB.
        is_json: whether it is JSON; CSV otherwise.
        today: the market's date; nothing can have been measured later.

    Raises:
        ImportRefused: with one error for each thing that is wrong.
    """
    rows = _json_rows(data) if is_json else _csv_rows(data)
    results: list[BenchmarkResult] = []
    errors: list[RowError] = []
    for row in rows:
        try:
            results.append(_result(row, today))
        except RuleBroken as error:
            errors.append(RowError.of(row.line, error))
    if errors:
        raise ImportRefused(errors)
    return results


def efficiency_of(value: Decimal, nominal: Decimal | None) -> Decimal | None:
    """Return measured over nominal, to four decimals; None without a nominal figure.

    Raises:
        AboveNominal: the figure is more than the hardware can do.
    """
    if not nominal:
        return None
    share = (value / nominal).quantize(_PLACES, ROUND_HALF_EVEN)
    if share > MOST_EFFICIENT:
        raise AboveNominal(field="value", value=value, nominal=nominal)
    return min(share, Decimal(1))


def _csv_rows(data: bytes) -> Sequence[Row]:
    return read_upload(data, required=REQUIRED, optional=OPTIONAL, max_rows=MAX_RESULTS)


def _json_rows(data: bytes) -> Sequence[Row]:
    try:
        if len(data) > MAX_BYTES:
            raise FileTooLarge(max_bytes=MAX_BYTES)
        results = _json_results(data)
        if not results:
            raise FileEmpty
        return [Row(number, _cells(one)) for number, one in enumerate(results, start=1)]
    except RuleBroken as error:
        raise ImportRefused([RowError.of(0, error)]) from None


def _json_results(data: bytes) -> list[object]:
    try:
        content = json.loads(decode_upload(data))
    except (ValueError, RecursionError):
        raise SchemaUnknown(schema=SCHEMA) from None
    is_known = isinstance(content, dict) and content.get("schema") == SCHEMA
    results = content.get("results") if is_known else None
    if not isinstance(results, list) or len(results) > MAX_RESULTS:
        raise SchemaUnknown(schema=SCHEMA)
    return results


def _cells(result: object) -> Mapping[str, str]:
    if not isinstance(result, dict) or not set(REQUIRED) <= set(result) <= set(COLUMNS):
        raise SchemaUnknown(schema=SCHEMA)
    if not all(isinstance(value, str) for value in result.values()):
        raise SchemaUnknown(schema=SCHEMA)
    return {name: str(result.get(name, "")).strip() for name in COLUMNS}


def _result(row: Row, today: date) -> BenchmarkResult:
    cells = row.cells
    kind = KINDS.get(cells["benchmark"])
    if kind is None:
        raise BenchmarkUnknown(field="benchmark", known=", ".join(KINDS))
    return BenchmarkResult(
        line=row.line,
        kind=kind,
        value=_number(cells, "value", places=4),
        units_tested=int(_number(cells, "units_tested", places=0)),
        measured_on=_day(cells["measured_on"], today),
        tool=_text(cells, "tool", most=80, is_required=True),
        note=_text(cells, "note", most=200),
    )


def _number(cells: Mapping[str, str], name: str, *, places: int) -> Decimal:
    try:
        value = parse_decimal(cells[name], max_digits=8, places=places)
    except DecimalRefused:
        raise NumberRefused(field=name, places=places) from None
    if value <= 0:
        raise NumberRefused(field=name, places=places)
    return value


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise DayRefused(field="measured_on") from None
    if not EARLIEST <= day <= today or len(text) != len("2026-11-01"):
        raise DayRefused(field="measured_on")
    return day


def _text(cells: Mapping[str, str], name: str, *, most: int, is_required: bool = False) -> str:
    text = cells.get(name, "")
    acts = text.startswith(_FORMULA_SIGNS) or any(sign in text for sign in "<>")
    if len(text) > most or acts or not text.isprintable() or (is_required and not text):
        raise TextRefused(field=name, most=most)
    return text
