"""A small coupled market with money in it: two clusters, a city, suppliers and buyers."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marketplace.models import Hub, Listing, Product, Side
from marketplace.permissions import Actor
from settlement.services.accounts import open_member_accounts, open_platform_accounts
from tests.factories.ledger import deposit
from tests.factories.marketplace import (
    HubFactory,
    LinkFactory,
    ListingFactory,
    MarketRulesFactory,
    OrganisationFactory,
    PoolFactory,
    ProductFactory,
    member,
)


@dataclass(frozen=True)
class Market:
    """Cheap supply in the west, dear supply in the east, a city beside the eastern cluster."""

    product: Product
    west: Hub
    east: Hub
    city: Hub
    west_listing: Listing
    east_listing: Listing
    west_seller: Actor
    east_seller: Actor


def two_hub_market(*, gbps: str = "100", west_price: str = "5", east_price: str = "9") -> Market:
    """Make west (100 units) and east (100 units) with a link of 20 ms, and a city 5 ms east."""
    open_platform_accounts()
    MarketRulesFactory()
    product = ProductFactory(code="AI-T")
    west = HubFactory(code="WEST", side=Side.WEST)
    east = HubFactory(code="EAST", side=Side.EAST)
    city = HubFactory(code="CITY", side=Side.EAST, has_supply=False)
    room = {"forward_gbps": Decimal(gbps), "reverse_gbps": Decimal(gbps)}
    LinkFactory(from_hub=west, to_hub=east, rtt_ms=Decimal(20), **room)
    LinkFactory(from_hub=east, to_hub=city, rtt_ms=Decimal(5))
    west_seller, west_listing = supplier(product, west, west_price)
    east_seller, east_listing = supplier(product, east, east_price)
    return Market(product, west, east, city, west_listing, east_listing, west_seller, east_seller)


def supplier(
    product: Product, hub: Hub, price: str, quantity: str = "100", **fields: Any
) -> tuple[Actor, Listing]:
    """Make a member with a pool and a standing listing of so many units at one price."""
    actor = member(OrganisationFactory(is_buyer=False))
    pool = PoolFactory(organisation=actor.organisation, hub=hub, product=product, **fields)
    units = Decimal(quantity)
    listing = ListingFactory(pool=pool, quantity=units, steps=[(units, Decimal(price))])
    open_member_accounts(actor.organisation)
    return actor, listing


def buyer(funds: str = "100000") -> Actor:
    """Make a member that buys, with money on its account."""
    actor = member(OrganisationFactory(is_supplier=False))
    open_member_accounts(actor.organisation)
    if Decimal(funds):
        deposit(actor.organisation, funds)
    return actor
