"""Price lists of clouds and of firms that rent cards, read into one shape.

Four formats are told apart by their header. A number that cannot be read refuses the whole file
with its line; a row that names nothing this market trades is left out and counted.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.imports.machine_sizes import (
    family_of,
    is_accelerated,
    is_hpc,
    vcpus_of,
)
from marketplace.domain.tables import (
    FileEmpty,
    FileNotText,
    ImportRefused,
    RowError,
    decode_upload,
)

# Below this share of the firm price the spot price lacks the part of the card.
_LEAST_SPOT_SHARE = Decimal("0.2")
_MAX_ERRORS = 50

Record = Mapping[str, str]


class FormatUnknown(RuleBroken):
    """The header is none of the formats that are read."""

    code = "format_unknown"
    message = gettext_noop("The header is none of the known formats: %(header)s.")


class CellWrong(RuleBroken):
    """A cell of a price list or trace cannot be read."""

    code = "cell_wrong"
    message = gettext_noop("“%(value)s” cannot be read here.")


class CellsWrong(RuleBroken):
    """A row has more or fewer cells than the header."""

    code = "cells_wrong"
    message = gettext_noop("The row has more or fewer cells than the header.")


class FileUnreadable(RuleBroken):
    """A file is missing or broken."""

    code = "file_unreadable"
    message = gettext_noop("The file is missing or broken.")


class DateNeeded(RuleBroken):
    """The list does not say when its prices were valid."""

    code = "date_needed"
    message = gettext_noop("Say on which date the prices were valid: the file does not.")


@dataclass(frozen=True)
class PriceRow:
    """One machine type in one region: what a unit of it costs.

    Attributes:
        line: line of the file.
        provider: lower-case name of the cloud or firm.
        region: its name of the place; `all` or `global` is a world price.
        family: machine types of a family are one ask with several steps.
        spec: machine type.
        kind: `cpu`, `hpc` or `card`.
        card: lower-case model when kind is `card`.
        units: vCPUs, cores or cards of one machine.
        price: of one unit for an hour, in `currency`, eight decimals.
        currency: three letters.
        on: date of the price.
    """

    line: int
    provider: str
    region: str
    family: str
    spec: str
    kind: str
    card: str
    units: Decimal
    price: Decimal
    currency: str
    on: date


@dataclass
class PriceList:
    """What a file holds: its format, the rows to trade, and how many were left out and why."""

    format: str
    rows: list[PriceRow] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


class LeftOut(Exception):
    """A row is in order but names nothing this market trades; the text is the reason."""


def read_price_list(
    path: Path, *, on: date | None = None, specs: Mapping[tuple[str, str], Record] | None = None
) -> PriceList:
    """Read a price list, plain or gzipped.

    Args:
        path: the file.
        on: date of the prices, for formats that do not carry one.
        specs: machine types by (provider, name), for names that do not tell their size.

    Raises:
        ImportRefused: with line and reason, when anything cannot be read.
    """
    with open_text(path) as file:
        reader = csv.DictReader(file)
        name, read = _format_of(reader.fieldnames or [])
        found = PriceList(format=name)
        context = _Context(on=on, specs=specs or {})
        errors = list(_read_rows(reader, read, context, found))
    if errors:
        raise ImportRefused(errors)
    if not found.rows and not found.left_out:
        raise ImportRefused([RowError.of(1, FileEmpty())])
    return found


def open_text(path: Path) -> IO[str]:
    """Return a text file's content as a stream, unpacked when its name ends in `.gz`.

    Raises:
        ImportRefused: when there is no such file, or it is broken or no text.
    """
    try:
        data = path.read_bytes()
        text = decode_upload(gzip.decompress(data) if path.suffix == ".gz" else data)
    except (OSError, EOFError, zlib.error):
        raise ImportRefused([RowError.of(0, FileUnreadable())]) from None
    except FileNotText as error:
        raise ImportRefused([RowError.of(0, error)]) from None
    return io.StringIO(text, newline="")


def read_specs(path: Path) -> dict[tuple[str, str], Record]:
    """Return machine types by (provider, name) from a table of specifications.

    Raises:
        ImportRefused: when columns are missing.
    """
    with open_text(path) as file:
        reader = csv.DictReader(file)
        needed = {"vendor_id", "api_reference", "vcpus", "gpu_count", "gpu_model"}
        if not needed <= set(reader.fieldnames or []):
            unknown = FormatUnknown(header=", ".join(reader.fieldnames or []))
            raise ImportRefused([RowError.of(1, unknown)])
        providers = {"alicloud": "alibaba"}
        return {
            (providers.get(row["vendor_id"], row["vendor_id"]), row["api_reference"]): row
            for row in reader
        }


@dataclass(frozen=True)
class _Context:
    on: date | None
    specs: Mapping[tuple[str, str], Record]


_Reader = Callable[[Record, int, _Context], PriceRow]


def _read_rows(
    reader: csv.DictReader[str], read: _Reader, context: _Context, found: PriceList
) -> Iterator[RowError]:
    count = 0
    for record in reader:
        line = reader.line_num
        try:
            if None in record or None in record.values():
                raise CellsWrong
            found.rows.append(read(record, line, context))
        except LeftOut as reason:
            found.left_out[str(reason)] += 1
        except RuleBroken as error:
            yield RowError.of(line, error)
            count += 1
        if count >= _MAX_ERRORS:
            return


def _gcp(record: Record, line: int, context: _Context) -> PriceRow:
    spec = record["instance_type"]
    cards = number(record["gpu_count"] or "0", "gpu_count", zero=True)
    price = number(record["hour"], "hour")
    spot = number(record["hour_spot"], "hour_spot") if record["hour_spot"] else None
    if cards and spot is not None and spot < price * _LEAST_SPOT_SHARE:
        raise LeftOut("spot price without the card")
    if cards:
        return _row(record["region"], "gcp", spec, line, context, price, "USD", cards=cards,
                    card=record["gpu_model"])  # fmt: skip
    vcpus = number(record["cpu"], "cpu")
    return _row(record["region"], "gcp", spec, line, context, price, "USD", vcpus=vcpus)


def _aws(record: Record, line: int, context: _Context) -> PriceRow:
    price = number(record["on_demand_hour"], "on_demand_hour")
    dated = _Context(on=_date(record["generated_at"], "generated_at"), specs=context.specs)
    return _row(
        record["region"], "aws", record["instance_type"], line, dated, price, record["currency"]
    )


def _multicloud(record: Record, line: int, context: _Context) -> PriceRow:
    provider = record["providerName"].lower()
    price = number(record["costPerHour"], "costPerHour")
    cards = record["acceleratorCount"]
    return _row(
        record["regionName"],
        provider,
        record["cspSpecName"],
        line,
        context,
        price,
        record["currency"],
        cards=number(cards, "acceleratorCount") if cards else None,
        card=record["acceleratorModel"].removeprefix("NVIDIA "),
    )


def _quotes(record: Record, line: int, context: _Context) -> PriceRow:
    dated = _Context(on=_date(record["date"], "date"), specs=context.specs)
    cards = number(record["gpu_count"], "gpu_count")
    price = number(record["usd_per_gpu_hour"], "usd_per_gpu_hour") * cards
    return _row(
        record["region"] or "global",
        record["provider"].lower(),
        record["sku"] or record["gpu_model"],
        line,
        dated,
        price,
        "USD",
        cards=cards,
        card=record["gpu_model"],
    )


_FORMATS: dict[str, tuple[frozenset[str], _Reader]] = {
    "gcp": (
        frozenset(("instance_type", "region", "cpu", "gpu_model", "gpu_count", "hour",
                   "hour_spot")),
        _gcp,
    ),
    "aws": (
        frozenset(("region", "instance_type", "on_demand_hour", "currency", "generated_at")),
        _aws,
    ),
    "multicloud": (
        frozenset(("providerName", "regionName", "cspSpecName", "costPerHour", "currency",
                   "acceleratorModel", "acceleratorCount")),
        _multicloud,
    ),
    "cards": (
        frozenset(("date", "provider", "gpu_model", "sku", "region", "gpu_count",
                   "usd_per_gpu_hour")),
        _quotes,
    ),
}  # fmt: skip


def _format_of(header: Sequence[str]) -> tuple[str, _Reader]:
    for name, (columns, read) in _FORMATS.items():
        if columns <= set(header):
            return name, read
    raise ImportRefused([RowError.of(1, FormatUnknown(header=", ".join(header)[:200]))])


def _row(
    region: str,
    provider: str,
    spec: str,
    line: int,
    context: _Context,
    price: Decimal,
    currency: str,
    *,
    vcpus: Decimal | None = None,
    cards: Decimal | None = None,
    card: str = "",
) -> PriceRow:
    family = family_of(provider, spec)
    known = context.specs.get((provider, spec))
    if known and not cards and known["gpu_count"]:
        counted = number(known["gpu_count"], "gpu_count", zero=True)
        cards, card = (counted, known["gpu_model"]) if counted else (None, "")
    if cards:
        kind, units = "card", cards
    elif is_accelerated(provider, family):
        raise LeftOut("accelerator of unknown kind and number")
    else:
        kind = "hpc" if is_hpc(provider, family) else "cpu"
        units = vcpus or _vcpus(provider, spec, known)
    if context.on is None:
        raise DateNeeded
    return PriceRow(
        line=line,
        provider=provider,
        region=region,
        family=f"{family}/{card.lower()}" if cards else family,
        spec=spec,
        kind=kind,
        card=card.lower().replace(" ", "-") if cards else "",
        units=units,
        price=(price / units).quantize(Decimal("0.00000001")),
        currency=currency,
        on=context.on,
    )


def _vcpus(provider: str, spec: str, known: Record | None) -> Decimal:
    if known and known["vcpus"]:
        return number(known["vcpus"], "vcpus")
    count = vcpus_of(provider, spec)
    if not count:
        raise LeftOut("size of the machine type unknown")
    return Decimal(count)


def number(text: str, column: str, *, zero: bool = False) -> Decimal:
    """Return a positive number of a foreign file; raises CellWrong with the column."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        raise CellWrong(field=column, value=text[:40]) from None
    too_small = value < 0 or (not value and not zero) if value.is_finite() else True
    if too_small or not text.isascii() or value >= 1_000_000_000_000:
        raise CellWrong(field=column, value=text[:40])
    return value


def _date(text: str, column: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CellWrong(field=column, value=text[:40]) from None
