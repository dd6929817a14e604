"""Reads tables that people upload: CSV in the encodings of real spreadsheets, checked headers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from marketplace.domain.errors import RuleBroken, gettext_noop

MAX_BYTES = 2_000_000
MAX_ROWS = 5_000
_ENCODINGS = ("utf-8-sig", "gb18030")


class FileTooLarge(RuleBroken):
    """An upload is larger than the market reads."""

    code = "file_too_large"
    message = gettext_noop("The file may have at most %(max_bytes)s bytes.")


class FileEmpty(RuleBroken):
    """An upload has no rows."""

    code = "file_empty"
    message = gettext_noop("The file has no rows.")


class FileNotText(RuleBroken):
    """An upload is not a text file in UTF-8 or GB 18030."""

    code = "file_not_text"
    message = gettext_noop("The file is not a CSV text in UTF-8 or GB 18030.")


class ColumnsMissing(RuleBroken):
    """The header lacks columns."""

    code = "columns_missing"
    message = gettext_noop("The header lacks these columns: %(columns)s.")


class ColumnsUnknown(RuleBroken):
    """The header has columns nobody knows; a typing error would otherwise be ignored."""

    code = "columns_unknown"
    message = gettext_noop("The header has unknown columns: %(columns)s.")


class ColumnsRepeated(RuleBroken):
    """The header names a column twice."""

    code = "columns_repeated"
    message = gettext_noop("The header names these columns twice: %(columns)s.")


class TooManyRows(RuleBroken):
    """An upload has more rows than one import takes."""

    code = "too_many_rows"
    message = gettext_noop("The file may have at most %(max_rows)s rows.")


class WrongCellCount(RuleBroken):
    """A row has more or fewer cells than the header."""

    code = "wrong_cell_count"
    message = gettext_noop("The row has %(cells)s cells, the header %(columns)s.")


@dataclass(frozen=True)
class RowError:
    """Why a row was refused.

    Attributes:
        line: line of the file, the header being line 1; 0 for the file as a whole.
        field: name of the column, or empty.
        code: stable name of the broken rule.
        message: English text with placeholders; a msgid.
        params: values of the placeholders.
    """

    line: int
    field: str
    code: str
    message: str
    params: Mapping[str, object] = dataclass_field(default_factory=dict)

    @classmethod
    def of(cls, line: int, error: RuleBroken, column: str = "") -> RowError:
        """Return a refusal as the error of a row."""
        return cls(line, column or error.field or "", error.code, error.message, error.params)

    def __str__(self) -> str:
        text = self.message % self.params if self.params else self.message
        return f"line {self.line}: {self.field + ': ' if self.field else ''}{text}"


class ImportRefused(RuleBroken):
    """A file was refused; nothing of it was stored.

    Attributes:
        rows: every error found, in the order of the lines.
    """

    code = "import_refused"
    message = gettext_noop("The file was not imported and nothing was changed. Errors: %(count)s.")

    def __init__(self, rows: Sequence[RowError]) -> None:
        super().__init__(count=len(rows))
        self.rows = list(rows)


@dataclass(frozen=True)
class Row:
    """A line of an uploaded table; cells are text without blanks around it."""

    line: int
    cells: Mapping[str, str]


def read_upload(
    data: bytes,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    aliases: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    max_rows: int = MAX_ROWS,
) -> list[Row]:
    """Return the rows of an uploaded CSV file.

    UTF-8 with or without a byte order mark is tried first, then GB 18030. Blank lines are left
    out; line numbers stay those of the file.

    Args:
        data: the file.
        required: columns that must be there.
        optional: further columns that may be.
        aliases: other names of columns, such as Chinese ones.
        max_bytes: largest file.
        max_rows: most rows below the header.

    Raises:
        ImportRefused: with one error for each thing that is wrong.
    """
    try:
        header, lines = _split(data, aliases or {}, max_bytes)
        _check_header(header, required, optional)
    except RuleBroken as error:
        raise ImportRefused([RowError.of(1 if data else 0, error)]) from None
    rows: list[Row] = []
    errors: list[RowError] = []
    for line, cells in lines:
        if len(rows) + len(errors) >= max_rows:
            errors.append(RowError.of(line, TooManyRows(max_rows=max_rows)))
            break
        if len(cells) != len(header):
            wrong = WrongCellCount(cells=len(cells), columns=len(header))
            errors.append(RowError.of(line, wrong))
            continue
        stripped = (cell.strip() for cell in cells)
        rows.append(Row(line, dict(zip(header, stripped, strict=True))))
    if errors:
        raise ImportRefused(errors)
    if not rows:
        raise ImportRefused([RowError.of(1, FileEmpty())])
    return rows


def decode_upload(data: bytes) -> str:
    """Return a file's text; raises FileNotText."""
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text
    raise FileNotText


def _split(
    data: bytes, aliases: Mapping[str, str], max_bytes: int
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    if len(data) > max_bytes:
        raise FileTooLarge(max_bytes=max_bytes)
    if not data.strip():
        raise FileEmpty
    reader = csv.reader(io.StringIO(decode_upload(data), newline=""))
    try:
        header = [name.strip() for name in next(reader)]
    except csv.Error:
        raise FileNotText from None
    return [aliases.get(name, name) for name in header], _numbered(reader)


def _numbered(reader: csv._reader) -> Iterator[tuple[int, list[str]]]:  # type: ignore[name-defined]
    before = reader.line_num
    for cells in reader:
        # A quoted cell may hold line breaks: the row's number is that of its first line.
        line, before = before + 1, reader.line_num
        if any(cell.strip() for cell in cells):
            yield line, cells


def _check_header(header: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ColumnsRepeated(columns=", ".join(repeated))
    missing = [name for name in required if name not in header]
    if missing:
        raise ColumnsMissing(columns=", ".join(missing))
    unknown = [name for name in header if name not in required and name not in optional]
    if unknown:
        raise ColumnsUnknown(columns=", ".join(unknown))
