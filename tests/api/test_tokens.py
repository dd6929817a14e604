"""Tokens and sessions: who is calling, and what it may do."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.api.authentication import SESSION_KEY
from marketplace.models import ApiToken, AuditEvent, Membership, Role
from marketplace.services.api_tokens import MOST_TOKENS
from marketplace.web import access
from tests.api.callers import Caller, browser_of, program_of, stranger
from tests.factories.marketplace import OrganisationFactory, member
from tests.factories.trading import buyer

pytestmark = pytest.mark.django_db

WANTED = {"name": "night run", "scopes": ["read", "orders"], "days": 30}


def test_a_token_is_made_signed_in_shown_once_and_works() -> None:
    actor = buyer()
    browser = browser_of(actor)

    made = browser.post("tokens/", WANTED)

    assert made.status_code == 201, made.content
    body = made.json()
    assert made.headers["Cache-Control"] == "no-store"
    assert body["scopes"] == ["read", "orders"]
    stored = ApiToken.objects.get()
    assert body["token"] not in (stored.digest, stored.token_key)
    assert stored.expiry - timezone.now() > timedelta(days=29)
    program = Caller(Client(), {"Authorization": f"Token {body['token']}"})
    me = program.get("me/").json()
    assert me["organisation"]["id"] == str(actor.organisation.public_id)
    listed = browser.get("tokens/").json()["results"]
    assert "token" not in listed[0]
    assert listed[0]["id"] == body["id"]
    assert AuditEvent.objects.filter(action="token.issued").count() == 1


def test_a_revoked_token_is_worth_nothing() -> None:
    actor = buyer()
    browser = browser_of(actor)
    body = browser.post("tokens/", WANTED).json()
    program = Caller(Client(), {"Authorization": f"Token {body['token']}"})
    assert program.get("me/").status_code == 200
    assert browser_of(buyer()).send("DELETE", f"tokens/{body['id']}/").status_code == 404

    revoked = browser.send("DELETE", f"tokens/{body['id']}/")

    assert revoked.status_code == 204
    assert program.get("me/").status_code == 401
    assert program.get("me/").json()["error"]["code"] == "invalid_token"


def test_an_expired_token_is_worth_nothing() -> None:
    program = program_of(buyer())
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))

    assert program.get("me/").status_code == 401


def test_a_token_acts_for_its_own_organisation_only() -> None:
    actor = buyer()
    second = OrganisationFactory(is_supplier=False)
    Membership.objects.create(user=actor.user, organisation=second, role=Role.BUYER)
    program = program_of(actor)
    assert program.get("me/").json()["organisation"]["code"] == actor.organisation.code

    Membership.objects.filter(user=actor.user, organisation=actor.organisation).delete()

    # Not the user's other organisation: the token was not made for it.
    assert program.get("me/").status_code == 401


def test_scopes_cap_what_a_token_may_do(day) -> None:
    actor = buyer()
    reader, trader = program_of(actor, "read"), program_of(actor, "read", "orders")

    refused = reader.post("orders/", day.curve())

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "scope_missing")
    assert trader.post("orders/", day.curve()).status_code == 201
    assert trader.get("balance/").json()["error"]["code"] == "scope_missing"
    assert program_of(actor, "finance").get("balance/").status_code == 200
    assert program_of(actor, "finance").get("orders/").status_code == 403


def test_tokens_make_no_tokens() -> None:
    program = program_of(buyer())

    for answer in (program.get("tokens/"), program.post("tokens/", WANTED)):
        assert answer.status_code == 401


def test_a_session_writes_with_the_csrf_token_only(day) -> None:
    browser = browser_of(buyer(), checks_csrf=True)

    without = browser.post("orders/", day.curve())

    assert (without.status_code, without.json()["error"]["code"]) == (403, "csrf_failed")
    browser.client.cookies["csrftoken"] = "a" * 32
    browser.headers["X-CSRFToken"] = "a" * 32
    assert browser.post("orders/", day.curve()).status_code == 201


@pytest.mark.parametrize(
    "header",
    ["Token", "Token x", "Token a b", "Token \xff\xfe", "Token " + "é" * 40, "Token \0" * 3],
)
def test_headers_that_hold_no_token(header) -> None:
    answer = Client().get("/api/v1/me/", HTTP_AUTHORIZATION=header)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_token"
    assert answer.headers["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("cookie", [r'"\000abcdefgh"', r'"abc\000defgh"', "é" * 20, "' OR 1=1"])
def test_cookies_that_hold_no_session(cookie) -> None:
    answer = Client().get("/api/v1/me/", headers={"Cookie": f"sessionid={cookie}"})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["operator"]}, "scopes.0"),
        ({"days": 0}, "days"),
        ({"days": 3650}, "days"),
        ({"name": ""}, "name"),
        ({"user": 1}, "user"),
        ({"organisation": "x"}, "organisation"),
    ],
)
def test_tokens_that_are_refused(changes, field) -> None:
    answer = browser_of(buyer()).post("tokens/", {**WANTED, **changes})

    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert not ApiToken.objects.exists()


def test_a_user_has_a_limited_number_of_tokens() -> None:
    actor = member()
    for _ in range(MOST_TOKENS):
        program_of(actor)

    answer = browser_of(actor).post("tokens/", WANTED)

    assert answer.json()["error"]["code"] == "too_many_tokens"


def test_too_many_calls_are_asked_to_wait(settings, day) -> None:
    settings.API_CALLS_PER_MINUTE = {"orders": 2, "sign_in": 2}
    caller = program_of(buyer())
    statuses = [caller.post("orders/preview/", day.curve()).status_code for _ in range(3)]

    last = caller.post("orders/preview/", day.curve())

    assert statuses == [200, 200, 429]
    assert last.json()["error"]["code"] == "throttled"
    assert 0 < int(last.headers["Retry-After"]) <= 61
    assert caller.get("orders/").status_code == 200


def test_every_wrong_address_and_method_answers_in_one_shape() -> None:
    for address in ("nothing/", "hubs", "orders/1/", "auctions/not-a-uuid/"):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = stranger().send(method, address)
            assert answer.status_code == 404, (method, address)
            assert answer.json()["error"]["code"] == "not_found"
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        answer = stranger().send(method, "hubs/")
        assert answer.status_code == 405
        assert answer.json()["error"]["code"] == "method_not_allowed"
    refused = Client().get("/api/v1/hubs/", headers={"Accept": "application/xml"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (406, "not_acceptable")


def test_portal_and_interface_share_the_organisation_of_the_session() -> None:
    assert access.SESSION_KEY == SESSION_KEY
