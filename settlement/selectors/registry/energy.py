"""Which certificates of a project's month are alive, unsold, frozen: the figures of R20."""

from collections import defaultdict
from datetime import date

from django.db.models import F, Func, IntegerField, Q, Sum

from marketplace.models import Organisation
from settlement.domain.registry.blocks import UnitBlock, tidy_blocks
from settlement.models import BatchKind, Project, Registry, SerialRange, UnitState

RANGE_SIZE = Func(
    F("serials"),
    template="(upper(%(expressions)s) - lower(%(expressions)s))",
    output_field=IntegerField(),
)
_DEAD = (UnitState.CANCELLED, UnitState.EXPIRED, UnitState.INVALIDATED)


def _of_month(project: Project, month: date) -> "Q":
    return Q(
        batch__project=project,
        batch__kind=BatchKind.CERTIFICATE,
        batch__starts_on__gte=month,
        batch__starts_on__lt=_next(month),
    )


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _units(condition: Q) -> int:
    total = SerialRange.objects.filter(condition).aggregate(units=Sum(RANGE_SIZE))["units"]
    return int(total or 0)


def issued_and_alive(project: Project, month: date) -> int:
    """Return certificates of the month that count: all but those written off."""
    return _units(_of_month(project, month) & ~Q(state__in=_DEAD))


def certificates_issued(project: Project, month: date) -> int:
    """Return how many certificates were issued for the month."""
    return _units(_of_month(project, month))


def certificates_frozen(project: Project, month: date) -> int:
    """Return how many certificates of the month are frozen."""
    return _units(_of_month(project, month) & Q(state=UnitState.FROZEN))


def certificates_cancelled(project: Project, month: date) -> int:
    """Return how many certificates of the month were cancelled or written off."""
    return _units(_of_month(project, month) & Q(state__in=_DEAD))


def certificates_sold(project: Project, month: date) -> int:
    """Return how many certificates of the month were sold, claimed or promised."""
    return _units(
        _of_month(project, month)
        & ~Q(state__in=(*_DEAD, UnitState.FROZEN))
        & (Q(times_sold__gt=0) | ~Q(state=UnitState.HELD))
    )


def unsold_held(
    project: Project, days: object
) -> dict[tuple[Registry, Organisation], list[UnitBlock]]:
    """Return free, unsold certificates of a project produced on certain days, by holder."""
    rows = SerialRange.objects.filter(
        batch__project=project,
        batch__kind=BatchKind.CERTIFICATE,
        batch__starts_on__gte=getattr(days, "lower", None),
        batch__starts_on__lt=getattr(days, "upper", None),
        state=UnitState.HELD,
        times_sold=0,
    ).select_related("batch__registry", "organisation")
    return _by_holder(rows)


def frozen_blocks(
    project: Project, month: date
) -> dict[tuple[Registry, Organisation], list[UnitBlock]]:
    """Return the frozen certificates of a project's month, by holder."""
    rows = SerialRange.objects.filter(
        _of_month(project, month), state=UnitState.FROZEN
    ).select_related("batch__registry", "organisation")
    return _by_holder(rows)


def _by_holder(rows: object) -> dict[tuple[Registry, Organisation], list[UnitBlock]]:
    found: dict[tuple[Registry, Organisation], list[UnitBlock]] = defaultdict(list)
    for row in rows.order_by("batch__starts_on", "batch_id", "serials"):  # type: ignore[attr-defined]
        block = UnitBlock(row.batch_id, row.first_serial, row.last_serial)
        found[row.batch.registry, row.organisation].append(block)
    return {key: tidy_blocks(blocks) for key, blocks in found.items()}
