"""Fast insertion of many rows with PostgreSQL's COPY, with keys taken beforehand where needed."""

import csv
import io
from collections.abc import Iterable, Sequence

from django.db import connection, models


def take_keys(model: type[models.Model], count: int) -> list[int]:
    """Return so many new keys of a model, in the order in which they were taken.

    Rows that refer to one another can then be copied table by table.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [key for (key,) in cursor.fetchall()]


def copy_rows(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Insert rows in the current transaction; every column without a default must be named.

    Args:
        model: whose table.
        columns: database columns, in the order of the values.
        rows: values as text, numbers, instants or None.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in rows:
        writer.writerow(["" if value is None else str(value) for value in row])
    buffer.seek(0)
    quoted = ", ".join(map(connection.ops.quote_name, columns))
    table = connection.ops.quote_name(model._meta.db_table)
    # Django names the errors of its own calls only; a refused row is an IntegrityError here too.
    with connection.wrap_database_errors, connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({quoted}) FROM STDIN WITH (FORMAT csv)", buffer)
