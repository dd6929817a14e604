"""Checks of the figures in an order: prices, quantities, windows, profiles."""

from collections.abc import Iterable
from decimal import Decimal

from marketplace.domain.decimals import on_lot, on_tick
from marketplace.models import Hub, Product
from orders.models import Auction
from orders.services import refusals
from orders.services.order_profile import CheckedOption, Leg, Option, OrderRequest, Step

MOST_STEPS = 20
MOST_LEGS = 200
SHARE_STEP = Decimal("0.0001")
QUANTITY_LIMIT = Decimal(10**9)


def check_window(first: int, last: int, periods: int, *, name: str = "first_period") -> None:
    """Refuse a window that is not inside the auction."""
    if not 1 <= first <= last <= periods:
        raise refusals.WindowOutsideAuction(field=name, periods=periods)


def required_limit(request: OrderRequest) -> Decimal:
    """Return the limit price, which must be given."""
    if request.limit_price is None:
        raise refusals.FieldRequired(field="limit_price")
    return request.limit_price


def check_window_order(request: OrderRequest, product: Product) -> None:
    """Check limit, quantity and duration of a flexible or interruptible order."""
    _check_price(required_limit(request), product, name="limit_price")
    if request.quantity is None:
        raise refusals.FieldRequired(field="quantity")
    _check_quantity(request.quantity, product, name="quantity")
    if request.duration is None:
        raise refusals.FieldRequired(field="duration")
    periods = request.last_period - request.first_period + 1
    if not 1 <= request.duration <= periods:
        raise refusals.DurationOutsideWindow(field="duration", periods=periods)


def checked_option(
    option: Option, request: OrderRequest, product: Product, hub: Hub, auction: Auction
) -> CheckedOption:
    """Check the limit and the profile of an alternative."""
    _check_price(option.limit_price, product, name="limit_price")
    legs = option.legs
    if not legs:
        quantity = request.quantity if option.quantity is None else option.quantity
        if quantity is None:
            raise refusals.FieldRequired(field="quantity")
        legs = (Leg(request.first_period, request.last_period, quantity),)
    _check_legs(legs, request, product, auction.period_count)
    return CheckedOption(option.limit_price, product, hub, legs)


def is_share(number: Decimal) -> bool:
    """Tell whether a number lies between 0 and 1 and is stored as it was given."""
    if not number.is_finite() or not 0 <= number <= 1:
        return False
    return on_tick(number, SHARE_STEP)


def check_steps(steps: tuple[Step, ...], product: Product) -> None:
    """Check the steps of a curve."""
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
        check_window(leg.first_period, leg.last_period, periods, name="legs")
        if leg.first_period < request.first_period or leg.last_period > request.last_period:
            raise refusals.WindowOutsideAuction(field="legs", periods=periods)
        _check_quantity(leg.quantity, product, name="quantity")
        own = set(leg.periods)
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
