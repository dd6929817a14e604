"""How much of the exact welfare of tiny books the engine reaches."""

from collections.abc import Iterator
from itertools import count, islice

from orders.clearing import Auction, clear, verify
from tests.clearing.oracle import Oracle, TooManyChoices
from tools.national import NationalMarket

_ROUNDING = 1e-6
_MOST_CHOICES = 3000


def share_of_exact(auction: Auction, *, most: int) -> float | None:
    """Return the share of the exact welfare; None where the oracle has too much to try.

    The result must be valid; it may not be above the exact one, nor that above the proven bound.
    """
    try:
        exact = Oracle(auction, most=most).welfare()
    except TooManyChoices:
        return None
    result = clear(auction)
    assert verify(auction, result) == [], auction.terms
    summary = result.summary
    slack = _ROUNDING * max(1.0, abs(exact))
    assert float(summary.welfare) <= exact + slack, auction.terms
    assert exact <= float(summary.upper_bound) + slack, auction.terms
    return float(summary.welfare) / exact if exact else 1.0


def shrunk_shares(number: int) -> Iterator[float]:
    """Yield the shares of so many national instances, small enough for the oracle.

    Three hubs and a city, two products, three periods; blocks, substitutes, placements, flexible
    and interruptible orders as in the whole one.
    """
    auctions = (
        NationalMarket(
            seed, products=2, periods=3, listings=10, curves=16, blocks=3, jobs=2, hubs=3, cities=1
        )
        .build()
        .auction()
        for seed in count(1)
    )
    found = (share_of_exact(auction, most=_MOST_CHOICES) for auction in auctions)
    return islice((share for share in found if share is not None), number)
