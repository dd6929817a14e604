"""Reads a bank's statement by its layout: rows above the header are searched for the balances.

Amounts are CNY, money in above zero. What does not add up is refused as a whole.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.tables import (
    MAX_BYTES,
    MAX_ROWS,
    ColumnsMissing,
    FileEmpty,
    FileTooLarge,
    ImportRefused,
    RowError,
    TooManyRows,
    decode_upload,
)
from settlement.domain.banking.layouts import StatementLayout

_FEN = Decimal("0.01")
_LARGEST = Decimal(1_000_000_000_000)
_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,2}0*)?")
TEXT_LENGTHS = {
    "reference": 80,
    "counterparty_name": 160,
    "counterparty_account": 60,
    "purpose": 300,
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


class BankAmountInvalid(RuleBroken):
    """An amount on a statement is no amount in whole fen."""

    code = "bank_amount_invalid"
    message = gettext_noop("The amount cannot be read.")


class BankDayInvalid(RuleBroken):
    """A date on a statement is written in none of the layout's ways."""

    code = "bank_day_invalid"
    message = gettext_noop("The date cannot be read.")


class BankDirectionInvalid(RuleBroken):
    """A statement does not say whether money came in or went out."""

    code = "bank_direction_invalid"
    message = gettext_noop("Whether money came in or went out cannot be read.")


class BankBalanceBroken(RuleBroken):
    """The balance after a booking is not the balance before it and the amount."""

    code = "bank_balance_broken"
    message = gettext_noop("The balance after this booking should be %(expected)s, not %(found)s.")


class BankTotalsBroken(RuleBroken):
    """Opening balance and bookings do not make the closing balance."""

    code = "bank_totals_broken"
    message = gettext_noop(
        "Opening %(opening)s and the bookings %(sum)s do not make the closing %(closing)s."
    )


class BankBalancesMissing(RuleBroken):
    """Neither the file nor the form says the opening and closing balance."""

    code = "bank_balances_missing"
    message = gettext_noop("The file states no opening or closing balance; enter them.")


@dataclass(frozen=True)
class ParsedLine:
    """A booking as the bank wrote it."""

    line: int
    booked_on: date
    amount: Decimal
    balance: Decimal | None
    reference: str
    counterparty_name: str
    counterparty_account: str
    purpose: str

    @property
    def fingerprint(self) -> str:
        """What makes two bookings look the same; the balance is left out."""
        parts = (
            self.booked_on.isoformat(),
            format(self.amount, "f"),
            self.reference,
            self.counterparty_name,
            self.counterparty_account,
            self.purpose,
        )
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class ParsedStatement:
    """A statement that adds up; `account` is its number where the file says it."""

    opening: Decimal
    closing: Decimal
    lines: tuple[ParsedLine, ...]
    account: str = ""

    @property
    def starts_on(self) -> date:
        """The first day with a booking."""
        return min(line.booked_on for line in self.lines)

    @property
    def ends_on(self) -> date:
        """The last day with a booking."""
        return max(line.booked_on for line in self.lines)


