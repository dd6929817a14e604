"""Rows of a query as a sequence that is never held in memory as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection, transaction


class QueryRows(Sequence[Sequence[Any]]):
    """The rows of a query: counted, paged and summed by the database, streamed by a cursor.

    Reading all of them takes constant memory; what belongs together has to be read in one
    transaction.

    Args:
        sql: a query with an ORDER BY that leaves no ties; written by us, never by a caller.
        parameters: its values.
    """

    def __init__(self, sql: str, parameters: Mapping[str, Any]) -> None:
        self._sql = sql
        self._parameters = dict(parameters)
        self._count: int | None = None

    def __len__(self) -> int:
        """Return the number of rows, asked of the database once."""
        if self._count is None:
            # The query is ours; its values stay parameters.
            self._count = int(self._row(f"SELECT count(*) FROM ({self._sql}) AS q")[0])  # noqa: S608
        return self._count

    def __iter__(self) -> Iterator[Sequence[Any]]:
        """Yield row by row through a cursor of the server."""
        with transaction.atomic(), connection.chunked_cursor() as cursor:
            cursor.execute(self._sql, self._parameters)
            yield from cursor

    def __getitem__(self, index: Any) -> Any:
        """Return a row, or the rows of a slice with a step of one."""
        if isinstance(index, int):
            return self._page(index, 1)[0]
        start, stop, _step = index.indices(len(self))
        return self._page(start, max(stop - start, 0))

    def totals(self, names: Sequence[str]) -> dict[str, Decimal]:
        """Return the sums of columns, by their names in the query."""
        if not names:
            return {}
        sums = ", ".join(f'coalesce(sum("{name}"), 0)' for name in names)
        row = self._row(f"SELECT {sums} FROM ({self._sql}) AS q")  # noqa: S608
        return dict(zip(names, map(Decimal, row), strict=True))

    def _page(self, start: int, size: int) -> list[Sequence[Any]]:
        with connection.cursor() as cursor:
            cursor.execute(
                f"{self._sql} LIMIT %(page_size)s OFFSET %(page_start)s",
                {**self._parameters, "page_size": size, "page_start": start},
            )
            return list(cursor.fetchall())

    def _row(self, sql: str) -> Sequence[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql, self._parameters)
            row: Sequence[Any] = cursor.fetchone()
            return row
