"""Sales and tax summary (销售与增值税汇总), and the platform's revenue (平台收入)."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.exports.kinds import BY_ACCOUNTING_DATE, ReportKind, keeps_books
from settlement.exports.parameters import SPAN, Values
from settlement.exports.report import Cell, Column, ColumnKind, Report, Tie
from settlement.exports.words import direction_words, line_or_entry_words, tax_side_words
from settlement.selectors.reports.figures import movement_of
from settlement.selectors.reports.tax import (
    deductible_tax,
    fee_revenue,
    fees_booked,
    other_tax,
    tax_by_rate,
)

TAX_COLUMNS = (
    Column("side", _("Output or input"), words=tax_side_words),
    Column("category", _("Category"), words=line_or_entry_words),
    Column("vat_rate", _("Tax rate"), ColumnKind.DECIMAL, places=4),
    Column("documents", _("Number of documents"), ColumnKind.INTEGER),
    Column("base_cny", _("Base, CNY (tax excluded)"), ColumnKind.DECIMAL),
    Column("tax_cny", _("Tax, CNY"), ColumnKind.DECIMAL),
)
REVENUE_COLUMNS = (
    Column("product", _("Product code")),
    Column("product_zh", _("Product, Chinese"), language="zh-hans"),
    Column("product_en", _("Product, English"), language="en"),
    Column("direction", _("Direction"), words=direction_words),
    Column("price_version", _("Fee schedule in force from"), ColumnKind.INSTANT),
    Column("fee_rate", _("Fee rate"), ColumnKind.DECIMAL, places=5),
    Column(
        "other_kind", pgettext_lazy("of a journal entry", "Other entry"), words=line_or_entry_words
    ),
    Column("documents", _("Number of documents"), ColumnKind.INTEGER),
    Column("fee_cny", _("Fees, CNY (tax excluded)"), ColumnKind.DECIMAL, is_total=True),
)
_SIDES = (
    ("receivable", _("Fees of buyers against their entries")),
    ("payable", _("Fees of suppliers against their entries")),
)
_INPUT = ("vat_input", "vat_input_pending")
_ZERO = Decimal(0)


def build_tax(values: Values) -> Report:
    """Return base and tax by category and rate, and what moved the tax accounts besides."""
    asked = _asked(values)
    rows: list[list[Cell]] = [list(row) for row in tax_by_rate(asked)]
    rows += [[side, kind, None, n, None, tax] for side, kind, n, tax in other_tax(asked)]
    sums = {side: _sum(rows, side) for side in ("output", "input")}
    span = (values.since, values.until, values.cut)
    return Report(
        name="tax-summary",
        title=TAX.title,
        columns=TAX_COLUMNS,
        rows=rows,
        parameters=dict(values.raw),
        totals={
            "output_tax_cny": sums["output"],
            "input_tax_cny": sums["input"],
            "payable_tax_cny": sums["output"] - sums["input"],
        },
        ties=[
            Tie(
                "output",
                _("Output tax against its account"),
                sums["output"],
                -movement_of(["vat_output"], *span),
            ),
            Tie(
                "input",
                _("Input tax against its accounts"),
                sums["input"],
                movement_of(_INPUT, *span),
            ),
            Tie(
                "deductible",
                _("Checked tax invoices of suppliers against deductible input tax"),
                Decimal(deductible_tax(asked)),
                movement_of(["vat_input"], *span),
            ),
        ],
        notes=[
            _("Input tax counts when it is owed; it is deductible once the tax invoice is checked.")
        ],
    )


def build_revenue(values: Values) -> Report:
    """Return the fees of both sides by product and fee schedule."""
    asked = _asked(values)
    rows = [list(row) for row in fee_revenue(asked)]
    booked_by_side = fees_booked(asked)
    reported = sum((row[-1] for row in rows), _ZERO)
    booked = -movement_of(["fee_income"], values.since, values.until, values.cut)
    return Report(
        name="platform-revenue",
        title=REVENUE.title,
        columns=REVENUE_COLUMNS,
        rows=rows,
        parameters=dict(values.raw),
        ties=[
            Tie("fee_income", _("Fees against the income account"), reported, booked),
            *(
                Tie(
                    f"fees_{side}",
                    label,
                    sum((row[-1] for row in rows if row[3] == side), _ZERO),
                    booked_by_side.get(side, _ZERO),
                )
                for side, label in _SIDES
            ),
        ],
    )


def _asked(values: Values) -> dict[str, Any]:
    return {"since": values.since, "until": values.until, **values.cut.values}


def _sum(rows: list[list[Cell]], side: str) -> Decimal:
    return sum((Decimal(str(row[5])) for row in rows if row[0] == side), _ZERO)


TAX = ReportKind(
    code="tax-summary",
    title=_("Sales and VAT summary"),
    description=_("Base and tax by category and rate, output and input."),
    permission=keeps_books,
    parameters=SPAN,
    build=build_tax,
    axis=BY_ACCOUNTING_DATE,
    ties_to=_("VAT accounts; checked tax invoices of suppliers."),
    leads_to=_("Register of bills and credit notes"),
)
REVENUE = ReportKind(
    code="platform-revenue",
    title=_("Platform revenue"),
    description=_("Fees of buyers and suppliers by product and fee schedule."),
    permission=keeps_books,
    parameters=SPAN,
    build=build_revenue,
    axis=BY_ACCOUNTING_DATE,
    ties_to=_("Income account."),
    leads_to=_("Register of bills and credit notes"),
)
