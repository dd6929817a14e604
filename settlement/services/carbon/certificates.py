"""Green energy of retired certificates for a statement: whose, how much, which slot (R4)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from marketplace.domain.periods import month_window
from settlement.domain.carbon.certificates import refusal_of
from settlement.domain.carbon.matching import SlotLength
from settlement.domain.carbon.monthly import GreenSupply, state_month
from settlement.domain.registry.granular import hour_of
from settlement.models import (
    BatchKind,
    ClaimAllocation,
    DutyState,
    EmissionStatement,
    GranularSlice,
    MatchingPolicy,
    ReplacementDuty,
    RetirementLine,
    StatementClosing,
    StatementSubject,
)
from settlement.models.registry_movements import RetirementPurpose
from settlement.models.registry_reference import RegistryUnit
from settlement.selectors.carbon.supply import metered_supply
from settlement.services.carbon.gathering import SubjectKey
from settlement.services.carbon.inputs import RetiredCertificates, StatementInputs

_CLAIMS = (RetirementPurpose.VOLUNTARY, RetirementPurpose.GREEN_POWER)


def add_green(subject: SubjectKey, inputs: StatementInputs) -> StatementInputs:
    """Return the inputs with the green energy that serves the subject in the month.

    A buyer and a data centre use certificates retired in their organisation's name. An order takes
    the share of its buyer's matched energy that its load has in the buyer's load. A data centre
    uses the metered hours of its sources before any certificate.
    """
    if subject.kind == StatementSubject.ORDER:
        return replace(inputs, green=_share_of_buyer(subject, inputs))
    slot = matching_slot(subject, inputs.month)
    lines = _lines(subject, inputs.month, yearly=slot is SlotLength.YEAR)
    rows = _available(subject, inputs.month, lines)
    if slot is SlotLength.HOUR:
        green = GreenSupply(slot, hours=_hours(rows, inputs.month))
    else:
        used = _used_elsewhere(subject, inputs.month, slot)
        whole = sum(row.available_wh for row, _ in rows)
        green = GreenSupply(slot, whole_wh=max(0, whole - used))
    if subject.pool is not None:
        window = month_window(inputs.month)
        metered = metered_supply(
            pool=subject.pool, starts_at=window.starts_at, ends_at=window.ends_at
        )
        green = replace(green, on_site=metered)
    return replace(inputs, green=green, certificates=[row for row, _ in rows])


def matching_slot(subject: SubjectKey, month: date) -> SlotLength:
    """Return how the subject's certificates are matched: by the month unless its policy differs."""
    if subject.kind != StatementSubject.BUYER:
        return SlotLength.MONTH
    policies = MatchingPolicy.objects.filter(
        organisation=subject.organisation, from_month__lte=month
    )
    newest = policies.order_by("-from_month", "-pk").first()
    return SlotLength.MONTH if newest is None else SlotLength(newest.slot)


def statements_of(subject: SubjectKey) -> QuerySet[EmissionStatement]:
    """Return all statements of a subject."""
    return EmissionStatement.objects.filter(
        subject=subject.kind,
        organisation=subject.organisation,
        order=subject.order,
        pool=subject.pool,
    )


def _lines(subject: SubjectKey, month: date, *, yearly: bool) -> list[RetirementLine]:
    claimed = (
        Q(retirement__claim_month__year=month.year) if yearly else Q(retirement__claim_month=month)
    )
    rows = RetirementLine.objects.filter(
        claimed,
        retirement__beneficiary=subject.organisation,
        retirement__purpose__in=_CLAIMS,
        retirement__registry__unit__in=(RegistryUnit.MWH, RegistryUnit.WH),
    )
    rows = rows.select_related("retirement", "batch__bundle")
    return [
        line
        for line in rows.order_by("batch__starts_on", "batch__issuance_id", "serials", "pk")
        if refusal_of(
            line.batch.starts_on,
            claim_month=line.retirement.claim_month,
            retired_on=line.retirement.retired_on,
        )
        is None
    ]


def _available(
    subject: SubjectKey, month: date, lines: Sequence[RetirementLine]
) -> list[tuple[RetiredCertificates, RetirementLine]]:
    """Return the energy each line may serve: all, or what a closed statement has kept of it."""
    lost = _invalidated(lines)
    kept = {
        row.line_id: row.energy_wh
        for row in ClaimAllocation.objects.filter(
            line__in=[line.pk for line in lines], **allocation_key(subject, month)
        )
    }
    closed_at = _closed_at(subject, month)
    found = []
    for line in lines:
        units = line.units - lost.get(line.pk, 0)
        energy = units * line.batch.wh_per_unit
        if closed_at is not None and line.retirement.recorded_at <= closed_at:
            # What the closed statement did not allocate has lapsed.
            energy = min(energy, kept.get(line.pk, 0))
        if energy > 0:
            found.append((_row(line, units, energy), line))
    return found