def csv_cells(data: bytes) -> list[list[str]]:
    """Return the cells of a CSV file; raises ImportRefused when it is none."""
    try:
        if len(data) > MAX_BYTES:
            raise FileTooLarge(max_bytes=MAX_BYTES)
        if not data.strip():
            raise FileEmpty
        text = decode_upload(data)
    except RuleBroken as error:
        raise ImportRefused([RowError.of(0, error)]) from None
    return [[clean_cell(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]


def clean_cell(cell: str) -> str:
    """Return a text without controls and blanks around it."""
    return _CONTROL.sub(" ", cell).strip()


def in_order_of_days(lines: Sequence[ParsedLine]) -> list[ParsedLine]:
    """Return the bookings with the oldest first; many banks write the newest first."""
    is_backward = bool(lines) and lines[0].booked_on > lines[-1].booked_on
    return list(reversed(lines) if is_backward else lines)


def lines_make_closing(opening: Decimal, closing: Decimal, lines: Sequence[ParsedLine]) -> None:
    """Check that opening and bookings make the closing; raises BankTotalsBroken."""
    total = sum((line.amount for line in lines), Decimal(0))
    if opening + total != closing:
        raise BankTotalsBroken(field="closing_cny", opening=opening, sum=total, closing=closing)


def parse_statement(
    cells: Sequence[Sequence[str]],
    layout: StatementLayout,
    *,
    opening: Decimal | None = None,
    closing: Decimal | None = None,
) -> ParsedStatement:
    """Return the statement that the cells of a file hold.

    Args:
        cells: rows of texts.
        layout: of the bank.
        opening: balance before the first booking, when the file does not say it.
        closing: balance after the last one, likewise.

    Raises:
        ImportRefused: with every error found.
    """
    header, places = _find_header(cells, layout)
    lines, errors = _read_lines(cells, header, places, layout)
    if errors:
        raise ImportRefused(errors)
    if not lines:
        raise ImportRefused([RowError.of(header + 1, FileEmpty())])
    lines = in_order_of_days(lines)
    try:
        first, last = _balances(cells, lines, layout, opening, closing)
        _check_running(first, lines)
        lines_make_closing(first, last, lines)
    except RuleBroken as error:
        line = int(str(error.params.pop("line", 0)))
        raise ImportRefused([RowError.of(line, error)]) from None
    return ParsedStatement(first, last, tuple(lines))


def _find_header(
    cells: Sequence[Sequence[str]], layout: StatementLayout
) -> tuple[int, dict[str, int]]:
    wanted = set(layout.columns.values())
    best: set[str] = set()
    for number, row in enumerate(cells):
        found = wanted & set(row)
        if found == wanted:
            positions = {name: list(row).index(label) for name, label in layout.columns.items()}
            return number, positions
        best = max(best, found, key=len)
    missing = ", ".join(sorted(wanted - best))
    raise ImportRefused([RowError.of(0, ColumnsMissing(columns=missing))])


def _read_lines(
    cells: Sequence[Sequence[str]], header: int, places: dict[str, int], layout: StatementLayout
) -> tuple[list[ParsedLine], list[RowError]]:
    lines: list[ParsedLine] = []
    errors: list[RowError] = []
    for number, row in enumerate(cells[header + 1 :], header + 2):
        values = {name: row[at] if at < len(row) else "" for name, at in places.items()}
        if not values["booked_on"] or not _looks_like_day(values["booked_on"]):
            continue  # blank lines, sums and notes below the table
        if len(lines) >= MAX_ROWS:
            errors.append(RowError.of(number, TooManyRows(max_rows=MAX_ROWS)))
            break
        try:
            lines.append(_line(number, values, layout))
        except RuleBroken as error:
            errors.append(RowError.of(number, error))
    return lines, errors


def _looks_like_day(text: str) -> bool:
    return text[:1].isdigit()


def _line(number: int, values: dict[str, str], layout: StatementLayout) -> ParsedLine:
    texts = {name: values.get(name, "")[:most] for name, most in TEXT_LENGTHS.items()}
    balance = values.get("balance", "")
    return ParsedLine(
        line=number,
        booked_on=_day(values["booked_on"], layout),
        amount=_amount(values, layout),
        balance=_number(balance, "balance") if balance else None,
        **texts,
    )


def _day(text: str, layout: StatementLayout) -> date:
    for form in layout.date_formats:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day, no instant
        except ValueError:
            continue
    raise BankDayInvalid(field="booked_on")


def _amount(values: dict[str, str], layout: StatementLayout) -> Decimal:
    if "amount" not in layout.columns:
        came, went = values["amount_in"], values["amount_out"]
        amount = (_number(came, "amount_in") if came else Decimal(0)) - (
            _number(went, "amount_out") if went else Decimal(0)
        )
    else:
        amount = _number(values["amount"], "amount")
        if "direction" in layout.columns:
            amount = abs(amount) * _sign(values["direction"], layout)
    if not amount:
        raise BankAmountInvalid(field="amount")
    return amount


def _sign(word: str, layout: StatementLayout) -> int:
    if word in layout.incoming:
        return 1
    if word in layout.outgoing:
        return -1
    raise BankDirectionInvalid(field="direction")


def _number(text: str, field: str) -> Decimal:
    plain = text.replace(",", "").replace("¥", "").removeprefix("+").strip()
    if not _AMOUNT.fullmatch(plain):
        raise BankAmountInvalid(field=field)
    try:
        value = Decimal(plain).quantize(_FEN)
    except InvalidOperation:
        raise BankAmountInvalid(field=field) from None
    if not -_LARGEST < value < _LARGEST:
        raise BankAmountInvalid(field=field)
    return value


def _balances(
    cells: Sequence[Sequence[str]],
    lines: Sequence[ParsedLine],
    layout: StatementLayout,
    opening: Decimal | None,
    closing: Decimal | None,
) -> tuple[Decimal, Decimal]:
    first, last = lines[0], lines[-1]
    if opening is None:
        opening = _labelled(cells, layout.opening_label)
    if opening is None and first.balance is not None:
        opening = first.balance - first.amount
    if closing is None:
        closing = _labelled(cells, layout.closing_label)
    if closing is None:
        closing = last.balance
    if opening is None or closing is None:
        raise BankBalancesMissing(field="opening_cny")
    return opening, closing


def _labelled(cells: Sequence[Sequence[str]], label: str) -> Decimal | None:
    """Return the number that stands in or after the cell with the label."""
    if not label:
        return None
    for row in cells:
        for at, cell in enumerate(row):
            if not cell.startswith(label):
                continue
            rest = cell.removeprefix(label).strip(" :\uff1a")
            after = rest or next((other for other in row[at + 1 :] if other), "")
            if after:
                return _number(after, "opening_cny")
    return None


def _check_running(opening: Decimal, lines: Sequence[ParsedLine]) -> None:
    before: Decimal | None = opening
    for line in lines:
        expected = None if before is None else before + line.amount
        if expected is not None and line.balance is not None and expected != line.balance:
            raise BankBalanceBroken(
                field="balance", expected=expected, found=line.balance, line=line.line
            )
        before = line.balance
