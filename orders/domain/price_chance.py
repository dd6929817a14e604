"""How often a limit would have sufficed lately: an estimate, not a promise.

The rule, with a worked example: `docs/explanation/buying-plans.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import round_quotient

PRICE_PLACES = 4
SHARE_PLACES = 4
# A window of a day or longer sees every hour of the day.
HOURS_OF_DAY = 24


@dataclass(frozen=True, slots=True)
class RecentAuction:
    """Prices that one recent auction published for a place and a product.

    Attributes:
        run: the auction's run, for the order of ties.
        prices: price by hour of the day (0 to 23, market time), CNY per unit and hour, 不含税.
    """

    run: int
    prices: Mapping[int, Decimal]

    def mean(self, hours: Sequence[int]) -> Decimal | None:
        """Return the mean price of those hours that the auction had; None without any."""
        found = [self.prices[hour] for hour in hours if hour in self.prices]
        if not found:
            return None
        return round_quotient(add_exactly(found), len(found), PRICE_PLACES)


def hours_of_window(first_hour: int, hours: int) -> tuple[int, ...]:
    """Return the hours of the day that a window of whole hours touches, each once."""
    return tuple((first_hour + step) % HOURS_OF_DAY for step in range(min(hours, HOURS_OF_DAY)))


def window_means(auctions: Sequence[RecentAuction], hours: Sequence[int]) -> list[Decimal]:
    """Return the mean price of a window in each recent auction that had any of its hours."""
    means = (auction.mean(hours) for auction in auctions)
    return [mean for mean in means if mean is not None]


def share_at_most(samples: Sequence[Decimal], limit: Decimal) -> Decimal | None:
    """Return the share of samples at or below a limit, four decimals; None without samples."""
    if not samples:
        return None
    reached = sum(sample <= limit for sample in samples)
    return round_quotient(Decimal(reached), len(samples), SHARE_PLACES)


def curve_chance(
    auctions: Sequence[RecentAuction],
    hours: Sequence[int],
    steps: Sequence[tuple[Decimal, Decimal]],
) -> Decimal | None:
    """Return the share of a curve's units that recent prices would have filled.

    Each hour stands by itself, and each step at its own limit.

    Args:
        auctions: recent auctions.
        hours: hours of the day in the window.
        steps: (limit price, the step's own quantity).
    """
    cells = [a.prices[hour] for a in auctions for hour in hours if hour in a.prices]
    whole = sum((quantity for _, quantity in steps), Decimal(0))
    if not cells or not whole:
        return None
    filled = add_exactly(
        multiply_exactly(quantity, sum(cell <= limit for cell in cells))
        for limit, quantity in steps
    )
    return round_quotient(filled, multiply_exactly(whole, len(cells)), SHARE_PLACES)


def flexible_means(
    auctions: Sequence[RecentAuction], window: Sequence[int], duration: int
) -> list[Decimal]:
    """Return for each auction the mean price of the cheapest run of hours within a window."""
    length = min(duration, len(window))
    starts = range(len(window) - length + 1)
    found = []
    for auction in auctions:
        means = [auction.mean(window[start : start + length]) for start in starts]
        priced = [mean for mean in means if mean is not None]
        if priced:
            found.append(min(priced))
    return found


def interruptible_means(
    auctions: Sequence[RecentAuction], window: Sequence[int], duration: int
) -> list[Decimal]:
    """Return for each auction the mean price of its so many cheapest hours within a window."""
    found = []
    for auction in auctions:
        prices = sorted(auction.prices[hour] for hour in window if hour in auction.prices)
        cheapest = prices[: max(1, min(duration, len(prices)))]
        if cheapest:
            found.append(round_quotient(add_exactly(cheapest), len(cheapest), PRICE_PLACES))
    return found
