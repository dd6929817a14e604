"""Participant statement (对账单): opening, every movement, closing of each account of a member."""

from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.exports.entry_words import entry_kind_words
from settlement.exports.kinds import BY_ACCOUNTING_DATE, ReportKind, keeps_books_or_own_money
from settlement.exports.parameters import ONE_MEMBER, SPAN, MemberMissing, Values
from settlement.exports.report import Column, ColumnKind, Report, Tie
from settlement.exports.words import record_words
from settlement.selectors.reports.rows import QueryRows
from settlement.selectors.reports.statement import (
    balance_within,
    documents_and_entries,
    statement_rows,
)

COLUMNS = (
    Column("record", _("Record"), words=record_words),
    Column("account", pgettext_lazy("ledger", "Account"), link="account"),
    Column("account_name_zh", _("Account name, Chinese"), is_detail=True),
    Column("account_name_en", _("Account name, English"), is_detail=True),
    Column("effective_on", _("Accounting date"), ColumnKind.DATE),
    Column("recorded_at", _("Recorded at"), ColumnKind.INSTANT, is_detail=True),
    Column("kind", pgettext_lazy("of a journal entry", "Kind"), words=entry_kind_words),
    Column("document", _("Document"), link="bill"),
    Column("source_type", _("Source"), is_detail=True),
    Column("source_id", _("Source id"), is_detail=True),
    Column("entry_id", _("Journal entry"), ColumnKind.INTEGER, link="entry"),
    Column("memo", _("Memo"), is_detail=True),
    Column("net_cny", _("Net of the document, CNY (tax excluded)"), ColumnKind.DECIMAL),
    Column("vat_cny", _("Tax of the document, CNY"), ColumnKind.DECIMAL),
    Column("gross_cny", _("Gross of the document, CNY (tax included)"), ColumnKind.DECIMAL),
    Column("amount_cny", _("Movement, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("balance_cny", _("Balance, CNY"), ColumnKind.DECIMAL),
)


def build(values: Values) -> Report:
    """Return a member's statement over accounting dates.

    Raises:
        MemberMissing: no member is named.
    """
    if values.member is None:
        raise MemberMissing(field="member")
    asked = (values.member.pk, values.since, values.until, values.cut)
    rows = statement_rows(*asked)
    return Report(
        name="statement",
        title=KIND.title,
        columns=COLUMNS,
        rows=rows,
        parameters=dict(values.raw),
        ties=_ties(values, values.member.pk, rows),
        notes=[_("Amounts are the member's view: what it has or is owed is above zero.")],
    )


def _ties(values: Values, member: int, rows: QueryRows) -> list[Tie]:
    before = values.since - timedelta(days=1)
    opening = balance_within(member, before, values.cut)
    moved: Decimal = rows.totals(["amount_cny"])["amount_cny"]
    closing = balance_within(member, values.until, values.cut)
    said, booked = documents_and_entries(member, values.since, values.until, values.cut)
    return [
        Tie(
            "closing",
            _("Opening and movements against the closing balance"),
            opening + moved,
            closing,
        ),
        Tie("documents", _("Documents against their journal entries"), said, booked),
    ]


KIND = ReportKind(
    code="statement",
    title=_("Member statement"),
    description=_("Opening, every movement and closing of each account of a member."),
    permission=keeps_books_or_own_money,
    parameters=(*SPAN, ONE_MEMBER),
    build=build,
    axis=BY_ACCOUNTING_DATE,
    ties_to=_("Closing balance of the member's accounts; documents and their entries."),
    leads_to=_("Journal entry and document, then delivery and readings"),
)
