"""The maps that a foreign list needs: region → hub, currency → CNY, card → product."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.imports.price_lists import CellWrong, FormatUnknown, number, open_text
from marketplace.domain.tables import ImportRefused, RowError

_FOLDER = Path(__file__).resolve().parents[2] / "reference" / "imports"
DEFAULT_HUB_MAP = _FOLDER / "region_hub_map.csv"
DEFAULT_RATES = _FOLDER / "exchange_rates.csv"
DEFAULT_CARDS = _FOLDER / "card_product_map.csv"


class RegionUnknown(RuleBroken):
    """The hub map has no line for a region."""

    code = "region_unknown"
    message = gettext_noop("The hub map has no line for the region %(region)s of %(provider)s.")


class RateUnknown(RuleBroken):
    """There is no exchange rate of a currency on or before a date."""

    code = "rate_unknown"
    message = gettext_noop("There is no exchange rate of %(currency)s on or before %(on)s.")


@dataclass(frozen=True)
class CardClass:
    """The product a card is traded as.

    Attributes:
        product: code.
        bf16_tflops: dense peak of one card, by which units and prices are scaled.
    """

    product: str
    bf16_tflops: Decimal


@dataclass(frozen=True)
class Maps:
    """Everything needed to place a foreign price in the market."""

    hubs: dict[tuple[str, str], str]
    rates: dict[str, list[tuple[date, Decimal]]]
    cards: dict[str, CardClass]

    def hub_of(self, provider: str, region: str) -> str:
        """Return the code of the hub of a region; raises RegionUnknown."""
        try:
            return self.hubs[provider, region]
        except KeyError:
            raise RegionUnknown(field="region", provider=provider, region=region) from None

    def cny_per(self, currency: str, on: date) -> Decimal:
        """Return what a unit of a currency cost in CNY on a date; raises RateUnknown."""
        if currency == "CNY":
            return Decimal(1)
        known = [rate for since, rate in self.rates.get(currency, []) if since <= on]
        if not known:
            raise RateUnknown(field="currency", currency=currency[:10], on=on.isoformat())
        return known[-1]


def load_maps(
    *, hub_map: Path | None = None, rates: Path | None = None, cards: Path | None = None
) -> Maps:
    """Read the maps, the shipped ones where none is given.

    Raises:
        ImportRefused: with the line of a map that cannot be read.
    """
    found: dict[str, list[tuple[date, Decimal]]] = {}
    for line, row in _rows(rates or DEFAULT_RATES, "date", "currency", "cny_per_unit", "source"):
        found.setdefault(row["currency"], []).append(
            (_date(row["date"], line), _number(row["cny_per_unit"], "cny_per_unit", line))
        )
    return Maps(
        hubs={
            (row["provider"].lower(), row["region"]): row["hub_code"]
            for _, row in _rows(hub_map or DEFAULT_HUB_MAP, "provider", "region", "hub_code")
        },
        rates={currency: sorted(dated) for currency, dated in found.items()},
        cards={
            row["card"].lower(): CardClass(
                row["product_code"], _number(row["bf16_tflops"], "bf16_tflops", line)
            )
            for line, row in _rows(cards or DEFAULT_CARDS, "card", "product_code", "bf16_tflops")
        },
    )


def _rows(path: Path, *columns: str) -> Iterator[tuple[int, dict[str, str]]]:
    with open_text(path) as file:
        reader = csv.DictReader(file)
        if not set(columns) <= set(reader.fieldnames or []):
            unknown = FormatUnknown(header=", ".join(reader.fieldnames or []))
            raise ImportRefused([RowError.of(1, unknown)])
        for row in reader:
            yield reader.line_num, row


def _number(text: str, column: str, line: int) -> Decimal:
    try:
        return number(text, column)
    except CellWrong as error:
        raise ImportRefused([RowError.of(line, error)]) from None


def _date(text: str, line: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        wrong = CellWrong(field="date", value=text[:40])
        raise ImportRefused([RowError.of(line, wrong)]) from None
