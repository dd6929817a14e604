"""What a member asks for, and the checks that need no lock."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from marketplace.domain.decimals import on_lot, on_tick
from marketplace.models import Hub, Listing, ListingState, Organisation, Product, WorkloadScenario
from orders.domain.worst_case import block_worst_case, curve_worst_case
from orders.models import Auction, OrderKind, OrderSide, OrderSource, Placement, Project
from orders.selectors.bands import traded_product, traded_products
from orders.services import refusals
from orders.services.buying_rules import find_project

MOST_STEPS = 20
MOST_LEGS = 200
SHARE_STEP = Decimal("0.0001")
QUANTITY_LIMIT = Decimal(10**9)


@dataclass(frozen=True)
class Step:
    """A step of a curve: its own quantity at CNY per unit and hour, 不含税."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True)
class Leg:
    """Units through a run of periods of a block's profile."""

    first_period: int
    last_period: int
    quantity: Decimal


@dataclass(frozen=True)
class OrderRequest:
    """An order as entered. Prices are CNY per unit and hour, 不含税; periods count from 1.

    Curves have `steps`; blocks have `quantity` through the whole window, or `legs`, and a
    `limit_price`. A scenario fills in the latency limit where `max_rtt_ms` is not given.
    """

    auction: UUID
    side: str
    kind: str
    product: str
    hub: str
    first_period: int
    last_period: int
    steps: tuple[Step, ...] = ()
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    min_acceptance: Decimal = Decimal(1)
    placement: str = Placement.ANY
    max_rtt_ms: Decimal | None = None
    scenario: str | None = None
    listing: UUID | None = None
    min_dengbao_level: int = 0
    requires_xinchuang: bool = False
    min_trust_level: int = 0
    note: str = ""
    source: str = OrderSource.PORTAL
    legs: tuple[Leg, ...] = ()
    project: UUID | None = None


@dataclass(frozen=True)
class CheckedOrder:
    """A request whose names are resolved and whose figures fit the product's rules."""

    request: OrderRequest
    auction: Auction
    product: Product
    hub: Hub
    listing: Listing | None
    scenario: WorkloadScenario | None
    max_rtt_ms: Decimal | None
    legs: tuple[Leg, ...] = field(default_factory=tuple)
    project: Project | None = None

    @property
    def quantity(self) -> Decimal:
        """Most units in any period."""
        if self.request.kind == OrderKind.CURVE:
            return sum((step.quantity for step in self.request.steps), Decimal(0))
        return max(leg.quantity for leg in self.legs)

    @property
    def best_limit(self) -> Decimal:
        """The dearest bid or the cheapest ask."""
        prices = [step.price for step in self.request.steps] or [self.limit]
        return max(prices) if self.request.side == OrderSide.BUY else min(prices)

    @property
    def limit(self) -> Decimal:
        """The limit price of a block."""
        return self.request.limit_price or Decimal(0)

    @property
    def worst_net_cny(self) -> Decimal:
        """The most a buy can cost before fee and tax, exactly (see the rule book)."""
        minutes = self.auction.period_minutes
        if self.request.kind == OrderKind.CURVE:
            periods = self.request.last_period - self.request.first_period + 1
            steps = [(step.price, step.quantity) for step in self.request.steps]
            return curve_worst_case(steps, periods=periods, period_minutes=minutes)
        legs = [(leg.last_period - leg.first_period + 1, leg.quantity) for leg in self.legs]
        return block_worst_case(
            self.request.limit_price or Decimal(0), legs, period_minutes=minutes
        )

    @property
    def offered(self) -> dict[int, Decimal]:
        """Units of an ask by period."""
        request = self.request
        if request.kind == OrderKind.CURVE:
            window = range(request.first_period, request.last_period + 1)
            return dict.fromkeys(window, self.quantity)
        return {
            period: leg.quantity
            for leg in self.legs
            for period in range(leg.first_period, leg.last_period + 1)
        }


class Names:
    """Finds what a request names, one query each; None when there is no such thing."""

    def product(self, auction: Auction, code: str) -> Product | None:
        """Return a product of the auction."""
        return traded_product(auction, code)

    def hub(self, code: str) -> Hub | None:
        """Return a hub that trades."""
        return Hub.objects.filter(code=code, trades=True).first()

    def scenario(self, code: str) -> WorkloadScenario | None:
        """Return a workload scenario."""
        return WorkloadScenario.objects.filter(code=code).first()


