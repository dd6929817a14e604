"""Who may open which page of accounts, people, tokens, notifications and webhooks."""

import pytest
from django.urls import reverse

from marketplace.models import ApiToken, Authenticator, Membership, OrganisationState, Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.api_tokens import issue_token
from marketplace.services.invitations import invite_member
from marketplace.services.notifications import Announcement, announce
from marketplace.services.webhooks import add_webhook
from marketplace.web import account_urls
from tests.factories.marketplace import OrganisationFactory, UserFactory, member, operator
from tests.web.desks import browser

pytestmark = pytest.mark.django_db

WHO = ("visitor", "loner", "applicant", "stranger", "owner", "operator")
EVERYBODY = "200 200 200 200 200 200"
PEOPLE = "302 200 200 200 200 200"
MEMBERS = "302 403 200 200 200 200"
TRADERS = "302 403 200 200 200 403"
OWN = "302 403 404 404 200 403"
POST_ALL = "302 405 405 405 405 405"
POST_MEMBERS = "302 403 405 405 405 405"
POST_TRADERS = "302 403 405 405 405 403"

TABLE = {
    "second-factor": "302 302 302 302 302 302",
    "account": PEOPLE,
    "security": PEOPLE,
    "password": PEOPLE,
    "sessions-end-others": POST_ALL,
    "session-end": POST_ALL,
    "confirm-identity": PEOPLE,
    "second-factor-set-up": PEOPLE,
    "second-factor-off": PEOPLE,
    "second-factor-reset": "302 403 403 403 403 200",
    "recovery-codes": "302 302 302 302 302 302",
    "password-reset": EVERYBODY,
    "password-reset-link": "410 410 410 410 410 410",
    "api-token-list": MEMBERS,
    "api-token-new": MEMBERS,
    "api-token-revoke": "302 403 404 404 200 404",
    "people": MEMBERS,
    "invite": MEMBERS,
    "role-take": "302 403 404 404 200 404",
    "invitation-withdraw": POST_MEMBERS,
    "invitation": EVERYBODY,
    "webhooks": TRADERS,
    "webhook-new": TRADERS,
    "webhook": OWN,
    "webhook-switch": POST_TRADERS,
    "webhook-test": POST_TRADERS,
    "webhook-redeliver": POST_TRADERS,
    "notifications": MEMBERS,
    "notification-count": MEMBERS,
    "notifications-read": POST_MEMBERS,
    "notification": POST_MEMBERS,
    "notification-settings": MEMBERS,
}


def _people(owner: Actor) -> dict[str, Actor | None]:
    loner = UserFactory()
    return {
        "visitor": None,
        "loner": Actor(user=loner, organisation=None, roles=frozenset()),
        "applicant": member(OrganisationFactory(state=OrganisationState.PENDING)),
        "stranger": member(),
        "owner": owner,
        "operator": operator(Role.OPERATOR),
    }


def _addresses(owner: Actor) -> dict[str, str]:
    token, _text = issue_token(actor=owner, name="test", scopes=["read"], days=1)
    endpoint, _secret = add_webhook(
        actor=owner, url="https://example.org/x", topics=["bill.issued"]
    )
    invitation, secret = invite_member(actor=owner, email="new@example.org", roles=[Role.BUYER])
    announce(
        [
            Announcement(
                organisation_id=owner.organisation.pk,
                topic="bill.issued",
                key="1",
                market_at=market_now(),
                params={"number": "1", "gross_cny": "2"},
            )
        ]
    )
    told = owner.organisation.notifications.get()
    role = Membership.objects.filter(user=owner.user).first()
    hook = endpoint.public_id
    lost = member().user
    Authenticator.objects.create(user=lost, name="app", confirmed=True, ciphertext=b"", key_id="")
    arguments = {
        "second-factor-reset": [lost.pk],
        "session-end": ["0" * 16],
        "password-reset-link": ["MQ", "token"],
        "api-token-revoke": [token.token_key],
        "role-take": [role.pk],
        "invitation-withdraw": [invitation.public_id],
        "invitation": [secret],
        "webhook": [hook],
        "webhook-switch": [hook],
        "webhook-test": [hook],
        "webhook-redeliver": [hook, hook],
        "notification": [told.public_id],
    }
    return {name: reverse(name, args=arguments.get(name, [])) for name in TABLE}


def test_each_page_opens_for_whom_the_table_says() -> None:
    owner = member()
    addresses = _addresses(owner)
    browsers = [browser(actor) for actor in _people(owner).values()]

    found = {
        name: " ".join(str(one.get(address).status_code) for one in browsers)
        for name, address in addresses.items()
    }

    assert found == TABLE


def test_nothing_of_another_member_can_be_changed() -> None:
    owner = member()
    addresses = _addresses(owner)
    stranger = browser(member())
    own_names = (
        "api-token-revoke",
        "role-take",
        "invitation-withdraw",
        "webhook",
        "webhook-switch",
        "webhook-test",
        "webhook-redeliver",
        "notification",
    )

    found = {name: stranger.post(addresses[name]).status_code for name in own_names}

    assert found == dict.fromkeys(own_names, 404)
    assert ApiToken.objects.count() == 1
    assert owner.organisation.webhook_endpoints.get().is_active


def test_the_table_names_every_page() -> None:
    assert {route.name for route in account_urls.urlpatterns} == set(TABLE)
