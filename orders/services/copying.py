"""Fast insertion of many rows whose keys nobody needs: PostgreSQL's COPY."""

import csv
import io
from collections.abc import Iterable, Sequence

from django.db import connection, models


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
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({quoted}) FROM STDIN WITH (FORMAT csv)", buffer)
