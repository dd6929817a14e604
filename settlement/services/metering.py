"""Meter readings: units delivered, averaged over an interval of a delivery.

A correction is the next revision of the very same interval. Readings are taken from the hand-over
until the delivery is settled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils.dateparse import parse_datetime

from marketplace.domain.decimals import DecimalRefused, parse_decimal
from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.tables import ImportRefused, Row, RowError, read_upload
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import (
    LARGEST_QUANTITY,
    Missing,
    NotANumber,
    OutOfRange,
    TimeWithoutZone,
    check_instant,
)
from settlement.models import Delivery, DeliveryState, MeterReading, ReadingQuality

REQUIRED_COLUMNS = ("delivery", "starts_at", "ends_at", "quantity")
OPTIONAL_COLUMNS = ("energy_wh",)
COLUMN_ALIASES = {
    "成交确认单号": "delivery",
    "开始": "starts_at",
    "结束": "ends_at",
    "数量": "quantity",
    "电量Wh": "energy_wh",
}
_METERED_STATES = {DeliveryState.HANDED_OVER, DeliveryState.ACCEPTED, DeliveryState.COMPLETED}
_PLACES = Decimal("0.001")


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


@dataclass(frozen=True)
class ReadingDraft:
    """A reading before it is stored.

    Attributes:
        delivery: public id, or number of the confirmation (CJ-…).
        starts_at: first instant, on the grid of 15 minutes.
        ends_at: first instant after it.
        quantity: units delivered, averaged over the interval, at most 3 decimals.
        energy_wh: IT energy of the interval if it was metered, whole watt-hours.
    """

    delivery: str
    starts_at: datetime
    ends_at: datetime
    quantity: Decimal
    energy_wh: int | None = None


def record_reading(
    *,
    actor: Actor,
    delivery_public_id: UUID | str,
    starts_at: datetime,
    ends_at: datetime,
    quantity: Decimal,
    source: str = "form",
    energy_wh: int | None = None,
) -> MeterReading:
    """Store one reading of one's own delivery; the same interval again is a correction.

    Raises:
        NotPermitted, NotFound: the actor is neither the supplier nor the operator.
        RuleBroken: one of the rules above, with the field.
    """
    draft = ReadingDraft(str(delivery_public_id), starts_at, ends_at, quantity, energy_wh)
    return record_readings(actor=actor, drafts=[draft], source=source)[0]


@transaction.atomic
def record_readings(
    *, actor: Actor, drafts: Sequence[ReadingDraft], source: str
) -> list[MeterReading]:
    """Store readings, all of them or, at the first that is refused, none.

    Locks the deliveries in id order, so that settlement waits for readings under way.

    Raises:
        NotPermitted, NotFound: the actor is neither the supplier nor the operator.
        RuleBroken: one of the rules above, with the field.
    """
    deliveries = _locked_deliveries(actor, {draft.delivery for draft in drafts})
    batch = _Batch.begin(actor, deliveries, source)
    return _insert([batch.reading_of(draft) for draft in drafts])


def import_readings(*, actor: Actor, data: bytes) -> list[MeterReading]:
    """Store every reading of a CSV file, or none.

    Columns: delivery (confirmation number or id), starts_at, ends_at (with offset), quantity and,
    if metered, energy_wh.

    Raises:
        NotPermitted: the actor is neither a supplier nor the operator.
        ImportRefused: with file line, column and reason of every error.
    """
    _require_meter_reader(actor)
    rows = read_upload(
        data, required=REQUIRED_COLUMNS, optional=OPTIONAL_COLUMNS, aliases=COLUMN_ALIASES
    )
    with transaction.atomic():
        names = {row.cells["delivery"] for row in rows}
        deliveries = _locked_deliveries(actor, names, partial=True)
        stored = _import(rows, _Batch.begin(actor, deliveries, "import"))
        record_audit(
            action="readings.imported",
            subject=stored[0].delivery,
            actor=actor.user,
            organisation=actor.organisation,
            after={"readings": len(stored)},
        )
    return stored


@dataclass
class _Batch:
    """Readings on their way in: the locked deliveries and the newest revision of every interval."""

    actor: Actor
    source: str
    deliveries: dict[str, Delivery]
    revisions: dict[tuple[int, datetime, datetime], int]
    now: datetime
    seen: set[tuple[int, datetime, datetime]]

    @classmethod
    def begin(cls, actor: Actor, deliveries: dict[str, Delivery], source: str) -> "_Batch":
        stored = (
            MeterReading.objects.filter(delivery__in={d.pk for d in deliveries.values()})
            .values_list("delivery_id", "starts_at", "ends_at")
            .annotate(newest=Max("revision"))
            .order_by()
        )
        revisions = {(row[0], row[1], row[2]): row[3] for row in stored}
        return cls(actor, source[:20], deliveries, revisions, market_now(), set())

    def reading_of(self, draft: ReadingDraft) -> MeterReading:
        """Return the checked reading, not stored yet; raises the rules above."""
        delivery = self.deliveries.get(draft.delivery)
        if delivery is None:
            raise NotFound(field="delivery")
        _check(draft, delivery, self.now)
        interval = (delivery.pk, draft.starts_at, draft.ends_at)
        if interval in self.seen:
            raise IntervalOverlaps(field="starts_at")
        self.seen.add(interval)
        newest = self.revisions.get(interval, 0)
        return MeterReading(
            delivery=delivery,
            starts_at=draft.starts_at,
            ends_at=draft.ends_at,
            revision=newest + 1,
            quantity=draft.quantity,
            quality=ReadingQuality.CORRECTED if newest else ReadingQuality.MEASURED,
            source=self.source,
            energy_wh=draft.energy_wh,
            recorded_by=self.actor.user,
        )


def _insert(readings: Sequence[MeterReading]) -> list[MeterReading]:
    try:
        with transaction.atomic():
            return MeterReading.objects.bulk_create(readings, batch_size=1000)
    except IntegrityError as error:
        raise IntervalOverlaps(field="starts_at") from error


def _import(rows: Sequence[Row], batch: _Batch) -> list[MeterReading]:
    readings: list[tuple[int, MeterReading]] = []
    errors: list[RowError] = []
    for row in rows:
        try:
            readings.append((row.line, batch.reading_of(_draft_from(row))))
        except RuleBroken as error:
            errors.append(RowError.of(row.line, error))
    if errors:
        raise ImportRefused(errors)
    try:
        return _insert([reading for _, reading in readings])
    except IntervalOverlaps as error:
        raise ImportRefused(_overlaps(readings)) from error


def _overlaps(readings: Sequence[tuple[int, MeterReading]]) -> list[RowError]:
    """Find the lines that overlap, one by one; the caller's transaction is rolled back anyway."""
    errors = []
    for line, reading in readings:
        try:
            _insert([reading])
        except IntervalOverlaps as error:
            errors.append(RowError.of(line, error))
    return errors


