"""Granular certificates: a watt-hour each, of one device and at most one hour (EnergyTag style).

They are issued against the certificates of a month, which are used up for it: the hours of a month
never hold more than its certificates (INV-12).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from marketplace.domain.errors import RuleBroken, gettext_noop
from settlement.domain.carbon.certificates import certificates_for

_MOMENT = timedelta(microseconds=1)
# What the states of units are called for granular certificates; the others keep their names.
STATUSES = {
    "held": "active",
    "reserved": "reserved",
    "locked": "locked",
    "retired": "cancelled",
    "expired": "expired",
    "invalidated": "withdrawn",
}


class ProductionIntervalInvalid(RuleBroken):
    """Granular certificates are of at most one clock hour that is over."""

    code = "PRODUCTION_INTERVAL_INVALID"
    message = gettext_noop("The production interval must lie within one full hour that is over.")


class GranularOutsideParent(RuleBroken):
    """The hour is not one of the month that the certificates were issued for."""

    code = "GRANULAR_OUTSIDE_PARENT"
    message = gettext_noop("The hour does not lie in the period of the certificates %(parent)s.")


class GranularExceedsParent(RuleBroken):
    """The hours of a month would hold more energy than its certificates (INV-12)."""

    code = "GRANULAR_EXCEEDS_PARENT"
    message = gettext_noop("The hours of %(parent)s may hold %(free_wh)s Wh more, not %(asked)s.")
    status = 409


class GranularHourIssued(RuleBroken):
    """The device's energy of that time has granular certificates already."""

    code = "GRANULAR_HOUR_ISSUED"
    message = gettext_noop("Device %(device)s has granular certificates for this time already.")
    status = 409


class ProductionHourMismatch(RuleBroken):
    """Granular certificates serve delivery in the hour in which they were produced, no other."""

    code = "PRODUCTION_HOUR_MISMATCH"
    message = gettext_noop("The certificates were not produced in the hour of delivery.")
    status = 409


def hour_of(instant: datetime) -> datetime:
    """Return the start of the full hour, in UTC, that an instant lies in."""
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def check_interval(starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    """Refuse an interval that is empty, crosses a full hour, or is not over.

    Raises:
        ProductionIntervalInvalid: as said.
    """
    is_one_hour = starts_at < ends_at and hour_of(starts_at) == hour_of(ends_at - _MOMENT)
    if not is_one_hour or ends_at > now:
        raise ProductionIntervalInvalid(field="starts_at")


def check_within_parent(energy_wh: int, *, sliced_wh: int, parent_units: int, parent: str) -> None:
    """Refuse energy that the certificates of the month do not leave (INV-12).

    Args:
        energy_wh: what is to be issued.
        sliced_wh: what the hours of the month hold already.
        parent_units: certificates of the month.
        parent: their issuance id.

    Raises:
        GranularExceedsParent: as said.
    """
    free = parent_units * 1_000_000 - sliced_wh
    if energy_wh > free:
        raise GranularExceedsParent(
            field="energy_wh", parent=parent, free_wh=max(0, free), asked=energy_wh
        )


def certificates_to_use_up(energy_wh: int, *, issued_wh: int, used_up: int) -> int:
    """Return how many further certificates of a holder an issue uses up; whole ones only.

    Args:
        energy_wh: what is to be issued.
        issued_wh: what the holder's certificates of the month were issued for before.
        used_up: how many of them were used up for that; what they have left serves first.
    """
    return max(0, certificates_for(issued_wh + energy_wh) - used_up)
