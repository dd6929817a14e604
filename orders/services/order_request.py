"""What a member asks for, and the checks that need no lock."""

from dataclasses import dataclass
from decimal import Decimal

from marketplace.models import Hub, Listing, ListingState, Organisation, Product, WorkloadScenario
from orders.domain.worst_case import curve_worst_case, flexible_worst_case
from orders.models import (
    Auction,
    Order,
    OrderKind,
    OrderSide,
    OrderSource,
    OrderState,
    Placement,
    Project,
)
from orders.selectors.bands import traded_product, traded_products
from orders.services import refusals
from orders.services.buying_rules import find_project
from orders.services.order_figures import (
    check_steps,
    check_window,
    check_window_order,
    checked_option,
    is_share,
    required_limit,
)
from orders.services.order_limits import carbon_class, latency_class
from orders.services.order_profile import (
    WINDOWED,
    CheckedOption,
    Leg,
    Option,
    OrderRequest,
    Step,
    most_units,
)

__all__ = ["CheckedOrder", "Leg", "LoadedNames", "Option", "OrderRequest", "Step", "check_order"]

MOST_OPTIONS = 10


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
    max_carbon_g: Decimal | None
    options: tuple[CheckedOption, ...] = ()
    parent: Order | None = None
    project: Project | None = None

    @property
    def quantity(self) -> Decimal:
        """Most units in any period."""
        if self.request.kind == OrderKind.CURVE:
            return sum((step.quantity for step in self.request.steps), Decimal(0))
        if self.request.kind in WINDOWED:
            return self.request.quantity or Decimal(0)
        return max(most_units(self.options).values())

    @property
    def best_limit(self) -> Decimal:
        """The dearest bid or the cheapest ask."""
        prices = [step.price for step in self.request.steps]
        prices += [option.limit_price for option in self.options]
        prices = prices or [self.request.limit_price or Decimal(0)]
        return max(prices) if self.request.side == OrderSide.BUY else min(prices)

    @property
    def worst_purchases(self) -> list[tuple[int, Decimal]]:
        """(product id, most net CNY) of each thing it may buy, at most one of which it does."""
        minutes = self.auction.period_minutes
        if self.options:
            return [(one.product.pk, one.worst_net_cny(minutes)) for one in self.options]
        request = self.request
        if request.kind in WINDOWED:
            limit, units = request.limit_price or Decimal(0), request.quantity or Decimal(0)
            duration = request.duration or 0
            net = flexible_worst_case(limit, units, duration=duration, period_minutes=minutes)
        else:
            periods = request.last_period - request.first_period + 1
            steps = [(step.price, step.quantity) for step in request.steps]
            net = curve_worst_case(steps, periods=periods, period_minutes=minutes)
        return [(self.product.pk, net)]

    @property
    def worst_net_cny(self) -> Decimal:
        """The most a buy can cost before fee and tax, exactly (see the rule book)."""
        return max(net for _, net in self.worst_purchases)

    @property
    def offered(self) -> dict[int, Decimal]:
        """Most units by period; a flexible order might take any period of its window."""
        request = self.request
        if self.options:
            return dict(most_units(self.options))
        window = range(request.first_period, request.last_period + 1)
        return dict.fromkeys(window, self.quantity)

    @property
    def unit_periods(self) -> Decimal:
        """Most units times periods it can take."""
        if self.request.kind in WINDOWED:
            return self.quantity * (self.request.duration or 0)
        if self.options:
            return max(sum(option.units.values(), Decimal(0)) for option in self.options)
        return sum(self.offered.values(), Decimal(0))


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
    check_window(request.first_period, request.last_period, auction.period_count)
    options = _check_figures(request, product, hub, auction, names)
    scenario = _scenario(request, names)
    traded = [option.product for option in options] or [product]
    return CheckedOrder(
        request=request,
        auction=auction,
        product=product,
        hub=hub,
        listing=listing,
        scenario=scenario,
        max_rtt_ms=latency_class(request, traded, scenario),
        max_carbon_g=carbon_class(request, traded),
        options=options,
        parent=_parent(request, auction, owner),
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
    if request.kind in WINDOWED and request.side == OrderSide.SELL:
        raise refusals.FlexibleOrdersBuy(field="kind")
    if request.kind != OrderKind.BLOCK and (request.options or request.parent_order):
        raise refusals.OptionsForBlocksOnly(field="options" if request.options else "parent_order")
    _check_requirements(request)


def _check_requirements(request: OrderRequest) -> None:
    demanding = bool(
        request.min_dengbao_level or request.requires_xinchuang or request.min_trust_level
    )
    if request.side == OrderSide.SELL:
        limits = (request.max_rtt_ms, request.max_carbon_g)
        if demanding or request.scenario or any(limit is not None for limit in limits):
            raise refusals.SellOrderTakesNoLimits
        return
    is_single = request.kind != OrderKind.CURVE and request.placement == Placement.SINGLE
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


def _check_figures(
    request: OrderRequest, product: Product, hub: Hub, auction: Auction, names: Names
) -> tuple[CheckedOption, ...]:
    """Check what is asked for; return a block's alternatives."""
    if request.kind == OrderKind.CURVE:
        check_steps(request.steps, product)
        return ()
    if not is_share(request.min_acceptance):
        raise refusals.ShareOutOfRange(field="min_acceptance")
    if request.kind in WINDOWED:
        check_window_order(request, product)
        return ()
    if len(request.options) > MOST_OPTIONS:
        raise refusals.TooManySteps(field="options", limit=MOST_OPTIONS)
    if not request.options:
        limit = required_limit(request)
        return (checked_option(Option(limit, legs=request.legs), request, product, hub, auction),)
    return tuple(
        checked_option(option, request, *_places(option, request, product, hub, names, auction))
        for option in request.options
    )


def _places(
    option: Option,
    request: OrderRequest,
    product: Product,
    hub: Hub,
    names: Names,
    auction: Auction,
) -> tuple[Product, Hub, Auction]:
    """Resolve the names of an alternative; an ask's are those of its listing."""
    own_product = option.product in ("", product.code)
    own_hub = option.hub in ("", hub.code)
    if request.side == OrderSide.SELL and not (own_product and own_hub):
        raise refusals.OptionsAtOneListing(field="options")
    found = product if own_product else names.product(auction, option.product)
    if found is None:
        raise refusals.ProductNotTraded(
            field="options", auction=auction.code, product=option.product
        )
    place = hub if own_hub else names.hub(option.hub)
    if place is None:
        raise refusals.HubNotTraded(field="options", hub=option.hub)
    return found, place, auction


def _parent(request: OrderRequest, auction: Auction, owner: Organisation) -> Order | None:
    """Return the block an order hangs on; it is in the book before, so links make no circle."""
    if request.parent_order is None:
        return None
    parent = Order.objects.filter(
        public_id=request.parent_order,
        auction=auction,
        organisation=owner,
        kind=OrderKind.BLOCK,
        state=OrderState.ACTIVE,
    ).first()
    if parent is None:
        raise refusals.ParentNotLinkable(field="parent_order")
    return parent


def _scenario(request: OrderRequest, names: Names) -> WorkloadScenario | None:
    if not request.scenario:
        return None
    scenario = names.scenario(request.scenario)
    if scenario is None:
        raise refusals.ChoiceUnknown(field="scenario", value=request.scenario[:40])
    return scenario
