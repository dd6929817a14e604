"""What a supplier wants to list, and the rules it must meet before anything is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from marketplace.domain.availability import CapacityWindow, first_overlap
from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import SLOT_MINUTES
from marketplace.models import Listing, ListingAvailability, ListingPriceStep, Product, ResourcePool
from marketplace.services.checks import (
    Missing,
    check_instant,
    check_price,
    check_quantity,
    check_range,
    check_text,
)
from marketplace.services.pools import ProductNotTraded

PriceStep = tuple[Decimal, Decimal]

MAX_STEPS = 50
MAX_WINDOWS = 1500
HORIZON = timedelta(days=800)
_LONGEST_RUN_HOURS = 720


class PricesNotRising(RuleBroken):
    """Each step of a price curve is dearer than the one before."""

    code = "prices_not_rising"
    message = gettext_noop("The prices of the steps must rise.")


class StepsDoNotAddUp(RuleBroken):
    """The steps of a curve share out the units offered, no more, no less."""

    code = "steps_do_not_add_up"
    message = gettext_noop("The steps hold %(steps)s units, the listing %(quantity)s.")


class TooMany(RuleBroken):
    """More rows than a listing can have."""

    code = "too_many"
    message = gettext_noop("At most %(most)s entries.")


class WindowBackwards(RuleBroken):
    """A window ends before it starts."""

    code = "window_backwards"
    message = gettext_noop("A window must end after it starts.")


class WindowInPast(RuleBroken):
    """A window begins before the running quarter of an hour."""

    code = "window_in_past"
    message = gettext_noop("A window must not begin in the past.")


class WindowTooFar(RuleBroken):
    """A window ends further ahead than the market plans."""

    code = "window_too_far"
    message = gettext_noop("A window must end within %(days)s days.")


class WindowsOverlap(RuleBroken):
    """Two windows of one listing share time."""

    code = "windows_overlap"
    message = gettext_noop("The availability windows overlap.")


class WindowExceedsListing(RuleBroken):
    """A window has more units than the listing."""

    code = "window_exceeds_listing"
    message = gettext_noop("A window cannot have more units than the listing (%(quantity)s).")


class ListingExceedsPool(RuleBroken):
    """A listing has more units than its pool."""

    code = "listing_exceeds_pool"
    message = gettext_noop("The pool has %(units)s units only.")


@dataclass(frozen=True)
class ListingDraft:
    """A listing as asked for; `check_draft` says whether it may be stored."""

    pool: ResourcePool
    name: str
    quantity: Any
    price_steps: tuple[PriceStep, ...]
    windows: tuple[CapacityWindow, ...]
    min_run_hours: int = 1
    is_standing: bool = True
    activate: bool = True
    note: str = ""
    source: str = "portal"
    name_en: str = ""

    @classmethod
    def of(cls, listing: Listing) -> ListingDraft:
        """Return a stored listing as a draft."""
        return cls(
            pool=listing.pool,
            name=listing.name,
            quantity=listing.quantity,
            price_steps=tuple(
                (step.quantity, step.price.amount) for step in listing.price_steps.order_by("step")
            ),
            windows=tuple(
                CapacityWindow(row.starts_at, row.ends_at, row.quantity)
                for row in listing.availability.order_by("starts_at")
            ),
            min_run_hours=listing.min_run_hours,
            is_standing=listing.is_standing,
            note=listing.note,
            source=listing.source,
            name_en=listing.name_en,
        )

    def changed(self, **changes: Any) -> ListingDraft:
        """Return a copy with some values replaced."""
        return replace(self, **changes)

    def step_rows(self, listing: Listing) -> list[ListingPriceStep]:
        """Return the price curve as rows of a listing."""
        return [
            ListingPriceStep(listing=listing, step=number, quantity=quantity, price=price)
            for number, (quantity, price) in enumerate(self.price_steps, start=1)
        ]

    def window_rows(self, listing: Listing) -> list[ListingAvailability]:
        """Return the calendar as rows of a listing."""
        return [
            ListingAvailability(
                listing=listing,
                starts_at=window.starts_at,
                ends_at=window.ends_at,
                quantity=window.quantity,
            )
            for window in self.windows
        ]


def windows_from(windows: Iterable[tuple]) -> tuple[CapacityWindow, ...]:
    """Return (start, end, units) triples as windows."""
    return tuple(CapacityWindow(start, end, quantity) for start, end, quantity in windows)


def check_draft(
    draft: ListingDraft, *, now: datetime, known: Sequence[CapacityWindow] = ()
) -> None:
    """Refuse a draft that breaks a rule; windows in `known` may have begun already.

    Raises:
        Missing, TextTooLong, ProductNotTraded, ListingExceedsPool, TooMany, PricesNotRising,
        StepsDoNotAddUp, WindowBackwards, WindowInPast, WindowTooFar, WindowsOverlap,
        WindowExceedsListing, and the refusals of single numbers; each with its field.
    """
    product = draft.pool.product
    if not product.active:
        raise ProductNotTraded(field="pool")
    check_text(draft.name, field="name", max_length=100, required=True)
    check_text(draft.name_en, field="name_en", max_length=120)
    check_text(draft.note, field="note", max_length=300)
    check_quantity(draft.quantity, product=product, field="quantity")
    if draft.quantity > draft.pool.unit_count:
        raise ListingExceedsPool(field="quantity", units=draft.pool.unit_count)
    longest = Decimal(_LONGEST_RUN_HOURS)
    check_range(Decimal(draft.min_run_hours), least=Decimal(1), most=longest, field="min_run_hours")
    _check_curve(draft, product)
    _check_calendar(draft, product, now, known)


def _check_curve(draft: ListingDraft, product: Product) -> None:
    if not draft.price_steps:
        raise Missing(field="price_steps")
    if len(draft.price_steps) > MAX_STEPS:
        raise TooMany(field="price_steps", most=MAX_STEPS)
    latest = None
    for quantity, price in draft.price_steps:
        check_quantity(quantity, product=product, field="price_steps")
        check_price(price, product=product, field="price_steps")
        if latest is not None and price <= latest:
            raise PricesNotRising(field="price_steps")
        latest = price
    total = sum((quantity for quantity, _ in draft.price_steps), Decimal(0))
    if total != draft.quantity:
        raise StepsDoNotAddUp(field="price_steps", steps=total, quantity=draft.quantity)


def _check_calendar(
    draft: ListingDraft, product: Product, now: datetime, known: Sequence[CapacityWindow]
) -> None:
    if not draft.windows and draft.activate:
        raise Missing(field="windows")
    if len(draft.windows) > MAX_WINDOWS:
        raise TooMany(field="windows", most=MAX_WINDOWS)
    begun = {window.starts_at for window in known}
    for window in draft.windows:
        _check_window(window, draft, product, now, begun)
    if first_overlap(draft.windows) is not None:
        raise WindowsOverlap(field="windows")


def _check_window(
    window: CapacityWindow,
    draft: ListingDraft,
    product: Product,
    now: datetime,
    begun: set[datetime],
) -> None:
    check_instant(window.starts_at, field="windows")
    check_instant(window.ends_at, field="windows")
    if window.ends_at <= window.starts_at:
        raise WindowBackwards(field="windows")
    if window.starts_at < running_slot(now) and window.starts_at not in begun:
        raise WindowInPast(field="windows")
    if window.ends_at > now + HORIZON:
        raise WindowTooFar(field="windows", days=HORIZON.days)
    check_quantity(window.quantity, product=product, field="windows")
    if window.quantity > draft.quantity:
        raise WindowExceedsListing(field="windows", quantity=draft.quantity)


def running_slot(now: datetime) -> datetime:
    """Return the start of the quarter of an hour that is running."""
    length = timedelta(minutes=SLOT_MINUTES)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (now - epoch) // length * length
