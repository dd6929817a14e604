"""Months of the books and sweeps in the browser: who may see them, and a month closed by two."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from marketplace.models import Role
from settlement.models import InvariantRun, PeriodChange, PeriodState
from settlement.services.invariants import sweep_ledger
from settlement.web.closing.urls import urlpatterns
from tests.factories.closing import OCTOBER, month_of, post_on, set_day
from tests.factories.ledger import make_member
from tests.factories.marketplace import member
from tests.web.desks import browser, platform_people, text_of

WHO = ("visitor", "member", "operator", "finance", "auditor")
BOOKS = "302 403 403 200 200"
KEEPERS = "302 403 403 200 403"
NOBODY = "00000000-0000-4000-8000-000000000000"
TABLE = {
    "periods": BOOKS,
    "period": BOOKS,
    "period-soft-close": KEEPERS,
    "period-hard-close": KEEPERS,
    "period-reopen": KEEPERS,
    "period-change-approve": "302 403 403 404 403",
    "period-change-reject": "302 403 403 404 403",
    "sweeps": BOOKS,
    "sweep": BOOKS,
    "sweep-run": "302 403 403 405 403",
}


@pytest.fixture
def books(db):
    """A month that is over, with an entry in it."""
    set_day(date(2026, 11, 3))
    owner = make_member()
    post_on(OCTOBER, "5.00", "october", owner=owner)
    return owner


def test_pages_let_in_whom_they_should(books) -> None:
    assert {pattern.name for pattern in urlpatterns} == set(TABLE)
    people = {"visitor": None, "member": member(books, Role.FINANCE), **platform_people()}
    run = sweep_ledger()
    arguments = {
        **{name: ["2026-10"] for name in TABLE if name.startswith("period-")},
        **{name: [NOBODY] for name in TABLE if "change" in name},
        "period": ["2026-10"],
        "sweep": [run.pk],
    }

    wrong = []
    for who in WHO:
        client = browser(people[who])
        for name, row in TABLE.items():
            got = str(client.get(reverse(name, args=arguments.get(name, []))).status_code)
            expected = row.split()[WHO.index(who)]
            if got != expected:
                wrong.append(f"{who} on {name}: {got}, expected {expected}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("month", ["2026-13", "october", "1999-01", "2026-1"])
def test_a_month_that_the_books_do_not_have_is_not_found(books, month: str) -> None:
    client = browser(platform_people()["finance"])

    assert client.get(reverse("period", args=[month])).status_code == 404


def test_empty_books_say_so(db) -> None:
    client = browser(platform_people()["finance"])

    assert "The books have no month yet" in text_of(client.get(reverse("periods")))
    assert "There was no sweep yet" in text_of(client.get(reverse("sweeps")))


def _pass_sweep(client: Client) -> None:
    answer = client.post(reverse("sweep-run"), follow=True)
    assert "Every invariant holds." in text_of(answer)
    assert InvariantRun.objects.latest("id").passed


@pytest.mark.django_db(transaction=True)
def test_two_persons_close_a_month_for_good() -> None:
    set_day(date(2026, 11, 3))
    post_on(OCTOBER, "5.00", "october", owner=make_member())
    people = platform_people()
    first, second = browser(people["finance"]), browser(people["second"])
    page = reverse("period", args=["2026-10"])

    assert "Ask to close for good" not in text_of(first.get(page))
    answer = first.post(reverse("period-soft-close", args=["2026-10"]), follow=True)
    assert "The month is closed softly." in text_of(answer)
    assert "Ask to close for good" not in text_of(first.get(page))  # the sweep is missing
    refused = first.post(reverse("period-hard-close", args=["2026-10"]), {"reason": "end"})
    assert refused.status_code == 422
    _pass_sweep(first)
    assert "Ask to close for good" in text_of(first.get(page))
    first.post(reverse("period-hard-close", args=["2026-10"]), {"reason": "month end"})
    change = PeriodChange.objects.get()
    decide = reverse("period-change-approve", args=[change.public_id])
    own = first.post(decide)
    assert (own.status_code, month_of(OCTOBER).state) == (422, PeriodState.SOFT_CLOSED)
    answer = second.post(decide, follow=True)

    assert month_of(OCTOBER).state == PeriodState.HARD_CLOSED
    assert "The month is closed for good." in text_of(answer)
    assert month_of(OCTOBER).closing_block.block_hash in text_of(answer)


def test_opening_again_is_asked_for_with_a_reason_and_may_be_refused(books) -> None:
    people = platform_people()
    first, second = browser(people["finance"]), browser(people["second"])
    first.post(reverse("period-soft-close", args=["2026-10"]))
    ask = reverse("period-reopen", args=["2026-10"])

    assert first.post(ask, {"reason": ""}).status_code == 422
    first.post(ask, {"reason": "a bill is missing"})
    reject = reverse("period-change-reject", args=[PeriodChange.objects.get().public_id])
    assert second.post(reject, {"reason": ""}).status_code == 422
    answer = second.post(reject, {"reason": "it is there"}, follow=True)

    assert "it is there" in text_of(answer)
    assert month_of(OCTOBER).state == PeriodState.SOFT_CLOSED


def test_the_checklist_and_the_sweep_speak_chinese(books) -> None:
    client = browser(platform_people()["auditor"], language="zh-hans")
    run = sweep_ledger()

    assert "账期" in text_of(client.get(reverse("periods")))
    assert "结账清单" in text_of(client.get(reverse("period", args=["2026-10"])))
    assert "全部分录合计为零" in text_of(client.get(reverse("sweep", args=[run.pk])))
