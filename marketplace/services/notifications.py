"""Telling members: one notification an event, a copy for each person, mails and webhooks due."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace.domain.errors import NotFound
from marketplace.models import (
    DispatchState,
    EmailDelivery,
    Membership,
    Notification,
    NotificationCopy,
    NotificationSetting,
    Organisation,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from marketplace.permissions import Actor
from marketplace.services.locks import notification_lock
from marketplace.services.notification_topics import SHOWN_TOPICS, TOPICS, Topic

# How long the mail of something that grows waits for more.
COLLECT = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """Something to tell one organisation; `topic` and `key` together make it tell once.

    Attributes:
        organisation_id: whom.
        topic: one of `TOPICS`.
        key: what it is about, unique in the topic; at most 80 characters.
        market_at: when it happened, market time.
        params: JSON values that fill the topic's sentence and go to webhooks.
        path: the page to look at, or nothing.
        roles: narrows the topic's roles; empty: as the topic says.
        for_people: members' people get a copy and a mail.
        for_systems: members' webhooks get it.
        grows: told again with other parameters it takes the place of what was told before.
    """

    organisation_id: int
    topic: str
    key: str
    market_at: datetime
    params: dict[str, Any] = field(default_factory=dict)
    path: str = ""
    roles: frozenset[str] = field(default_factory=frozenset)
    for_people: bool = True
    for_systems: bool = True
    grows: bool = False


@transaction.atomic
def announce(announcements: Iterable[Announcement]) -> int:
    """Tell members, each thing once; return how many were new.

    Takes the lock of notifications, so that two announcers of the same thing make one, before
    anything is counted: what grows must not be told with an older number after a newer one.
    """
    notification_lock()
    wanted = {(each.organisation_id, each.topic, each.key): each for each in announcements}
    listeners = _listeners(wanted.values())
    for key, each in list(wanted.items()):
        if not each.for_people and (each.organisation_id, each.topic) not in listeners:
            wanted.pop(key)  # nobody would ever see it
    if not wanted:
        return 0
    known = [wanted.pop(row) for row in _already_told(wanted)]
    _grow([each for each in known if each.grows])
    made = Notification.objects.bulk_create(
        [
            Notification(
                organisation_id=each.organisation_id,
                topic=each.topic,
                key=each.key,
                params=each.params,
                path=each.path,
                market_at=each.market_at,
            )
            for each in wanted.values()
        ],
        batch_size=500,
    )
    told = list(zip(made, wanted.values(), strict=True))
    _copy_to_people([pair for pair in told if pair[1].for_people])
    _queue_webhooks([one for one, each in told if each.for_systems], listeners)
    return len(made)


def _grow(announcements: Collection[Announcement]) -> None:
    """Tell again what has become more: unread and on top of the list, with a mail for all of it.

    A mail that is sent, or being sent, goes out once more after `COLLECT`; one that waits will say
    the newest anyway.
    """
    grown = {(each.organisation_id, each.topic, each.key): each for each in announcements}
    if not grown:
        return
    found = [(row, grown.get((row.organisation_id, row.topic, row.key))) for row in _told_of(grown)]
    told = [(row, each) for row, each in found if each and row.params != each.params]
    if not told:
        return
    for row, each in told:
        row.params, row.path, row.market_at = each.params, each.path, each.market_at
    changed = [row for row, _ in told]
    Notification.objects.bulk_update(changed, ["params", "path", "market_at"], batch_size=500)
    NotificationCopy.objects.filter(notification__in=changed).delete()
    _copy_to_people(told, with_mails=False)
    gone_out = EmailDelivery.objects.filter(notification__in=changed).exclude(
        state=DispatchState.DUE, attempts=0
    )
    gone_out.update(
        state=DispatchState.DUE,
        attempts=0,
        next_attempt_at=timezone.now() + COLLECT,
        finished_at=None,
        problem="",
    )


def _listeners(
    announcements: Iterable[Announcement],
) -> dict[tuple[int, str], list[WebhookEndpoint]]:
    """Return the endpoints in use by organisation and topic."""
    found: dict[tuple[int, str], list[WebhookEndpoint]] = defaultdict(list)
    ids = {each.organisation_id for each in announcements}
    for endpoint in WebhookEndpoint.objects.filter(organisation_id__in=ids, is_active=True):
        for topic in endpoint.topics:
            found[endpoint.organisation_id, topic].append(endpoint)
    return dict(found)


def _already_told(wanted: Collection[tuple[int, str, str]]) -> set[tuple[int, str, str]]:
    """Return which of (organisation, topic, key) are there; members may share a key."""
    rows = _told_of(wanted).values_list("organisation_id", "topic", "key")
    return set(rows).intersection(wanted)


def _told_of(wanted: Iterable[tuple[int, str, str]]) -> QuerySet[Notification]:
    """Return what is there of organisations, topics and keys, and perhaps more."""
    organisations, topics, keys = (set(column) for column in zip(*wanted, strict=True))
    return Notification.objects.filter(
        organisation_id__in=organisations, topic__in=topics, key__in=keys
    )


def _copy_to_people(
    told: Sequence[tuple[Notification, Announcement]], *, with_mails: bool = True
) -> None:
    people = _people_of({notification.organisation_id for notification, _ in told})
    chosen = _choices({user.pk for rows in people.values() for user, _roles, _bot in rows})
    now = timezone.now()
    copies, emails = [], []
    for notification, announcement in told:
        topic = TOPICS[notification.topic]
        roles = announcement.roles or topic.roles
        for user, held, is_bot in people[notification.organisation_id]:
            if roles and not roles & held:
                continue
            # The demonstration's own traders read no mail.
            default = (True, topic.by_email and not is_bot)
            in_portal, by_email = chosen.get((user.pk, topic.code), default)
            if in_portal:
                copies.append(
                    NotificationCopy(
                        notification=notification,
                        user=user,
                        organisation_id=notification.organisation_id,
                    )
                )
            if by_email and with_mails:
                due_at = now + COLLECT if announcement.grows else now
                emails.append(
                    EmailDelivery(notification=notification, user=user, next_attempt_at=due_at)
                )
    NotificationCopy.objects.bulk_create(copies, batch_size=1000)
    EmailDelivery.objects.bulk_create(emails, batch_size=1000)


_Person = tuple[User, frozenset[str], bool]


def _people_of(organisation_ids: set[int]) -> dict[int, list[_Person]]:
    rows = Membership.objects.filter(
        organisation_id__in=organisation_ids, user__is_active=True
    ).select_related("user", "organisation")
    roles: dict[tuple[int, int], set[str]] = defaultdict(set)
    seen: dict[tuple[int, int], Membership] = {}
    for row in rows.order_by("id"):
        roles[row.organisation_id, row.user_id].add(row.role)
        seen[row.organisation_id, row.user_id] = row
    people: dict[int, list[_Person]] = defaultdict(list)
    for (organisation_id, user_id), row in seen.items():
        held = frozenset(roles[organisation_id, user_id])
        people[organisation_id].append((row.user, held, row.organisation.is_demo_bot))
    return people


def _choices(user_ids: set[int]) -> dict[tuple[int, str], tuple[bool, bool]]:
    rows = NotificationSetting.objects.filter(user_id__in=user_ids)
    return {
        (user_id, topic): (in_portal, by_email)
        for user_id, topic, in_portal, by_email in rows.values_list(
            "user_id", "topic", "in_portal", "by_email"
        )
    }


def _queue_webhooks(
    made: Sequence[Notification], listeners: Mapping[tuple[int, str], Sequence[WebhookEndpoint]]
) -> None:
    now = timezone.now()
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(notification=notification, endpoint=endpoint, next_attempt_at=now)
            for notification in made
            for endpoint in listeners.get((notification.organisation_id, notification.topic), ())
        ],
        batch_size=1000,
    )


def copies_of(actor: Actor) -> QuerySet[NotificationCopy]:
    """Return what the actor was told in the organisation, the newest first."""
    rows = NotificationCopy.objects.filter(user=actor.user, organisation=actor.organisation)
    return rows.select_related("notification").order_by("-id")


def unread_count(*, user_id: int, organisation_id: int) -> int:
    """Return how many copies a person has not read."""
    return NotificationCopy.objects.filter(
        user_id=user_id, organisation_id=organisation_id, read_at=None
    ).count()


def mark_read(*, actor: Actor, public_id: UUID | str) -> NotificationCopy:
    """Mark one copy as read; raises NotFound."""
    copy = copies_of(actor).filter(notification__public_id=public_id).first()
    if copy is None:
        raise NotFound
    if copy.read_at is None:
        copy.read_at = timezone.now()
        copy.save(update_fields=["read_at"])
    return copy


def mark_all_read(*, actor: Actor) -> int:
    """Mark every copy in the organisation as read; return how many were not."""
    rows = NotificationCopy.objects.filter(
        user=actor.user, organisation=actor.organisation, read_at=None
    )
    return rows.update(read_at=timezone.now())


@dataclass(frozen=True)
class Choice:
    """By which ways a person gets a topic."""

    topic: Topic
    in_portal: bool
    by_email: bool


def choices_of(user: User, organisation: Organisation | None) -> list[Choice]:
    """Return the ways of every topic for a person."""
    is_bot = bool(organisation and organisation.is_demo_bot)
    chosen = _choices({user.pk})
    return [
        Choice(topic, *chosen.get((user.pk, topic.code), (True, topic.by_email and not is_bot)))
        for topic in SHOWN_TOPICS
    ]


@transaction.atomic
def choose_ways(*, user: User, in_portal: set[str], by_email: set[str]) -> None:
    """Keep by which ways a person wants the topics; unknown names are ignored."""
    NotificationSetting.objects.bulk_create(
        [
            NotificationSetting(
                user=user,
                topic=topic.code,
                in_portal=topic.code in in_portal,
                by_email=topic.code in by_email,
            )
            for topic in SHOWN_TOPICS
        ],
        update_conflicts=True,
        unique_fields=["user", "topic"],
        update_fields=["in_portal", "by_email"],
    )