class LoadedNames(Names):
    """Finds the same in memory, for many requests to one auction."""

    def __init__(self, auction: Auction) -> None:
        self._products = {row.code: row for row in traded_products(auction)}
        self._hubs = {row.code: row for row in Hub.objects.filter(trades=True)}
        self._scenarios = {row.code: row for row in WorkloadScenario.objects.all()}

    def product(self, auction: Auction, code: str) -> Product | None:
        """Return a product of the auction that was loaded."""
        return self._products.get(code)

    def hub(self, code: str) -> Hub | None:
        """Return a hub that trades."""
        return self._hubs.get(code)

    def scenario(self, code: str) -> WorkloadScenario | None:
        """Return a workload scenario."""
        return self._scenarios.get(code)


def check_order(
    request: OrderRequest,
    *,
    auction: Auction,
    owner: Organisation,
    names: Names | None = None,
) -> CheckedOrder:
    """Resolve the names in a request and check its figures.

    Args:
        request: the order as entered.
        auction: the auction it names.
        owner: the member it is for.
        names: where names are looked up; the database unless many were loaded before.

    Raises:
        RuleBroken: the first broken rule, see `orders.services.refusals`.
    """
    _check_choices(request)
    names = names or Names()
    product = names.product(auction, request.product)
    if product is None:
        raise refusals.ProductNotTraded(
            field="product", auction=auction.code, product=request.product
        )
    listing = _listing(request, product, owner)
    hub = _hub(request, listing, names)
    _check_window(request.first_period, request.last_period, auction.period_count)
    legs = _check_figures(request, product, auction)
    scenario = _scenario(request, names)
    return CheckedOrder(
        request=request,
        auction=auction,
        product=product,
        hub=hub,
        listing=listing,
        scenario=scenario,
        max_rtt_ms=_latency_class(request, product, scenario),
        legs=legs,
        project=find_project(owner=owner, public_id=request.project),
    )


def _check_choices(request: OrderRequest) -> None:
    for name, choices in (
        ("side", OrderSide),
        ("kind", OrderKind),
        ("placement", Placement),
        ("source", OrderSource),
    ):
        value = getattr(request, name)
        if value not in choices.values:
            raise refusals.ChoiceUnknown(field=name, value=str(value)[:40])
    _check_requirements(request)


def _check_requirements(request: OrderRequest) -> None:
    demanding = bool(
        request.min_dengbao_level or request.requires_xinchuang or request.min_trust_level
    )
    if request.side == OrderSide.SELL:
        if demanding or request.max_rtt_ms is not None or request.scenario:
            raise refusals.SellOrderTakesNoLimits
        return
    is_single = request.kind == OrderKind.BLOCK and request.placement == Placement.SINGLE
    if demanding and not is_single:
        raise refusals.RequirementsNeedSinglePlacement(field="placement")
    if request.kind == OrderKind.CURVE and request.placement == Placement.SINGLE:
        raise refusals.RequirementsNeedSinglePlacement(field="placement")


def _listing(request: OrderRequest, product: Product, owner: Organisation) -> Listing | None:
    if request.side == OrderSide.BUY:
        return None
    if request.listing is None:
        raise refusals.FieldRequired(field="listing")
    listing = (
        Listing.objects.select_related("pool__hub")
        .filter(public_id=request.listing, organisation=owner, pool__product=product)
        .first()
    )
    if listing is None:
        raise refusals.NotFound(field="listing")
    if listing.state != ListingState.ACTIVE:
        raise refusals.ListingNotActive(field="listing", state=listing.state)
    return listing


def _hub(request: OrderRequest, listing: Listing | None, names: Names) -> Hub:
    """Return where it is consumed; an ask is delivered where its pool is."""
    if listing is not None:
        hub = listing.pool.hub
        if request.hub not in ("", hub.code) or not hub.trades:
            raise refusals.HubNotTraded(field="hub", hub=request.hub)
        return hub
    found = names.hub(request.hub)
    if found is None:
        raise refusals.HubNotTraded(field="hub", hub=request.hub)
    return found


def _check_window(first: int, last: int, periods: int, *, name: str = "first_period") -> None:
    if not 1 <= first <= last <= periods:
        raise refusals.WindowOutsideAuction(field=name, periods=periods)


