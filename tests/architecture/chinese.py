"""Where Chinese is written: the catalogue, reference tables, templates and the Chinese pages."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HAN = r"[\u3400-\u9fff]"
FENCE = re.compile(r"^(```|~~~).*?^\1|^ {4}.*?$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\([^)]*\)")
MARK = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", re.DOTALL)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


@dataclass(frozen=True)
class Entry:
    """A string of the catalogue: English, Chinese, context, and the file it stands in."""

    english: str
    chinese: str
    context: str
    place: str


def catalogue(root: Path) -> list[Entry]:
    """Return every string of the catalogue."""
    found = []
    for path in sorted((root / "locale" / "parts").glob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            cells = line.split("\t")
            if len(cells) >= 2 and not line.startswith("#"):
                found.append(Entry(cells[0], cells[1], "".join(cells[2:3]), path.name))
    return found


def reference_cells(root: Path) -> Iterator[tuple[str, str]]:
    """Yield file and text of every Chinese cell of the reference tables."""
    for path in sorted((root / "marketplace" / "reference").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                cells = [row[name] for name in row if name.endswith("_zh")]
                yield from ((path.name, part) for cell in cells for part in cell.split(";"))


def template_texts(root: Path) -> Iterator[tuple[str, str]]:
    """Yield file and line of templates that hold Chinese outside the catalogue."""
    for path in sorted((root / "templates").rglob("*.*")):
        text = MARK.sub("\n", path.read_text(encoding="utf-8"))
        for line in text.splitlines():
            if re.search(HAN, line):
                yield path.relative_to(root).as_posix(), line.strip()


def chinese_pages(root: Path) -> Iterator[tuple[str, str]]:
    """Yield file and line of the documentation in Chinese, without code and addresses."""
    for path in sorted((root / "docs").rglob("*.zh.md")):
        text = FENCE.sub("", path.read_text(encoding="utf-8"))
        prose = LINK.sub("]", CODE.sub("a", text)).replace("|", "\n")
        for line in prose.splitlines():
            if re.search(HAN, line):
                yield path.relative_to(root).as_posix(), line.strip()


def all_chinese(root: Path) -> list[tuple[str, str]]:
    """Return place and text of everything written in Chinese; a placeholder is one sign, ``¤``."""
    strings = [(one.place, PLACEHOLDER.sub("¤", one.chinese)) for one in catalogue(root)]
    return [
        *strings,
        *reference_cells(root),
        *template_texts(root),
        *chinese_pages(root),
    ]
