"""Block orders as candidates: what each option injects where, and what it is worth."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from orders.clearing.curve_reading import class_of_intensity
from orders.clearing.market import Kind, Market, block_classes, link_direction
from orders.clearing.merit_order import ListingPlace, build_merit_order
from orders.clearing.types import NONE, BlockLeg, BlockOption, BlockOrder

# Acceptances are published with nine digits.
_RATIO_DIGITS = Decimal("0.000000001")


@dataclass(frozen=True)
class Injection:
    """Lots into (sell, positive) or out of (buy, negative) a node, at full acceptance."""

    period: int
    node: int
    lots: int


@dataclass(frozen=True)
class LinkUse:
    """Gbit/s that a single-placed profile needs on a link direction, at full acceptance."""

    period: int
    link: int
    bandwidth: float


@dataclass(frozen=True)
class Candidate:
    """One way to accept one option of a block order.

    A buy with placement `single` has one candidate per hub and carbon level of supply: it consumes
    at the supply node itself and carries its route along. `value` is limit price times quantity
    (negative for a sell), `tariff` the money for its own route.
    """

    order: int
    option: int
    is_buy: bool
    min_acceptance: Decimal
    value: Decimal
    tariff: Decimal
    injections: tuple[Injection, ...]
    link_uses: tuple[LinkUse, ...]
    is_single: bool
    listing_places: tuple[tuple[ListingPlace, int], ...] = ()

    @property
    def worth(self) -> float:
        """Welfare at full acceptance before what it costs or saves others."""
        return float(self.value - self.tariff)


def leg_lots(leg: BlockLeg, acceptance: Decimal) -> int:
    """Return the accepted lots of a leg: the floor of ratio × quantity."""
    return int(leg.quantity_lots * acceptance)


def published_ratio(value: float, candidate: Candidate) -> Decimal:
    """Return an acceptance with the digits that are published.

    A third of three lots is a lot: where the last digit decides about a whole lot it is rounded up.
    """
    ratio = Decimal(value).quantize(_RATIO_DIGITS)
    above = ratio + _RATIO_DIGITS
    lots = [abs(item.lots) for item in candidate.injections]
    is_short = ratio < 1 and any(int(each * above) > int(each * ratio) for each in lots)
    return above if is_short else ratio


def option_value(market: Market, option: BlockOption, acceptance: Decimal) -> Decimal:
    """Return limit price × accepted quantity."""
    products = market.auction.products
    return sum(
        (
            option.limit_price * leg_lots(leg, acceptance) * products[leg.product].quantity_tick
            for leg in option.legs
        ),
        Decimal(0),
    )


def build_candidates(market: Market) -> tuple[Candidate, ...]:
    """Return the candidates of all block orders, in the order of ids and options."""
    found: list[Candidate] = []
    stock = _listing_stock(market)
    for number, order in enumerate(market.auction.blocks):
        for position, option in enumerate(order.options):
            if order.is_buy and order.placement == "single":
                found.extend(_single_candidates(market, number, position, order, option, stock))
            else:
                found.append(_plain_candidate(market, number, position, order, option))
    return tuple(found)


def _plain_candidate(
    market: Market, number: int, position: int, order: BlockOrder, option: BlockOption
) -> Candidate:
    injections = []
    places = []
    listing = _listing_of(market, order)
    for leg in option.legs:
        if not leg.quantity_lots:
            continue
        if order.is_buy:
            rtt, carbon = block_classes(market.auction, order, leg.product)
            level = market.level_of_demand(leg.product, carbon)
            node = market.demand_node(leg.hub, leg.product, level, rtt)
        else:
            node = sell_node(market, order, leg.hub, leg.product)
            if listing != NONE:
                places.append(((listing, leg.product, leg.period), leg.quantity_lots))
        lots = -leg.quantity_lots if order.is_buy else leg.quantity_lots
        injections.append(Injection(leg.period, node, lots))
    value = option_value(market, option, Decimal(1))
    return Candidate(
        order=number,
        option=position,
        is_buy=order.is_buy,
        min_acceptance=order.min_acceptance,
        value=value if order.is_buy else -value,
        tariff=Decimal(0),
        injections=tuple(injections),
        link_uses=(),
        is_single=False,
        listing_places=tuple(places),
    )


def _listing_of(market: Market, order: BlockOrder) -> int:
    ids = [listing.listing_id for listing in market.auction.listings]
    return NONE if order.listing_id is None else ids.index(order.listing_id)


def sell_node(market: Market, order: BlockOrder, hub: int, product: int) -> int:
    """Return the supply node a block sell offers at."""
    intensity = order.carbon_intensity
    listing = _listing_of(market, order)
    if intensity is None and listing != NONE:
        intensity = market.auction.listings[listing].carbon_intensity
    carbon = class_of_intensity(intensity, market.auction.products[product].carbon_classes)
    return market.supply_node(hub, product, market.level_of_supply(product, carbon))


def seller_keys(market: Market) -> list[str]:
    """Return the listing each curve row sells from: its listing's id, or its own order id."""
    curves = market.auction.curves
    listings = market.auction.listings
    return [
        listings[k].listing_id if k != NONE else name
        for k, name in zip(curves.listing.tolist(), curves.order_id, strict=True)
    ]


