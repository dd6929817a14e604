"""The lines of a registry file: read by the registry's profile, each refusal with its code."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from django.db.backends.postgresql.psycopg_any import NumericRange

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.domain.tables import Row, RowError
from marketplace.models import Organisation, OrganisationState
from marketplace.selectors.clock import market_now
from marketplace.services.checks import Missing, check_text
from settlement.domain.carbon.certificates import last_valid_day
from settlement.domain.carbon.errors import CertificateExpired, SerialRangeOverlap
from settlement.domain.registry.serial_texts import (
    SerialForeign,
    SerialForm,
    SerialMalformed,
    SerialRun,
    read_run,
)
from settlement.models import Programme, Project, Registry, RegistryKind, UnitBatch
from settlement.services.registry.issuing import BatchFacts, IssuanceKnown

REQUIRED = (
    "issuance_id",
    "project",
    "programme",
    "first_serial",
    "last_serial",
    "units",
    "period_start",
    "period_end",
    "issued_on",
    "holder",
)
OPTIONAL = ("metered_mwh", "class_codes")
ALIASES = {
    "签发批次": "issuance_id",
    "项目编号": "project",
    "方法学": "programme",
    "起始编号": "first_serial",
    "终止编号": "last_serial",
    "数量": "units",
    "生产月": "period_start",
    "计入期起": "period_start",
    "计入期止": "period_end",
    "签发日期": "issued_on",
    "持有人": "holder",
    "计量电量": "metered_mwh",
    "类别": "class_codes",
}
_MOST_UNITS = 1_000_000_000
_YEARS = range(1990, 2200)  # a day far off is a slip of the pen
Thing = TypeVar("Thing", Project, Programme)


class CellUnreadable(RuleBroken):
    """A cell holds no date or whole number where one belongs."""

    code = "cell_unreadable"
    message = gettext_noop("%(value)s cannot be read here.")


class HolderUnknown(RuleBroken):
    """No admitted member has this code."""

    code = "holder_unknown"
    message = gettext_noop("No admitted member has the code %(member)s.")


@dataclass(frozen=True)
class Reference:
    """What the lines of one registry's file are read against; read once for all of them.

    Attributes:
        registry: whose file it is.
        form: how it writes serials.
        foreign_forms: how others write theirs.
        projects: its projects by their ids, with those that the file brings.
        programmes: its methodologies by code.
        holders: admitted members by code.
        parents: certificates of a month by issuance id, as lines name them; none where the id
            names no certificates, or those of several registries.
    """

    registry: Registry
    form: SerialForm
    foreign_forms: tuple[SerialForm, ...]
    projects: dict[str, Project]
    programmes: dict[str, Programme]
    holders: dict[str, Organisation]
    parents: dict[str, UnitBatch | None] = field(default_factory=dict)


def reference_of(registry: Registry) -> Reference:
    """Return what the lines of a registry's file are read against."""
    others = Registry.objects.exclude(pk=registry.pk).filter(sequence_digits__gt=0)
    members = Organisation.objects.filter(state=OrganisationState.APPROVED, is_platform=False)
    return Reference(
        registry=registry,
        form=form_of(registry),
        foreign_forms=tuple(form_of(other) for other in others),
        projects={one.native_id: one for one in Project.objects.filter(registry=registry)},
        programmes={one.code: one for one in Programme.objects.filter(registry=registry)},
        holders={one.code: one for one in members},
    )


def form_of(registry: Registry) -> SerialForm:
    """Return how a registry writes serials."""
    return SerialForm(
        registry.code, registry.serial_pattern, registry.sequence_start, registry.sequence_digits
    )


