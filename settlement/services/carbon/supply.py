"""Hourly green supply: sources with evidence, and hours taken whole or not at all."""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import ResourcePool
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from settlement.domain.carbon.supply import (
    SECONDS,
    StorageFault,
    SupplyKind,
    find_storage_fault,
)
from settlement.models import GranularSlice, GreenSource, SourceKind, SupplyReading
from settlement.selectors.carbon.supply import source_hours, sources_for
from settlement.services.locks import lock_carbon

COLUMNS = ("source", "hour", "reading", "energy_wh", "charge_wh")
HOUR = timedelta(hours=1)
YEARS = range(2000, 2200)  # a date far off is a slip of the pen
MOST_ROWS = 100_000
_MOST_DIGITS = 12


class SupplyRefused(RuleBroken):
    """An hour cannot be taken; nothing of the file was."""

    code = "green_supply_refused"
    message = gettext_noop("Line %(line)s of the hourly supply cannot be taken.")


class SourceRefused(RuleBroken):
    """A source cannot be registered like this."""

    code = "green_source_refused"
    message = gettext_noop("The source cannot be registered like this.")


@dataclass(frozen=True)
class SupplyRow:
    """One hour of one source as it was handed in; the line is that of the file."""

    line: int
    source: str
    hour: datetime
    reading: str
    energy_wh: int
    charge_wh: int = 0


@transaction.atomic
def register_source(
    *,
    actor: Actor,
    pool: str,
    kind: str,
    name: str,
    capacity_w: int,
    valid_from: date,
    evidence: str,
    valid_to: date | None = None,
    name_en: str = "",
) -> GreenSource:
    """Register a source of one of the supplier's data centres; it gets a code of its own.

    Args:
        actor: somebody who sells for the data centre's supplier.
        pool: identifier of the data centre.
        kind: a `SourceKind`.
        name: how it is called.
        capacity_w: the most it gives, watts; no hour holds more.
        valid_from: first day, market time.
        evidence: contract, grid connection or metering point that proves it.
        valid_to: last day, or None.
        name_en: English name.

    Raises:
        NotFound: the data centre is none of the actor's.
        SourceRefused: a figure or the evidence is missing or makes no sense.
    """
    found = _own_pool(actor, pool)
    reason = _source_fault(kind, name, capacity_w, valid_from, valid_to, evidence)
    if reason:
        raise SourceRefused(field=reason)
    lock_carbon(found.organisation_id)
    number = GreenSource.objects.filter(pool=found).count() + 1
    made = GreenSource.objects.create(
        code=f"{found.identifier[2:6]}{found.pk:05}-{number:02}",
        pool=found,
        kind=kind,
        name=name.strip(),
        name_en=name_en.strip(),
        capacity_w=capacity_w,
        valid_from=valid_from,
        valid_to=valid_to,
        evidence=evidence.strip(),
        recorded_by=actor.user,
    )
    record_audit(
        action="green_source.registered",
        subject=made,
        actor=actor.user,
        organisation=found.organisation,
        after={"code": made.code, "kind": kind, "capacity_w": capacity_w},
    )
    return made


def parse_supply_file(text: str) -> list[SupplyRow]:
    """Read a file of hours; the whole of it is refused at its first bad line.

    Raises:
        SupplyRefused: with the number of the line and what is wrong there.
    """
    reader = _cells(text)
    header = next(reader, [])
    if tuple(header) != COLUMNS:
        raise SupplyRefused(line=1, reason="columns", columns=",".join(COLUMNS))
    rows = []
    for number, cells in enumerate(reader, start=2):
        if number - 1 > MOST_ROWS:
            raise SupplyRefused(line=number, reason="too_many")
        rows.append(_parse_row(number, cells))
    return rows


