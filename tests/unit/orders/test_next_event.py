"""What a list of auctions says comes next: never what is over."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.translation import override

from orders.models import Auction, AuctionState
from orders.web.strip import next_event

STARTS = datetime(2026, 11, 24, tzinfo=UTC)
ENDS = STARTS + timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (None, ("delivery starts", STARTS)),
        (STARTS - HOUR, ("delivery starts", STARTS)),
        (STARTS, ("delivery ends", ENDS)),
        (ENDS - HOUR, ("delivery ends", ENDS)),
        (ENDS, ("", None)),
    ],
)
def test_a_published_auction_says_what_is_still_to_come(
    now: datetime | None, said: tuple[str, datetime | None]
) -> None:
    auction = Auction(
        state=AuctionState.PUBLISHED, delivery_starts_at=STARTS, delivery_ends_at=ENDS
    )
    with override("en"):
        assert next_event(auction, now=now) == said