def facts_of(row: Row, reference: Reference) -> tuple[BatchFacts, Organisation]:
    """Return the batch of a line and its holder.

    Raises:
        SerialMalformed, SerialForeign, SerialsOutOfOrder: the serials are not of this registry.
        CertificateExpired: the certificates' last valid day is past.
        CellUnreadable, HolderUnknown, Missing: with the column.
    """
    cells = row.cells
    run = _run(row, reference)
    project = known_thing(reference.projects, cells["project"], "project", reference)
    programme = known_thing(reference.programmes, cells["programme"], "programme", reference)
    holder = reference.holders.get(cells["holder"])
    if holder is None:
        raise HolderUnknown(field="holder", member=cells["holder"])
    starts_on, ends_on = day_in(row, "period_start"), day_in(row, "period_end")
    if ends_on < starts_on:
        raise CellUnreadable(field="period_end", value=cells["period_end"])
    _check_alive(reference.registry, starts_on)
    metered = cells.get("metered_mwh", "")
    facts = BatchFacts(
        registry=reference.registry,
        programme=programme,
        project=project,
        issuance_id=check_text(
            cells["issuance_id"], field="issuance_id", max_length=64, required=True
        ),
        run=run,
        starts_on=starts_on,
        ends_on=ends_on,
        issued_on=day_in(row, "issued_on"),
        class_codes=check_text(cells.get("class_codes", ""), field="class_codes", max_length=30),
        metered_mwh=whole_in(row, "metered_mwh") if metered else None,
    )
    return facts, holder


def check_overlaps(registry: Registry, runs: Sequence[tuple[int, BatchFacts]]) -> list[RowError]:
    """Return an error for each line whose serials another line or an earlier batch has."""
    errors: list[RowError] = []
    seen: list[SerialRun] = []
    ids: set[str] = set()
    for line, facts in runs:
        run = facts.run
        if any(runs_overlap(run, other) for other in seen) or issued_before(registry, run):
            errors.append(RowError.of(line, SerialRangeOverlap(field="first_serial")))
        known = UnitBatch.objects.filter(registry=registry, issuance_id=facts.issuance_id)
        if facts.issuance_id in ids or known.exists():
            refusal = IssuanceKnown(field="issuance_id", id=facts.issuance_id)
            errors.append(RowError.of(line, refusal))
        seen.append(run)
        ids.add(facts.issuance_id)
    return errors


def runs_overlap(one: SerialRun, other: SerialRun) -> bool:
    """Tell whether two runs of a registry share a serial."""
    return (
        (one.prefix, one.suffix) == (other.prefix, other.suffix)
        and one.first <= other.last
        and other.first <= one.last
    )


def issued_before(registry: Registry, run: SerialRun) -> UnitBatch | None:
    """Return a batch that is here and has serials of the run, if there is one."""
    return UnitBatch.objects.filter(
        registry=registry,
        serial_prefix=run.prefix,
        serial_suffix=run.suffix,
        serials__overlap=NumericRange(run.first, run.last + 1),
    ).first()


def _run(row: Row, reference: Reference) -> SerialRun:
    first, last = row.cells["first_serial"], row.cells["last_serial"]
    for form in reference.foreign_forms:
        if re.fullmatch(form.pattern, first):
            raise SerialForeign(field="first_serial", name=first, registry=reference.registry.code)
    try:
        return read_run(first, last, whole_in(row, "units"), reference.form)
    except SerialMalformed as refusal:
        refusal.field = "first_serial"
        raise


def known_thing(things: Mapping[str, Thing], name: str, column: str, reference: Reference) -> Thing:
    """Return a project or programme of the registry.

    Raises:
        Missing, SerialForeign: with the column.
    """
    found = things.get(name)
    if found is None:
        if not name:
            raise Missing(field=column)
        raise SerialForeign(field=column, name=name, registry=reference.registry.code)
    return found


def _check_alive(registry: Registry, starts_on: date) -> None:
    if registry.kind != RegistryKind.ENERGY_ATTRIBUTE:
        return
    last = last_valid_day(starts_on)
    if market_date(market_now()) > last:
        raise CertificateExpired(field="period_start", last_valid_day=last.isoformat())


def day_in(row: Row, column: str) -> date:
    """Return the day, or the first day of the month, in a cell; raises CellUnreadable."""
    text = row.cells[column]
    try:
        day = date.fromisoformat(f"{text}-01" if len(text) == len("2026-11") else text)
    except ValueError:
        raise CellUnreadable(field=column, value=text) from None
    if day.year not in _YEARS:
        raise CellUnreadable(field=column, value=text)
    return day


def whole_in(row: Row, column: str) -> int:
    """Return the whole number above zero in a cell; raises CellUnreadable."""
    text = row.cells[column]
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) <= _MOST_UNITS:
        raise CellUnreadable(field=column, value=text)
    return int(text)
