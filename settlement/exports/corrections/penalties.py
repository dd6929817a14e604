"""The SLA penalty report: promised, delivered, shortfall intervals, formula, penalty."""

from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from settlement.exports.kinds import ReportKind, keeps_books
from settlement.exports.parameters import SPAN, Values
from settlement.exports.report import Cell, Column, ColumnKind, Report, Tie
from settlement.models import InvoiceDirection, InvoiceLine, InvoiceLineKind, SlaPenalty

COLUMNS = (
    Column("settled_on", _("Date"), ColumnKind.DATE),
    Column("run", _("Settlement run")),
    Column("delivery", _("Confirmation number")),
    Column("buyer", _("Buyer code")),
    Column("seller", _("Supplier code")),
    Column("product", _("Product")),
    Column("promised", _("Promised, unit-hours"), ColumnKind.DECIMAL, 6, is_total=True),
    Column("delivered", _("Delivered, unit-hours"), ColumnKind.DECIMAL, 6, is_total=True),
    Column("late", _("Late periods"), ColumnKind.INTEGER, is_total=True),
    Column("lost", _("Lost periods"), ColumnKind.INTEGER, is_total=True),
    Column("short", _("Short periods"), ColumnKind.INTEGER, is_total=True),
    Column("intervals", _("Shortfall intervals")),
    Column("formula", _("Formula")),
    Column("uncapped", _("Sum before the cap, CNY"), ColumnKind.DECIMAL, 2),
    Column("cap", _("Cap, CNY"), ColumnKind.DECIMAL, 2),
    Column("penalty", _("Penalty, CNY"), ColumnKind.DECIMAL, 2),
    Column("posted", _("Posted by this run, CNY"), ColumnKind.DECIMAL, 2, is_total=True),
)


def build(values: Values) -> Report:
    """Return the penalties of the runs dated in the span, tied to the lines of bills."""
    rows = SlaPenalty.objects.filter(run__settled_on__range=(values.since, values.until))
    found = list(
        rows.select_related(
            "run",
            "delivery__allocation__buyer",
            "delivery__allocation__seller",
            "delivery__allocation__product",
        ).order_by("run__settled_on", "pk")
    )
    billed = InvoiceLine.objects.filter(
        kind=InvoiceLineKind.SLA_PENALTY,
        invoice__direction=InvoiceDirection.RECEIVABLE,
        invoice__run__settled_on__range=(values.since, values.until),
    ).aggregate(total=Sum("net_cny"))["total"]
    return Report(
        name="sla-penalties",
        title=KIND.title,
        columns=COLUMNS,
        rows=[_row(row) for row in found],
        parameters=dict(values.raw),
        ties=[
            Tie(
                "billed",
                _("Penalties against the lines of buyers' bills"),
                sum((row.posted_cny for row in found), Decimal(0)),
                -(billed or Decimal(0)),
            )
        ],
    )


def _row(row: SlaPenalty) -> list[Cell]:
    allocation = row.delivery.allocation
    kinds = [each["kind"] for each in row.intervals]
    return [
        *(row.run.settled_on, row.run.number, allocation.number),
        *(allocation.buyer.code, allocation.seller.code, allocation.product.code),
        *(row.promised_unit_hours, row.delivered_unit_hours),
        *(kinds.count("late"), kinds.count("lost"), kinds.count("short")),
        "; ".join(
            f"{each['starts_at']}/{each['ends_at']} {each['kind']}" for each in row.intervals
        ),
        *(row.formula_version, row.uncapped_cny, row.cap_cny, row.amount_cny, row.posted_cny),
    ]


def _interval(shortfall: dict[str, str]) -> str:
    return f"{shortfall['starts_at']}/{shortfall['ends_at']} {shortfall['kind']}"


KIND = ReportKind(
    code="sla-penalties",
    title=_("Penalties for short service"),
    description=_("Promised and delivered, the intervals that fell short, formula and penalty."),
    permission=keeps_books,
    parameters=SPAN,
    build=build,
    axis=_("by accounting date"),
    ties_to=_("Penalty lines of the buyers' bills."),
    leads_to=_("Delivery, interval, meter reading"),
)
