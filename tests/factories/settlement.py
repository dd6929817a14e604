"""Published auctions with the allocations a test asks for, and their deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from marketplace.models import Hub, Organisation, Product, Role
from marketplace.permissions import Actor
from marketplace.services.clock import set_clock
from orders.models import (
    Allocation,
    AllocationPeriod,
    Auction,
    AuctionCalendar,
    AuctionState,
    CalendarKind,
    ClearingRun,
    Order,
    RunState,
)
from settlement.models import Delivery
from settlement.services.accounts import open_member_accounts, open_platform_accounts
from settlement.services.collateral import LedgerCollateral
from settlement.services.deliveries import accept_delivery, create_deliveries, hand_over
from settlement.services.grid_factors import load_grid_factors
from tests.factories import ledger
from tests.factories.marketplace import (
    HubFactory,
    ListingFactory,
    MarketRulesFactory,
    OrganisationFactory,
    PoolFactory,
    ProductFactory,
    member,
)

_numbers = count(1)
GATE_CLOSES = datetime(2026, 11, 22, 4, tzinfo=UTC)
DELIVERY_STARTS = datetime(2026, 11, 22, 16, tzinfo=UTC)  # midnight in Shanghai


@dataclass(frozen=True)
class Trade:
    """An allocation wanted: units per period, prices per unit and hour."""

    buyer: Organisation
    seller: Organisation
    quantities: Sequence[str]
    buyer_price: str
    seller_price: str
    tariff: str = "0"
    product: Product | None = None
    hold: str = ""


@dataclass
class Market:
    """Two hubs and a product, with money and rules."""

    west: Hub = field(default_factory=lambda: HubFactory(grid_province="Ningxia"))
    east: Hub = field(default_factory=lambda: HubFactory(grid_province="Shanghai", side="east"))
    product: Product = field(default_factory=ProductFactory)

    def __post_init__(self) -> None:
        MarketRulesFactory(buyer_fee_rate="0.005", seller_fee_rate="0.005")
        open_platform_accounts()
        load_grid_factors()
        move_clock(GATE_CLOSES)


def move_clock(at: datetime) -> None:
    """Set market time and let it stand still."""
    set_clock(market_at=at, speed=Decimal(0), is_demo=True)


def funded(amount: str = "0", **fields: object) -> Organisation:
    """Return a member with accounts and a deposit."""
    organisation = OrganisationFactory(**fields)
    open_member_accounts(organisation)
    if Decimal(amount):
        ledger.deposit(organisation, amount)
    return organisation


def as_buyer(organisation: Organisation) -> Actor:
    """Return a person who buys for the organisation."""
    return member(organisation, Role.BUYER)


def as_seller(organisation: Organisation) -> Actor:
    """Return a person who sells for the organisation."""
    return member(organisation, Role.SUPPLIER)


def published_auction(
    market: Market, trades: Sequence[Trade], *, period_minutes: int = 60
) -> Auction:
    """Return a published auction with these allocations and their deliveries."""
    periods = max(len(trade.quantities) for trade in trades)
    auction = _auction(periods, period_minutes)
    run = ClearingRun.objects.create(
        auction=auction, state=RunState.PUBLISHED, bundle_sha256="0" * 64, published_at=GATE_CLOSES
    )
    for trade in trades:
        _allocate(market, run, trade)
    create_deliveries(auction.pk)
    return auction


def deliver(auction: Auction, *, access_text: str = "ssh user@192.0.2.1") -> list[Delivery]:
    """Hand over and accept every delivery of an auction."""
    deliveries = list(
        Delivery.objects.filter(allocation__auction=auction)
        .select_related("allocation__seller", "allocation__buyer")
        .order_by("pk")
    )
    for each in deliveries:
        hand_over(
            actor=as_seller(each.allocation.seller),
            delivery_public_id=each.public_id,
            access_text=access_text,
        )
        accept_delivery(actor=as_buyer(each.allocation.buyer), delivery_public_id=each.public_id)
    return deliveries


def _auction(periods: int, minutes: int) -> Auction:
    number = next(_numbers)
    calendar = AuctionCalendar.objects.create(
        code=f"SC{number}",
        kind=CalendarKind.DAY_AHEAD,
        name_zh="日前",
        name_en="Day-ahead",
        period_minutes=minutes,
        gate_opens_lead_minutes=36 * 60,
        gate_closes_lead_minutes=12 * 60,
    )
    return Auction.objects.create(
        code=f"SA-{number}",
        calendar=calendar,
        period_minutes=minutes,
        gate_opens_at=GATE_CLOSES - timedelta(hours=12),
        gate_closes_at=GATE_CLOSES,
        no_cancel_from=GATE_CLOSES,
        delivery_starts_at=DELIVERY_STARTS,
        delivery_ends_at=DELIVERY_STARTS + timedelta(minutes=minutes * periods),
        state=AuctionState.PUBLISHED,
    )


def _allocate(market: Market, run: ClearingRun, trade: Trade) -> Allocation:
    product = trade.product or market.product
    listing = ListingFactory(
        pool=PoolFactory(organisation=trade.seller, hub=market.west, product=product)
    )
    orders = [
        _order(market, run.auction, trade, product, side, listing) for side in ("buy", "sell")
    ]
    hours = Decimal(run.auction.period_minutes) / 60
    total = sum(map(Decimal, trade.quantities)) * hours
    step = timedelta(minutes=run.auction.period_minutes)
    allocation = Allocation.objects.create(
        number=f"CJ-20261122-{next(_numbers):06}",
        run=run,
        auction=run.auction,
        buy_order=orders[0],
        sell_order=orders[1],
        buyer=trade.buyer,
        seller=trade.seller,
        listing=listing,
        product=product,
        supply_hub=market.west,
        hub=market.east,
        flow_type="east_west",
        starts_at=DELIVERY_STARTS,
        ends_at=DELIVERY_STARTS + step * len(trade.quantities),
        unit_hours=total,
        buyer_net_cny=total * Decimal(trade.buyer_price),
        seller_net_cny=total * Decimal(trade.seller_price),
    )
    AllocationPeriod.objects.bulk_create(
        AllocationPeriod(
            allocation=allocation,
            period=index + 1,
            starts_at=DELIVERY_STARTS + step * index,
            ends_at=DELIVERY_STARTS + step * (index + 1),
            quantity=quantity,
            buyer_price=trade.buyer_price,
            seller_price=trade.seller_price,
            tariff_price=trade.tariff,
        )
        for index, quantity in enumerate(trade.quantities)
    )
    return allocation


def _order(
    market: Market, auction: Auction, trade: Trade, product: Product, side: str, listing: object
) -> Order:
    is_buy = side == "buy"
    order = Order.objects.create(
        auction=auction,
        organisation=trade.buyer if is_buy else trade.seller,
        source="portal",
        side=side,
        kind="curve",
        product=product,
        hub=market.east if is_buy else market.west,
        listing=None if is_buy else listing,
        first_period=1,
        last_period=len(trade.quantities),
        quantity=max(map(Decimal, trade.quantities)),
        limit_price=trade.buyer_price if is_buy else trade.seller_price,
        state="filled",
        submitted_at=GATE_CLOSES,
    )
    if is_buy and trade.hold:
        order.hold_reference = LedgerCollateral().place_hold(
            organisation_id=trade.buyer.pk,
            amount_cny=Decimal(trade.hold),
            source_type="order",
            source_id=str(order.public_id),
        )
        order.save(update_fields=["hold_reference"])
    return order
