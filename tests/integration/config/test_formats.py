"""Both languages write numbers and dates alike."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import translation


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_numbers_have_groups_of_three_and_dates_are_iso(language):
    moment = datetime(2026, 11, 22, 18, 5, tzinfo=ZoneInfo("UTC"))
    template = Template("{{ number }} {{ moment }} {{ moment.date }}")

    with translation.override(language):
        text = template.render(Context({"number": Decimal("1234567.89"), "moment": moment}))

    assert text == "1,234,567.89 2026-11-22 18:05 2026-11-22"
