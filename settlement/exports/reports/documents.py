"""Register of bills and credit notes (结算单与冲减单登记簿), and their lines (结算明细)."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.exports.kinds import (
    ReportKind,
    keeps_books_or_own_money,
)
from settlement.exports.parameters import MEMBER, SPAN, Values
from settlement.exports.report import Column, ColumnKind, Report, Tie
from settlement.exports.words import (
    direction_words,
    document_kind_words,
    hub_words,
    line_kind_words,
)
from settlement.selectors.reports.documents import (
    booked_sums,
    document_sums,
    line_rows,
    number_series,
    register_rows,
    scope,
)
from settlement.selectors.reports.rows import QueryRows

BY_ISSUE = _("by day of issue, which is the accounting date")
_RATE = Column("vat_rate", _("Tax rate"), ColumnKind.DECIMAL, places=4)
_MONEY = (
    Column("net_cny", _("Net, CNY (tax excluded)"), ColumnKind.DECIMAL, is_total=True),
    Column("vat_cny", _("Tax, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("gross_cny", _("Gross, CNY (tax included)"), ColumnKind.DECIMAL, is_total=True),
)
REGISTER_COLUMNS = (
    Column("number", _("Number"), link="bill"),
    Column("direction", _("Direction"), words=direction_words),
    Column("kind", pgettext_lazy("of a document", "Kind"), words=document_kind_words),
    Column("issued_on", _("Issued on"), ColumnKind.DATE),
    Column("due_on", _("Due on"), ColumnKind.DATE),
    Column("member", _("Member code"), link="member"),
    Column("name_zh", _("Chinese name"), language="zh-hans"),
    Column("name_en", _("English name"), language="en"),
    Column("tax_id", _("Tax id"), is_detail=True),
    Column("auction", _("Auction"), is_detail=True),
    Column("run", _("Settlement run"), is_detail=True),
    Column("refers_to", _("Refers to"), link="bill"),
    Column("entry_id", _("Journal entry"), ColumnKind.INTEGER, link="entry"),
    _RATE,
    *_MONEY,
)
LINE_COLUMNS = (
    Column("document", _("Document"), link="bill"),
    Column("line", _("Line"), ColumnKind.INTEGER, is_detail=True),
    Column("kind", pgettext_lazy("of a document", "Kind"), words=document_kind_words),
    Column("direction", _("Direction"), words=direction_words, is_detail=True),
    Column("issued_on", _("Issued on"), ColumnKind.DATE),
    Column("member", _("Member code")),
    Column("line_kind", _("What is billed"), words=line_kind_words),
    Column("confirmation", _("Confirmation number")),
    Column("product", _("Product code"), is_detail=True),
    Column("product_zh", _("Product, Chinese"), language="zh-hans"),
    Column("product_en", _("Product, English"), language="en"),
    Column("hub", _("Hub"), words=hub_words),
    Column("starts_at", _("From"), ColumnKind.INSTANT),
    Column("ends_at", _("Until"), ColumnKind.INSTANT, is_detail=True),
    Column("delivery", _("Delivery"), link="delivery"),
    Column(
        "unit_hours",
        _("Unit-hours"),
        ColumnKind.DECIMAL,
        places=6,
        is_exact=True,
        is_total=True,
        page_places=3,
    ),
    Column("price_cny", _("Price per unit and hour, CNY"), ColumnKind.DECIMAL, places=6),
    _RATE,
    *_MONEY,
)


def build_register(values: Values) -> Report:
    """Return the register; its numbers leave no gap and its sums stand in the ledger."""
    asked = _scope(values)
    rows = register_rows(asked)
    return Report(
        name="bill-register",
        title=REGISTER.title,
        columns=REGISTER_COLUMNS,
        rows=rows,
        parameters=dict(values.raw),
        ties=[*_ties(rows, asked), *_numbers(asked)],
        notes=[_("One row for each tax rate of a document.")],
    )


def build_lines(values: Values) -> Report:
    """Return the lines of all documents, each with its delivery."""
    asked = _scope(values)
    rows = line_rows(asked)
    return Report(
        name="bill-lines",
        title=LINES.title,
        columns=LINE_COLUMNS,
        rows=rows,
        parameters=dict(values.raw),
        ties=_ties(rows, asked),
    )


def _scope(values: Values) -> dict[str, Any]:
    member = values.member.pk if values.member else None
    return scope(values.since, values.until, member, values.cut)


def _ties(rows: QueryRows, asked: dict[str, Any]) -> list[Tie]:
    heads, booked = document_sums(asked), booked_sums(asked)
    gross = rows.totals(["gross_cny"])["gross_cny"]
    zero = Decimal(0)
    sums = {d: heads.get(d, (zero, zero, zero)) for d in ("receivable", "payable")}
    posted = {d: booked.get(d, (zero, zero)) for d in ("receivable", "payable")}
    return [
        Tie("documents", _("Lines against the sums of the documents"), gross, _gross(sums)),
        Tie(
            "receivable",
            _("Bills to buyers against their journal entries"),
            sums["receivable"][2],
            posted["receivable"][0],
        ),
        Tie(
            "payable",
            _("Suppliers' statements against their journal entries"),
            sums["payable"][2],
            -posted["payable"][0],
        ),
        Tie(
            "output_tax",
            _("Tax of bills against the tax accounts"),
            sums["receivable"][1],
            -posted["receivable"][1],
        ),
        Tie(
            "input_tax",
            _("Tax of suppliers' statements against the tax accounts"),
            sums["payable"][1],
            posted["payable"][1],
        ),
    ]


def _gross(sums: dict[str, tuple[Decimal, Decimal, Decimal]]) -> Decimal:
    return sum((figures[2] for figures in sums.values()), Decimal(0))


def _numbers(asked: dict[str, Any]) -> list[Tie]:
    return [
        Tie(
            f"numbers:{series}", _("Documents against the highest number"), Decimal(n), Decimal(top)
        )
        for series, n, top in number_series(asked)
    ]


REGISTER = ReportKind(
    code="bill-register",
    title=_("Register of bills and credit notes"),
    description=_("Every document of the span with its tax; numbers without gaps."),
    permission=keeps_books_or_own_money,
    parameters=(*SPAN, MEMBER),
    build=build_register,
    axis=BY_ISSUE,
    ties_to=_("Journal entries and tax accounts of the documents; highest number of each series."),
    leads_to=_("Document, its lines, delivery, readings"),
)
LINES = ReportKind(
    code="bill-lines",
    title=_("Lines of bills"),
    description=_("What each document bills: trade, product, quantity, price, net, tax, gross."),
    permission=keeps_books_or_own_money,
    parameters=(*SPAN, MEMBER),
    build=build_lines,
    axis=BY_ISSUE,
    ties_to=_("Sums of the documents and their journal entries."),
    leads_to=_("Delivery and its readings"),
)
