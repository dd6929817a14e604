"""The rule book: both languages say the same rules under the same anchors."""

import re

import pytest

from marketplace.domain.rulebook import PAGES, read_page, source_of

CODE = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")


@pytest.mark.parametrize("slug", PAGES)
def test_both_languages_have_the_same_headings(slug: str) -> None:
    chinese, english = read_page(slug, chinese=True), read_page(slug, chinese=False)

    assert [h.anchor for h in chinese.headings] == [h.anchor for h in english.headings]
    assert all(heading.anchor and heading.text for heading in english.headings)
    assert all(f'id="{heading.anchor}"' in chinese.html for heading in chinese.headings)


@pytest.mark.parametrize("slug", PAGES)
def test_both_languages_name_the_same_codes(slug: str) -> None:
    codes = [set(CODE.findall(source_of(slug, chinese=which).read_text())) for which in (0, 1)]

    assert codes[0] == codes[1]


def test_links_lead_inside_the_rule_book_or_nowhere() -> None:
    html = read_page("market-rules", chinese=False).html

    assert re.findall(r'href="([^"]*\.md[^"]*)"', html) == []
    assert html.count("<span>") == html.count("</span>") - html.count('<span lang="zh-Hans">')


@pytest.mark.parametrize("slug", PAGES)
def test_no_mark_of_the_source_is_left_in_the_text(slug: str) -> None:
    # Beside Chinese punctuation, asterisks easily fail to be emphasis.
    for chinese in (True, False):
        assert "**" not in read_page(slug, chinese=chinese).html


def test_an_unknown_page_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        read_page("../settings", chinese=False)
