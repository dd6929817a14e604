"""What orders need to know about money, without knowing the ledger.

The implementation is named by the setting ``COLLATERAL_BACKEND`` (settlement's, in production).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from marketplace.domain.errors import RuleBroken, gettext_noop


class InsufficientCollateral(RuleBroken):
    """The free funds do not cover a hold.

    Attributes:
        required_cny: what the hold needs.
        available_cny: what is free.
        missing_cny: the difference.
    """

    code = "insufficient_collateral"
    message = gettext_noop(
        "The order needs %(required_cny)s CNY of collateral, %(available_cny)s CNY are free:"
        " %(missing_cny)s CNY are missing."
    )

    def __init__(self, *, required_cny: Decimal, available_cny: Decimal) -> None:
        self.required_cny = required_cny
        self.available_cny = available_cny
        self.missing_cny = required_cny - available_cny
        super().__init__(
            required_cny=required_cny,
            available_cny=available_cny,
            missing_cny=self.missing_cny,
        )


@dataclass(frozen=True)
class WorstCase:
    """The most an order can cost: net at the limits, fee, VAT on both, and their sum, in CNY."""

    net_cny: Decimal
    fee_cny: Decimal
    vat_cny: Decimal
    total_cny: Decimal


@dataclass(frozen=True)
class HoldChange:
    """After clearing, keep ``keep_cny`` of a hold and release the rest; 0 releases it whole."""

    reference: UUID
    keep_cny: Decimal
    event_key: str


class CollateralPort(Protocol):
    """Holds on members' funds."""

    def worst_case(self, *, product_id: int, net_cny: Decimal) -> WorstCase:
        """Return net, fee and VAT for a purchase of ``net_cny`` of a product, rounded up to fen."""
        ...

    def worst_cases(self, purchases: Sequence[tuple[int, Decimal]]) -> list[WorstCase]:
        """Return the same for many (product id, net CNY), in a fixed number of queries."""
        ...

    def place_hold(
        self, *, organisation_id: int, amount_cny: Decimal, source_type: str, source_id: str
    ) -> UUID:
        """Set money aside and return the hold's reference.

        One hold a source: a repeated call returns the first one's reference.

        Raises:
            InsufficientCollateral: nothing was held.
        """
        ...

    def release_hold(self, *, reference: UUID, event_key: str) -> None:
        """Free what remains of a hold; a repeated call does nothing."""
        ...

    def change_holds(self, changes: Sequence[HoldChange]) -> None:
        """Reduce many holds at once, in the caller's transaction; repeated keys do nothing."""
        ...

    def available_cny(self, *, organisation_id: int) -> Decimal:
        """Return the free funds of a member."""
        ...


@lru_cache(maxsize=1)
def collateral_port() -> CollateralPort:
    """Return the implementation named in the settings."""
    return import_string(settings.COLLATERAL_BACKEND)()
