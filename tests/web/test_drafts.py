"""What is sent after the session has ended is kept for the person, and for nobody else."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from orders.models import Order
from tests.factories.marketplace import UserFactory
from tests.web.desks import browser, text_of
from tests.web.trading_floor import Floor, open_floor

pytestmark = pytest.mark.django_db

PASSWORD = "a long password"


def _sign_in(client: Client, email: str, following: str = "/") -> str:
    answer = client.post(
        reverse("sign-in"), {"username": email, "password": PASSWORD, "next": following}
    )
    assert answer.status_code == 302
    return answer.url


def _session_ends(client: Client) -> None:
    del client.cookies["sessionid"]


def _kept(floor: Floor) -> tuple[Client, str]:
    client = browser()
    _sign_in(client, floor.buyer.user.email)
    _session_ends(client)
    answer = client.post(floor.url("auction-bid"), {**floor.entry(note="kept"), "review": "yes"})
    assert answer.url == f"{reverse('sign-in')}?next={reverse('draft')}"
    return client, reverse("draft")


def test_entry_sent_after_the_session_ended_is_offered_after_sign_in() -> None:
    floor = open_floor()
    client, offered = _kept(floor)

    assert _sign_in(client, floor.buyer.user.email, offered) == offered
    page = text_of(client.get(offered))
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    kept = {name: value for name, value in fields if name != "csrfmiddlewaretoken"}
    asked = client.post(floor.url("auction-bid"), kept)

    assert kept["note"] == "kept"
    assert asked.status_code == 200
    assert 'name="confirmed"' in text_of(asked)
    assert not Order.objects.filter(note="kept").exists()


def test_entry_is_not_offered_to_somebody_else() -> None:
    client, offered = _kept(open_floor())

    _sign_in(client, UserFactory().email)

    assert client.get(offered).status_code == 302


def test_nothing_is_kept_for_a_browser_where_nobody_has_signed_in() -> None:
    floor = open_floor()
    client = browser()

    answer = client.post(floor.url("auction-bid"), floor.entry())

    assert reverse("draft") not in answer.url
    assert "sessionid" not in client.cookies


def test_discarded_entry_is_gone() -> None:
    floor = open_floor()
    client, offered = _kept(floor)
    _sign_in(client, floor.buyer.user.email, offered)

    client.post(reverse("draft-discard"))

    assert client.get(offered).status_code == 302


def test_script_asking_after_the_session_ended_sends_the_whole_page_to_sign_in() -> None:
    floor = open_floor()
    page = f"http://testserver{floor.url('auction-bid')}"

    answer = browser().post(
        floor.url("auction-bid"),
        floor.entry(),
        headers={"HX-Request": "true", "HX-Current-URL": page},
    )

    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == f"{reverse('sign-in')}?next={floor.url('auction-bid')}"
