"""Factor sets: shipped with the software or entered, decided by a second person, never changed."""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from marketplace.domain.decimals import DecimalRefused, parse_decimal
from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.reference import load_table
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_transition
from marketplace.services.two_person import SecondPersonNeeded
from settlement.models import (
    FACTOR_SET_TRANSITIONS,
    FactorLevel,
    FactorOrigin,
    FactorSet,
    FactorSetState,
    FactorValue,
)
from settlement.services.carbon.inputs import PinnedFactors

AVERAGE = "average"
RESIDUAL = "average_excl_market_traded_non_fossil"
NATION = "National"
COLUMNS = ("level", "area_en", "area_zh", "basis", "kg_per_kwh")
# The days of the two older announcements are not in the sources of the table.
_PUBLISHED = {2023: date(2025, 12, 31)}
_ANNOUNCEMENT = re.compile(r"^(.*?) \(")


class FactorFileRefused(RuleBroken):
    """A line of the file cannot be taken; nothing of it was."""

    code = "factor_file_refused"
    message = gettext_noop("Line %(line)s of the factor file cannot be taken.")


class FactorsMissing(RuleBroken):
    """No approved factor set was published for the month."""

    code = "factors_missing"
    message = gettext_noop("There is no approved factor set for this month.")
    status = 409


@dataclass(frozen=True, order=True)
class FactorRow:
    """One factor of a set, kgCO2/kWh."""

    level: str
    area_en: str
    basis: str
    area_zh: str
    kg_per_kwh: Decimal


def load_factor_sets() -> int:
    """Bring in the sets that ship with the software; return how many sets there are.

    A shipped set whose rows changed becomes a further version; statements keep the one they pinned.
    """
    tables: dict[int, list[FactorRow]] = {}
    sources: dict[int, str] = {}
    for row in load_table("grid_emission_factors"):
        year = int(row["year"])
        national = row["level"] == FactorLevel.NATIONAL
        area = NATION if national else row["area_en"]
        tables.setdefault(year, []).append(
            FactorRow(
                level=row["level"],
                area_en=area,
                basis=row["basis"],
                area_zh=row["area_zh"],
                kg_per_kwh=Decimal(row["factor_kg_per_kwh"]),
            )
        )
        match = _ANNOUNCEMENT.match(row["source"])
        sources.setdefault(year, match[1] if match else row["source"])
    for year, rows in sorted(tables.items()):
        _ship(year, sources[year], rows)
    return FactorSet.objects.count()


@transaction.atomic
def _ship(year: int, announcement: str, rows: list[FactorRow]) -> None:
    shipped = FactorSet.objects.filter(year=year, origin=FactorOrigin.SHIPPED)
    if shipped.filter(sha256=_hash(rows)).exists():
        return
    found = _store(
        year=year,
        announcement=announcement,
        published_on=_PUBLISHED.get(year),
        rows=rows,
        origin=FactorOrigin.SHIPPED,
        proposed_by_id=None,
        reason="",
    )
    found.state = FactorSetState.APPROVED
    found.decided_at = timezone.now()
    found.save(update_fields=["state", "decided_at"])


def parse_factor_file(text: str) -> list[FactorRow]:
    """Read a factor file; the whole of it is refused at its first bad line.

    Raises:
        FactorFileRefused: with the number of the line and what is wrong there.
    """
    rows: list[FactorRow] = []
    seen: set[tuple[str, str, str]] = set()
    for number, cells in enumerate(_cells(text), start=1):
        if number == 1:
            if tuple(cells) != COLUMNS:
                raise FactorFileRefused(line=1, reason="columns", columns=",".join(COLUMNS))
            continue
        row = _parse_row(number, cells)
        key = (row.level, row.area_en, row.basis)
        if key in seen:
            raise FactorFileRefused(line=number, reason="duplicate")
        seen.add(key)
        rows.append(row)
    for basis in (AVERAGE, RESIDUAL):
        if (FactorLevel.NATIONAL.value, NATION, basis) not in seen:
            raise FactorFileRefused(line=len(rows) + 1, reason="national_missing", basis=basis)
    return rows


