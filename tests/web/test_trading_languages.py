"""Pages of the market in Chinese hold no English words of their own."""

import re
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from tests.web.desks import browser, text_of
from tests.web.trading_floor import Floor, open_floor, published_floor

pytestmark = pytest.mark.django_db

PARTS = ("trading.tsv", "base.tsv", "public.tsv")
BRAND = "Hengsuan"
SHORTEST = 8  # shorter texts are also parts of names and code


def _english_texts() -> list[str]:
    """Return the longer English texts without placeholders that have another Chinese text."""
    folder = Path(settings.BASE_DIR) / "locale" / "parts"
    lines = [line for part in PARTS for line in (folder / part).read_text().splitlines()]
    pairs = [line.split("\t")[:2] for line in lines]
    return [
        english
        for english, chinese in pairs
        if english not in (BRAND, chinese) and len(english) >= SHORTEST and "%" not in english
    ]


def _visible(text: str) -> str:
    """Return what a page says: without scripts, tags and addresses."""
    body = re.sub(r"<(script|style)[^>]*>.*?</\1>", " ", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "|", body)))


def _pages(floor: Floor) -> list[str]:
    return [
        "/",
        reverse("market") + "?city=CITY",
        reverse("listing", args=[floor.market.west_listing.public_id]),
        reverse("hubs"),
        reverse("hub", args=["WEST"]),
        reverse("market-data"),
        reverse("market-volumes"),
        reverse("market-depth"),
        reverse("market-carbon"),
        reverse("bulletins"),
        reverse("downloads"),
        reverse("screen"),
        reverse("auctions"),
        floor.url("auction"),
        floor.url("auction-bid"),
        reverse("orders"),
        reverse("order", args=[floor.order.public_id]),
        reverse("order-cancel", args=[floor.order.public_id]),
    ]


@pytest.mark.parametrize("make", [open_floor, published_floor])
def test_no_english_text_is_left_on_a_chinese_page(make) -> None:
    floor = make()
    client = browser(floor.buyer, language="zh-hans")
    english = _english_texts()

    left = {}
    for page in _pages(floor):
        words = _visible(text_of(client.get(page)))
        found = [text for text in english if f"|{text}|" in words.replace("| ", "|")]
        if found:
            left[page] = found

    assert len(english) > 150
    assert left == {}


def test_sign_in_takes_over_the_users_language_unless_the_browser_has_one() -> None:
    floor = open_floor()
    floor.buyer.user.language = "en"
    floor.buyer.user.set_password("a long password")
    floor.buyer.user.save()
    entry = {"username": floor.buyer.user.email.upper(), "password": "a long password"}

    fresh, settled = browser(), browser(language="zh-hans")
    del fresh.cookies[settings.LANGUAGE_COOKIE_NAME]
    fresh.post(reverse("sign-in"), entry)
    settled.post(reverse("sign-in"), entry)

    assert fresh.cookies[settings.LANGUAGE_COOKIE_NAME].value == "en"
    assert settled.cookies[settings.LANGUAGE_COOKIE_NAME].value == "zh-hans"


def test_choosing_a_language_is_remembered_with_the_user() -> None:
    floor = open_floor()
    client = browser(floor.buyer)

    answer = client.post(reverse("set_language"), {"language": "zh-hans", "next": "/orders/"})

    floor.buyer.user.refresh_from_db()
    assert answer.headers["Location"] == "/orders/"
    assert floor.buyer.user.language == "zh-hans"
    translation.activate("en")


def test_wrong_password_answers_422_in_words() -> None:
    page = browser().post(reverse("sign-in"), {"username": "nobody@example.cn", "password": "x"})

    assert page.status_code == 422
    assert "do not belong together" in text_of(page)


def test_one_can_act_only_for_own_organisations() -> None:
    floor = open_floor()
    client = browser(floor.buyer)
    foreign = floor.market.west_seller.organisation.public_id

    refused = client.post(reverse("switch-organisation"), {"organisation": str(foreign)})
    own = client.post(
        reverse("switch-organisation"),
        {"organisation": str(floor.buyer.organisation.public_id), "next": "https://evil.example/"},
    )

    assert refused.status_code == 404
    assert own.headers["Location"] == "/"
