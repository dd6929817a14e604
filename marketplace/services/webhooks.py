"""Webhooks: a member's own systems are told of events, signed and tried again until taken.

The form follows the Standard Webhooks specification: headers `webhook-id`, `webhook-timestamp`
and `webhook-signature: v1,<base64 of HMAC-SHA256 over "id.timestamp.body">`, a secret `whsec_…`.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.models import (
    DISPATCH_TRANSITIONS,
    DispatchState,
    Notification,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition
from marketplace.services.notification_texts import texts_in_both
from marketplace.services.notification_topics import SHOWN_TOPICS
from marketplace.services.outbound import CallRefused, check_address, post_outside
from marketplace.services.sealing import SealKeyMissing, seal_text, unseal_text

MOST_ENDPOINTS = 10
# After each failed try; the last one is followed by giving up: about two days in all.
BACK_OFF = (10, 60, 300, 1800, 7200, 21600, 43200, 86400)
LEASE = timedelta(minutes=2)
BATCH = 20
BATCH_BUDGET_S = 60.0
TEST_TOPIC = "webhook.test"


class WrongWebhookAddress(RuleBroken):
    """A webhook's address is not one that may be called."""

    code = "wrong_webhook_address"
    message = gettext_noop("Enter an address that starts with https://, without name and password.")


class TopicUnknown(RuleBroken):
    """There is no such event, or none was chosen."""

    code = "topic_unknown"
    message = gettext_noop("Choose at least one of the events.")


class TooManyWebhooks(RuleBroken):
    """An organisation keeps a limited number of webhooks."""

    code = "too_many_webhooks"
    message = gettext_noop("You have %(limit)s webhooks in use; switch one off first.")


@transaction.atomic
def add_webhook(*, actor: Actor, url: str, topics: Collection[str]) -> tuple[WebhookEndpoint, str]:
    """Add an address that is told of events; its secret is returned here and shown this once.

    Raises:
        NotPermitted, WrongWebhookAddress, TopicUnknown, TooManyWebhooks, TextTooLong: none added.
    """
    if actor.organisation is None:
        raise NotPermitted
    address = _checked_url(url)
    chosen = _checked_topics(topics)
    if webhooks_of(actor).filter(is_active=True).count() >= MOST_ENDPOINTS:
        raise TooManyWebhooks(limit=MOST_ENDPOINTS)
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    ciphertext, key = seal_text(secret)
    endpoint = WebhookEndpoint.objects.create(
        organisation=actor.organisation,
        url=address,
        topics=chosen,
        ciphertext=ciphertext,
        key_id=key,
        created_by=actor.user,
    )
    _audit(actor, endpoint, "webhook.added")
    return endpoint, secret


@transaction.atomic
def change_webhook(
    *, actor: Actor, public_id: UUID | str, topics: Collection[str] | None = None, is_active: bool
) -> WebhookEndpoint:
    """Choose the events of a webhook, or switch it on or off; raises NotFound, TopicUnknown."""
    endpoint = find_webhook(actor=actor, public_id=public_id)
    if topics is not None:
        endpoint.topics = _checked_topics(topics)
    endpoint.is_active = is_active
    endpoint.save(update_fields=["topics", "is_active"])
    _audit(actor, endpoint, "webhook.changed")
    return endpoint


@transaction.atomic
def send_test(*, actor: Actor, public_id: UUID | str) -> WebhookDelivery:
    """Queue a test event for one webhook; raises NotFound."""
    endpoint = find_webhook(actor=actor, public_id=public_id)
    notification = Notification.objects.create(
        organisation=endpoint.organisation,
        topic=TEST_TOPIC,
        key=secrets.token_hex(16),
        market_at=market_now(),
    )
    return WebhookDelivery.objects.create(
        notification=notification, endpoint=endpoint, next_attempt_at=timezone.now()
    )


@transaction.atomic
def redeliver(*, actor: Actor, public_id: UUID | str) -> WebhookDelivery:
    """Send a finished delivery again, under the same id; raises NotFound or StateForbids."""
    rows = WebhookDelivery.objects.select_for_update(of=("self",))
    delivery = rows.filter(public_id=public_id, endpoint__organisation=actor.organisation).first()
    if delivery is None:
        raise NotFound
    check_transition(DISPATCH_TRANSITIONS, delivery.state, DispatchState.DUE)
    delivery.state, delivery.attempts = DispatchState.DUE, 0
    delivery.next_attempt_at, delivery.finished_at = timezone.now(), None
    delivery.save()
    return delivery


def webhooks_of(actor: Actor) -> QuerySet[WebhookEndpoint]:
    """Return the organisation's webhooks, the newest first."""
    return WebhookEndpoint.objects.filter(organisation=actor.organisation).order_by("-id")


