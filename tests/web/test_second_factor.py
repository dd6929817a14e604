"""Signing in with a second factor, setting it up, and being asked once more."""

import re
import time
from base64 import b32decode

import pytest
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP

from marketplace.models import AuditEvent, Authenticator, RecoveryCode, Role, User
from marketplace.services.second_factor import (
    CodeTooSoon,
    WrongCode,
    begin_authenticator,
    check_second_factor,
    confirm_authenticator,
    secret_of,
)
from tests.factories.marketplace import UserFactory, member, operator
from tests.web.desks import browser, text_of

pytestmark = pytest.mark.django_db

PASSWORD = "a long password"
HELD = ["operator", "finance"]
STEP_S = 30
# A test computes codes of the step before, this one and the next; it is over sooner than this.
TIME_FOR_A_TEST_S = 8


@pytest.fixture(autouse=True)
def _the_step_does_not_end_meanwhile() -> None:
    """Let no step of the authenticator end between computing a code and entering it."""
    left = STEP_S - time.time() % STEP_S
    if left < TIME_FOR_A_TEST_S:
        time.sleep(left)


def code_of(app: Authenticator, *, steps_ahead: int = 0) -> str:
    clock = TOTP(b32decode(secret_of(app)))
    clock.time = time.time() + STEP_S * steps_ahead
    return f"{clock.token():06d}"


def enrolled(user: User) -> list[str]:
    app = begin_authenticator(user=user)
    return confirm_authenticator(user=user, code=code_of(app, steps_ahead=-1))


def the_app(user: User) -> Authenticator:
    return Authenticator.objects.get(user=user, confirmed=True)


def give_password(client: Client, user: User, following: str = "/account/security/") -> str:
    answer = client.post(
        reverse("sign-in"), {"username": user.email, "password": PASSWORD, "next": following}
    )
    assert answer.status_code == 302
    return answer.url


def test_password_alone_lets_nobody_in_who_has_a_second_factor() -> None:
    user = UserFactory()
    enrolled(user)
    client = browser()

    assert give_password(client, user) == reverse("second-factor")
    assert client.get(reverse("account")).status_code == 302

    answer = client.post(reverse("second-factor"), {"code": code_of(the_app(user))})

    assert answer.url == "/account/security/"
    assert client.get(answer.url).status_code == 200


def test_a_code_is_taken_once() -> None:
    user = UserFactory()
    enrolled(user)
    code = code_of(the_app(user))
    check_second_factor(user=user, code=code)

    with pytest.raises(WrongCode):
        check_second_factor(user=user, code=code)


def test_wrong_codes_slow_the_next_one() -> None:
    user = UserFactory()
    enrolled(user)
    with pytest.raises(WrongCode):
        check_second_factor(user=user, code="000000")

    with pytest.raises(CodeTooSoon):
        check_second_factor(user=user, code=code_of(the_app(user)))


def test_wrong_code_is_told_beside_the_field() -> None:
    user = UserFactory()
    enrolled(user)
    client = browser()
    give_password(client, user)

    answer = client.post(reverse("second-factor"), {"code": "123"})

    assert answer.status_code == 422
    assert "This code is not right" in text_of(answer)


def test_recovery_code_replaces_the_app_once() -> None:
    user = UserFactory()
    code = enrolled(user)[0]
    client = browser()
    give_password(client, user)

    assert client.post(reverse("second-factor"), {"code": code.upper()}).status_code == 302
    with pytest.raises(WrongCode):
        check_second_factor(user=user, code=code)
    assert not RecoveryCode.objects.filter(digest__contains=code).exists()


def test_secret_is_encrypted_at_rest() -> None:
    app = begin_authenticator(user=UserFactory())

    assert secret_of(app).encode() not in bytes(app.ciphertext)


def test_page_of_the_set_up_shows_a_picture_and_then_codes() -> None:
    user = member().user
    client = browser(member())
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    page = text_of(client.get(reverse("second-factor-set-up")))
    app = Authenticator.objects.get(user=user)

    done = client.post(reverse("second-factor-set-up"), {"code": code_of(app)})

    assert 'src="data:image/svg+xml' in page
    assert len(re.findall(r"<code>[2-9a-z]{5}-[2-9a-z]{5}</code>", text_of(done))) == 10
    assert AuditEvent.objects.filter(action="second_factor.enabled").count() == 1


