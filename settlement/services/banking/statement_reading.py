"""What a bank's file says: camt.053 by itself, CSV and XLSX by the layout of the account."""

import io
from datetime import datetime
from decimal import Decimal
from zipfile import BadZipFile

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.tables import (
    MAX_BYTES,
    MAX_ROWS,
    FileNotText,
    FileTooLarge,
    ImportRefused,
    RowError,
)
from settlement.domain.banking.layouts import statement_layout
from settlement.domain.banking.statement_files import (
    ParsedStatement,
    csv_cells,
    parse_statement,
)
from settlement.domain.formats.registry import STATEMENT_READERS
from settlement.models import BankAccount

_ZIP = b"PK\x03\x04"


class StatementOfOtherAccount(RuleBroken):
    """A file names another account than the one it is imported for."""

    code = "statement_of_other_account"
    message = gettext_noop("The file is about account %(found)s, not about %(expected)s.")


class BalanceContradicted(RuleBroken):
    """A balance was entered that the file states otherwise."""

    code = "balance_contradicted"
    message = gettext_noop("The file states %(found)s; leave the field empty.")


def read_statement(
    account: BankAccount, data: bytes, *, opening: Decimal | None, closing: Decimal | None
) -> ParsedStatement:
    """Return the statement that a file holds.

    Args:
        account: whose layout CSV and XLSX follow, and whose number a message must name.
        data: the file.
        opening: balance before the first booking, where the file does not say it.
        closing: balance after the last booking, likewise.

    Raises:
        ImportRefused: the file cannot be read, with the places that are wrong.
        StatementOfOtherAccount, BalanceContradicted: it does not fit what is known.
    """
    reader = next((one for one in STATEMENT_READERS if one.recognises(data)), None)
    if reader is None:
        layout = statement_layout(account.profile.layout)
        return parse_statement(_cells(data), layout, opening=opening, closing=closing)
    parsed = reader.read(data)
    if _plain(parsed.account) != _plain(account.number):
        raise StatementOfOtherAccount(field="file", found=parsed.account, expected=account.number)
    for field, given, found in (
        ("opening_cny", opening, parsed.opening),
        ("closing_cny", closing, parsed.closing),
    ):
        if given is not None and given != found:
            raise BalanceContradicted(field=field, found=found)
    return parsed


def _plain(number: str) -> str:
    return "".join(letter for letter in number.upper() if letter.isalnum())


def _cells(data: bytes) -> list[list[str]]:
    return _spreadsheet_cells(data) if data[:4] == _ZIP else csv_cells(data)


def _spreadsheet_cells(data: bytes) -> list[list[str]]:
    """Return the texts of the first sheet; sums and notes are read as they were last computed."""
    try:
        if len(data) > MAX_BYTES:
            raise FileTooLarge(max_bytes=MAX_BYTES)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = sheet.iter_rows(max_row=MAX_ROWS + 100, max_col=60, values_only=True)
        return [[_text(value) for value in row] for row in rows]
    except RuleBroken as error:
        raise ImportRefused([RowError.of(0, error)]) from None
    except (BadZipFile, InvalidFileException, KeyError, ValueError, IndexError):
        raise ImportRefused([RowError.of(0, FileNotText())]) from None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return "".join(" " if ord(letter) < 32 else letter for letter in str(value)).strip()
