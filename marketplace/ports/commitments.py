"""What listings need to know about units already sold, without knowing the auctions.

The implementation is named by the setting ``COMMITMENTS_BACKEND`` (the orders app's, in
production).
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from marketplace.domain.availability import CapacityWindow
from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import Period


class CapacityCommitted(RuleBroken):
    """The new calendar would offer less than what is sold or offered in a closed auction."""

    code = "capacity_committed"
    message = gettext_noop(
        "At %(at)s %(committed)s units are committed already; the new calendar has %(available)s."
    )
    status = 409


class ListingBound(RuleBroken):
    """The listing's offer stands in an auction in which orders can no longer be taken back."""

    code = "listing_bound"
    message = gettext_noop(
        "The listing is offered in auction %(auction)s, whose orders can no longer be taken back; "
        "please wait until its result is published."
    )
    status = 409


class CommitmentPort(Protocol):
    """The book of committed capacity."""

    def fit_commitments(
        self,
        *,
        listing_id: int,
        windows: Sequence[CapacityWindow],
        maintenance: Sequence[Period],
        since: datetime,
    ) -> None:
        """Make a new calendar the capacity of a listing from an instant on.

        Runs in the caller's transaction, under the lock of the listing's row.

        Raises:
            CapacityCommitted: some slot has more committed than the calendar would have.
        """
        ...

    def require_unbound(self, *, listing_id: int) -> None:
        """Check that a listing may leave the market now.

        Raises:
            ListingBound: its offer stands in an auction whose last phase has begun.
        """
        ...


@lru_cache(maxsize=1)
def commitment_port() -> CommitmentPort:
    """Return the implementation named in the settings."""
    return import_string(settings.COMMITMENTS_BACKEND)()
