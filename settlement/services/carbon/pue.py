"""Metered PUE of hubs and pools: files of intervals, taken whole or not at all."""

import csv
import io
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Max

from marketplace.domain.decimals import DecimalRefused, parse_decimal
from marketplace.domain.errors import NotPermitted, RuleBroken, gettext_noop
from marketplace.models import Hub, ResourcePool
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from settlement.models import PueInterval

COLUMNS = ("place", "starts_at", "ends_at", "pue")
LARGEST = Decimal(10)
YEARS = range(2000, 2200)  # a date far off is a slip of the pen


class PueFileRefused(RuleBroken):
    """A line of the file cannot be taken; nothing of it was."""

    code = "pue_file_refused"
    message = gettext_noop("Line %(line)s of the PUE file cannot be taken.")


@dataclass(frozen=True)
class PueRow:
    """A line of a PUE file: hub code or pool identifier, half-open interval, PUE."""

    line: int
    place: str
    starts_at: datetime
    ends_at: datetime
    pue: Decimal


def parse_pue_file(text: str) -> list[PueRow]:
    """Read a PUE file; the whole of it is refused at its first bad line.

    Raises:
        PueFileRefused: with the number of the line and what is wrong there.
    """
    reader = _cells(text)
    header = next(reader, [])
    if tuple(header) != COLUMNS:
        raise PueFileRefused(line=1, reason="columns", columns=",".join(COLUMNS))
    rows = [_parse_row(number, cells) for number, cells in enumerate(reader, start=2)]
    ends: dict[str, datetime] = {}
    for row in sorted(rows, key=lambda row: (row.place, row.starts_at)):
        if row.place in ends and row.starts_at < ends[row.place]:
            raise PueFileRefused(line=row.line, reason="overlap")
        ends[row.place] = row.ends_at
    return rows


@transaction.atomic
def record_pue(*, actor: Actor, rows: Sequence[PueRow], source: str) -> int:
    """Store metered PUE: hubs by the operator, pools by their own supplier; return the count.

    Intervals that were there already are corrected: the file becomes the next revision.

    Raises:
        NotPermitted: the place is not the actor's to state.
        PueFileRefused: a place is unknown, or its intervals overlap.
    """
    hubs = {hub.code: hub for hub in Hub.objects.filter(code__in={row.place for row in rows})}
    pools = {
        pool.identifier: pool
        for pool in ResourcePool.objects.filter(identifier__in={row.place for row in rows})
    }
    for row in rows:
        if row.place in hubs and not actor.is_operator:
            raise NotPermitted
        if row.place in pools and not _may_state(actor, pools[row.place]):
            raise NotPermitted
        if row.place not in hubs and row.place not in pools:
            raise PueFileRefused(line=row.line, reason="unknown_place")
    revision = _next_revision(hubs.values(), pools.values())
    made = [
        PueInterval(
            hub=hubs.get(row.place),
            pool=None if row.place in hubs else pools[row.place],
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            pue=row.pue,
            revision=revision,
            source=source[:80],
            recorded_by=actor.user,
        )
        for row in rows
    ]
    try:
        with transaction.atomic():
            PueInterval.objects.bulk_create(made, batch_size=2000)
    except IntegrityError:
        raise PueFileRefused(line=0, reason="overlap") from None
    for place in (*hubs.values(), *pools.values()):
        record_audit(
            action="pue.recorded",
            subject=place,
            actor=actor.user,
            organisation=actor.organisation,
            after={"revision": revision, "intervals": len(made), "source": source},
        )
    return len(made)


class PueSeries:
    """Metered PUE over a time, for look-ups: pool before hub before the declared figure."""

    def __init__(
        self,
        *,
        pools: Collection[int],
        hubs: Collection[int],
        starts_at: datetime,
        ends_at: datetime,
    ) -> None:
        rows = PueInterval.objects.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)
        self._by_place: dict[tuple[str, int], dict[int, list[tuple[int, int, int]]]] = {}
        for kind, ids in (("pool", pools), ("hub", hubs)):
            found = rows.filter(**{f"{kind}_id__in": ids}).order_by("starts_at")
            for place, revision, start, end, pue in found.values_list(
                f"{kind}_id", "revision", "starts_at", "ends_at", "pue"
            ):
                revisions = self._by_place.setdefault((kind, place), {})
                revisions.setdefault(revision, []).append(
                    (int(start.timestamp()), int(end.timestamp()), int(pue.scaleb(4)))
                )

    def pue_e4(self, *, pool_id: int, hub_id: int, at: int) -> int | None:
        """Return the PUE × 10,000 at an instant (seconds since 1970), or nothing."""
        if not self._by_place:
            return None
        for key in (("pool", pool_id), ("hub", hub_id)):
            revisions = self._by_place.get(key)
            if not revisions:
                continue
            for revision in sorted(revisions, reverse=True):
                found = _covering(revisions[revision], at)
                if found is not None:
                    return found
        return None


def _cells(text: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        yield from reader
    except csv.Error:
        raise PueFileRefused(line=reader.line_num, reason="cells") from None


def _covering(intervals: list[tuple[int, int, int]], at: int) -> int | None:
    index = bisect_right(intervals, at, key=lambda row: row[0]) - 1
    if index < 0 or at >= intervals[index][1]:
        return None
    return intervals[index][2]


def _may_state(actor: Actor, pool: ResourcePool) -> bool:
    return actor.is_operator or (
        actor.can_sell
        and actor.organisation is not None
        and pool.organisation_id == actor.organisation.pk
    )


def _next_revision(hubs: Collection[Hub], pools: Collection[ResourcePool]) -> int:
    newest = 0
    for lookup in ({"hub__in": list(hubs)}, {"pool__in": list(pools)}):
        found = PueInterval.objects.filter(**lookup).aggregate(newest=Max("revision"))["newest"]
        newest = max(newest, found or 0)
    return newest + 1


def _parse_row(number: int, cells: Sequence[str]) -> PueRow:
    if len(cells) != len(COLUMNS):
        raise PueFileRefused(line=number, reason="cells")
    place, starts, ends, value = cells
    try:
        starts_at, ends_at = datetime.fromisoformat(starts), datetime.fromisoformat(ends)
        pue = parse_decimal(value, max_digits=2, places=4)
    except DecimalRefused as refused:
        raise PueFileRefused(line=number, reason=refused.code) from refused
    except ValueError:
        raise PueFileRefused(line=number, reason="time") from None
    if any(at.tzinfo is None or at.year not in YEARS for at in (starts_at, ends_at)):
        raise PueFileRefused(line=number, reason="time")
    if starts_at >= ends_at:
        raise PueFileRefused(line=number, reason="time")
    if not 1 <= pue <= LARGEST:
        raise PueFileRefused(line=number, reason="out_of_range")
    return PueRow(number, place, starts_at, ends_at, pue)
