"""The journal (记账凭证清单), on screen the ledger explorer: entries found by many marks."""

from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.exports.entry_words import entry_kind_words
from settlement.exports.kinds import BY_ACCOUNTING_DATE, ReportKind, keeps_books
from settlement.exports.parameters import (
    SPAN,
    Parameter,
    ParameterInvalid,
    ParameterKind,
    Values,
)
from settlement.exports.report import Column, ColumnKind, Report, Tie
from settlement.selectors.reports.journal import journal_rows, journal_sides

ACCOUNT = Parameter("account", pgettext_lazy("ledger", "Account"), ParameterKind.TEXT)
ENTRY_KIND = Parameter("kind", _("Kind of entry"), ParameterKind.TEXT)
SOURCE = Parameter("source", _("Document or source"), ParameterKind.TEXT)
AMOUNT = Parameter("amount", _("Amount of a line"), ParameterKind.TEXT)
COLUMNS = (
    Column("entry_id", _("Journal entry"), ColumnKind.INTEGER, link="entry"),
    Column("effective_on", _("Accounting date"), ColumnKind.DATE),
    Column("recorded_at", _("Recorded at"), ColumnKind.INSTANT),
    Column("kind", pgettext_lazy("of a journal entry", "Kind"), words=entry_kind_words),
    Column("source_type", _("Source"), is_detail=True),
    Column("source_id", _("Source id"), link="bill"),
    Column("line", _("Line"), ColumnKind.INTEGER, is_detail=True),
    Column("account", pgettext_lazy("ledger", "Account"), link="account"),
    Column("name_zh", _("Account name, Chinese"), language="zh-hans"),
    Column("name_en", _("Account name, English"), language="en"),
    Column("asset", _("Unit of account")),
    Column("debit", _("Debit"), ColumnKind.DECIMAL),
    Column("credit", _("Credit"), ColumnKind.DECIMAL),
    Column("memo", _("Memo"), is_detail=True),
    Column("person", _("Person"), is_detail=True),
    Column("reason", _("Reason"), is_detail=True),
    Column("reverses", _("Takes back"), ColumnKind.INTEGER, link="entry"),
)


def build(values: Values) -> Report:
    """Return every posting of the entries found.

    Raises:
        ParameterInvalid: the amount is no number.
    """
    asked = {
        "since": values.since,
        "until": values.until,
        "kind": values.choices["kind"],
        "source": values.choices["source"],
        "account": values.choices["account"],
        "amount": _amount(values.choices["amount"]),
        **values.cut.values,
    }
    sides = journal_sides(asked)
    return Report(
        name="journal",
        title=KIND.title,
        columns=COLUMNS,
        rows=journal_rows(asked),
        parameters=dict(values.raw),
        totals={
            f"{side}:{asset}": figure
            for asset, debit, credit in sides
            for side, figure in (("debit", debit), ("credit", credit))
        },
        ties=[
            Tie(f"debit_credit:{asset}", _("Debits against credits"), debit, credit)
            for asset, debit, credit in sides
        ],
        notes=[_("Whole entries are shown, also where one line alone was asked for.")],
    )


def _amount(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise ParameterInvalid(field="amount") from error
    if not (text.isascii() and amount.is_finite()):
        raise ParameterInvalid(field="amount")
    return abs(amount)


KIND = ReportKind(
    code="journal",
    title=_("Journal"),
    description=_("Every posting, found by kind, account, date, source and amount."),
    permission=keeps_books,
    parameters=(*SPAN, ACCOUNT, ENTRY_KIND, SOURCE, AMOUNT),
    build=build,
    axis=BY_ACCOUNTING_DATE,
    ties_to=_("Debits equal credits in each unit of account."),
    leads_to=_("Journal entry, its document, delivery, readings"),
)
