"""A member's statement as a report."""

from datetime import date

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.models import Organisation
from settlement.exports.report import Cell, Column, ColumnKind, Report
from settlement.selectors.statements import Statement, StatementAccount, participant_statement

COLUMNS = (
    Column("record", _("Record")),
    Column("account", pgettext_lazy("ledger", "Account")),
    Column("account_name_zh", _("Account name, Chinese")),
    Column("account_name_en", _("Account name, English")),
    Column("effective_on", _("Accounting date"), ColumnKind.DATE),
    Column("recorded_at", _("Recorded at"), ColumnKind.INSTANT),
    Column("kind", pgettext_lazy("of a journal entry", "Kind")),
    Column("document", _("Document")),
    Column("source_type", _("Source")),
    Column("source_id", _("Source id")),
    Column("entry_id", _("Journal entry"), ColumnKind.INTEGER),
    Column("memo", _("Memo")),
    Column("net_cny", _("Net of the document, CNY (tax excluded)"), ColumnKind.DECIMAL),
    Column("vat_cny", _("Tax of the document, CNY"), ColumnKind.DECIMAL),
    Column("gross_cny", _("Gross of the document, CNY (tax included)"), ColumnKind.DECIMAL),
    Column("amount_cny", _("Movement, CNY"), ColumnKind.DECIMAL),
    Column("balance_cny", _("Balance, CNY"), ColumnKind.DECIMAL),
)
HOLD_COLUMNS = (
    Column("reference", _("Hold")),
    Column("source_type", _("Source")),
    Column("source_id", _("Source id")),
    Column("auction", _("Auction")),
    Column("placed_at", _("Placed at"), ColumnKind.INSTANT),
    Column("placed_cny", _("Placed, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("captured_cny", _("Used, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("released_cny", _("Freed, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("remaining_cny", _("Still held, CNY"), ColumnKind.DECIMAL, is_total=True),
)
_BLANK = 11  # cells between the date and the balance of a row that is no movement


def statement_reports(organisation: Organisation, starts_on: date, ends_on: date) -> list[Report]:
    """Return a member's movements and its holds.

    Raises:
        StatementDoesNotTie: it does not agree with the ledger.
    """
    statement = participant_statement(organisation, starts_on, ends_on)
    return [_movements(statement), _holds(statement)]


def _movements(statement: Statement) -> Report:
    rows = [row for account in statement.accounts for row in _account_rows(account, statement)]
    return Report(
        name="statement",
        title=_("Member statement"),
        columns=COLUMNS,
        rows=rows,
        parameters=_parameters(statement),
        totals={
            f"{position}:{account.code}": getattr(account, f"{position}_cny")
            for account in statement.accounts
            for position in ("opening", "closing")
        },
    )


def _account_rows(account: StatementAccount, statement: Statement) -> list[list[Cell]]:
    names: list[Cell] = [account.code, account.name_zh, account.name_en]
    blank: list[Cell] = [None] * _BLANK
    opening = ["opening", *names, statement.starts_on, *blank, account.opening_cny]
    closing = ["closing", *names, statement.ends_on, *blank, account.closing_cny]
    lines = [
        [
            "movement",
            *names,
            line.effective_on,
            line.recorded_at,
            line.kind,
            line.document,
            line.source_type,
            line.source_id,
            line.entry_id,
            line.memo,
            line.net_cny,
            line.vat_cny,
            line.gross_cny,
            line.amount_cny,
            line.balance_cny,
        ]
        for line in account.lines
    ]
    return [opening, *lines, closing]


def _holds(statement: Statement) -> Report:
    return Report(
        name="holds",
        title=_("Holds"),
        columns=HOLD_COLUMNS,
        rows=[[getattr(hold, column.name) for column in HOLD_COLUMNS] for hold in statement.holds],
        parameters=_parameters(statement),
    )


def _parameters(statement: Statement) -> dict[str, str]:
    return {
        "member": statement.organisation.code,
        "from": statement.starts_on.isoformat(),
        "to": statement.ends_on.isoformat(),
        "dates": "accounting date, Asia/Shanghai",
    }
