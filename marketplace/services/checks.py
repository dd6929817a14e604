"""Checks of single inputs that several services share. Each raises a named refusal."""

from datetime import datetime
from decimal import Decimal

from marketplace.domain.decimals import on_lot, on_tick
from marketplace.domain.errors import (
    NotAdmitted,
    NotPermitted,
    RuleBroken,
    StateForbids,
    gettext_noop,
)
from marketplace.domain.periods import SLOT_MINUTES, is_on_grid
from marketplace.domain.transitions import TransitionNotAllowed, TransitionTable
from marketplace.models import Organisation, Product
from marketplace.permissions import Actor

LARGEST_QUANTITY = Decimal(1_000_000_000)


class Missing(RuleBroken):
    """A value that is needed was not given."""

    code = "missing"
    message = gettext_noop("This value is required.")


class TextTooLong(RuleBroken):
    """A text does not fit."""

    code = "text_too_long"
    message = gettext_noop("At most %(max_length)s characters.")


class TextHasControlCharacters(RuleBroken):
    """A text holds characters that cannot be shown or stored."""

    code = "control_characters"
    message = gettext_noop("The text holds control characters.")


class NotANumber(RuleBroken):
    """NaN and Infinity are not quantities."""

    code = "not_a_number"
    message = gettext_noop("Enter a plain number.")


class NotPositive(RuleBroken):
    """A quantity must be above zero."""

    code = "not_positive"
    message = gettext_noop("The number must be above zero.")


class OutOfRange(RuleBroken):
    """A number is outside the range that makes sense."""

    code = "out_of_range"
    message = gettext_noop("The number must be between %(least)s and %(most)s.")


class OffQuantityLot(RuleBroken):
    """A quantity is not a whole number of the product's lots."""

    code = "off_quantity_lot"
    message = gettext_noop("The quantity must be a multiple of %(lot)s.")


class OffPriceTick(RuleBroken):
    """A price is not a whole number of the product's ticks."""

    code = "off_price_tick"
    message = gettext_noop("The price must be a multiple of %(tick)s.")


class PriceOutOfBand(RuleBroken):
    """A price is outside the product's band."""

    code = "price_out_of_band"
    message = gettext_noop("The price must be between %(least)s and %(most)s CNY.")


class OffTimeGrid(RuleBroken):
    """An instant is not on the grid of the market."""

    code = "off_time_grid"
    message = gettext_noop("Times must be on a boundary of %(minutes)s minutes.")


class TimeWithoutZone(RuleBroken):
    """An instant came without a time zone."""

    code = "time_without_zone"
    message = gettext_noop("The time needs a time zone.")


def require_operator(actor: Actor) -> Organisation:
    """Return the platform when the actor runs the market; raises NotPermitted."""
    if not actor.is_operator or actor.organisation is None:
        raise NotPermitted
    return actor.organisation


def require_seller(actor: Actor) -> Organisation:
    """Return the actor's organisation when it may list capacity.

    Raises:
        NotAdmitted: the organisation is not approved.
        NotPermitted: it does not sell, or the person does not hold the role.
    """
    if actor.organisation is None or not actor.is_trading_member:
        raise NotAdmitted
    if not actor.can_sell:
        raise NotPermitted
    return actor.organisation


def check_text(value: str, *, field: str, max_length: int, required: bool = False) -> str:
    """Return the text without blanks around it.

    Raises:
        Missing, TextTooLong, TextHasControlCharacters: with the field.
    """
    text = value.strip()
    if required and not text:
        raise Missing(field=field)
    if len(text) > max_length:
        raise TextTooLong(field=field, max_length=max_length)
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise TextHasControlCharacters(field=field)
    return text


def check_quantity(value: Decimal, *, product: Product, field: str) -> Decimal:
    """Return a quantity of a product: finite, above zero, on the lot.

    Raises:
        NotANumber, NotPositive, OutOfRange, OffQuantityLot: with the field.
    """
    check_positive(value, field=field)
    if not on_lot(value, product.quantity_lot):
        raise OffQuantityLot(field=field, lot=plain(product.quantity_lot))
    return value


def check_positive(value: Decimal, *, field: str) -> Decimal:
    """Return a number above zero and below a thousand million; raises the named refusals."""
    if not value.is_finite():
        raise NotANumber(field=field)
    if value <= 0:
        raise NotPositive(field=field)
    if value >= LARGEST_QUANTITY:
        raise OutOfRange(field=field, least=0, most=LARGEST_QUANTITY - 1)
    return value


def check_range(value: Decimal, *, least: Decimal, most: Decimal, field: str) -> Decimal:
    """Return a number within a range, its ends included; raises NotANumber or OutOfRange."""
    if not value.is_finite():
        raise NotANumber(field=field)
    if not least <= value <= most:
        raise OutOfRange(field=field, least=least, most=most)
    return value


def check_price(value: Decimal, *, product: Product, field: str) -> Decimal:
    """Return a price in CNY per unit and hour (不含税), within the band and on the tick.

    Raises:
        NotANumber, PriceOutOfBand, OffPriceTick: with the field.
    """
    if not value.is_finite():
        raise NotANumber(field=field)
    if not product.price_min <= value <= product.price_max:
        least, most = plain(product.price_min), plain(product.price_max)
        raise PriceOutOfBand(field=field, least=least, most=most)
    if not on_tick(value, product.price_tick):
        raise OffPriceTick(field=field, tick=plain(product.price_tick))
    return value


def check_instant(value: datetime, *, field: str) -> datetime:
    """Return an instant on the grid of capacity slots; raises TimeWithoutZone or OffTimeGrid."""
    if value.tzinfo is None:
        raise TimeWithoutZone(field=field)
    if not is_on_grid(value, minutes=SLOT_MINUTES):
        raise OffTimeGrid(field=field, minutes=SLOT_MINUTES)
    return value


def check_transition(table: TransitionTable, source: str, target: str) -> str:
    """Return the stored value of an allowed target state; raises StateForbids."""
    try:
        return table.check(source, target).value
    except TransitionNotAllowed:
        raise StateForbids(state=source, target=target) from None


def plain(value: Decimal) -> str:
    """Return a decimal as people write it: no exponent, no trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
