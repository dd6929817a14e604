"""What orders need to know about emissions, without knowing how they are accounted.

The implementation is named by the setting ``CARBON_BACKEND`` (settlement's, in production).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class GreenHour:
    """Expected green energy of a hub in one hour, and what is sold there so far, watt-hours."""

    starts_at: datetime
    supply_wh: int
    sold_wh: int

    @property
    def surplus_wh(self) -> int:
        """Green energy that nothing sold so far would use."""
        return max(0, self.supply_wh - self.sold_wh)


class CarbonPort(Protocol):
    """Estimated emissions of capacity, and the green hours ahead."""

    def grams_per_unit_hour(self, listing_ids: Collection[int]) -> Mapping[int, Decimal]:
        """Return the location-based grams of CO2 of a unit and hour of each listing.

        Listings whose province has no grid factor are left out.
        """
        ...

    def green_hours(
        self, hub_ids: Collection[int], *, starts_at: datetime, ends_at: datetime
    ) -> Mapping[int, Sequence[GreenHour]]:
        """Return the hours of each hub for which green supply is expected or metered, in order.

        Each data centre's supply counts for its own load only; hubs without any are left out.
        """
        ...


@lru_cache(maxsize=1)
def carbon_port() -> CarbonPort:
    """Return the implementation named in the settings."""
    return import_string(settings.CARBON_BACKEND)()