def _check_figures(request: OrderRequest, product: Product, auction: Auction) -> tuple[Leg, ...]:
    if request.kind == OrderKind.CURVE:
        _check_steps(request.steps, product)
        return ()
    if request.limit_price is None:
        raise refusals.FieldRequired(field="limit_price")
    _check_price(request.limit_price, product, name="limit_price")
    if not _is_share(request.min_acceptance):
        raise refusals.ShareOutOfRange(field="min_acceptance")
    legs = request.legs
    if not legs:
        if request.quantity is None:
            raise refusals.FieldRequired(field="quantity")
        legs = (Leg(request.first_period, request.last_period, request.quantity),)
    _check_legs(legs, request, product, auction.period_count)
    return legs


def _is_share(number: Decimal) -> bool:
    """Tell whether a number lies between 0 and 1 and is stored as it was given."""
    if not number.is_finite() or not 0 <= number <= 1:
        return False
    return on_tick(number, SHARE_STEP)


def _check_steps(steps: tuple[Step, ...], product: Product) -> None:
    if not steps:
        raise refusals.StepsRequired(field="steps")
    if len(steps) > MOST_STEPS:
        raise refusals.TooManySteps(field="steps", limit=MOST_STEPS)
    seen: set[Decimal] = set()
    for step in steps:
        _check_price(step.price, product, name="steps")
        _check_quantity(step.quantity, product, name="steps")
        if step.price in seen:
            raise refusals.StepPriceRepeated(field="steps", price=step.price)
        seen.add(step.price)
    _check_size(sum((step.quantity for step in steps), Decimal(0)), name="steps")


def _check_legs(legs: Iterable[Leg], request: OrderRequest, product: Product, periods: int) -> None:
    covered: set[int] = set()
    for number, leg in enumerate(legs):
        if number >= MOST_LEGS:
            raise refusals.TooManySteps(field="legs", limit=MOST_LEGS)
        _check_window(leg.first_period, leg.last_period, periods, name="legs")
        if leg.first_period < request.first_period or leg.last_period > request.last_period:
            raise refusals.WindowOutsideAuction(field="legs", periods=periods)
        _check_quantity(leg.quantity, product, name="quantity")
        own = set(range(leg.first_period, leg.last_period + 1))
        if covered & own:
            raise refusals.LegsOverlap(field="legs", period=min(covered & own))
        covered |= own


def _check_price(price: Decimal, product: Product, *, name: str) -> None:
    if not price.is_finite() or not product.price_min <= price <= product.price_max:
        low, high = product.price_min.normalize(), product.price_max.normalize()
        raise refusals.PriceOutOfBand(field=name, low=low, high=high)
    if not on_tick(price, product.price_tick):
        raise refusals.OffPriceTick(field=name, tick=product.price_tick.normalize())


def _check_quantity(quantity: Decimal, product: Product, *, name: str) -> None:
    if not quantity.is_finite() or quantity <= 0:
        raise refusals.QuantityNotPositive(field=name)
    _check_size(quantity, name=name)
    if not on_lot(quantity, product.quantity_lot):
        raise refusals.OffQuantityLot(field=name, lot=product.quantity_lot.normalize())


def _check_size(quantity: Decimal, *, name: str) -> None:
    if quantity >= QUANTITY_LIMIT:
        raise refusals.QuantityTooLarge(field=name, limit=QUANTITY_LIMIT)


def _scenario(request: OrderRequest, names: Names) -> WorkloadScenario | None:
    if not request.scenario:
        return None
    scenario = names.scenario(request.scenario)
    if scenario is None:
        raise refusals.ChoiceUnknown(field="scenario", value=request.scenario[:40])
    return scenario


def _latency_class(
    request: OrderRequest, product: Product, scenario: WorkloadScenario | None
) -> Decimal | None:
    """Return the product's class a limit is snapped to: the widest one that is not wider."""
    limit = request.max_rtt_ms
    if limit is None and scenario is not None:
        limit = scenario.max_rtt_ms
    if limit is None:
        return None
    classes = sorted(product.rtt_classes_ms)
    reached = [width for width in classes if width <= limit] if limit.is_finite() else []
    if classes and not reached:
        raise refusals.LatencyClassUnknown(field="max_rtt_ms", strictest=classes[0].normalize())
    return reached[-1] if classes else limit
