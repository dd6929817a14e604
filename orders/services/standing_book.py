"""The book of an open auction as a bundle, for indicative figures: read, cut, and left as it is."""

from dataclasses import dataclass

from marketplace.selectors.snapshot import one_snapshot
from orders import clearing
from orders.models import Auction
from orders.services.book import BookOrder, Network, read_book, read_network
from orders.services.capacity import free_units
from orders.services.freezing import _first_fault, _Freezer


@dataclass(frozen=True)
class StandingBook:
    """The orders that could be cleared now, and their bundle."""

    bundle: clearing.Auction
    book: list[BookOrder]
    network: Network


def read_standing_book(auction: Auction) -> StandingBook | None:
    """Return the book as it stands, in one snapshot; None when there is nothing to clear.

    Takes no lock and changes nothing: what would be set aside at freezing is left out here.

    Raises:
        BookCannotBeFrozen: the engine refuses the book for a reason that is no single order's.
    """
    with one_snapshot():
        book = read_book(auction)
        if not book:
            return None
        network = read_network(auction, book)
        listings = {item.order.listing_id or 0 for item in book if item.is_sell}
        units = free_units(auction=auction, listing_ids=listings)
        freezer = _Freezer(auction)
        sound = [item for item in book if _first_fault(item, network) is None]
        kept = freezer._resolve_eligible(freezer._cut_asks(sound, units), network)
        bundle = freezer._build(list(kept), network, units)
        left_out = {end.order_id for end in freezer._set_aside}
        return StandingBook(bundle, [i for i in kept if i.order.pk not in left_out], network)
