"""Ageing of receivables and payables (应收应付账龄) as of any past day."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.exports.kinds import ReportKind, keeps_books_or_own_money
from settlement.exports.parameters import AS_OF, MEMBER, Parameter, ParameterKind, Values
from settlement.exports.report import Column, ColumnKind, Report, Tie
from settlement.exports.words import document_kind_words
from settlement.selectors.reports.ageing import (
    ageing_rows,
    ageing_values,
    control_balance,
    documents_and_entries,
)
from settlement.selectors.reports.figures import BEGINNING, unbalanced

SIDE = Parameter(
    "side",
    _("Side"),
    ParameterKind.CHOICE,
    (("receivable", _("Receivables")), ("payable", _("Payables"))),
)
BASIS = Parameter(
    "basis",
    _("Age counted from"),
    ParameterKind.CHOICE,
    (("due_on", _("Due date")), ("issued_on", _("Day of issue"))),
)
COLUMNS = (
    Column("member", _("Member code"), link="member"),
    Column("name_zh", _("Chinese name"), language="zh-hans"),
    Column("name_en", _("English name"), language="en"),
    Column("document", _("Document"), link="bill"),
    Column("kind", pgettext_lazy("of a document", "Kind"), words=document_kind_words),
    Column("issued_on", _("Issued on"), ColumnKind.DATE),
    Column("due_on", _("Due on"), ColumnKind.DATE),
    Column("entry_id", _("Journal entry"), ColumnKind.INTEGER, link="entry"),
    Column("gross_cny", _("Gross of the document, CNY (tax included)"), ColumnKind.DECIMAL),
    Column("days", _("Days overdue"), ColumnKind.INTEGER),
    Column("not_due_cny", _("Not due, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("days_1_30_cny", _("1–30 days, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("days_31_60_cny", _("31–60 days, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("days_61_90_cny", _("61–90 days, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("over_90_cny", _("Over 90 days, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("open_cny", _("Open, CNY"), ColumnKind.DECIMAL, is_total=True),
)


def build(values: Values) -> Report:
    """Return the open items of a side at the end of a day, each in the bucket of its age."""
    asked = ageing_values(
        values.choices["side"],
        values.choices["basis"],
        values.as_of,
        values.member.pk if values.member else None,
        values.cut,
    )
    rows = ageing_rows(asked)
    said, booked = documents_and_entries(asked)
    return Report(
        name=f"ageing-{values.choices['side']}",
        title=KIND.title,
        columns=COLUMNS,
        rows=rows,
        parameters=dict(values.raw),
        ties=[
            Tie(
                "control",
                _("Open items against the control accounts on that day"),
                rows.totals(["open_cny"])["open_cny"],
                control_balance(asked),
            ),
            Tie("documents", _("Documents against their journal entries"), said, booked),
            _balanced(values.as_of, values),
        ],
        notes=[_("A row without document is money on account that no document has used yet.")],
    )


def _balanced(day: date, values: Values) -> Tie:
    off = unbalanced(BEGINNING, day, values.cut)
    return Tie("ledger", _("Debits less credits of the whole ledger"), off, Decimal(0))


KIND = ReportKind(
    code="ageing",
    title=_("Ageing of receivables and payables"),
    description=_("Open items by age as of any past day, by due date or by day of issue."),
    permission=keeps_books_or_own_money,
    parameters=(AS_OF, SIDE, BASIS, MEMBER),
    build=build,
    axis=_("as of the end of a day, by accounting date"),
    ties_to=_("Control accounts of receivables and payables on that day."),
    leads_to=_("Document, its lines, delivery, readings; journal entry"),
)