def test_operator_without_second_factor_is_led_to_its_set_up(settings) -> None:
    settings.SECOND_FACTOR_ROLES = HELD
    client = browser(operator(Role.OPERATOR))

    answer = client.get(reverse("auction-control"))
    api = client.get("/api/v1/admissions/")

    assert answer.url == reverse("second-factor-set-up")
    assert api.status_code == 403
    assert api.json()["error"]["code"] == "second_factor_missing"


def test_operator_with_second_factor_works(settings) -> None:
    settings.SECOND_FACTOR_ROLES = HELD
    actor = operator(Role.OPERATOR)
    enrolled(actor.user)
    client = browser()
    give_password(client, actor.user, reverse("auction-control"))

    answer = client.post(reverse("second-factor"), {"code": code_of(the_app(actor.user))})

    assert client.get(answer.url).status_code == 200


def test_administration_pages_take_the_same_door(settings) -> None:
    settings.SECOND_FACTOR_ROLES = HELD
    actor = operator(Role.OPERATOR)
    User.objects.filter(pk=actor.user.pk).update(is_staff=True)

    visitor = browser().get("/admin/", follow=False)
    led = browser().get("/admin/login/?next=/admin/")
    half = browser(actor).get("/admin/", follow=True)

    assert visitor.status_code == 302
    assert led.url.startswith("/sign-in/")
    assert half.status_code == 403


def test_members_need_no_second_factor_unless_they_want_it(settings) -> None:
    settings.SECOND_FACTOR_ROLES = HELD

    assert browser(member()).get(reverse("balance")).status_code == 200


def test_making_a_token_asks_once_more_and_keeps_what_was_typed(settings) -> None:
    settings.SECURITY_CONFIRMATION_S = -1
    actor = member()
    client = browser()
    client.post(reverse("sign-in"), {"username": actor.user.email, "password": PASSWORD})
    typed = {"name": "mine", "scopes": "read", "days": "30"}

    asked = client.post(reverse("api-token-new"), typed)
    settings.SECURITY_CONFIRMATION_S = 900
    wrong = client.post(asked.url, {"password": "no"})
    right = client.post(asked.url, {"password": PASSWORD})

    assert asked.url.startswith(reverse("confirm-identity"))
    assert wrong.status_code == 422
    assert right.url == reverse("draft")
    assert 'value="mine"' in text_of(client.get(right.url))


def test_operator_cannot_switch_it_off(settings) -> None:
    settings.SECOND_FACTOR_ROLES = HELD
    actor = operator(Role.OPERATOR)
    enrolled(actor.user)

    browser(actor).post(reverse("second-factor-off"))

    assert Authenticator.objects.filter(user=actor.user, confirmed=True).exists()


def test_operator_resets_it_for_somebody_who_lost_phone_and_codes() -> None:
    lost, runs = member(), operator(Role.OPERATOR)
    enrolled(lost.user)
    client, other = browser(runs), browser(lost)
    listed = text_of(client.get(reverse("admission", args=[lost.organisation.public_id])))
    url = reverse("second-factor-reset", args=[lost.user.pk])

    client.post(url)

    assert url in listed
    assert not Authenticator.objects.filter(user=lost.user).exists()
    assert other.get(reverse("account")).status_code == 302
    assert client.post(reverse("second-factor-reset", args=[runs.user.pk])).status_code == 404


def test_code_is_shown_in_the_demonstration_alone(settings) -> None:
    user = UserFactory()
    enrolled(user)
    client = browser()
    give_password(client, user)
    plain = text_of(client.get(reverse("second-factor")))
    settings.SHOW_SIGN_IN_CODES = True

    shown = re.search(
        r'data-copy="([2-9a-z]{5}-[2-9a-z]{5})"', text_of(client.get("/sign-in/code/"))
    )

    assert "data-copy" not in plain
    assert shown is not None
    assert client.post(reverse("second-factor"), {"code": shown[1]}).status_code == 302
