"""More of everything that lists of the market, of accounts and of the operator show."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from marketplace.models import MaintenanceWindow, MarketClock, OrganisationState, Role
from marketplace.permissions import Actor
from marketplace.services.api_tokens import issue_token
from marketplace.services.documents import hand_in_document
from marketplace.services.invitations import invite_member
from marketplace.services.market_terms import propose_market_rules, propose_price_band
from marketplace.services.notices import publish_notice, send_suggestion
from marketplace.services.notifications import Announcement, announce
from marketplace.services.webhooks import add_webhook
from orders.models import AlertKind, Auction, SurveillanceAlert
from orders.services import approvals, buying_rules, standing_bids
from orders.services.control import approve, request_cancellation
from orders.services.surveillance import surveil_auction
from settlement.services.carbon.factors import load_factor_sets
from tests.factories.marketplace import (
    HubFactory,
    LinkFactory,
    ListingFactory,
    OrganisationFactory,
    PoolFactory,
    ProductFactory,
    ScenarioFactory,
    member,
    operator,
)
from tests.factories.orders import bid, curve_request, open_auction_now, published
from tests.factories.recognition import Region
from tests.factories.settlement import DELIVERY_STARTS, GATE_CLOSES, move_clock
from tests.factories.trading import Market, buyer, supplier, two_hub_market
from tests.web.desks import HOUR, Desk

# When everything is looked at: after the delivery of the first settled auction.
NOW = DELIVERY_STARTS + 4 * HOUR


@dataclass
class World:
    """A settled market and a trading floor on which the same two members trade."""

    desk: Desk = field(default_factory=Desk)
    floor: Market = field(default_factory=two_hub_market)
    rounds: int = 0
    first_open: Auction | None = None
    region: Region | None = None

    def __post_init__(self) -> None:
        selling = self.desk.selling
        selling.bank_name, selling.bank_account = "示例银行", "6222000000009999"
        selling.save()
        load_factor_sets()

    @property
    def people(self) -> dict[str, Actor]:
        """Those who look at the lists."""
        desk = self.desk
        platform = {name: desk.people[name] for name in ("operator", "finance")}
        return {"buyer": desk.buyer, "supplier": desk.supplier, **platform}


def turn_clock(at: datetime) -> None:
    """Set market time, also backwards, which no service allows: another day's business comes."""
    MarketClock.objects.all().delete()
    move_clock(at)


def add_trading(world: World) -> None:
    """Add places, products, capacity and a published auction."""
    number, floor, desk = world.rounds, world.floor, world.desk
    turn_clock(GATE_CLOSES - timedelta(days=1 + number))
    ProductFactory()
    ScenarioFactory()
    LinkFactory(from_hub=HubFactory(), to_hub=floor.east)
    supplier(floor.product, floor.west, str(5 + number))
    listing = ListingFactory(
        pool=PoolFactory(organisation=desk.selling, hub=floor.west, product=floor.product)
    )
    MaintenanceWindow.objects.create(
        listing=listing,
        starts_at=NOW + timedelta(days=1),
        ends_at=NOW + timedelta(days=1, hours=2),
        reason="cooling",
    )
    auction = open_auction_now()
    bid(desk.buyer, auction, floor.product, floor.city, (8 + number, 10))
    bid(buyer(), auction, floor.product, floor.city, (9, 3))
    published(auction)
    surveil_auction(auction_id=auction.pk)
    # Which supplier of equal price is chosen is left to the engine, and so who has a large share:
    # of this case alone it is sure that every round adds one.
    SurveillanceAlert.objects.create(
        kind=AlertKind.PRICE_OUTLIER,
        key=f"round {number}",
        figures={"price": "9.5", "mean": "4", "auctions": "20"},
        auction=auction,
        product=floor.product,
        hub=floor.west,
        found_at=NOW,
    )


def add_bids(world: World) -> None:
    """Add an auction that takes orders, with what buyers keep beside their orders."""
    turn_clock(NOW)
    number, floor, desk = world.rounds, world.floor, world.desk
    auction = open_auction_now()
    world.first_open = world.first_open or auction
    for one in {world.first_open, auction}:
        bid(desk.buyer, one, floor.product, floor.city, (8, 1 + number))
        bid(buyer(), one, floor.product, floor.city, (7, 2))
    request = curve_request(auction, floor.product, floor.city)
    standing_bids.create_standing_bid(actor=desk.buyer, request=request)
    approvals.request_approval(actor=desk.buyer, request=request)
    buying_rules.open_project(actor=desk.buyer, name=f"Training {number}")
    request_cancellation(actor=desk.people["operator"], auction_id=auction.pk, reason="test")


def add_proposals(world: World) -> None:
    """Add dated terms that one operator asked for and another one approved."""
    number, first, second = world.rounds, world.desk.people["operator"], operator(Role.OPERATOR)
    starts = NOW + timedelta(days=2 + number)
    band = propose_price_band(
        actor=first,
        product=world.floor.product,
        price_min=Decimal(1),
        price_max=Decimal(50 + number),
        valid_from=starts,
        reason="test",
    )
    rules = propose_market_rules(
        actor=first,
        valid_from=starts,
        reason="test",
        changes={"buyer_fee_rate": Decimal(f"0.00{2 + number}")},
    )
    for request in (band, rules):
        approve(actor=second, public_id=request.public_id)


def add_accounts(world: World) -> None:
    """Add what people keep on their account, and what they are told."""
    number, desk = world.rounds, world.desk
    for who, actor in world.people.items():
        issue_token(actor=actor, name=f"program {number}", scopes=["read"], days=1)
        invite_member(actor=actor, email=f"new{number}-{who}@example.org", roles=[min(actor.roles)])
        _tell(actor, number)
    for actor in (desk.buyer, desk.supplier):
        add_webhook(actor=actor, url=f"https://example.org/{number}", topics=["bill.issued"])
        send_suggestion(actor=actor, subject=f"Suggestion {number}", text="More hubs")
    for kind in ("business_licence", "other"):
        hand_in_document(
            actor=desk.supplier, kind=kind, name=f"{number}.pdf", data=_pdf(f"{kind} {number}")
        )
    publish_notice(
        actor=desk.people["operator"],
        title_zh="标题",
        title_en=f"Title {number}",
        body_zh="正文",
        body_en="Body",
        audience="all",
    )
    member(OrganisationFactory(state=OrganisationState.PENDING))


def _pdf(text: str) -> bytes:
    return f"%PDF-1.7\n% {text}\n%%EOF".encode()


def _tell(actor: Actor, number: int) -> None:
    organisation = actor.organisation
    assert organisation is not None
    announce(
        [
            Announcement(
                organisation_id=organisation.pk,
                topic="bill.issued",
                key=f"{actor.user.pk}-{number}",
                market_at=NOW,
                params={"number": str(number), "gross_cny": "2"},
            )
        ]
    )
