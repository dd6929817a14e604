"""What became of a step of a curve order, and why."""

from decimal import Decimal

from orders.clearing.published import EMPTY


def price_edge(buy: bool, limit: Decimal, ticks: int, tick: Decimal) -> str:
    """Say on which side of the price a limit lies; `ticks` are clearing ticks."""
    if ticks == EMPTY:
        return "not_reachable"
    price = ticks * tick
    if price == limit:
        return "at_the_money"
    return "in_the_money" if (price < limit) == buy else "out_of_the_money"


def curve_status(*, lots: int, offered: int, accepted: int, edge: str) -> tuple[str, str]:
    """Return status and reason of a step, quantities in lots."""
    if accepted == lots and lots:
        return "accepted", edge
    if accepted:
        return "partly_accepted", "listing_full" if accepted == offered < lots else edge
    if offered < lots and edge != "out_of_the_money":
        return "rejected", "listing_full"
    return "rejected", edge
