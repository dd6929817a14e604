"""Turns rows of a price list into asks: rising curves of units at CNY prices, on ticks and lots."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from marketplace.domain.errors import RuleBroken
from marketplace.domain.imports.mapping import Maps
from marketplace.domain.imports.price_lists import LeftOut, PriceRow
from marketplace.domain.tables import ImportRefused, RowError

CPU_PRODUCT, HPC_PRODUCT = "GP-VCPU", "HP-CORE"
MAX_STEPS = 50
# A price list has no quantities. The assumption: each row stands for one to this many lots of
# vCPUs or cores, or cards, drawn by the row's own name and a seed.
MOST_LOTS_A_ROW = 8


@dataclass(frozen=True)
class ProductGrid:
    """What an ask of a product must fit: ticks, lots, band, and the size of its unit."""

    price_tick: Decimal
    price_min: Decimal
    price_max: Decimal
    quantity_lot: Decimal
    bf16_tflops: Decimal | None


@dataclass(frozen=True)
class AskCurve:
    """One ask: the machine types of a family in a region.

    Attributes:
        steps: (units, CNY per unit and hour 不含税), prices rising.
    """

    provider: str
    region: str
    family: str
    hub: str
    product: str
    steps: tuple[tuple[Decimal, Decimal], ...]

    @property
    def quantity(self) -> Decimal:
        """Units of all steps."""
        return sum((units for units, _ in self.steps), Decimal(0))


@dataclass(frozen=True)
class Asks:
    """The asks of a list, and how many rows were left out, by reason."""

    curves: tuple[AskCurve, ...]
    left_out: Counter[str]


def asks_from(
    rows: Iterable[PriceRow], *, maps: Maps, products: Mapping[str, ProductGrid], seed: int
) -> Asks:
    """Return one ask for each family, region and product.

    Raises:
        ImportRefused: with the line of every region or currency that no map knows.
    """
    left_out: Counter[str] = Counter()
    errors: list[RowError] = []
    steps: dict[tuple[str, str, str, str, str], dict[Decimal, Decimal]] = defaultdict(dict)
    for row in rows:
        try:
            hub = maps.hub_of(row.provider, row.region)
            product, units, price = _step(row, maps, products, seed)
        except LeftOut as reason:
            left_out[str(reason)] += 1
        except RuleBroken as error:
            errors.append(RowError.of(row.line, error))
        else:
            curve = steps[row.provider, row.region, row.family, hub, product]
            curve[price] = curve.get(price, Decimal(0)) + units
    if errors:
        raise ImportRefused(errors)
    curves = tuple(
        AskCurve(*key, steps=_merged(sorted(curve.items()))) for key, curve in sorted(steps.items())
    )
    return Asks(curves, left_out)


def _step(
    row: PriceRow, maps: Maps, products: Mapping[str, ProductGrid], seed: int
) -> tuple[str, Decimal, Decimal]:
    code, scale = _product(row, maps, products)
    grid = products[code]
    exact = row.price * maps.cny_per(row.currency, row.on) * scale
    price = (exact / grid.price_tick).to_integral_value(ROUND_CEILING) * grid.price_tick
    if not grid.price_min <= price <= grid.price_max:
        raise LeftOut("price outside the band of the product")
    name = f"{seed}|{row.provider}|{row.region}|{row.spec}"
    lots = zlib.crc32(name.encode()) % MOST_LOTS_A_ROW + 1
    units = lots * grid.quantity_lot
    if row.kind == "card":
        whole = (lots / scale / grid.quantity_lot).to_integral_value(ROUND_FLOOR)
        units = max(whole, Decimal(1)) * grid.quantity_lot
    return code, units, price


def _product(row: PriceRow, maps: Maps, products: Mapping[str, ProductGrid]) -> tuple[str, Decimal]:
    """Return the product a row is traded as, and its unit's share of the row's own unit."""
    if row.kind == "hpc":
        return HPC_PRODUCT, Decimal(1)
    if row.kind == "cpu":
        return CPU_PRODUCT, Decimal(1)
    card = maps.cards.get(row.card)
    if card is None or card.product not in products:
        raise LeftOut("card without a product")
    peak = products[card.product].bf16_tflops
    if peak is None:
        raise LeftOut("card without a product")
    return card.product, peak / card.bf16_tflops


def _merged(
    steps: list[tuple[Decimal, Decimal]],
) -> tuple[tuple[Decimal, Decimal], ...]:
    """Return (units, price) steps; beyond the longest curve the dearest share the last price."""
    kept = [(units, price) for price, units in steps[:MAX_STEPS]]
    rest = sum((units for _, units in steps[MAX_STEPS:]), Decimal(0))
    if rest:
        units, price = kept[-1]
        kept[-1] = (units + rest, max(price, steps[-1][0]))
    return tuple(kept)
