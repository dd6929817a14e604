"""The price index: what compute costs against a base of 100. Pure arithmetic on sums.

The definition, with a worked example, is docs/reference/price-index.md; its figures are a test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

BASE = Decimal(100)
_PLACES = Decimal("0.01")
_ZERO = Decimal(0)


@dataclass(frozen=True)
class Traded:
    """Unit-hours that were sold, and their value in CNY, VAT excluded."""

    unit_hours: Decimal
    value_cny: Decimal

    def __add__(self, other: "Traded") -> "Traded":
        return Traded(self.unit_hours + other.unit_hours, self.value_cny + other.value_cny)

    @property
    def price(self) -> Decimal | None:
        """The average price weighted by volume, CNY per unit and hour; None without volume."""
        return self.value_cny / self.unit_hours if self.unit_hours > 0 else None


NOTHING = Traded(_ZERO, _ZERO)


def index_of(price: Decimal | None, base_price: Decimal | None) -> Decimal | None:
    """Return a price as an index with two decimals; None without a price or without a base."""
    if price is None or not base_price:
        return None
    return (BASE * price / base_price).quantize(_PLACES)


def composite_index(days: Sequence[Mapping[int, Traded]]) -> list[Decimal | None]:
    """Return one index over all products for each day, chained from day to day.

    Args:
        days: what was sold of each product, day after day.

    The index moves by the average change of the products' prices, each weighted by what it was
    worth on the last day it was sold before. A product that was not sold keeps its price; one that
    is sold for the first time joins from the next day on. The first day with volume is 100; before
    it there is no index.
    """
    level: Decimal | None = None
    last: dict[int, Traded] = {}
    indices: list[Decimal | None] = []
    for day in days:
        sold = {product: sums for product, sums in day.items() if sums.price}
        if sold:
            level = BASE if level is None else level * _change(last, sold)
            last.update(sold)
        indices.append(None if level is None else level.quantize(_PLACES))
    return indices


def _change(before: Mapping[int, Traded], now: Mapping[int, Traded]) -> Decimal:
    weight = sum((sums.value_cny for sums in before.values()), _ZERO)
    moved = _ZERO
    for product, sums in before.items():
        price = now.get(product, sums).price
        moved += sums.value_cny * (price or _ZERO) / (sums.price or BASE)
    return moved / weight if weight else Decimal(1)
