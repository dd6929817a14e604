"""A report before it has a format: named columns, rows, parameters, control totals and ties."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import MARKET_TIME_ZONE
from settlement.selectors.reports.rows import QueryRows

Cell = str | int | Decimal | date | datetime | None
# A spreadsheet takes these for the beginning of a formula, full-width forms included.
_TRIGGERS = tuple("=+-@\t\r\n＝＋－＠")


class ColumnKind(StrEnum):
    """How the cells of a column are written."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    INSTANT = "instant"


@dataclass(frozen=True)
class Column:
    """A column: the machine name is for programs, the label for people.

    Attributes:
        name: stable name, the header of CSV files.
        label: translated header of spreadsheets.
        kind: what the cells are.
        places: decimals shown of a decimal column.
        page_places: decimals that a page shows where files carry more.
        is_exact: whether a spreadsheet also carries the decimals as text, because a spreadsheet's
            own numbers keep only 15 digits.
        is_total: whether the column is summed in the control totals.
        words: how a machine word reads for people, on pages and in printed files.
        link: what the cell leads to on a page: `entry`, `account`, `bill`, `delivery`, `run`,
            `auction`, `member`.
        language: the only language in which pages and printed files show the column.
        is_detail: whether pages and printed files leave the column to CSV, XLSX and JSON.
    """

    name: str
    label: str | Promise
    kind: ColumnKind = ColumnKind.TEXT
    places: int = 2
    is_exact: bool = False
    is_total: bool = False
    words: Callable[[str], str] | None = None
    link: str = ""
    language: str = ""
    is_detail: bool = False
    page_places: int | None = None

    def text(self, cell: "Cell") -> "Cell":
        """Return a cell as people read it: machine words in their language."""
        return self.words(cell) if self.words is not None and isinstance(cell, str) else cell


class ReportDoesNotTie(RuleBroken):
    """A figure of the report differs from the ledger's: the report is not given out."""

    code = "report_does_not_tie"
    message = gettext_noop(
        "The report does not agree with the ledger (%(name)s: %(reported)s against %(booked)s)."
    )
    status = 500


@dataclass(frozen=True)
class Tie:
    """A figure of a report beside what the ledger says on its own.

    Attributes:
        name: stable name, such as `receivable`.
        label: for people.
        reported: out of the report's rows.
        booked: out of the ledger, asked another way.
    """

    name: str
    label: str | Promise
    reported: Decimal
    booked: Decimal

    @property
    def difference(self) -> Decimal:
        """Return reported less booked: zero, or the report is withheld."""
        return self.reported - self.booked


@dataclass(frozen=True)
class Report:
    """Rows under columns, with what they were asked for.

    Attributes:
        name: machine name, part of the file's name.
        title: translated title.
        columns: in order.
        rows: one cell a column.
        parameters: what was asked for, by machine name.
        totals: control totals by column; computed from the columns marked so unless given.
        ties: figures that the ledger confirms.
        facts: where the figures come from (time axis, zone, data cut, code version), by name.
        notes: sentences for the reader of a page or a printed file.
    """

    name: str
    title: str | Promise
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    parameters: dict[str, str] = field(default_factory=dict)
    totals: dict[str, Decimal] | None = None
    ties: Sequence[Tie] = ()
    facts: dict[str, str] = field(default_factory=dict)
    notes: Sequence[str | Promise] = ()

    def control_totals(self) -> dict[str, str]:
        """Return the number of rows and the sum of each column that has one, as text."""
        sums = self.totals if self.totals is not None else self._sums()
        return {"rows": str(len(self.rows)), **{k: format(v, "f") for k, v in sums.items()}}

    def _sums(self) -> dict[str, Decimal]:
        if isinstance(self.rows, QueryRows):
            return self.rows.totals([column.name for column in self.columns if column.is_total])
        return {
            column.name: sum(
                (Decimal(row[i]) for row in self.rows if row[i] is not None),  # type: ignore[arg-type]
                Decimal(0),
            )
            for i, column in enumerate(self.columns)
            if column.is_total
        }

    def require_ties(self) -> None:
        """Refuse to go on with figures that the ledger does not confirm.

        Raises:
            ReportDoesNotTie: a figure differs.
        """
        for tie in self.ties:
            if tie.difference:
                raise ReportDoesNotTie(name=tie.name, reported=tie.reported, booked=tie.booked)

    def shown_columns(self, language: str) -> list[int]:
        """Return the positions of the columns that a page or a printed file shows."""
        return [
            i
            for i, column in enumerate(self.columns)
            if not column.is_detail and column.language in {"", language}
        ]


@dataclass(frozen=True)
class ExportFile:
    """A finished file with its manifest."""

    filename: str
    content_type: str
    content: bytes
    manifest: dict[str, Any]


def inert(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, whichever program opens it.

    Leading blanks do not hide a formula from every program, so they do not count. NUL has no
    meaning in any file of ours.
    """
    clean = text.replace("\0", "")
    if clean.startswith(_TRIGGERS) or clean.lstrip(" \u00a0\u3000").startswith(_TRIGGERS):
        return "'" + clean
    return clean


def cell_text(cell: Cell, column: Column) -> str:
    """Return a cell as exact text: ISO dates and instants, decimals with a point, inert text."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.astimezone(MARKET_TIME_ZONE).isoformat(timespec="seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return decimal_text(cell, column.places)
    if isinstance(cell, int):
        return str(cell)
    return inert(cell)


def decimal_text(value: Decimal, places: int) -> str:
    """Return all digits of a number, with at least the column's decimals and no exponent."""
    least = value.quantize(Decimal(1).scaleb(-places)) if places else value
    return format(least if least == value else value.normalize(), "f")
