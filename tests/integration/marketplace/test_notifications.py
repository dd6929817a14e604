"""Telling people: once, by the ways they chose, in their language."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone, translation

from marketplace.models import EmailDelivery, NotificationCopy, Role, WebhookDelivery
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.emails import send_due_emails
from marketplace.services.notification_texts import notification_text
from marketplace.services.notification_topics import TOPICS
from marketplace.services.notifications import (
    COLLECT,
    Announcement,
    announce,
    choose_ways,
    copies_of,
    mark_all_read,
    unread_count,
)
from marketplace.services.webhooks import add_webhook
from tests.factories.marketplace import OrganisationFactory, member
from tests.web.desks import browser, colleague, text_of

pytestmark = pytest.mark.django_db


def told(actor: Actor, key: str = "1", **changes) -> Announcement:
    values = {
        "organisation_id": actor.organisation.pk,
        "topic": "bill.issued",
        "key": key,
        "market_at": market_now(),
        "params": {"number": f"B-{key}", "gross_cny": "1234.5"},
        "path": "/hubs/",
    }
    return Announcement(**{**values, **changes})


def unread(actor: Actor) -> int:
    return unread_count(user_id=actor.user.pk, organisation_id=actor.organisation.pk)


def test_the_same_thing_is_told_once() -> None:
    actor = member()

    assert [announce([told(actor), told(actor)]), announce([told(actor)])] == [1, 0]
    assert (unread(actor), EmailDelivery.objects.count()) == (1, 1)


def test_only_people_with_the_roles_are_told() -> None:
    buyer = member(OrganisationFactory(), Role.BUYER)
    supplier = colleague(buyer.organisation, Role.SUPPLIER)
    auditor = colleague(buyer.organisation, Role.AUDITOR)

    announce([told(buyer, roles=frozenset({"buyer"}))])

    assert [unread(one) for one in (buyer, supplier, auditor)] == [1, 0, 0]


def test_each_person_chooses_the_ways() -> None:
    actor = member()
    choose_ways(user=actor.user, in_portal=set(), by_email={"bill.issued"})
    announce([told(actor, "1")])
    choose_ways(user=actor.user, in_portal={"bill.issued"}, by_email=set())
    announce([told(actor, "2")])

    assert NotificationCopy.objects.get().notification.key == "2"
    assert EmailDelivery.objects.get().notification.key == "1"


def test_mail_is_in_the_reader_s_language_and_sent_once() -> None:
    actor = member()
    actor.user.language = "en"
    actor.user.save()
    announce([told(actor)])

    assert [send_due_emails(), send_due_emails()] == [1, 0]

    (letter,) = mail.outbox
    assert letter.subject == "[Hengsuan] Bill issued"
    assert "Bill B-1 over 1,234.50 CNY" in letter.body
    assert letter.to == [actor.user.email]
    assert EmailDelivery.objects.get().state == "sent"


def test_mail_that_cannot_be_sent_is_tried_again(settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    announce([told(member())])

    send_due_emails()

    delivery = EmailDelivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("due", 1)
    assert "refused" in delivery.problem.lower()


def test_members_may_share_a_key() -> None:
    first, second = member(), member()
    announce([told(first, grows=True), told(second, grows=True)])
    more = {"number": "B-1", "gross_cny": "99"}

    assert announce([told(second, grows=True, params=more)]) == 0

    texts = [one.organisation.notifications.get().params["gross_cny"] for one in (first, second)]
    assert texts == ["1234.5", "99"]


def test_what_grows_is_told_again_on_top_with_one_mail_for_all_of_it() -> None:
    actor = member()
    announce([told(actor, grows=True)])
    announce([told(actor, "2")])
    mark_all_read(actor=actor)
    more = told(actor, grows=True, params={"number": "B-1", "gross_cny": "99"})

    assert [announce([more]), announce([more])] == [0, 0]

    newest = copies_of(actor)[0]
    assert (newest.notification.key, newest.read_at) == ("1", None)
    assert unread(actor) == 1
    mail_of_it = EmailDelivery.objects.get(notification__key="1")
    assert mail_of_it.next_attempt_at > timezone.now() + COLLECT / 2
    assert send_due_emails() == 1  # the other one; this one waits for more
    EmailDelivery.objects.update(next_attempt_at=timezone.now())
    send_due_emails()
    assert "99.00" in mail.outbox[-1].body


def test_what_has_grown_after_its_mail_is_mailed_again_as_another_mail() -> None:
    actor = member()
    announce([told(actor, grows=True)])
    EmailDelivery.objects.update(next_attempt_at=timezone.now())
    send_due_emails()
    params = {"number": "2", "gross_cny": "2"}

    later = market_now() + timedelta(minutes=5)
    announce([told(actor, grows=True, market_at=later, params=params)])

    again = EmailDelivery.objects.get()
    assert (again.state, again.attempts) == ("due", 0)
    EmailDelivery.objects.update(next_attempt_at=timezone.now())
    send_due_emails()
    first, second = (letter.extra_headers["Message-ID"] for letter in mail.outbox)
    assert first != second


def test_what_is_for_systems_reaches_no_person_and_is_kept_for_webhooks_only() -> None:
    actor = member()

    assert announce([told(actor, for_people=False)]) == 0  # nobody listens
    add_webhook(actor=actor, url="https://example.com/hook", topics=["bill.issued"])
    assert announce([told(actor, for_people=False)]) == 1
    announce([told(actor, "2", for_systems=False)])

    assert WebhookDelivery.objects.get().notification.key == "1"
    assert NotificationCopy.objects.get().notification.key == "2"
    assert EmailDelivery.objects.get().notification.key == "2"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_topic_has_its_words(language: str) -> None:
    actor = member()
    with translation.override(language):
        for topic in TOPICS.values():
            names = {
                "name_zh": "甲", "name_en": "A", "auction_zh": "日前", "auction_en": "Day-ahead",
                "product_zh": "卡", "product_en": "card", "hub_zh": "集群", "hub_en": "hub",
                "unit_zh": "卡时", "unit_en": "card·h",
                "title_zh": "标题", "title_en": "Title", "closes_at": "2026-11-22T00:00:00+00:00",
                "starts_at": "2026-11-22T00:00:00+00:00", "accepted": 1, "rejected": 1,
                "orders": 2, "unit_hours": "3", "missing": "1", "contracted": "3",
                "number": "B", "gross_cny": "1", "available_cny": "1", "days": 2,
                "expires_on": "2026-12-01", "due_on": "2026-12-01", "until": "2026-12-01",
                "face_cny": "1", "owed_cny": "1", "step": 1, "bought": 3,
            }  # fmt: skip
            for count in (1, 2):
                params = {**names, "deliveries": count}
                announce([told(actor, str(count), topic=topic.code, params=params)])
            for each in actor.organisation.notifications.filter(topic=topic.code):
                assert "%(" not in notification_text(each)
            one = actor.organisation.notifications.get(topic=topic.code, key="1")
            says_unit = names[f"unit_{language[:2]}"] in notification_text(one)
            assert says_unit == ("%(unit)s" in topic.text)


def test_a_notice_from_before_counts_in_unit_hours() -> None:
    actor = member()
    params = {
        "product_zh": "卡", "product_en": "card", "hub_zh": "集群", "hub_en": "hub",
        "unit_hours": "3",
    }  # fmt: skip
    announce([told(actor, topic="delivery.failed", params=params)])
    with translation.override("en"):
        shown = notification_text(actor.organisation.notifications.get())
    assert shown == "3 unit-hours of card at hub were not delivered and are not billed."


def test_bell_counts_and_answers_unchanged() -> None:
    actor = member()
    announce([told(actor)])
    client = browser(actor)
    page = text_of(client.get(reverse("hubs")))
    count = reverse("notification-count")

    fresh = client.get(f"{count}?seen=0")
    seen = client.get(f"{count}?seen=1")
    known = client.get(count, headers={"If-None-Match": fresh.headers["ETag"]})

    assert "1 unread notification" in page
    assert (fresh.status_code, seen.status_code, known.status_code) == (200, 204, 304)


def test_opening_one_marks_it_and_leads_to_its_page() -> None:
    actor = member()
    announce([told(actor), told(actor, "2")])
    client = browser(actor)
    number = actor.organisation.notifications.get(key="1").public_id

    led = client.post(reverse("notification", args=[number]))
    left = unread(actor)
    client.post(reverse("notifications-read"))

    assert (led.url, left, unread(actor)) == ("/hubs/", 1, 0)


def test_list_is_by_pages_with_a_fixed_number_of_queries(django_assert_max_num_queries) -> None:
    actor = member()
    announce([told(actor, str(number)) for number in range(65)])
    client = browser(actor)
    client.get(reverse("notifications"))

    with django_assert_max_num_queries(14):
        page = text_of(client.get(f"{reverse('notifications')}?page=2"))

    assert "31–60" in page
    assert page.count("told-unread") == 30


def test_choice_is_kept_by_the_page() -> None:
    actor = member()
    client = browser(actor)
    url = reverse("notification-settings")

    client.post(url, {"in_portal": ["bill.issued"], "by_email": []})
    page = text_of(client.get(url))

    assert page.count(" checked") == 1
