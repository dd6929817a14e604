"""Traces of jobs, read into one shape: pods on cards, virtual machines, batch logs, plain orders.

A trace says who wanted how much for how long; it knows no prices. Times are counted from the
trace's own start. A number that cannot be read refuses the whole file with its line; a job that
cannot be an order is left out and counted.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import chain
from pathlib import Path

from marketplace.domain.errors import RuleBroken
from marketplace.domain.imports.mapping import Maps
from marketplace.domain.imports.price_lists import (
    CellsWrong,
    CellWrong,
    FormatUnknown,
    LeftOut,
    number,
    open_text,
)
from marketplace.domain.tables import FileEmpty, ImportRefused, RowError

HOUR_S = 3600
FIRM, BURSTABLE, BEST_EFFORT = "firm", "burstable", "best_effort"
_TIERS = {"LS": FIRM, "Guaranteed": FIRM, "Burstable": BURSTABLE, "BE": BEST_EFFORT}
_SWF_FIELDS = 20
_MAX_ERRORS = 50

Record = Mapping[str, str]


@dataclass(frozen=True)
class Job:
    """One job of a trace.

    Attributes:
        line: line of the file.
        key: what tells it from other jobs; seeds its assumed price.
        kind: `cpu`, `hpc` or `gpu`.
        cards: lower-case models that will do, for `gpu`; none means any.
        units: vCPUs, cores or cards.
        starts_s: seconds from the start of the trace.
        runs_s: seconds.
        tier: how much it may pay and whether it can be split.
        user: who sent it, where the trace says so.
        limit_price: CNY or other money per unit and hour, where the file has one.
        currency: of the limit price.
        hub: place of consumption, where the file has one.
    """

    line: int
    key: str
    kind: str
    cards: tuple[str, ...]
    units: Decimal
    starts_s: Decimal
    runs_s: Decimal
    tier: str
    user: str = ""
    limit_price: Decimal | None = None
    currency: str = ""
    hub: str = ""

    def in_cny(self, maps: Maps, on: date) -> Job:
        """Return the job with its limit price in CNY; raises RateUnknown."""
        if self.limit_price is None:
            return self
        price = self.limit_price * maps.cny_per(self.currency, on)
        return replace(self, limit_price=price, currency="CNY")


@dataclass
class Trace:
    """What a file holds: its format, the jobs, and how many were left out and why."""

    format: str
    jobs: list[Job] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def read_trace(path: Path) -> Trace:
    """Read a trace, plain or gzipped; the format follows from its first lines.

    Raises:
        ImportRefused: with line and reason, when anything cannot be read.
    """
    with open_text(path) as file:
        name, read, rows = _format_of(file.readline(), file)
        trace = Trace(format=name)
        errors = list(_read_jobs(rows, read, trace))
    if errors:
        raise ImportRefused(errors)
    if not trace.jobs and not trace.left_out:
        raise ImportRefused([RowError.of(1, FileEmpty())])
    return trace


_JobReader = Callable[[Record, int], Job]
_Rows = Iterator[tuple[int, Record]]


def _read_jobs(rows: _Rows, read: _JobReader, trace: Trace) -> Iterator[RowError]:
    count = 0
    for line, record in rows:
        try:
            if None in record or None in record.values():
                raise CellsWrong
            trace.jobs.append(read(record, line))
        except LeftOut as reason:
            trace.left_out[str(reason)] += 1
        except RuleBroken as error:
            yield RowError.of(line, error)
            count += 1
        if count >= _MAX_ERRORS:
            return


def _pod(record: Record, line: int) -> Job:
    created = number(record["creation_time"], "creation_time", zero=True)
    started = record["scheduled_time"]
    begins = number(started, "scheduled_time", zero=True) if started else created
    runs = number(record["deletion_time"], "deletion_time", zero=True) - begins
    if runs <= 0:
        raise LeftOut("job without a duration")
    cards = number(record["num_gpu"], "num_gpu", zero=True)
    share = number(record["gpu_milli"] or "0", "gpu_milli", zero=True) / 1000
    cores = number(record["cpu_milli"], "cpu_milli", zero=True) / 1000
    units = cards * share if cards else cores
    if not units:
        raise LeftOut("job without a size")
    return Job(
        line=line,
        key=f"pod:{record['name']}",
        kind="gpu" if cards else "cpu",
        cards=tuple(sorted({c.lower() for c in record["gpu_spec"].split("|") if c})),
        units=units,
        starts_s=created,
        runs_s=runs,
        tier=_tier(record["qos"]),
    )


def _tier(qos: str) -> str:
    try:
        return _TIERS[qos]
    except KeyError:
        raise CellWrong(field="qos", value=qos[:40]) from None


def _vm(record: Record, line: int) -> Job:
    return Job(
        line=line,
        key=f"vm:{line}",
        kind="cpu",
        cards=(),
        units=number(record["cpus"], "cpus"),
        starts_s=number(record["arrival_time"], "arrival_time", zero=True) * HOUR_S,
        runs_s=_positive(record["length"], "length") * HOUR_S,
        tier=FIRM,
    )


def _positive(text: str, column: str) -> Decimal:
    value = number(text, column, zero=True)
    if not value:
        raise LeftOut("job without a duration")
    return value


def _batch_job(record: Record, line: int) -> Job:
    runs = Decimal(record["run"]) if _is_whole(record["run"]) else None
    cores = Decimal(record["cores"]) if _is_whole(record["cores"]) else None
    submitted = Decimal(record["submitted"]) if _is_whole(record["submitted"]) else None
    if runs is None or cores is None or submitted is None:
        raise CellWrong(value=f"{record['submitted']} {record['run']} {record['cores']}"[:40])
    if runs <= 0 or cores <= 0:
        raise LeftOut("job without a duration")
    queue = record["queue"]
    tier = BEST_EFFORT if "backfill" in queue else FIRM if "priority" in queue else BURSTABLE
    return Job(
        line=line,
        key=f"batch:{record['job']}",
        kind="hpc",
        cards=(),
        units=cores,
        starts_s=submitted,
        runs_s=runs,
        tier=tier,
        user=record["user"],
    )


def _is_whole(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdigit()


def _plain_order(record: Record, line: int) -> Job:
    if record["side"] != "buy":
        raise LeftOut("offer to sell: list it with its supplier")
    first = number(record["first_hour"], "first_hour", zero=True)
    last = number(record["last_hour"], "last_hour", zero=True)
    if last < first:
        raise CellWrong(field="last_hour", value=record["last_hour"][:40])
    kind, _, card = record["class"].partition(":")
    if kind not in {"cpu", "gpu", "hpc"}:
        raise CellWrong(field="class", value=record["class"][:40])
    limit = record["limit_price"]
    return Job(
        line=line,
        key=f"order:{record['order_id']}",
        kind=kind,
        cards=(card.lower(),) if card else (),
        units=number(record["quantity"], "quantity"),
        starts_s=first * HOUR_S,
        runs_s=(last - first + 1) * HOUR_S,
        tier=FIRM if record["kind"] == "block" else BEST_EFFORT,
        limit_price=number(limit, "limit_price") if limit else None,
        currency=record["currency"],
        hub=record["hub"],
    )


_FORMATS: dict[str, tuple[frozenset[str], _JobReader]] = {
    "pods": (
        frozenset(("name", "cpu_milli", "num_gpu", "gpu_milli", "gpu_spec", "qos",
                   "creation_time", "deletion_time", "scheduled_time")),
        _pod,
    ),
    "machines": (frozenset(("arrival_time", "length", "cpus")), _vm),
    "orders": (
        frozenset(("order_id", "side", "class", "hub", "first_hour", "last_hour", "quantity",
                   "limit_price", "currency", "kind")),
        _plain_order,
    ),
}  # fmt: skip


def _format_of(first: str, rest: Iterable[str]) -> tuple[str, _JobReader, _Rows]:
    if first.startswith(";") or len(first.split()) >= _SWF_FIELDS:
        return "batch", _batch_job, _batch_rows(chain([first], rest))
    reader = csv.DictReader(chain([first], rest))
    header = set(reader.fieldnames or [])
    for name, (columns, read) in _FORMATS.items():
        if columns <= header:
            return name, read, ((reader.line_num, row) for row in reader)
    raise ImportRefused([RowError.of(1, FormatUnknown(header=first.strip()[:200]))])


def _batch_rows(lines: Iterable[str]) -> _Rows:
    """Yield the used fields of the Standard Workload Format; `;` begins a comment."""
    for line, text in enumerate(lines, start=1):
        parts = text.split()
        if not parts or parts[0].startswith(";"):
            continue
        if len(parts) < _SWF_FIELDS - 1:
            yield line, dict.fromkeys(("job", "submitted", "run", "cores", "user", "queue"), "?")
            continue
        cores = parts[7] if parts[7] != "-1" else parts[4]
        yield (
            line,
            {
                "job": parts[0],
                "submitted": parts[1],
                "run": parts[3],
                "cores": cores,
                "user": parts[11],
                "queue": parts[18],
            },
        )