@transaction.atomic
def record_supply(*, actor: Actor, rows: Sequence[SupplyRow]) -> int:
    """Store hours of the actor's own sources; return how many were new or changed.

    An hour that is known with the same figures is left alone, so that the same file again changes
    nothing; other figures are its next revision. Statements issued before keep what they read.

    Raises:
        SupplyRefused: a line names an unknown source, lies outside it, is doubled, exceeds the
            capacity, or storage would count energy twice.
    """
    codes = {row.source for row in rows}
    sources = {source.code: source for source in sources_for(actor).filter(code__in=codes)}
    if not (actor.can_sell and actor.organisation is not None):
        sources = {}
    _check_rows(rows, sources)
    if not rows:
        return 0
    for organisation_id in sorted({source.pool.organisation_id for source in sources.values()}):
        lock_carbon(organisation_id)
    made = _changed(rows, sources, actor)
    GranularSlice.objects.bulk_create(made, batch_size=2000)
    _check_storage(rows, sources)
    for source in sources.values():
        count = sum(each.source_id == source.pk for each in made)
        if count:
            record_audit(
                action="green_supply.recorded",
                subject=source,
                actor=actor.user,
                organisation=source.pool.organisation,
                after={"hours": count},
            )
    return len(made)


def _own_pool(actor: Actor, identifier: str) -> ResourcePool:
    if actor.organisation is None or not actor.can_sell:
        raise NotFound
    rows = ResourcePool.objects.filter(identifier=identifier, organisation=actor.organisation)
    found = rows.select_related("organisation").first()
    if found is None:
        raise NotFound
    return found


def _source_fault(
    kind: str,
    name: str,
    capacity_w: int,
    valid_from: date,
    valid_to: date | None,
    evidence: str,
) -> str:
    """Return the field that is wrong, or nothing."""
    tests = {
        "kind": kind in SourceKind.values,
        "name": bool(name.strip()) and len(name) <= 100,
        "capacity_w": 0 < capacity_w <= 100_000_000_000,
        "valid_from": valid_from.year in YEARS,
        "valid_to": valid_to is None or (valid_to >= valid_from and valid_to.year in YEARS),
        "evidence": bool(evidence.strip()) and len(evidence) <= 200,
    }
    return next((field for field, is_good in tests.items() if not is_good), "")


