"""The first and the last day of the calendar are days like others: taken or refused, no error."""

import pytest

from tests.api.callers import browser_of
from tests.api.codes.agreements import agreement
from tests.api.codes.netting import CYCLE
from tests.api.refusing import Ask
from tests.api.registry_stage import Stage
from tests.factories.recognition import Region

pytestmark = pytest.mark.django_db
FIRST, LAST = "0001-01-01", "9999-12-31"


def _asks(day: str) -> list[Ask]:
    region = Region()
    desk = browser_of(region.first)
    stage = Stage()
    registration = stage.registration()
    registration.body.update(first_day=FIRST if day == FIRST else "2026-01-01", last_day=day)
    scheme = {"organisation": region.centre.code, "scheme": "HS", "valid_from": day}
    return [
        stage.retirement(stage.gec, claim_month=day),
        stage.crediting(60, 34, months=[{"month": day, "mwh": 60}], issued_on=day),
        registration,
        stage.crediting(60, 34, months=[{"month": day, "mwh": 60}], issued_on=day),
        stage.crediting(60, 34, issued_on=day),
        agreement(region, terms={"valid_from": FIRST, "valid_to": day}),
        Ask(desk, "netting-cycles/", {**CYCLE, "cut_off_on": day}),
        Ask(desk, "scheme-memberships/", scheme),
        Ask(stage.own, "carbon/statements/", {"month": day}),
        stage.file(stage.line(period_start=day, period_end=day)),
        stage.file(stage.line(period_end=day, issued_on=day)),
    ]


@pytest.mark.parametrize("day", [FIRST, LAST])
def test_no_request_about_a_far_day_ends_in_an_error(day) -> None:
    for ask in _asks(day):
        answer = ask.send("en")
        assert answer.status_code < 500, (ask.path, ask.body, answer.json())
