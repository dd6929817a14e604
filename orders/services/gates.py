"""Opening and closing the gate of an auction."""

import structlog
from django.db import connection

from marketplace.selectors.clock import market_now
from orders.models import Auction, AuctionBand, AuctionState
from orders.selectors.bands import bands_at
from orders.services.failpoints import pass_failpoint
from orders.services.standing import copy_standing_offers
from orders.services.transitions import auction_phase, move_auction

logger = structlog.get_logger(__name__)

_BOOK = """
SELECT count(*),
       encode(sha256(coalesce(string_agg(public_id::text, E'\\n' ORDER BY public_id), '')::bytea),
              'hex')
  FROM orders_order WHERE auction_id = %s AND state = 'active'
"""


def open_auction(*, auction_id: int) -> bool:
    """Open the gate if it is time, with the standing offers in the book; say whether it did."""
    with auction_phase("open", auction_id, AuctionState.SCHEDULED) as auction:
        if auction is None or market_now() < auction.gate_opens_at:
            return False
        now = market_now()
        move_auction(auction, to=AuctionState.OPEN, market_at=now)
        AuctionBand.objects.bulk_create(bands_at(auction))
        copied = copy_standing_offers(auction_id=auction_id)
        logger.info("gate_opened", auction=auction.code, standing_offers=copied)
    return True


def close_gate(*, auction_id: int) -> bool:
    """Close the gate if it is time, and write down which orders are in the book.

    Waits for orders under way (they hold the gate's shared lock): each is either in the book or
    finds the gate closed. A closure that was put off meanwhile is not due any more. The count and
    hash of the book are stored with the closed state.
    """
    if not Auction.objects.filter(pk=auction_id, gate_closes_at__lte=market_now()).exists():
        return False
    with auction_phase("close", auction_id, AuctionState.OPEN, shut=True) as auction:
        if auction is None or auction.gate_closes_at > market_now():
            return False
        auction.book_order_count, auction.book_sha256 = book_fingerprint(auction)
        move_auction(auction, to=AuctionState.CLOSED, market_at=market_now())
        logger.info("gate_closed", auction=auction.code, orders=auction.book_order_count)
    pass_failpoint("close.after_close")
    return True


def book_fingerprint(auction: Auction) -> tuple[int, str]:
    """Return how many orders are in the book, and the SHA-256 of their sorted public ids."""
    with connection.cursor() as cursor:
        cursor.execute(_BOOK, [auction.pk])
        count, digest = cursor.fetchone()
    return int(count), str(digest)
