"""CSV from columns: every distinct value becomes text once, however many rows it stands in."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from orders.clearing.row_tables import Column
from orders.clearing.types import Codes

# Nothing of this: a text needs no quotes.
_SPECIAL = re.compile(r"[^\w.:/+@-]")
_BLOCK = 65_536
# Neighbouring columns are joined while they have no more combinations than this.
_JOINED = 4096


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a CSV file with `\\n` line ends, quoted only where needed."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def csv_of_columns(
    header: Sequence[str], columns: Sequence[Column], text_of: Callable[[Any], str]
) -> bytes:
    """Return the same file as `csv_bytes`, from two columns or more.

    Args:
        header: names of the columns.
        columns: their cells.
        text_of: the text of a cell before any quotes.
    """
    parts = [csv_bytes(header, [])]
    parts.extend(_lines(_joined(columns, text_of)))
    return b"".join(parts)


def _joined(
    columns: Sequence[Column], text_of: Callable[[Any], str]
) -> list[tuple[list[str], Codes]]:
    """Return texts and codes; columns of few values are joined to one with their neighbours."""
    known: dict[int, list[str]] = {}
    found: list[tuple[list[str], Codes]] = []
    for column in columns:
        own = known.setdefault(id(column.values), [])
        if not own:
            own.extend(_cells(list(map(text_of, column.values))))
        if found and len(found[-1][0]) * len(own) <= _JOINED:
            texts, codes = found.pop()
            pairs = [f"{first},{second}" for first in texts for second in own]
            found.append((pairs, codes.astype(np.int64) * len(own) + column.codes))
        else:
            found.append((own, column.codes))
    return found


def _lines(columns: Sequence[tuple[list[str], Codes]]) -> Iterator[bytes]:
    for start in range(0, len(columns[0][1]), _BLOCK):
        cells = [
            [texts[code] for code in codes[start : start + _BLOCK].tolist()]
            for texts, codes in columns
        ]
        yield ("\n".join(map(",".join, zip(*cells, strict=True))) + "\n").encode()


def _cells(texts: list[str]) -> list[str]:
    """Put quotes around what needs them."""
    if not _SPECIAL.search("".join(texts)):
        return texts
    return [_quoted(text) if _SPECIAL.search(text) else text for text in texts]


def _quoted(text: str) -> str:
    return csv_bytes((text, ""), ()).decode()[: -len(",\n")]
