"""Bank reconciliation (银行存款余额调节表): the bank's statement against the ledger, to the fen."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.exports.kinds import ReportKind, keeps_books
from settlement.exports.parameters import AS_OF, Values
from settlement.exports.report import Cell, Column, ColumnKind, Report, Tie
from settlement.exports.words import bank_record_words
from settlement.models import BankStatement
from settlement.selectors.banking.reconciliation import Reconciliation, reconcile

COLUMNS = (
    Column("bank_account", _("Bank account")),
    Column("record", _("Record"), words=bank_record_words),
    Column("on", _("Date"), ColumnKind.DATE),
    Column("reference", _("Reference")),
    Column("counterparty", pgettext_lazy("of a bank line", "Counterparty")),
    Column("entry_id", _("Journal entry"), ColumnKind.INTEGER, link="entry"),
    Column("amount_cny", pgettext_lazy("of a row", "Amount, CNY"), ColumnKind.DECIMAL),
)


def build(values: Values) -> Report:
    """Return, for each bank account, the last statement up to a day against the ledger."""
    found = [reconcile(statement) for statement in _last_statements(values)]
    return Report(
        name="bank-reconciliation",
        title=KIND.title,
        columns=COLUMNS,
        rows=[row for each in found for row in _rows(each)],
        parameters=dict(values.raw),
        ties=[
            Tie(
                f"bank:{each.account.pk}",
                _("Statement and what it does not show against the bank account in the ledger"),
                each.closing_cny + each.items_cny,
                each.ledger_cny,
            )
            for each in found
        ],
        notes=[
            _("A bank line without match is unexplained money; it stands in suspense."),
        ],
    )


def _last_statements(values: Values) -> list[BankStatement]:
    statements = BankStatement.objects.filter(ends_on__lte=values.as_of)
    return list(
        statements.select_related("account")
        .order_by("account_id", "-sequence")
        .distinct("account_id")
    )


def _rows(found: Reconciliation) -> Iterator[list[Cell]]:
    name = str(found.account)
    for record, amount in (
        ("opening", found.opening_cny),
        ("incoming", found.incoming_cny),
        ("outgoing", found.outgoing_cny),
        ("closing", found.closing_cny),
        ("matched", found.matched_cny),
    ):
        yield [name, record, found.on, "", "", None, amount]
    for line in found.lines:
        left = line.left_cny  # type: ignore[attr-defined]
        yield [
            name,
            "unmatched_bank",
            line.booked_on,
            line.reference,
            line.counterparty_name,
            line.entry_id,
            left,
        ]
    for item in found.items:
        on = item.entry.effective_on
        yield [name, "unmatched_ledger", on, item.memo, "", item.entry_id, item.amount]
    yield [name, "ledger", found.on, "", "", None, found.ledger_cny]
    yield [name, "difference", found.on, "", "", None, found.difference_cny]


KIND = ReportKind(
    code="bank-reconciliation",
    title=_("Bank reconciliation"),
    description=_("Statement opening and closing, matched, unmatched both ways, difference zero."),
    permission=keeps_books,
    parameters=(AS_OF,),
    build=build,
    axis=_("as of the end of the last statement up to a day"),
    ties_to=_("Bank account in the ledger."),
    leads_to=_("Journal entry of the bank line"),
)
