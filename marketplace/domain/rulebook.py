"""The rule book: pages of the documentation that bind the market, rendered for the portal.

Each page exists in both languages. Headings have the same anchor in both, made of the English
words, so that a link to a rule holds whatever language its reader prefers.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

DOCS = Path(__file__).resolve().parents[2] / "docs"
# Name in the address -> the English page; the Chinese one stands beside it as <name>.zh.md.
PAGES = {
    "market-rules": "reference/market-rules.md",
    "price-index": "reference/price-index.md",
    "carbon": "explanation/carbon.md",
    "green-supply": "explanation/green-supply.md",
}
_HAN = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+")
_NOT_IN_ANCHOR = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading below the title: its anchor and its words."""

    anchor: str
    text: str
    level: int


@dataclass(frozen=True, slots=True)
class RulePage:
    """A rendered page: its title, its headings and its text as safe HTML."""

    slug: str
    title: str
    headings: list[Heading]
    html: str


def source_of(slug: str, *, chinese: bool) -> Path:
    """Return the file of a page; raises KeyError for an unknown one."""
    path = DOCS / PAGES[slug]
    return path.with_suffix(".zh.md") if chinese else path


@lru_cache(maxsize=16)
def read_page(slug: str, *, chinese: bool) -> RulePage:
    """Return a page of the rule book; raises KeyError for an unknown one.

    Raw HTML of the source is shown as text, never passed on.
    """
    parser = _parser()
    tokens = parser.parse(source_of(slug, chinese=chinese).read_text(encoding="utf-8"))
    anchors = _anchors(parser, slug)
    title, headings, body = _take_headings(tokens, anchors)
    _open_known_links(body, PurePosixPath(PAGES[slug]).parent)
    html = parser.renderer.render(body, parser.options, {"chinese": chinese})
    return RulePage(slug, title, headings, html)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", _close_table)
    parser.add_render_rule("th_open", _open_head)
    parser.add_render_rule("text", _mark_chinese)
    parser.add_render_rule("softbreak", _join_lines)
    return parser


def _open_table(
    renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return '<div class="table-region" tabindex="0"><table class="table hs-table rule-table">'


def _close_table(
    renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return "</table></div>"


def _open_head(
    renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return '<th scope="col">'


def _mark_chinese(
    renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Say on an English page which words are Chinese, for screen readers and for fonts."""
    text = escapeHtml(tokens[index].content)
    return text if env.get("chinese") else _HAN.sub(r'<span lang="zh-Hans">\g<0></span>', text)


def _join_lines(
    renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Join the lines of a paragraph; Chinese has no space between them."""
    return "" if env.get("chinese") else "\n"


def _anchors(parser: MarkdownIt, slug: str) -> list[str]:
    """Return the anchors of all headings, from the English words."""
    tokens = parser.parse(source_of(slug, chinese=False).read_text(encoding="utf-8"))
    words = [
        tokens[index + 1].content
        for index, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    return [_NOT_IN_ANCHOR.sub("-", text.lower()).strip("-") for text in words]


def _take_headings(
    tokens: list[Token], anchors: list[str]
) -> tuple[str, list[Heading], list[Token]]:
    """Give headings their anchors, and take the title out: the page shows it itself."""
    title, headings, titled = "", [], 0
    found = [index for index, token in enumerate(tokens) if token.type == "heading_open"]
    for position, index in enumerate(found):
        text = _plain(tokens[index + 1])
        if tokens[index].tag == "h1":
            title, titled = text, index + 3
            continue
        anchor = anchors[position] if position < len(anchors) else f"section-{position}"
        tokens[index].attrSet("id", anchor)
        headings.append(Heading(anchor, text, int(tokens[index].tag[1])))
    return title, headings, tokens[titled:]


def _plain(token: Token) -> str:
    return "".join(child.content for child in token.children or [])


def _open_known_links(tokens: list[Token], folder: PurePosixPath) -> None:
    """Let links lead to pages of the rule book; other pages of the documentation are only named."""
    slugs = {path: slug for slug, path in PAGES.items()}
    for token in tokens:
        opened: list[Token] = []
        for child in token.children or []:
            if child.type == "link_open":
                _point(child, folder, slugs)
                opened.append(child)
            elif child.type == "link_close":
                child.tag = opened.pop().tag


def _point(link: Token, folder: PurePosixPath, slugs: dict[str, str]) -> None:
    target = str(link.attrGet("href") or "")
    if target.startswith(("https://", "#")):
        return
    name, _, anchor = target.partition("#")
    parts: list[str] = []
    for part in (folder / name).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    slug = slugs.get("/".join(parts).replace(".zh.md", ".md"))
    if slug is None:
        link.tag, link.attrs = "span", {}
    else:
        link.attrSet("href", f"../{slug}/" + (f"#{anchor}" if anchor else ""))
