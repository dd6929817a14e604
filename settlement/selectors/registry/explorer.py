"""What everybody may read of the registries: programmes, projects, batches and their totals."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Func, IntegerField, QuerySet, Sum

from settlement.models import (
    Programme,
    Project,
    Registry,
    Retirement,
    SerialRange,
    UnitBatch,
    UnitState,
)

# The order in which totals are shown; `issued` is the sum of the others.
SHOWN_STATES = tuple(state for state in UnitState.values if state != UnitState.ISSUED)
RANGE_SIZE = Func(
    F("serials"),
    template="(upper(%(expressions)s) - lower(%(expressions)s))",
    output_field=IntegerField(),
)


@dataclass(frozen=True)
class UnitTotals:
    """Units by state; `issued` is their sum (INV-01)."""

    by_state: dict[str, int]

    @property
    def issued(self) -> int:
        """Every unit there ever was."""
        return sum(self.by_state.values())

    @property
    def available(self) -> int:
        """Units that somebody may still use: held, reserved or locked."""
        return sum(self.by_state.get(s, 0) for s in ("held", "reserved", "locked"))

    @property
    def retired(self) -> int:
        """Units used up for somebody."""
        return self.by_state.get(UnitState.RETIRED, 0)

    @property
    def frozen(self) -> int:
        """Units that wait for the fate of their project."""
        return self.by_state.get(UnitState.FROZEN, 0)

    @property
    def lost(self) -> int:
        """Units cancelled, expired or invalidated."""
        return sum(self.by_state.get(s, 0) for s in ("cancelled", "expired", "invalidated"))

    @property
    def rows(self) -> list[tuple[str, str, int]]:
        """State, its name and its units, in the order of a unit's life; empty states left out."""
        return [
            (state, str(UnitState(state).label), self.by_state[state])
            for state in SHOWN_STATES
            if self.by_state.get(state)
        ]


@dataclass(frozen=True)
class RegistryFace:
    """A registry with what stands in it."""

    registry: Registry
    totals: UnitTotals
    batches: int
    projects: int
    programmes: list[Programme]


def totals_by(field: str, rows: QuerySet[SerialRange]) -> dict[int, UnitTotals]:
    """Return totals of ranges by a key, such as `batch_id` or `batch__registry_id`."""
    sums = (
        rows.values(field, "state")
        .annotate(units=Sum(RANGE_SIZE))
        .values_list(field, "state", "units")
    )
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for key, state, units in sums:
        found[key][state] = units
    return {key: UnitTotals(states) for key, states in found.items()}


def registry_faces() -> list[RegistryFace]:
    """Return every registry with its totals, by code."""
    totals = totals_by("batch__registry_id", SerialRange.objects.all())
    batches = dict(
        UnitBatch.objects.values_list("registry_id").annotate(count=Count("id")).order_by()
    )
    projects = dict(
        Project.objects.values_list("registry_id").annotate(count=Count("id")).order_by()
    )
    programmes: dict[int, list[Programme]] = defaultdict(list)
    for programme in Programme.objects.order_by("code"):
        programmes[programme.registry_id].append(programme)
    return [
        RegistryFace(
            registry,
            totals.get(registry.pk, UnitTotals({})),
            batches.get(registry.pk, 0),
            projects.get(registry.pk, 0),
            programmes[registry.pk],
        )
        for registry in Registry.objects.order_by("code")
    ]


def projects_shown(*, registry: str = "", text: str = "") -> QuerySet[Project]:
    """Return projects of a registry that a text names, by registry and id."""
    rows = Project.objects.select_related("registry").order_by("registry__code", "native_id")
    if registry:
        rows = rows.filter(registry__code=registry)
    if text:
        rows = rows.filter(native_id__icontains=text) | rows.filter(name_zh__icontains=text)
    return rows


def batches_shown(
    *, registry: str = "", project: UUID | str | None = None, vintage: int | None = None
) -> QuerySet[UnitBatch]:
    """Return batches, newest first; who holds their units is nobody's but the holders' business."""
    rows = UnitBatch.objects.select_related("registry", "programme", "project").order_by("-id")
    rows = rows.select_related("bundle__parent_slice__batch", "origin")
    if registry:
        rows = rows.filter(registry__code=registry)
    if project is not None:
        rows = rows.filter(project__public_id=project)
    if vintage is not None:
        rows = rows.filter(vintage_year=vintage)
    return rows


def batch_totals(batches: Iterable[UnitBatch]) -> dict[int, UnitTotals]:
    """Return the totals of batches by primary key."""
    keys = [batch.pk for batch in batches]
    return totals_by("batch_id", SerialRange.objects.filter(batch_id__in=keys))


def public_retirements(registry: str = "") -> QuerySet[Retirement]:
    """Return retirements, newest first; registries publish beneficiary, purpose and quantity."""
    rows = Retirement.objects.select_related("registry").order_by("-id")
    return rows.filter(registry__code=registry) if registry else rows


_BATCH_OF = """
SELECT b.id, n.number FROM settlement_unitbatch b
  JOIN settlement_registry g ON g.id = b.registry_id
  CROSS JOIN LATERAL (
      SELECT substr(%(serial)s, length(b.serial_prefix) + 1,
                    length(%(serial)s) - length(b.serial_prefix) - length(b.serial_suffix))
             AS text) AS t
  CROSS JOIN LATERAL (
      SELECT CASE WHEN t.text ~ '^[0-9]{1,18}$' THEN t.text::bigint END AS number) AS n
 WHERE starts_with(%(serial)s, b.serial_prefix)
   AND right(%(serial)s, length(b.serial_suffix)) = b.serial_suffix
   AND (%(registry)s = '' OR g.code = %(registry)s)
   AND b.serials @> n.number AND length(t.text) >= b.serial_digits
 ORDER BY b.id LIMIT 1
"""


def batch_of_serial(serial: str, *, registry: str = "") -> tuple[UnitBatch, int] | None:
    """Return the batch that a written serial belongs to and its number there, or nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_BATCH_OF, {"serial": serial.strip(), "registry": registry})
        row = cursor.fetchone()
    if row is None:
        return None
    rows = UnitBatch.objects.select_related("registry", "programme", "project", "issued_to")
    return rows.get(pk=row[0]), int(row[1])
