"""The settlement run comparison: what each later sequence changed per delivery, and why."""

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from settlement.exports.kinds import ReportKind, keeps_books
from settlement.exports.parameters import SPAN, Values
from settlement.exports.report import Cell, Column, ColumnKind, Report, Tie
from settlement.models import RatedLine, SettlementRun
from settlement.selectors.corrections.comparison import (
    DeliveryChange,
    compare_lines,
    lines_of_run,
)

_NET = ColumnKind.DECIMAL
COLUMNS = (
    Column("settled_on", _("Date"), ColumnKind.DATE),
    Column("run", _("Settlement run")),
    Column("delivery", _("Confirmation number")),
    Column("buyer", _("Buyer code")),
    Column("seller", _("Supplier code")),
    Column("billed_before", _("Billed before, unit-hours"), _NET, 6),
    Column("billed_change", _("Billed, difference, unit-hours"), _NET, 6, is_total=True),
    Column("buyer_before", _("Buyer before, CNY net"), _NET, 2),
    Column("buyer_change", _("Buyer, difference, CNY net"), _NET, 2, is_total=True),
    Column("seller_before", _("Supplier before, CNY net"), _NET, 2),
    Column("seller_change", _("Supplier, difference, CNY net"), _NET, 2, is_total=True),
    Column("penalty_change", _("Penalty, difference, CNY"), _NET, 2, is_total=True),
    Column("buyer_adjustment", _("Adjustment, buyer, CNY"), _NET, 2, is_total=True),
    Column("seller_adjustment", _("Adjustment, supplier, CNY"), _NET, 2, is_total=True),
    Column("periods", _("Periods changed"), ColumnKind.INTEGER),
    Column("why", _("Why")),
)


def build(values: Values) -> Report:
    """Return the difference runs dated in the span, tied to their rated lines."""
    runs = SettlementRun.objects.filter(
        sequence__gt=1, state="posted", settled_on__range=(values.since, values.until)
    ).order_by("settled_on", "pk")
    changes = [(run, change) for run in runs for change in _changes(run)]
    stored = RatedLine.objects.filter(run__in=runs).aggregate(total=Sum("buyer_net_cny"))["total"]
    return Report(
        name="run-comparison",
        title=KIND.title,
        columns=COLUMNS,
        rows=[_row(run, change) for run, change in changes],
        parameters=dict(values.raw),
        ties=[
            Tie(
                "buyers",
                _("Differences of buyers against the runs' rated lines"),
                sum((c.difference.buyer_net_cny for _run, c in changes), Decimal(0)),
                stored or Decimal(0),
            )
        ],
    )


def _changes(run: SettlementRun) -> Iterator[DeliveryChange]:
    yield from compare_lines(run, list(lines_of_run(run)))


def _row(run: SettlementRun, change: DeliveryChange) -> list[Cell]:
    allocation = change.delivery.allocation
    before, difference = change.before, change.difference
    return [
        *(run.settled_on, run.number, allocation.number),
        *(allocation.buyer.code, allocation.seller.code),
        *(before.billed_unit_hours, difference.billed_unit_hours),
        *(before.buyer_net_cny, difference.buyer_net_cny),
        *(before.seller_net_cny, difference.seller_net_cny),
        *(difference.penalty_cny, difference.buyer_adjustment_cny),
        *(difference.seller_adjustment_cny, len(change.periods), _why(change)),
    ]


def _why(change: DeliveryChange) -> str:
    reasons = [reading.reason for reading in change.readings]
    reasons += [f"{each.kind}: {each.reason}" for each in change.adjustments]
    return "; ".join(dict.fromkeys(reasons))


KIND = ReportKind(
    code="run-comparison",
    title=_("Settlement run comparison"),
    description=_("What each later run changed against those before it, per delivery, and why."),
    permission=keeps_books,
    parameters=SPAN,
    build=build,
    axis=_("by accounting date"),
    ties_to=_("Rated lines of the difference runs."),
    leads_to=_("Run, delivery, interval, meter reading"),
)
