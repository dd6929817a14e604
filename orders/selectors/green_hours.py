"""Hours ahead in which green energy is expected that nothing sold so far would use."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from orders.models import Auction
from orders.ports.carbon import GreenHour, carbon_port

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class GreenWindow:
    """Hours in a row with expected surplus at a hub.

    Attributes:
        starts_at: start of the first hour.
        ends_at: end of the last one.
        surplus_wh: their surplus together.
    """

    starts_at: datetime
    ends_at: datetime
    surplus_wh: int

    @property
    def hours(self) -> int:
        """How many hours it lasts."""
        return (self.ends_at - self.starts_at) // HOUR

    @property
    def surplus_mwh(self) -> Decimal:
        """The surplus in MWh."""
        return Decimal(self.surplus_wh).scaleb(-6)


def green_windows(
    *, hubs: Collection[int], starts_at: datetime, ends_at: datetime
) -> dict[int, list[GreenWindow]]:
    """Return windows of expected surplus by hub; hubs without any are left out."""
    hours = carbon_port().green_hours(hubs, starts_at=starts_at, ends_at=ends_at)
    found = {hub_id: _joined(rows) for hub_id, rows in hours.items()}
    return {hub_id: windows for hub_id, windows in found.items() if windows}


def green_windows_of_auction(
    *, auction: Auction, hubs: Collection[int]
) -> dict[int, list[GreenWindow]]:
    """Return the windows of surplus in the hours of an auction's delivery, by hub."""
    # Green energy is known by the full hour; delivery may begin within one.
    first = auction.delivery_starts_at.replace(minute=0, second=0, microsecond=0)
    return green_windows(hubs=hubs, starts_at=first, ends_at=auction.delivery_ends_at)


def _joined(hours: Collection[GreenHour]) -> list[GreenWindow]:
    windows: list[GreenWindow] = []
    for hour in hours:
        if not hour.surplus_wh:
            continue
        end = hour.starts_at + HOUR
        last = windows[-1] if windows else None
        if last is not None and last.ends_at == hour.starts_at:
            windows[-1] = GreenWindow(last.starts_at, end, last.surplus_wh + hour.surplus_wh)
        else:
            windows.append(GreenWindow(hour.starts_at, end, hour.surplus_wh))
    return windows
