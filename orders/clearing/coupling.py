"""What coupling earned: the same book with every link closed, compared with the result."""

from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal

from orders.clearing.types import Auction, BlockOption, Result

_ZERO = Decimal(0)


@dataclass(frozen=True)
class HubGain:
    """Surplus at a hub with coupling less the surplus there without, in money."""

    buyers: Decimal
    suppliers: Decimal


@dataclass(frozen=True)
class CouplingGain:
    """The coupling dividend: welfare = gains of all hubs + congestion rent, to the last digit.

    `link_values` is what one more Gbit/s would have been worth over the whole auction, by (from
    hub, to hub, direction).
    """

    welfare: Decimal
    congestion_rent: Decimal
    hubs: dict[str, HubGain]
    link_values: dict[tuple[str, str, str], Decimal]


def without_links(auction: Auction) -> Auction:
    """Return the auction with no capacity on any link."""
    nothing = (_ZERO,) * auction.terms.periods
    closed = tuple(
        replace(link, forward_capacity=nothing, reverse_capacity=nothing) for link in auction.links
    )
    return replace(auction, links=closed)


def coupling_gain(auction: Auction, coupled: Result, closed: Result) -> CouplingGain:
    """Compare a result with that of the same auction without links.

    Args:
        auction: the auction.
        coupled: its result.
        closed: the result of `without_links(auction)`.
    """
    after, before = _surpluses(auction, coupled), _surpluses(auction, closed)
    hubs = {}
    for name in auction.hubs:
        buyers, suppliers = (
            after.get((name, side), _ZERO) - before.get((name, side), _ZERO)
            for side in ("buy", "sell")
        )
        hubs[name] = HubGain(buyers, suppliers)
    values: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in coupled.link_rents:
        values[row.from_hub, row.to_hub, row.direction] += row.rent
    return CouplingGain(
        welfare=coupled.summary.welfare - closed.summary.welfare,
        congestion_rent=coupled.summary.congestion_rent - closed.summary.congestion_rent,
        hubs=hubs,
        link_values={key: value for key, value in sorted(values.items()) if value > 0},
    )


def _surpluses(auction: Auction, result: Result) -> dict[tuple[str, str], Decimal]:
    """Return value less payment, or receipt less cost, by hub and side."""
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    supply = {
        (row.hub, row.product, row.carbon_class, row.period): row.price for row in result.prices
    }
    delivered = {
        (row.hub, row.product, row.max_rtt_ms, row.max_carbon, row.period): row.price
        for row in result.delivered_prices
    }
    curves = auction.curves
    for number, row in enumerate(result.curve_results):
        if not row.accepted_quantity:
            continue
        product = auction.products[int(curves.product[number])]
        carbon = int(curves.carbon_class[number])
        limit = None if carbon < 0 else product.carbon_classes[carbon]
        if row.side == "buy":
            rtt = int(curves.rtt_class[number])
            most = None if rtt < 0 else product.rtt_classes[rtt]
            price = delivered[row.hub, row.product, most, limit, row.period]
            gain = row.price - (price or _ZERO)
        else:
            price = supply[row.hub, row.product, limit, row.period]
            gain = (price or _ZERO) - row.price
        found[row.hub, row.side] += gain * row.accepted_quantity
    _add_indivisible(auction, result, found)
    return found


def _add_indivisible(
    auction: Auction, result: Result, found: dict[tuple[str, str], Decimal]
) -> None:
    """Add the surplus of blocks and flexible orders to where they consume or deliver most."""
    options = {
        (order.order_id, option.option_id): (order, option)
        for order in auction.blocks
        for option in order.options
    }
    for row in result.block_results:
        if row.acceptance:
            order, option = options[row.order_id, row.option_id]
            side = "buy" if order.is_buy else "sell"
            found[_main_hub(auction, option), side] += row.surplus
    hubs = {order.order_id: auction.hubs[order.hub] for order in auction.flexibles}
    for job in result.flexible_results:
        found[hubs[job.order_id], "buy"] += job.surplus


def _main_hub(auction: Auction, option: BlockOption) -> str:
    """Return the hub with most of an option's quantity, the first by name among equals."""
    lots: dict[str, int] = defaultdict(int)
    for leg in option.legs:
        lots[auction.hubs[leg.hub]] += leg.quantity_lots
    return min(lots, key=lambda hub: (-lots[hub], hub))