def _cells(text: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        yield from reader
    except csv.Error:
        raise SupplyRefused(line=reader.line_num, reason="cells") from None


def _parse_row(number: int, cells: Sequence[str]) -> SupplyRow:
    if len(cells) != len(COLUMNS):
        raise SupplyRefused(line=number, reason="cells")
    source, at, reading, energy, charge = (cell.strip() for cell in cells)
    try:
        hour = datetime.fromisoformat(at)
    except ValueError:
        raise SupplyRefused(line=number, reason="time") from None
    energy_wh = _whole(number, energy)
    return SupplyRow(number, source, hour, reading, energy_wh, _whole(number, charge or "0"))


def _whole(number: int, text: str) -> int:
    if text.startswith("-") and text[1:].isascii() and text[1:].isdigit():
        raise SupplyRefused(line=number, reason="negative")
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        raise SupplyRefused(line=number, reason="not_a_number")
    return int(text)


def _check_rows(rows: Sequence[SupplyRow], sources: Mapping[str, GreenSource]) -> None:
    now = market_now()
    seen: set[tuple[str, datetime, str]] = set()
    for row in rows:
        reason = _fault(row, sources.get(row.source), now)
        key = (row.source, row.hour, row.reading)
        if not reason and key in seen:
            reason = "overlap"
        if reason:
            raise SupplyRefused(line=row.line, reason=reason)
        seen.add(key)


def _fault(row: SupplyRow, source: GreenSource | None, now: datetime) -> str:
    """Return what is wrong with one hour on its own, or nothing."""
    if source is None:
        return "unknown_source"
    if row.hour.tzinfo is None or row.hour.year not in YEARS:
        return "time"
    if row.hour.timestamp() % SECONDS:
        return "not_an_hour"
    if row.reading not in SupplyReading.values:
        return "reading"
    if min(row.energy_wh, row.charge_wh) < 0:
        return "negative"
    return _outside(row, source, now)


def _outside(row: SupplyRow, source: GreenSource, now: datetime) -> str:
    if max(row.energy_wh, row.charge_wh) > source.capacity_w:
        return "above_capacity"
    if row.charge_wh and source.kind != SourceKind.STORAGE:
        return "charge_of_generator"
    day = market_date(row.hour)
    if day < source.valid_from or (source.valid_to is not None and day > source.valid_to):
        return "outside"
    if row.reading == SupplyReading.METERED and row.hour + HOUR > now:
        return "not_over"
    return ""


def _changed(
    rows: Sequence[SupplyRow], sources: Mapping[str, GreenSource], actor: Actor
) -> list[GranularSlice]:
    """Return the hours that differ from what is known, as next revisions."""
    known = _known(rows, sources.values())
    made = []
    for row in rows:
        source = sources[row.source]
        last = known.get((source.pk, row.hour.astimezone(UTC), row.reading))
        if last is not None and last[1:] == (row.energy_wh, row.charge_wh):
            continue
        made.append(
            GranularSlice(
                source=source,
                starts_at=row.hour,
                energy_wh=row.energy_wh,
                charge_wh=row.charge_wh,
                reading=row.reading,
                revision=1 if last is None else last[0] + 1,
                recorded_by=actor.user,
            )
        )
    return made


def _known(
    rows: Sequence[SupplyRow], sources: Collection[GreenSource]
) -> dict[tuple[int, datetime, str], tuple[int, int, int]]:
    """Return revision, energy and charge of the newest rows in the span that was handed in."""
    hours = [row.hour for row in rows]
    found = (
        GranularSlice.objects.filter(
            batch__isnull=True,
            source__in=sources,
            starts_at__gte=min(hours),
            starts_at__lte=max(hours),
        )
        .order_by("source_id", "starts_at", "reading", "-revision")
        .distinct("source_id", "starts_at", "reading")
        .values_list("source_id", "starts_at", "reading", "revision", "energy_wh", "charge_wh")
    )
    return {
        (key, at, reading): (revision, energy_wh, charge_wh)
        for key, at, reading, revision, energy_wh, charge_wh in found
    }


def _check_storage(rows: Sequence[SupplyRow], sources: Mapping[str, GreenSource]) -> None:
    """Refuse hours after which a data centre's storages would count energy twice."""
    pools = {source.pool_id for source in sources.values()}
    with_storage = set(
        GreenSource.objects.filter(pool__in=pools, kind=SupplyKind.STORAGE).values_list(
            "pool_id", flat=True
        )
    )
    given: dict[tuple[str, int], list[SupplyRow]] = {}
    for row in rows:
        pool_id = sources[row.source].pool_id
        if pool_id in with_storage:
            given.setdefault((row.reading, pool_id), []).append(row)
    for reading in sorted({reading for reading, _pool in given}):
        of_pools = {pool_id: part for (each, pool_id), part in given.items() if each == reading}
        is_metered = reading == SupplyReading.METERED
        hours = source_hours(
            pools=of_pools,
            starts_at=datetime(YEARS.start - 1, 1, 1, tzinfo=UTC),
            ends_at=datetime(YEARS.stop + 1, 1, 1, tzinfo=UTC),
            # An expected charge may draw on what was metered before it.
            readings=[SupplyReading.METERED] if is_metered else list(SupplyReading),
        )
        for pool_id, part in sorted(of_pools.items()):
            counts = _since_the_first(part) if is_metered else _of_the_same_hours(part)
            fault = find_storage_fault(hours[pool_id], counts=counts)
            if fault is not None:
                raise SupplyRefused(line=_line_of(part, fault.hour), reason=fault.reason)


def _since_the_first(rows: Sequence[SupplyRow]) -> Callable[[StorageFault], bool]:
    """Metered hours may make a fault in any later one; earlier ones are as they were."""
    first = min(row.hour for row in rows).timestamp()
    return lambda fault: fault.hour >= first


def _of_the_same_hours(rows: Sequence[SupplyRow]) -> Callable[[StorageFault], bool]:
    """Expected hours count alone: what was metered since may differ from earlier forecasts."""
    given = {(code, int(row.hour.timestamp())) for row in rows for code in ("", row.source)}
    return lambda fault: (fault.source, fault.hour) in given


def _line_of(rows: Sequence[SupplyRow], hour: int) -> int:
    """Return the line of the hour, or the last line before it: that is what made the fault."""
    before = [row for row in rows if row.hour.timestamp() <= hour]
    return max(before, key=lambda row: (row.hour, row.line)).line
