"""Profile, password, sessions, people and invitations, lock-out."""

import re

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from time_machine import travel

from marketplace.models import ApiToken, Membership, Role, User, UserSession
from tests.factories.marketplace import OrganisationFactory, UserFactory, member
from tests.web.desks import browser, colleague, text_of

pytestmark = pytest.mark.django_db

PASSWORD = "a long password"
NEW = "an even longer password"


def signed_in(user: User, agent: str = "") -> Client:
    client = browser()
    client.post(
        reverse("sign-in"),
        {"username": user.email, "password": PASSWORD},
        headers={"User-Agent": agent},
    )
    return client


def test_profile_is_kept_and_a_taken_number_refused() -> None:
    UserFactory(mobile="13800000000")
    user = UserFactory()
    client = signed_in(user)
    typed = {"display_name": "Li Hua", "mobile": "13900000000", "language": "en"}

    assert client.post(reverse("account"), typed).status_code == 302
    refused = client.post(reverse("account"), {**typed, "mobile": "13800000000"})

    user.refresh_from_db()
    assert (user.display_name, user.mobile, user.language) == ("Li Hua", "13900000000", "en")
    assert refused.status_code == 422
    assert "has an account already" in text_of(refused)


def test_sessions_are_listed_and_the_others_ended() -> None:
    user = UserFactory()
    firefox = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
    here, there = signed_in(user), signed_in(user, firefox)

    page = text_of(here.get(reverse("security")))
    here.post(reverse("sessions-end-others"))

    assert "Firefox · Windows" in page
    assert there.session.session_key not in page
    assert here.get(reverse("account")).status_code == 200
    assert there.get(reverse("account")).status_code == 302


def test_one_session_is_ended_by_its_name() -> None:
    user, other = UserFactory(), UserFactory()
    here, there, foreign = signed_in(user), signed_in(user), signed_in(other)
    names = re.findall(r"sessions/([0-9a-f]{16})/end", text_of(here.get(reverse("security"))))

    here.post(reverse("session-end", args=names))

    assert len(names) == 1
    assert there.get(reverse("account")).status_code == 302
    assert foreign.get(reverse("account")).status_code == 200


def test_session_ends_after_a_day_however_busy() -> None:
    with travel("2026-11-22T00:00:00Z", tick=False) as clock:
        client = signed_in(UserFactory())
        for _part in range(4):
            clock.shift(5 * 3600)
            assert client.get(reverse("account")).status_code == 200
        clock.shift(5 * 3600)

        assert client.get(reverse("account")).status_code == 302


def test_changed_password_ends_every_other_session() -> None:
    user = UserFactory()
    here, there = signed_in(user), signed_in(user)
    typed = {"present": PASSWORD, "wanted": NEW, "wanted_again": NEW}

    weak = here.post(reverse("password"), {**typed, "wanted": "1234", "wanted_again": "1234"})
    wrong = here.post(reverse("password"), {**typed, "present": "no"})
    done = here.post(reverse("password"), typed)

    assert (weak.status_code, wrong.status_code, done.status_code) == (422, 422, 302)
    assert here.get(reverse("account")).status_code == 200
    assert there.get(reverse("account")).status_code == 302


def _main_part(response: HttpResponse) -> str:
    return text_of(response).partition("<main")[2].partition("</main>")[0]


def test_forgotten_password_is_set_by_a_link_that_works_once(
    django_capture_on_commit_callbacks,
) -> None:
    user = UserFactory(language="en")
    client = browser()
    with django_capture_on_commit_callbacks(execute=True):
        known = client.post(reverse("password-reset"), {"email": user.email})
        unknown = client.post(reverse("password-reset"), {"email": "nobody@example.com"})
    (sent,) = mail.outbox
    link = re.search(r"http://[^/]+(/password-reset/\S+)", sent.body)[1]

    first = client.post(link, {"wanted": NEW, "wanted_again": NEW})
    second = client.post(link, {"wanted": PASSWORD, "wanted_again": PASSWORD})

    assert _main_part(known) == _main_part(unknown)
    assert (first.status_code, second.status_code) == (302, 410)
    user.refresh_from_db()
    assert user.check_password(NEW)


