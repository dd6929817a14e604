"""What orders need to know about emissions, without knowing how they are accounted.

The implementation is named by the setting ``CARBON_BACKEND`` (settlement's, in production).
"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class CarbonPort(Protocol):
    """Estimated emissions of capacity."""

    def grams_per_unit_hour(self, listing_ids: Collection[int]) -> Mapping[int, Decimal]:
        """Return the location-based grams of CO2 of a unit and hour of each listing.

        Listings whose province has no grid factor are left out.
        """
        ...


@lru_cache(maxsize=1)
def carbon_port() -> CarbonPort:
    """Return the implementation named in the settings."""
    return import_string(settings.CARBON_BACKEND)()