def _row(line: RetirementLine, units: int, energy_wh: int) -> RetiredCertificates:
    return RetiredCertificates(
        retirement=line.retirement.number,
        line=line.line,
        line_id=line.pk,
        batch=line.batch.issuance_id,
        production_month=f"{line.batch.starts_on:%Y-%m}",
        serials=f"{line.first_serial}-{line.last_serial}",
        units=units,
        available_wh=energy_wh,
        hour=f"{_hour_of(line):%Y-%m-%dT%H:%MZ}" if _is_granular(line) else "",
    )


def _is_granular(line: RetirementLine) -> bool:
    return line.batch.kind == BatchKind.GRANULAR


def _hour_of(line: RetirementLine) -> datetime:
    return hour_of(line.batch.bundle.starts_at)


def allocation_key(subject: SubjectKey, month: date) -> dict[str, Any]:
    """Return the fields that name a subject's month among the allocations of certificates."""
    place = subject.pool.identifier if subject.pool else subject.organisation.credit_code
    return {
        "subject_type": f"carbon_{subject.kind.value}",
        "subject_id": f"{place} {month:%Y-%m}",
        "claim_month": month,
    }


def _invalidated(lines: Sequence[RetirementLine]) -> dict[int, int]:
    rows = ReplacementDuty.objects.filter(
        line__in=[line.pk for line in lines], state=DutyState.OPEN
    )
    return {
        line: int(units)
        for line, units in rows.values_list("line").annotate(lost=Sum("units")).order_by()
    }


def _closed_at(subject: SubjectKey, month: date) -> datetime | None:
    rows = StatementClosing.objects.filter(statement__in=statements_of(subject).filter(month=month))
    newest = rows.order_by("-closed_at").first()
    return None if newest is None else newest.closed_at


def _used_elsewhere(subject: SubjectKey, month: date, slot: SlotLength) -> int:
    """Return the same certificates' energy in current statements of other months or places."""
    current = EmissionStatement.objects.filter(
        superseded_by__isnull=True, organisation=subject.organisation, subject=subject.kind
    )
    if slot is SlotLength.YEAR:
        current = current.filter(month__year=month.year).exclude(month=month)
    elif subject.kind == StatementSubject.POOL:
        current = current.filter(month=month).exclude(pool=subject.pool)
    else:
        return 0
    covered = F("matched_wh") - F("own_wh") - F("direct_wh")
    return int(current.aggregate(used=Sum(covered))["used"] or 0)


def _hours(
    rows: Iterable[tuple[RetiredCertificates, RetirementLine]], month: date
) -> list[tuple[int, int]]:
    """Return the hours of the retired part of each batch; a part is cut to whole watt-hours.

    Granular certificates are of one hour. Those of a month count in its metered hours, but not in
    hours for which granular certificates were issued; what those used up of the month is no part
    of what its other hours are shared among.
    """
    window = month_window(month)
    sums: dict[int, int] = {}
    found = list(rows)
    monthly = {line.batch_id for _row, line in found if not _is_granular(line)}
    slices, used_up = _slices(monthly), _used_up(monthly)
    for row, line in found:
        if _is_granular(line):
            hour = int(_hour_of(line).timestamp())
            sums[hour] = sums.get(hour, 0) + row.available_wh
            continue
        hours = slices.get(line.batch_id, ())
        left = (line.batch.units - used_up.get(line.batch_id, 0)) * line.batch.wh_per_unit
        whole = max(left, sum(energy_wh for _at, energy_wh in hours))
        for starts_at, energy_wh in hours:
            if window.starts_at <= starts_at < window.ends_at:
                hour = int(starts_at.timestamp())
                sums[hour] = sums.get(hour, 0) + energy_wh * row.available_wh // whole
    return sorted(sums.items())


def _slices(batches: Collection[int]) -> dict[int, list[tuple[datetime, int]]]:
    """Return the metered hours of certificates that no granular certificates were issued for."""
    rows = GranularSlice.objects.filter(batch__in=batches, bundle__isnull=True)
    found: dict[int, list[tuple[datetime, int]]] = {}
    for batch_id, starts_at, energy_wh in rows.values_list("batch_id", "starts_at", "energy_wh"):
        found.setdefault(batch_id, []).append((starts_at, energy_wh))
    return found


def _used_up(batches: Collection[int]) -> dict[int, int]:
    """Return how many certificates of each batch granular ones were issued for."""
    rows = RetirementLine.objects.filter(
        batch__in=batches, retirement__purpose=RetirementPurpose.GRANULAR
    )
    return dict(rows.values_list("batch_id").annotate(used=Sum("units")).order_by())


def _share_of_buyer(subject: SubjectKey, inputs: StatementInputs) -> GreenSupply:
    buyer = SubjectKey.of_buyer(subject.organisation)
    current = statements_of(buyer).filter(month=inputs.month, superseded_by__isnull=True).first()
    if current is None or not current.facility_wh:
        return GreenSupply(SlotLength.MONTH)
    load = state_month(inputs.deliveries, inputs.green, residual_e4=0).facility_wh
    return GreenSupply(SlotLength.MONTH, whole_wh=current.matched_wh * load // current.facility_wh)
