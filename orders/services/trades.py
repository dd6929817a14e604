"""The trades of a result before they are stored: who serves whom, and at which exact prices."""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from orders.services.order_rows import OrderRow

_ZERO = Decimal(0)
# Prices on their tick are decimals; what was spread by quotient is a fraction.
Rate = Decimal | Fraction
NOTHING = Fraction(0)


class Way(NamedTuple):
    """What a trade's tariff depends on."""

    supply_hub: str
    hub: str
    product: str


@dataclass
class Cell:
    """One period of a trade; rates are exact, CNY per unit for the whole period."""

    period: int
    quantity: Decimal
    buyer: Rate
    seller: Decimal
    tariff: Fraction = NOTHING


@dataclass
class Trade:
    """One allocation to be."""

    buy: OrderRow
    sell: OrderRow
    product: str
    supply_hub: str
    hub: str
    cells: list[Cell] = field(default_factory=list)
    buyer_net: Decimal = _ZERO
    seller_net: Decimal = _ZERO

    @property
    def way(self) -> Way:
        """Where the product is computed and where it is consumed."""
        return Way(self.supply_hub, self.hub, self.product)

    @property
    def quantity(self) -> Decimal:
        """Unit-periods."""
        return sum((cell.quantity for cell in self.cells), _ZERO)
