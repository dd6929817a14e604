"""Links between the pages of the documentation lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

NOT_OURS = {".git", ".venv", "node_modules", "var", "static"}
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)


def markdown_files(root: Path) -> list[Path]:
    """Every markdown file of the checkout that is the project's own."""
    found = root.rglob("*.md")
    return sorted(path for path in found if not NOT_OURS & set(path.relative_to(root).parts))


def relative_targets(text: str) -> Iterator[str]:
    """The paths that a page links to, without addresses on the web and places on the page."""
    prose = INLINE_CODE.sub("", FENCE.sub("", text))
    for target in LINK.findall(prose) + REFERENCE.findall(prose):
        parts = urlsplit(target)
        if not parts.scheme and not parts.netloc and parts.path:
            yield unquote(parts.path)


def broken_links(root: Path) -> list[str]:
    """Say which page links to which missing file."""
    return [
        f"{path.relative_to(root)}: {target}"
        for path in markdown_files(root)
        for target in relative_targets(path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]


def test_every_relative_link_leads_to_a_file(root):
    assert broken_links(root) == []


def test_the_index_names_every_page(root):
    docs = root / "docs"
    index = (docs / "README.md").read_text(encoding="utf-8")
    linked = {(docs / target).resolve() for target in relative_targets(index)}
    pages = {path for path in docs.rglob("*.md") if path.name != "README.md"}

    assert sorted(str(path) for path in pages - linked) == []


def test_a_missing_page_is_found(tmp_path):
    (tmp_path / "here.md").write_text(
        "[good](here.md#part) [bad](gone.md) [web](https://example.org/a.md) `[code](no.md)`\n"
        "![picture](images/none.png)\n\n[again]: gone-too.md\n\n```\n[in code](no.md)\n```\n",
        encoding="utf-8",
    )

    assert broken_links(tmp_path) == [
        "here.md: gone.md",
        "here.md: images/none.png",
        "here.md: gone-too.md",
    ]
