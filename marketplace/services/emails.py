"""Notifications by e-mail: each due row is taken with a lease, sent, and closed."""

from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from marketplace.models import DispatchState, EmailDelivery
from marketplace.services.mails import absolute
from marketplace.services.notification_texts import notification_text
from marketplace.services.notification_topics import TOPICS

BATCH = 50
LEASE = timedelta(minutes=2)
BACK_OFF_S = (60, 300, 1800, 7200)


def send_due_emails() -> int:
    """Send the mails that are due; return how many were tried."""
    claimed = _claim()
    for delivery in claimed:
        _send(delivery)
    return len(claimed)


@transaction.atomic
def _claim() -> list[EmailDelivery]:
    now = timezone.now()
    rows = (
        EmailDelivery.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(state=DispatchState.DUE, next_attempt_at__lte=now)
        .select_related("user", "notification__organisation")
        .order_by("next_attempt_at", "id")[:BATCH]
    )
    claimed = list(rows)
    for delivery in claimed:
        delivery.attempts += 1
        delivery.next_attempt_at = now + LEASE
    EmailDelivery.objects.bulk_update(claimed, ["attempts", "next_attempt_at"])
    return claimed


def _send(delivery: EmailDelivery) -> None:
    try:
        _message(delivery).send()
    except (SMTPException, OSError) as error:
        _postpone(delivery, problem=f"{type(error).__name__}: {error}"[:200])
        return
    _mine(delivery).update(state=DispatchState.SENT, finished_at=timezone.now(), problem="")


def _message(delivery: EmailDelivery) -> EmailMessage:
    notification, user = delivery.notification, delivery.user
    with translation.override(user.language or settings.LANGUAGE_CODE):
        text = notification_text(notification)
        context = {
            "text": text,
            "link": absolute(notification.path) if notification.path else "",
            "settings_link": absolute(reverse("notification-settings")),
        }
        subject = gettext(TOPICS[notification.topic].label)
        body = render_to_string("mail/notification.txt", context)
    # The same mail has the same id, so a mailbox that gets it twice shows it once; a notification
    # that has grown since is another mail.
    told_at = int(notification.market_at.timestamp())
    headers = {"Message-ID": f"<{notification.public_id}.{told_at}.{user.pk}@hengsuan>"}
    return EmailMessage(
        f"[Hengsuan] {subject}", body, settings.DEFAULT_FROM_EMAIL, [user.email], headers=headers
    )


def _postpone(delivery: EmailDelivery, *, problem: str) -> None:
    if delivery.attempts > len(BACK_OFF_S):
        _mine(delivery).update(
            state=DispatchState.FAILED, finished_at=timezone.now(), problem=problem
        )
        return
    wait = timedelta(seconds=BACK_OFF_S[delivery.attempts - 1])
    _mine(delivery).update(next_attempt_at=timezone.now() + wait, problem=problem)


def _mine(delivery: EmailDelivery) -> QuerySet[EmailDelivery]:
    return EmailDelivery.objects.filter(
        pk=delivery.pk, state=DispatchState.DUE, attempts=delivery.attempts
    )
