"""ISO 20022 camt.053 BankToCustomerStatement, versions 02 and 08: the bank's statement of a day.

Message definitions: www.iso20022.org, camt.053.001.02 and camt.053.001.08. Read are one statement
(`Stmt`) of one account in CNY with its opening (OPBD, else PRCD) and closing (CLBD) balance and its
booked entries (BOOK); entries that are pending or for information move no money and are left out.
A batch that the bank booked as one entry is one booking.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from marketplace.domain.errors import gettext_noop
from marketplace.domain.tables import MAX_ROWS, FileEmpty, ImportRefused, RowError, TooManyRows
from settlement.domain.banking.statement_files import (
    TEXT_LENGTHS,
    BankTotalsBroken,
    ParsedLine,
    ParsedStatement,
    clean_cell,
    in_order_of_days,
    lines_make_closing,
)
from settlement.domain.formats.safe_xml import (
    Node,
    XmlAmountInvalid,
    XmlCurrencyWrong,
    XmlElementMissing,
    XmlFault,
    looks_like_xml,
    parse_xml,
)

_ROOTS = {
    f"{{{space}}}Document": {"": space}
    for version in ("02", "08")
    for space in [f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"]
}
_SIGNS = {"CRDT": 1, "DBIT": -1}
_BOOKED, _NOT_BOOKED = "BOOK", frozenset({"PDNG", "INFO", "FUTR"})
_NO_REFERENCE = "NOTPROVIDED"


class CamtStatementCount(XmlFault):
    """A file holds no statement or several."""

    code = "camt_statement_count"
    message = gettext_noop("The file holds %(count)s statements; import one statement at a time.")


class CamtStateUnknown(XmlFault):
    """An entry does not say whether it is booked."""

    code = "camt_state_unknown"
    message = gettext_noop("The state %(found)s of an entry is none of BOOK, PDNG, INFO, FUTR.")


class CamtDirectionUnknown(XmlFault):
    """An amount says neither CRDT nor DBIT."""

    code = "camt_direction_unknown"
    message = gettext_noop("The direction %(found)s is neither CRDT nor DBIT.")


class Camt053:
    """Reads camt.053; a bank statement whatever the layout of the account is."""

    code = "camt.053"
    title = "ISO 20022 camt.053"
    media_type = "application/xml"

    def recognises(self, data: bytes) -> bool:
        """Tell whether a file is XML: no other statement comes as that."""
        return looks_like_xml(data)

    def read(self, data: bytes) -> ParsedStatement:
        """Return the statement; raises ImportRefused with the line and path of each fault."""
        try:
            statement = _only_statement(parse_xml(data, _ROOTS))
            account = _account_number(statement)
            opening = _balance(statement, ("OPBD", "PRCD"))
            closing = _balance(statement, ("CLBD",))
        except XmlFault as fault:
            raise ImportRefused([_row(fault)]) from None
        lines = _lines(statement)
        try:
            lines_make_closing(opening, closing, lines)
        except BankTotalsBroken as error:
            raise ImportRefused([RowError.of(statement.line, error, statement.path)]) from None
        return ParsedStatement(opening, closing, tuple(in_order_of_days(lines)), account)


CAMT_053 = Camt053()


def _row(fault: XmlFault) -> RowError:
    return RowError.of(fault.line, fault)


def _only_statement(root: Node) -> Node:
    found = root.all("BkToCstmrStmt/Stmt")
    if len(found) != 1:
        raise CamtStatementCount(root, count=len(found))
    return found[0]


def _account_number(statement: Node) -> str:
    """Return the number of the account, whose currency is ours when it is said."""
    account = statement.need("Acct")
    currency = account.first("Ccy")
    if currency is not None and currency.own_text != "CNY":
        raise XmlCurrencyWrong(currency, found=currency.own_text)
    number = account.text("Id/Othr/Id", "Id/IBAN")
    if not number:
        raise XmlElementMissing(account, name="Id/Othr/Id")
    return number


def _balance(statement: Node, codes: Iterable[str]) -> Decimal:
    """Return the first balance of these types, in their order."""
    balances = {node.text("Tp/CdOrPrtry/Cd"): node for node in reversed(statement.all("Bal"))}
    for code in codes:
        if code in balances:
            return _signed(balances[code])
    raise XmlElementMissing(statement, name=f"Bal ({' | '.join(codes)})")


def _signed(node: Node) -> Decimal:
    direction = node.need("CdtDbtInd")
    if direction.own_text not in _SIGNS:
        raise CamtDirectionUnknown(direction, found=direction.own_text)
    amount = node.need("Amt")
    value = amount.cny("Ccy")
    if value < 0:
        raise XmlAmountInvalid(amount, found=amount.own_text)
    return _SIGNS[direction.own_text] * value


def _lines(statement: Node) -> list[ParsedLine]:
    entries = statement.all("Ntry")
    if len(entries) > MAX_ROWS:
        raise ImportRefused([RowError.of(0, TooManyRows(max_rows=MAX_ROWS), statement.path)])
    lines: list[ParsedLine] = []
    errors: list[RowError] = []
    for entry in entries:
        try:
            if _is_booked(entry):
                lines.append(_line(entry))
        except XmlFault as fault:
            errors.append(_row(fault))
    if errors:
        raise ImportRefused(errors)
    if not lines:
        raise ImportRefused([RowError.of(statement.line, FileEmpty(), statement.path)])
    return lines


def _is_booked(entry: Node) -> bool:
    """Tell whether money moved; version 02 writes the state itself, 08 a code below it."""
    state = entry.text("Sts/Cd", "Sts")
    if state != _BOOKED and state not in _NOT_BOOKED:
        raise CamtStateUnknown(entry, found=state)
    return state == _BOOKED


def _line(entry: Node) -> ParsedLine:
    amount = _signed(entry)
    if not amount:
        raise XmlAmountInvalid(entry.need("Amt"), found=entry.text("Amt"))
    day = (entry.first("BookgDt/Dt") or entry.need("BookgDt/DtTm")).day
    parts = entry.all("NtryDtls/TxDtls")
    name, account = _other_side(parts, "Dbtr" if amount > 0 else "Cdtr")
    return ParsedLine(
        line=entry.line,
        booked_on=day,
        amount=amount,
        balance=None,
        reference=_text(
            "reference",
            entry.text("AcctSvcrRef", "NtryDtls/TxDtls/Refs/AcctSvcrRef", "NtryRef"),
        ),
        counterparty_name=_text("counterparty_name", name),
        counterparty_account=_text("counterparty_account", account),
        purpose=_text("purpose", _purpose(entry, parts)),
    )


def _other_side(parts: list[Node], role: str) -> tuple[str, str]:
    """Return name and account of the other side; nothing when a batch has several."""
    sides = {
        (
            part.text(f"RltdPties/{role}/Pty/Nm", f"RltdPties/{role}/Nm"),
            part.text(f"RltdPties/{role}Acct/Id/Othr/Id", f"RltdPties/{role}Acct/Id/IBAN"),
        )
        for part in parts
    }
    return sides.pop() if len(sides) == 1 else ("", "")


def _purpose(entry: Node, parts: list[Node]) -> str:
    """Return what the payer wrote: references first, so that a cut leaves them whole."""
    texts = [
        *(part.text("Refs/EndToEndId") for part in parts),
        *(node.own_text for part in parts for node in part.all("RmtInf/Strd/CdtrRefInf/Ref")),
        *(node.own_text for part in parts for node in part.all("RmtInf/Ustrd")),
        *(part.text("AddtlTxInf") for part in parts),
        entry.text("AddtlNtryInf"),
    ]
    return " ".join(dict.fromkeys(text for text in texts if text and text != _NO_REFERENCE))


def _text(field: str, text: str) -> str:
    return clean_cell(text)[: TEXT_LENGTHS[field]]
