"""Gap-free numbers of documents: the counter's row is locked until the document is committed."""

from datetime import date

from django.db import connection

from settlement.domain.numbering import DocumentSeries, format_number

_TAKE = """
INSERT INTO settlement_numberseries (code, next_value) VALUES (%s, 1 + %s)
    ON CONFLICT (code) DO UPDATE SET next_value = settlement_numberseries.next_value + %s
    RETURNING next_value
"""


def take_numbers(*, series: DocumentSeries, day: date, count: int = 1) -> list[str]:
    """Return the next numbers of a series on a market date, in order.

    Call it in the transaction that issues the documents: others wait for the counter's row until
    that commits, and a roll-back gives the numbers back, so that none is ever missing.
    """
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [f"{series.value}-{day:%Y%m%d}", count, count])
        following = int(cursor.fetchone()[0])
    return [
        format_number(series, day=day, running=running)
        for running in range(following - count, following)
    ]
