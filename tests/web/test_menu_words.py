"""A menu entry and the page that it leads to are called the same, in both languages."""

import re
from html import unescape

import pytest
from django.urls import reverse
from django.utils.translation import override

from marketplace.permissions import Actor
from marketplace.web.navigation import SECTIONS
from tests.web.desks import Desk, browser, text_of

pytestmark = pytest.mark.django_db
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
TAGS = re.compile(r"<[^>]+>")
# Pages whose heading says what is seen there, which no menu entry could.
OWN_HEADINGS = {"screen"}


def _heading(page: str) -> str:
    found = HEADING.search(page)
    assert found, "a page without heading"
    return " ".join(unescape(TAGS.sub(" ", found[1])).split())


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_each_entry_is_the_heading_of_its_page(language: str) -> None:
    desk = Desk()
    people: list[Actor] = [desk.buyer, desk.supplier, *desk.people.values()]
    clients = {id(actor): browser(actor, language=language) for actor in people}
    wrong, opened = {}, set()
    for section in SECTIONS:
        for entry in section.entries:
            actor = next(one for one in people if entry.shown_to(one))
            page = clients[id(actor)].get(reverse(entry.url_name), follow=True)
            with override(language):
                label = str(entry.label)
            opened.add(entry.url_name)
            heading = _heading(text_of(page))
            if heading != label and entry.url_name not in OWN_HEADINGS:
                wrong[label] = f"{entry.url_name}: {heading}"

    assert wrong == {}
    assert opened >= OWN_HEADINGS


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_two_pages_share_a_menu_word(language: str) -> None:
    names: dict[str, set[str]] = {}
    with override(language):
        for section in SECTIONS:
            for entry in section.entries:
                names.setdefault(str(entry.label), set()).add(entry.url_name)

    assert {label: pages for label, pages in names.items() if len(pages) > 1} == {}


def test_one_entry_is_marked_where_the_page_of_one_lies_below_that_of_another() -> None:
    desk = Desk()
    page = browser(desk.supplier).get(reverse("meter-keys"))
    sections = page.context["navigation"]

    assert reverse("meter-keys").startswith(reverse("capacity"))
    assert [item["url"] for section in sections for item in section["items"] if item["active"]] == [
        reverse("meter-keys")
    ]
    assert sum(section["active"] for section in sections) == 1


@pytest.mark.parametrize(
    ("who", "address", "leading"),
    [
        ("operator", ("report", ["green-share"]), "green-supply"),
        ("finance", ("file-layouts", []), "accounting-vouchers"),
    ],
)
def test_a_page_below_no_entry_marks_the_one_that_leads_there(who, address, leading) -> None:
    name, arguments = address
    page = browser(Desk().people[who]).get(reverse(name, args=arguments))
    items = [item for section in page.context["navigation"] for item in section["items"]]

    assert [item["url"] for item in items if item["active"]] == [reverse(leading)]