def _cells(text: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        yield from reader
    except csv.Error:
        raise FactorFileRefused(line=reader.line_num, reason="cells") from None


def _parse_row(number: int, cells: Sequence[str]) -> FactorRow:
    if len(cells) != len(COLUMNS) or not all(cells):
        raise FactorFileRefused(line=number, reason="cells")
    level, area_en, area_zh, basis, value = cells
    if level not in FactorLevel.values or max(map(len, (area_en, basis))) > 40:
        raise FactorFileRefused(line=number, reason="level")
    if len(area_zh) > 20:
        raise FactorFileRefused(line=number, reason="area")
    try:
        factor = parse_decimal(value, max_digits=1, places=4)
    except DecimalRefused as refused:
        raise FactorFileRefused(line=number, reason=refused.code) from refused
    return FactorRow(level, area_en, basis, area_zh, factor)


@transaction.atomic
def propose_factor_set(
    *,
    actor: Actor,
    year: int,
    announcement: str,
    published_on: date,
    rows: Sequence[FactorRow],
    reason: str,
) -> FactorSet:
    """Enter a set for another operator to decide.

    Raises:
        NotPermitted: the actor does not run the market.
    """
    if not actor.is_operator:
        raise NotPermitted
    found = _store(
        year=year,
        announcement=announcement,
        published_on=published_on,
        rows=rows,
        origin=FactorOrigin.ENTERED,
        proposed_by_id=actor.user.pk,
        reason=reason,
    )
    record_audit(
        action="factor_set.proposed",
        subject=found,
        actor=actor.user,
        organisation=actor.organisation,
        after={"year": year, "version": found.version, "sha256": found.sha256},
        reason=reason,
    )
    return found


@transaction.atomic
def decide_factor_set(*, actor: Actor, public_id: UUID, approve: bool) -> FactorSet:
    """Approve or refuse a set that somebody else proposed.

    Raises:
        NotFound: there is no such set.
        NotPermitted: the actor does not run the market.
        SecondPersonNeeded: the actor proposed it.
        StateForbids: it is decided already.
    """
    if not actor.is_operator:
        raise NotPermitted
    found = FactorSet.objects.select_for_update().filter(public_id=public_id).first()
    if found is None:
        raise NotFound
    if found.proposed_by_id == actor.user.pk:
        raise SecondPersonNeeded
    target = FactorSetState.APPROVED if approve else FactorSetState.REFUSED
    found.state = check_transition(FACTOR_SET_TRANSITIONS, found.state, target)
    found.decided_by, found.decided_at = actor.user, timezone.now()
    found.save(update_fields=["state", "decided_by", "decided_at"])
    record_audit(
        action=f"factor_set.{found.state}",
        subject=found,
        actor=actor.user,
        organisation=actor.organisation,
        after={"year": found.year, "version": found.version, "state": found.state},
    )
    return found


def pin_factors(month: date) -> PinnedFactors:
    """Return the factors for a month: the newest year published so far, its newest version.

    Raises:
        FactorsMissing: no set is approved, or it lacks the national figures.
    """
    approved = FactorSet.objects.filter(state=FactorSetState.APPROVED, year__lte=month.year)
    found = approved.order_by("-year", "-version").first()
    if found is None:
        raise FactorsMissing
    values = found.values.values_list("level", "area_en", "basis", "kg_per_kwh")
    table = {(level, area, basis): int(factor.scaleb(4)) for level, area, basis, factor in values}
    nation = table.get((FactorLevel.NATIONAL.value, NATION, AVERAGE))
    residual = table.get((FactorLevel.NATIONAL.value, NATION, RESIDUAL))
    if nation is None or residual is None:
        raise FactorsMissing
    return PinnedFactors(
        factor_set_id=found.pk,
        year=found.year,
        version=found.version,
        announcement=found.announcement,
        published_on=found.published_on,
        sha256=found.sha256,
        nation_e4=nation,
        residual_e4=residual,
        by_province={
            area: factor
            for (level, area, basis), factor in table.items()
            if level == FactorLevel.PROVINCE and basis == AVERAGE
        },
    )


def _store(
    *,
    year: int,
    announcement: str,
    published_on: date | None,
    rows: Sequence[FactorRow],
    origin: FactorOrigin,
    proposed_by_id: int | None,
    reason: str,
) -> FactorSet:
    newest = FactorSet.objects.filter(year=year).aggregate(newest=Max("version"))["newest"] or 0
    found = FactorSet.objects.create(
        year=year,
        version=newest + 1,
        announcement=announcement,
        published_on=published_on,
        origin=origin,
        sha256=_hash(rows),
        reason=reason,
        proposed_by_id=proposed_by_id,
    )
    FactorValue.objects.bulk_create(
        FactorValue(
            factor_set=found,
            level=row.level,
            area_en=row.area_en,
            area_zh=row.area_zh,
            basis=row.basis,
            kg_per_kwh=row.kg_per_kwh,
        )
        for row in rows
    )
    return found


def _hash(rows: Iterable[FactorRow]) -> str:
    text = "\n".join(
        f"{row.level},{row.area_en},{row.basis},{row.kg_per_kwh:.4f}" for row in sorted(rows)
    )
    return hashlib.sha256(text.encode()).hexdigest()
