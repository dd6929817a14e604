"""Meter readings: units delivered, averaged over an interval of a delivery.

A correction is the next revision of the very same interval. Readings are taken from the hand-over
on; after settlement they need a reason, are marked as late and are settled by difference, for as
many days as the metering rules allow. The counter of a meter never goes back but at a reset that
the operator has approved. A batch may carry the supplier's signature (`meter_keys`).
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
from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken
from marketplace.domain.tables import ImportRefused, Row, RowError, read_upload
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import (
    Missing,
    TimeWithoutZone,
)
from settlement.models import Delivery, MeterReading, ReadingQuality
from settlement.services.counters import check_counters, counter_errors
from settlement.services.meter_keys import BatchEnvelope, store_batch
from settlement.services.metering_rules import (
    DeliveryTakesNoReadings,
    InstantRefused,
    IntervalEmpty,
    IntervalOverlaps,
    NumberRefused,
    ReadingDraft,
    ReadingInFuture,
    ReadingOutsideDelivery,
    ReadingTooPrecise,
    check_reading,
    is_after_settlement,
)

__all__ = [
    "DeliveryTakesNoReadings",
    "IntervalEmpty",
    "IntervalOverlaps",
    "ReadingDraft",
    "ReadingInFuture",
    "ReadingOutsideDelivery",
    "ReadingTooPrecise",
    "import_readings",
    "record_reading",
    "record_readings",
]

REQUIRED_COLUMNS = ("delivery", "starts_at", "ends_at", "quantity")
OPTIONAL_COLUMNS = ("energy_wh", "counter", "reason")
COLUMN_ALIASES = {
    "成交确认单号": "delivery",
    "开始": "starts_at",
    "结束": "ends_at",
    "数量": "quantity",
    "电量Wh": "energy_wh",
    "表计读数": "counter",
    "原因": "reason",
}


def record_reading(
    *,
    actor: Actor,
    delivery_public_id: UUID | str,
    starts_at: datetime,
    ends_at: datetime,
    quantity: Decimal,
    source: str = "form",
    energy_wh: int | None = None,
    counter: Decimal | None = None,
    reason: str = "",
) -> MeterReading:
    """Store one reading of one's own delivery; the same interval again is a correction.

    Raises:
        NotPermitted, NotFound: the actor is neither the supplier nor the operator.
        RuleBroken: one of the rules above, with the field.
    """
    draft = ReadingDraft(
        str(delivery_public_id), starts_at, ends_at, quantity, energy_wh, counter, reason
    )
    return record_readings(actor=actor, drafts=[draft], source=source)[0]


@transaction.atomic
def record_readings(
    *,
    actor: Actor,
    drafts: Sequence[ReadingDraft],
    source: str,
    envelope: BatchEnvelope | None = None,
) -> list[MeterReading]:
    """Store readings, all of them or, at the first that is refused, none.

    Locks the deliveries in id order, so that settlement waits for readings under way.

    Args:
        actor: the supplier, or the operator.
        drafts: the readings.
        source: where they came from.
        envelope: what was sent, with its signature if it has one.

    Raises:
        SignatureWrong: nothing of a wrongly signed batch is stored.
        NotPermitted, NotFound: the actor is neither the supplier nor the operator.
        RuleBroken: one of the rules above, with the field.
    """
    deliveries = _locked_deliveries(actor, {draft.delivery for draft in drafts})
    batch = _Batch.begin(actor, deliveries, source)
    readings = [batch.reading_of(draft) for draft in drafts]
    check_counters(readings)
    if envelope is not None:
        stored = store_batch(actor=actor, source=source, envelope=envelope, count=len(readings))
        for reading in readings:
            reading.batch = stored
    return _insert(readings)


def import_readings(
    *, actor: Actor, data: bytes, key_fingerprint: str = "", signature: str = ""
) -> list[MeterReading]:
    """Store every reading of a CSV file, or none.

    Columns: delivery (confirmation number or id), starts_at, ends_at (with offset), quantity and,
    if metered, energy_wh and counter; reason, which is needed after settlement. A signature is over
    the bytes of the file.

    Raises:
        NotPermitted: the actor is neither a supplier nor the operator.
        ImportRefused: with file line, column and reason of every error.
        SignatureWrong: nothing of a wrongly signed file is stored.
    """
    _require_meter_reader(actor)
    rows = read_upload(
        data, required=REQUIRED_COLUMNS, optional=OPTIONAL_COLUMNS, aliases=COLUMN_ALIASES
    )
    with transaction.atomic():
        names = {row.cells["delivery"] for row in rows}
        deliveries = _locked_deliveries(actor, names, partial=True)
        batch = _Batch.begin(actor, deliveries, "import")
        batch.envelope = BatchEnvelope(data, key_fingerprint, signature)
        stored = _import(rows, batch)
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
    envelope: BatchEnvelope | None = None

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
        check_reading(draft, delivery, self.now)
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
            counter=draft.counter,
            reason=draft.reason.strip(),
            is_late=is_after_settlement(delivery),
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
    errors += counter_errors(readings)
    if errors:
        raise ImportRefused(errors)
    if batch.envelope is not None:
        stored = store_batch(
            actor=batch.actor, source=batch.source, envelope=batch.envelope, count=len(readings)
        )
        for _, reading in readings:
            reading.batch = stored
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


def _draft_from(row: Row) -> ReadingDraft:
    energy, counter = row.cells.get("energy_wh", ""), row.cells.get("counter", "")
    return ReadingDraft(
        delivery=row.cells["delivery"],
        starts_at=_instant(row, "starts_at"),
        ends_at=_instant(row, "ends_at"),
        quantity=_number(row, "quantity", places=3),
        energy_wh=int(_number(row, "energy_wh", places=0)) if energy else None,
        counter=_number(row, "counter", places=3) if counter else None,
        reason=row.cells.get("reason", ""),
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