def _require_meter_reader(actor: Actor) -> None:
    if not (actor.can_sell or actor.is_operator):
        raise NotPermitted


def _locked_deliveries(
    actor: Actor, names: set[str], *, partial: bool = False
) -> dict[str, Delivery]:
    """Return one's deliveries by public id and by confirmation number."""
    _require_meter_reader(actor)
    own = Q() if actor.is_operator else Q(allocation__seller=actor.organisation)
    ids = [name for name in names if _is_uuid(name)]
    rows = (
        Delivery.objects.select_for_update(no_key=True, of=("self",))
        .select_related("allocation")
        .filter(own, Q(public_id__in=ids) | Q(allocation__number__in=names))
        .order_by("pk")
    )
    found = {key: d for d in rows for key in (str(d.public_id), d.allocation.number)}
    if not partial and not names <= found.keys():
        raise NotFound(field="delivery")
    return found


def _check(draft: ReadingDraft, delivery: Delivery, now: datetime) -> None:
    if delivery.state not in _METERED_STATES:
        raise DeliveryTakesNoReadings(field="delivery", state=delivery.state)
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


def _draft_from(row: Row) -> ReadingDraft:
    energy = row.cells.get("energy_wh", "")
    return ReadingDraft(
        delivery=row.cells["delivery"],
        starts_at=_instant(row, "starts_at"),
        ends_at=_instant(row, "ends_at"),
        quantity=_number(row, "quantity", places=3),
        energy_wh=int(_number(row, "energy_wh", places=0)) if energy else None,
    )


def _instant(row: Row, column: str) -> datetime:
    text = row.cells[column]
    if not text:
        raise Missing(field=column)
    try:
        instant = parse_datetime(text)
    except ValueError:
        instant = None
    if instant is None:
        raise InstantRefused(field=column)
    if instant.tzinfo is None:
        raise TimeWithoutZone(field=column)
    return instant.astimezone(UTC)


def _number(row: Row, column: str, *, places: int) -> Decimal:
    try:
        return parse_decimal(row.cells[column], places=places)
    except DecimalRefused as error:
        raise NumberRefused(field=column, places=places) from error


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
