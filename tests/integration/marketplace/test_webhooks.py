"""Webhooks against a real receiver: signed, once, tried again, never into our own network."""

import base64
import hashlib
import hmac
import json
import socket
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.domain.errors import NotFound, StateForbids
from marketplace.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.notifications import Announcement, announce
from marketplace.services.outbound import CallRefused, post_outside
from marketplace.services.webhooks import (
    BACK_OFF,
    TopicUnknown,
    WrongWebhookAddress,
    add_webhook,
    change_webhook,
    redeliver,
    send_due_webhooks,
    send_test,
)
from tests.factories.marketplace import member
from tests.fixtures.receiver import Receiver, receiving

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver():
    with receiving() as running:
        yield running


def bill(actor: Actor, key: str = "1") -> Announcement:
    return Announcement(
        organisation_id=actor.organisation.pk,
        topic="bill.issued",
        key=key,
        market_at=market_now(),
        params={"number": f"B-{key}", "gross_cny": "12.50"},
        path="/bills/",
    )


def hooked(receiver: Receiver) -> tuple[Actor, WebhookEndpoint, str]:
    actor = member()
    endpoint, secret = add_webhook(actor=actor, url=receiver.url, topics=["bill.issued"])
    return actor, endpoint, secret


def be_due() -> None:
    WebhookDelivery.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))


def test_event_arrives_signed_and_once(receiver: Receiver) -> None:
    actor, _endpoint, secret = hooked(receiver)
    announce([bill(actor)])
    announce([bill(actor)])

    assert (send_due_webhooks(), send_due_webhooks()) == (1, 0)

    (got,) = receiver.received
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    event = json.loads(got.body)
    assert got.headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    assert (event["type"], event["data"]["number"]) == ("bill.issued", "B-1")
    assert set(event["text"]) == {"zh-hans", "en"}
    assert WebhookDelivery.objects.get().state == "sent"


def test_other_topics_and_other_members_stay_away(receiver: Receiver) -> None:
    actor, endpoint, _secret = hooked(receiver)
    change_webhook(actor=actor, public_id=endpoint.public_id, topics=["money.low"], is_active=True)
    announce([bill(actor), bill(member())])

    assert send_due_webhooks() == 0


def test_refused_event_is_tried_again_with_back_off_until_given_up(receiver: Receiver) -> None:
    actor, _endpoint, _secret = hooked(receiver)
    receiver.statuses = [500]
    announce([bill(actor)])

    waits = []
    for _try in range(len(BACK_OFF) + 1):
        be_due()
        before = timezone.now()
        send_due_webhooks()
        waits.append((WebhookDelivery.objects.get().next_attempt_at - before).total_seconds())

    delivery = WebhookDelivery.objects.get()
    assert [round(wait / 10) * 10 for wait in waits[:-1]] == list(BACK_OFF)
    assert delivery.state == "failed"
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1
    assert WebhookAttempt.objects.filter(http_status=500).count() == len(BACK_OFF) + 1


def test_taken_at_the_second_try(receiver: Receiver) -> None:
    actor, _endpoint, _secret = hooked(receiver)
    receiver.statuses = [503, 200]
    announce([bill(actor)])

    send_due_webhooks()
    be_due()
    send_due_webhooks()

    assert WebhookDelivery.objects.get().state == "sent"
    assert list(WebhookAttempt.objects.order_by("id").values_list("http_status", flat=True)) == [
        503,
        200,
    ]


def test_finished_delivery_is_sent_again_under_the_same_id(receiver: Receiver) -> None:
    actor, _endpoint, _secret = hooked(receiver)
    announce([bill(actor)])
    number = WebhookDelivery.objects.get().public_id
    with pytest.raises(StateForbids):
        redeliver(actor=actor, public_id=number)
    send_due_webhooks()

    redeliver(actor=actor, public_id=number)
    send_due_webhooks()
    with pytest.raises(NotFound):
        redeliver(actor=member(), public_id=number)

    assert [each.headers["webhook-id"] for each in receiver.received] == [str(number)] * 2


def test_switched_off_webhook_gets_nothing(receiver: Receiver) -> None:
    actor, endpoint, _secret = hooked(receiver)
    send_test(actor=actor, public_id=endpoint.public_id)
    change_webhook(actor=actor, public_id=endpoint.public_id, is_active=False)

    send_due_webhooks()

    assert receiver.received == []
    assert WebhookAttempt.objects.get().problem == "switched_off"


def test_secret_is_encrypted_at_rest(receiver: Receiver) -> None:
    _actor, endpoint, secret = hooked(receiver)

    assert secret.removeprefix("whsec_").encode() not in bytes(endpoint.ciphertext)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https://name:word@example.org/",
        "https://",
        "https://exa mple.org/",
        "https://example.org:99999/",
        "javascript:alert(1)",
        "//example.org",
        "https://例子.org/",
    ],
)
def test_odd_addresses_are_refused_beside_the_field(url: str) -> None:
    with pytest.raises(WrongWebhookAddress) as refusal:
        add_webhook(actor=member(), url=url, topics=["bill.issued"])

    assert refusal.value.field == "url"


def test_unknown_events_are_refused() -> None:
    with pytest.raises(TopicUnknown):
        add_webhook(actor=member(), url="https://example.org", topics=["webhook.test"])


def _resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names lead to these addresses, one list a question, and note connections."""
    asked = list(answers)
    connected: list[str] = []

    def getaddrinfo(host, port, *args, **more):
        found = asked.pop(0) if len(asked) > 1 else asked[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    def create_connection(address, *args, **more):
        connected.append(address[0])
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", create_connection)
    return connected


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["10.1.2.3"],
        ["::ffff:127.0.0.1"],
        ["8.8.8.8", "192.168.0.1"],
    ],
)
def test_names_that_lead_inside_are_not_called(monkeypatch, addresses: list[str]) -> None:
    connected = _resolving(monkeypatch, addresses)

    with pytest.raises(CallRefused, match="not_public"):
        post_outside("https://inside.example.org/", body=b"", headers={})

    assert connected == []


def test_name_that_changes_between_check_and_call_is_called_where_it_was_checked(
    monkeypatch,
) -> None:
    connected = _resolving(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])

    with pytest.raises(CallRefused, match="unreachable"):
        post_outside("https://rebinding.example.org/", body=b"", headers={})

    assert connected == ["8.8.8.8"]


def test_literal_address_of_our_own_network_is_not_called(settings, receiver: Receiver) -> None:
    settings.WEBHOOK_TRUSTED_HOSTS = []

    with pytest.raises(CallRefused, match="not_public"):
        post_outside(receiver.url.replace("http:", "https:"), body=b"", headers={})

    assert receiver.received == []


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    with receiving() as inside:
        receiver.statuses, receiver.location = [307], inside.url

        answer = post_outside(receiver.url, body=b"{}", headers={})

        assert answer.status == 307
        assert not answer.is_success
        assert inside.received == []


@pytest.mark.parametrize("part", ["head", "body"])
def test_answer_that_drips_is_cut_off(settings, receiver: Receiver, part: str) -> None:
    settings.WEBHOOK_TIMEOUT_S = 1
    receiver.statuses, receiver.drip_s, receiver.drips = [200], 0.3, part
    begun = time.monotonic()

    with pytest.raises(CallRefused, match="timeout"):
        post_outside(receiver.url, body=b"{}", headers={})

    assert time.monotonic() - begun < 3
