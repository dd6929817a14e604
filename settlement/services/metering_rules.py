"""What a meter reading must keep to, and how long after settlement it is still taken."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.services.checks import (
    LARGEST_QUANTITY,
    NotANumber,
    OutOfRange,
    check_instant,
    check_text,
)
from settlement.models import Delivery, DeliveryState, MeteringRules

_METERED_STATES = {DeliveryState.HANDED_OVER, DeliveryState.ACCEPTED, DeliveryState.COMPLETED}
_PLACES = Decimal("0.001")
# Until an operator writes down another window.
DEFAULT_CORRECTION_DAYS = 45


class ReadingOutsideDelivery(RuleBroken):
    """The interval does not lie within the delivery."""

    code = "reading_outside_delivery"
    message = gettext_noop("The interval must lie between %(starts_at)s and %(ends_at)s.")


class ReadingInFuture(RuleBroken):
    """The interval has not ended yet."""

    code = "reading_in_future"
    message = gettext_noop("The interval has not ended yet; it is %(now)s now.")


class IntervalEmpty(RuleBroken):
    """The interval ends before it begins."""

    code = "interval_empty"
    message = gettext_noop("The interval must end after it starts.")


class IntervalOverlaps(RuleBroken):
    """Another reading covers part of the interval; a correction names the very same interval."""

    code = "interval_overlaps"
    message = gettext_noop(
        "Another reading covers part of this interval. A correction must name the same interval."
    )
    status = 409


class DeliveryTakesNoReadings(RuleBroken):
    """The delivery was not handed over yet, or it failed, or it is settled."""

    code = "delivery_takes_no_readings"
    message = gettext_noop("The delivery takes no readings in its state (%(state)s).")
    status = 409


class ReadingTooPrecise(RuleBroken):
    """Units have at most three decimals."""

    code = "too_precise"
    message = gettext_noop("At most 3 decimals.")


class NumberRefused(RuleBroken):
    """A cell is not a plain number."""

    code = "not_a_number"
    message = gettext_noop("Enter a plain number with at most %(places)s decimals.")


class InstantRefused(RuleBroken):
    """A cell is not an instant with a time zone."""

    code = "not_an_instant"
    message = gettext_noop("Enter a time such as 2026-11-23T08:00+08:00.")


class CorrectionTooLate(RuleBroken):
    """The days in which a settled delivery takes readings are over."""

    code = "correction_too_late"
    message = gettext_noop("Readings of this delivery were taken until %(until)s.")
    status = 409


class CounterWentBack(RuleBroken):
    """The counter shows less than before, and no reset is approved."""

    code = "counter_went_back"
    message = gettext_noop(
        "The counter shows %(counter)s, less than %(before)s before. Announce the reset first; the "
        "operator must approve it."
    )
    status = 409


@dataclass(frozen=True)
class ReadingDraft:
    """A reading before it is stored.

    Attributes:
        delivery: public id, or number of the confirmation (CJ-…).
        starts_at: first instant, on the grid of 15 minutes.
        ends_at: first instant after it.
        quantity: units delivered, averaged over the interval, at most 3 decimals.
        energy_wh: IT energy of the interval if it was metered, whole watt-hours.
        counter: what the meter's counter shows at the end, unit-hours, if it has one.
        reason: why; needed after settlement.
    """

    delivery: str
    starts_at: datetime
    ends_at: datetime
    quantity: Decimal
    energy_wh: int | None = None
    counter: Decimal | None = None
    reason: str = ""


def correction_days(on: date) -> int:
    """Return for how many days after its end a delivery takes readings once it is settled."""
    newest = MeteringRules.objects.filter(valid_from__lte=on).order_by("valid_from").last()
    return newest.correction_days if newest else DEFAULT_CORRECTION_DAYS


def is_after_settlement(delivery: Delivery) -> bool:
    """Say whether a reading would be settled by difference."""
    return delivery.state == DeliveryState.SETTLED and not delivery.failure_reason


def check_reading(draft: ReadingDraft, delivery: Delivery, now: datetime) -> None:
    """Check a reading against its delivery and the clock.

    Raises:
        RuleBroken: one of the rules above, with the field.
    """
    _check_state(draft, delivery, now)
    starts_at = check_instant(draft.starts_at, field="starts_at")
    ends_at = check_instant(draft.ends_at, field="ends_at")
    if starts_at >= ends_at:
        raise IntervalEmpty(field="ends_at")
    if starts_at < delivery.starts_at or ends_at > delivery.ends_at:
        raise ReadingOutsideDelivery(
            field="starts_at",
            starts_at=delivery.starts_at.isoformat(),
            ends_at=delivery.ends_at.isoformat(),
        )
    if ends_at > now:
        raise ReadingInFuture(field="ends_at", now=now.isoformat(timespec="minutes"))
    _check_quantity(draft.quantity)
    if draft.energy_wh is not None and not 0 <= draft.energy_wh < 10**15:
        raise OutOfRange(field="energy_wh", least=0, most=10**15 - 1)


def _check_quantity(quantity: Decimal) -> None:
    if not quantity.is_finite():
        raise NotANumber(field="quantity")
    if not 0 <= quantity < LARGEST_QUANTITY:
        raise OutOfRange(field="quantity", least=0, most=LARGEST_QUANTITY - 1)
    if quantity != quantity.quantize(_PLACES):
        raise ReadingTooPrecise(field="quantity")


def _check_state(draft: ReadingDraft, delivery: Delivery, now: datetime) -> None:
    if delivery.state in _METERED_STATES:
        check_text(draft.reason, field="reason", max_length=200)
        return
    if not is_after_settlement(delivery):
        raise DeliveryTakesNoReadings(field="delivery", state=delivery.state)
    until = delivery.ends_at + timedelta(days=correction_days(market_date(delivery.ends_at)))
    if now > until:
        raise CorrectionTooLate(field="delivery", until=until.isoformat(timespec="minutes"))
    check_text(draft.reason, field="reason", max_length=200, required=True)
