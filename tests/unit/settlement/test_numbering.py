from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.domain.numbering import (
    DocumentNumber,
    DocumentSeries,
    NumberRefused,
    format_number,
    parse_number,
)

DAY = date(2026, 11, 23)


def test_a_number_names_series_day_and_running_number() -> None:
    assert format_number(DocumentSeries.CONFIRMATION, day=DAY, running=1) == "CJ-20261123-000001"
    assert format_number(DocumentSeries.INVOICE, day=DAY, running=42) == "JS-20261123-000042"
    assert str(parse_number("GJ-20261123-000009").following()) == "GJ-20261123-000010"


@given(
    st.sampled_from(DocumentSeries),
    st.dates(date(2000, 1, 1), date(9999, 12, 31)),
    st.integers(1, 999_999),
)
def test_numbers_are_read_back(series: DocumentSeries, day: date, running: int) -> None:
    number = DocumentNumber(series, day, running)

    assert parse_number(str(number)) == number


@given(st.integers(1, 999_998))
def test_numbers_sort_as_text_as_they_do_by_value(running: int) -> None:
    number = DocumentNumber(DocumentSeries.INVOICE, DAY, running)

    assert str(number) < str(number.following())


@pytest.mark.parametrize(
    "text",
    ["", "CJ-20261123-1", "XX-20261123-000001", "CJ-20261323-000001", "CJ-20261123-000000"],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(NumberRefused):
        parse_number(text)


@pytest.mark.parametrize("running", [0, -1, 1_000_000])
def test_a_running_number_that_does_not_fit_is_refused(running: int) -> None:
    with pytest.raises(ValueError, match="running number"):
        format_number(DocumentSeries.INVOICE, day=DAY, running=running)
