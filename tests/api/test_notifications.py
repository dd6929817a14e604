"""What programs read of notifications, and how they keep webhooks."""

import pytest

from marketplace.selectors.clock import market_now
from marketplace.services.notifications import Announcement, announce
from marketplace.services.webhooks import send_due_webhooks
from tests.api.callers import browser_of, program_of
from tests.factories.marketplace import member
from tests.fixtures.receiver import receiving

pytestmark = pytest.mark.django_db


def _tell(actor, key: str) -> None:
    announce(
        [
            Announcement(
                organisation_id=actor.organisation.pk,
                topic="bill.issued",
                key=key,
                market_at=market_now(),
                params={"number": key, "gross_cny": "10"},
            )
        ]
    )


def test_notifications_are_read_by_pages_and_marked() -> None:
    actor = member()
    for number in range(3):
        _tell(actor, str(number))
    program = program_of(actor, "read")

    first = program.get("notifications/", limit=2).json()
    second = program.get("notifications/", limit=2, after=first["results"][-1]["id"]).json()
    marked = program.post("notifications/read/").json()
    again = program.get("notifications/").json()

    assert [row["params"]["number"] for row in first["results"]] == ["2", "1"]
    assert [row["params"]["number"] for row in second["results"]] == ["0"]
    assert first["results"][0]["text"] == "Bill 2 over 10.00 CNY (VAT included) is there."
    assert (first["results"][0]["is_read"], marked, again["results"][0]["is_read"]) == (
        False,
        {"read": 3},
        True,
    )


def test_webhook_is_kept_by_a_program_with_the_scope() -> None:
    actor = member()
    program = program_of(actor, "webhooks")
    with receiving() as receiver:
        added = program.post("webhooks/", {"url": receiver.url, "topics": ["bill.issued"]}).json()
        own = f"webhooks/{added['id']}/"
        program.post(f"{own}test/")
        send_due_webhooks()
        log = program.get(f"{own}deliveries/").json()["results"]
        again = program.post(f"webhook-deliveries/{log[0]['id']}/again/")
        off = program.send("PATCH", own, {"is_active": False}).json()

        assert added["secret"].startswith("whsec_")
        assert "secret" not in program.get("webhooks/").json()["results"][0]
        assert [row["state"] for row in log] == ["sent"]
        assert again.status_code == 202
        assert off["is_active"] is False
        assert len(receiver.received) == 1


def test_program_without_the_scope_is_refused() -> None:
    answer = program_of(member(), "read").get("webhooks/")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_missing")


def test_session_makes_keys_only_after_it_has_confirmed_who_it_is(settings) -> None:
    settings.SECURITY_CONFIRMATION_S = -1
    caller = browser_of(member())

    token = caller.post("tokens/", {"name": "x", "scopes": ["read"]})
    webhook = caller.post("webhooks/", {"url": "https://example.org", "topics": ["bill.issued"]})

    for answer in (token, webhook):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "confirmation_missing")