@pytest.mark.parametrize(("language", "words"), [("en", "Sign-in is locked"), ("zh-hans", "登录")])
def test_too_many_wrong_passwords_lock_the_sign_in(language: str, words: str) -> None:
    user = UserFactory()
    client = browser(language=language)
    for _try in range(8):
        answer = client.post(reverse("sign-in"), {"username": user.email, "password": "wrong"})

    right = client.post(reverse("sign-in"), {"username": user.email, "password": PASSWORD})

    assert answer.status_code == right.status_code == 429
    assert words in text_of(right)
    assert UserSession.objects.filter(user=user).count() == 0


def test_invited_person_joins_with_the_roles(django_capture_on_commit_callbacks) -> None:
    owner = member()
    client = browser(owner)
    with django_capture_on_commit_callbacks(execute=True):
        sent = client.post(reverse("invite"), {"email": "New@Example.org", "roles": ["buyer"]})
    (letter,) = mail.outbox
    link = re.search(r"(/invitations/\S+/)", letter.body)[1]
    guest = browser()
    page = text_of(guest.get(link))
    joined = guest.post(link, {"display_name": "New", "wanted": NEW, "wanted_again": NEW})

    assert link in text_of(sent)
    assert owner.organisation.name_en in page
    assert joined.status_code == 302
    assert guest.get(reverse("people")).status_code == 200
    roles = Membership.objects.filter(user__email="new@example.org")
    assert [(row.organisation, row.role) for row in roles] == [(owner.organisation, "buyer")]
    assert browser().get(link).status_code == 410


def _link_for(client: Client, email: str, role: str = "buyer") -> str:
    page = text_of(client.post(reverse("invite"), {"email": email, "roles": [role]}))
    return re.search(r"(/invitations/[\w-]+/)", page)[1]


def test_known_person_accepts_signed_in_and_nobody_else_can() -> None:
    owner, known, other = member(), UserFactory(), UserFactory()
    link = _link_for(browser(owner), known.email)

    refused = signed_in(other).post(link)
    accepted = signed_in(known).post(link)

    assert refused.status_code == accepted.status_code == 302
    assert not Membership.objects.filter(user=other).exists()
    assert Membership.objects.filter(user=known, organisation=owner.organisation).count() == 1


def test_withdrawn_and_old_invitations_are_void() -> None:
    owner = member()
    client = browser(owner)
    withdrawn = _link_for(client, "a@example.org")
    number = owner.organisation.invitations.get().public_id
    client.post(reverse("invitation-withdraw", args=[number]))
    old = _link_for(client, "b@example.org")
    owner.organisation.invitations.update(expires_at="2020-01-01T00:00:00Z")

    assert browser().get(withdrawn).status_code == 410
    assert browser().get(old).status_code == 410


def test_nobody_gives_a_role_they_do_not_hold() -> None:
    buyer_alone = member(OrganisationFactory(), Role.BUYER)

    answer = browser(buyer_alone).post(
        reverse("invite"), {"email": "x@example.org", "roles": ["finance"]}
    )

    assert answer.status_code == 422
    assert not buyer_alone.organisation.invitations.exists()


def test_last_holder_keeps_the_role() -> None:
    owner = member()
    second = colleague(owner.organisation, Role.BUYER)
    client = browser(owner)
    rows = Membership.objects.filter(organisation=owner.organisation)

    client.post(reverse("role-take", args=[rows.get(user=second.user).pk]))
    last = client.post(
        reverse("role-take", args=[rows.get(user=owner.user, role="buyer").pk]), follow=True
    )

    assert not rows.filter(user=second.user).exists()
    assert rows.filter(user=owner.user, role="buyer").exists()
    assert "Somebody else must hold this role first." in text_of(last)


def test_token_is_shown_once_works_in_its_scope_and_is_revoked() -> None:
    client = browser(member())
    typed = {"name": "reader", "scopes": ["read"], "days": "30"}
    text = re.search(r'data-copy="([^"]+)"', text_of(client.post(reverse("api-token-new"), typed)))[
        1
    ]
    headers = {"Authorization": f"Token {text}"}
    program = Client()

    read = program.get("/api/v1/orders/", headers=headers)
    write = program.post("/api/v1/orders/", "{}", content_type="application/json", headers=headers)
    listed = text_of(client.get(reverse("api-token-list")))
    client.post(reverse("api-token-revoke", args=[ApiToken.objects.get().token_key]))

    assert (read.status_code, write.status_code) == (200, 403)
    assert text not in listed
    assert program.get("/api/v1/orders/", headers=headers).status_code == 401