# (product, supply node, period) -> listing -> period -> lots on offer in curves
_Stock = dict[tuple[int, int, int], dict[str, dict[int, int]]]


def _listing_stock(market: Market) -> _Stock:
    """Return what listings offer in curves, found by any period in which they offer."""
    stock: _Stock = {}
    if not any(o.is_buy and o.placement == "single" for o in market.auction.blocks):
        return stock
    curves = market.auction.curves
    keys = seller_keys(market)
    nodes = build_merit_order(market).node_of_order
    offers: dict[tuple[int, int, str], dict[int, int]] = {}
    for row in np.flatnonzero(~curves.is_buy).tolist():
        key = (int(curves.product[row]), int(nodes[row]), keys[row])
        lots = offers.setdefault(key, {})
        period = int(curves.period[row])
        lots[period] = lots.get(period, 0) + int(curves.quantity_lots[row])
    for (product, node, name), lots in offers.items():
        for period in lots:
            stock.setdefault((product, node, period), {})[name] = lots
    return stock


def _single_candidates(
    market: Market,
    number: int,
    position: int,
    order: BlockOrder,
    option: BlockOption,
    stock: _Stock,
) -> list[Candidate]:
    """Return one candidate per supply node where some eligible listing is large enough."""
    legs = [leg for leg in option.legs if leg.quantity_lots]
    if len({leg.product for leg in legs}) != 1:
        return []
    product = legs[0].product
    _, carbon = block_classes(market.auction, order, product)
    loosest = market.level_of_demand(product, carbon)
    found = []
    for node, item in enumerate(market.nodes):
        if item.kind != Kind.SUPPLY or item.product != product or item.level > loosest:
            continue
        listings = stock.get((product, node, legs[0].period), {})
        if not _in_reach(market, order, legs, market.nodes[node].hub):
            continue
        if any(
            (not order.eligible_listings or name in order.eligible_listings)
            and _is_large_enough(lots, legs, order.min_acceptance)
            for name, lots in listings.items()
        ):
            found.append(_single_candidate(market, number, position, order, option, node))
    return found


def _in_reach(market: Market, order: BlockOrder, legs: list[BlockLeg], hub: int) -> bool:
    for leg in legs:
        route = market.routes.get((hub, leg.hub))
        if route is None or (order.max_rtt_ms is not None and route.rtt_ms > order.max_rtt_ms):
            return False
    return True


def _is_large_enough(lots: dict[int, int], legs: list[BlockLeg], share: Decimal) -> bool:
    need: dict[int, int] = {}
    for leg in legs:
        need[leg.period] = need.get(leg.period, 0) + leg_lots(leg, share)
    return all(lots.get(period, 0) >= wanted for period, wanted in need.items())


def _single_candidate(
    market: Market, number: int, position: int, order: BlockOrder, option: BlockOption, node: int
) -> Candidate:
    products = market.auction.products
    injections: list[Injection] = []
    uses: list[LinkUse] = []
    tariff = Decimal(0)
    for leg in option.legs:
        if not leg.quantity_lots:
            continue
        product = products[leg.product]
        route = market.routes[market.nodes[node].hub, leg.hub]
        bandwidth = leg.quantity_lots * product.quantity_tick * product.bandwidth
        tariff += route.tariff * bandwidth
        injections.append(Injection(leg.period, node, -leg.quantity_lots))
        uses.extend(
            LinkUse(leg.period, link_direction(*step), float(bandwidth)) for step in route.steps
        )
    return Candidate(
        order=number,
        option=position,
        is_buy=True,
        min_acceptance=order.min_acceptance,
        value=option_value(market, option, Decimal(1)),
        tariff=tariff,
        injections=tuple(injections),
        link_uses=tuple(uses),
        is_single=True,
    )