def find_webhook(*, actor: Actor, public_id: UUID | str) -> WebhookEndpoint:
    """Return a webhook of the actor's organisation; raises NotFound."""
    endpoint = webhooks_of(actor).filter(public_id=public_id).first()
    if endpoint is None:
        raise NotFound
    return endpoint


def deliveries_of(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """Return what was sent to a webhook, the newest first, with its tries."""
    rows = endpoint.deliveries.select_related("notification").prefetch_related("tries")
    return rows.order_by("-id")


def send_due_webhooks() -> int:
    """Try the deliveries that are due; return how many were tried.

    Each is taken with a lease first, so two workers never send the same one at the same time, and
    one that dies in between is tried again when the lease ends.
    """
    begun = time.monotonic()
    tried = 0
    for delivery in _claim():
        if time.monotonic() - begun > BATCH_BUDGET_S:
            break
        _try(delivery)
        tried += 1
    return tried


@transaction.atomic
def _claim() -> list[WebhookDelivery]:
    now = timezone.now()
    rows = (
        WebhookDelivery.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(state=DispatchState.DUE, next_attempt_at__lte=now)
        .select_related("endpoint", "notification__organisation")
        .order_by("next_attempt_at", "id")[:BATCH]
    )
    claimed = list(rows)
    for delivery in claimed:
        delivery.attempts += 1
        delivery.next_attempt_at = now + LEASE
    WebhookDelivery.objects.bulk_update(claimed, ["attempts", "next_attempt_at"])
    return claimed


def _try(delivery: WebhookDelivery) -> None:
    begun = time.monotonic()
    status, problem = None, ""
    try:
        status = _post(delivery)
        problem = "" if 200 <= status < 300 else "refused"
    except CallRefused as refusal:
        problem = refusal.code
    except SealKeyMissing:
        problem = "key_missing"
    duration_ms = int((time.monotonic() - begun) * 1000)
    _write_down(delivery, status=status, problem=problem, duration_ms=duration_ms)


def _post(delivery: WebhookDelivery) -> int:
    endpoint = delivery.endpoint
    if not endpoint.is_active:
        raise CallRefused("switched_off")
    secret = unseal_text(endpoint.ciphertext, stored_key_id=endpoint.key_id)
    body = json.dumps(event_of(delivery.notification), ensure_ascii=False).encode()
    number, moment = str(delivery.public_id), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Hengsuan-Webhook/1",
        "webhook-id": number,
        "webhook-timestamp": moment,
        "webhook-signature": sign(secret, number=number, moment=moment, body=body),
    }
    return post_outside(endpoint.url, body=body, headers=headers).status


def sign(secret: str, *, number: str, moment: str, body: bytes) -> str:
    """Return the signature of a message: `v1,` and the base64 of its HMAC-SHA256."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{number}.{moment}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def event_of(notification: Notification) -> dict[str, Any]:
    """Return the JSON body of an event."""
    return {
        "id": str(notification.public_id),
        "type": notification.topic,
        "organisation": str(notification.organisation.public_id),
        "market_at": notification.market_at.isoformat(),
        "recorded_at": notification.recorded_at.isoformat(),
        "data": notification.params,
        "path": notification.path,
        "text": texts_in_both(notification),
    }


@transaction.atomic
def _write_down(
    delivery: WebhookDelivery, *, status: int | None, problem: str, duration_ms: int
) -> None:
    WebhookAttempt.objects.create(
        delivery=delivery, http_status=status, problem=problem, duration_ms=duration_ms
    )
    now = timezone.now()
    # A newer claim or a redelivery has the row now: this try is in the log and decides nothing.
    mine = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=DispatchState.DUE, attempts=delivery.attempts
    )
    if not problem:
        mine.update(state=DispatchState.SENT, finished_at=now)
    elif delivery.attempts > len(BACK_OFF):
        mine.update(state=DispatchState.FAILED, finished_at=now)
    else:
        wait_s = BACK_OFF[delivery.attempts - 1]
        mine.update(next_attempt_at=now + timedelta(seconds=wait_s))


def _checked_url(text: str) -> str:
    url = check_text(text, field="url", max_length=500, required=True)
    try:
        check_address(url)
    except CallRefused:
        raise WrongWebhookAddress(field="url") from None
    return url


def _checked_topics(topics: Collection[str]) -> list[str]:
    known = [topic.code for topic in SHOWN_TOPICS]
    if not topics or not set(topics) <= set(known):
        raise TopicUnknown(field="topics")
    return [code for code in known if code in topics]


def _audit(actor: Actor, endpoint: WebhookEndpoint, action: str) -> None:
    record_audit(
        action=action,
        subject=endpoint,
        actor=actor.user,
        organisation=actor.organisation,
        after={"url": endpoint.url, "topics": endpoint.topics, "is_active": endpoint.is_active},
    )
