"""Where Chinese is written: the catalogue, reference tables, templates and the Chinese pages."""

import ast
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
PROGRAMS = ("config", "marketplace", "orders", "settlement", "tools")
# Columns of files as banks and accounting systems write them.
OF_OTHERS = {"settlement/services/banking/profiles.py"}
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
    """Yield file and text of every cell of the reference tables that holds Chinese."""
    for path in sorted((root / "marketplace" / "reference").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                cells = [cell for cell in row.values() if cell and re.search(HAN, cell)]
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


def python_strings(root: Path) -> Iterator[tuple[str, str]]:
    """Yield file and text of every Chinese string of the programs; docstrings are for readers."""
    for folder in PROGRAMS:
        for path in sorted((root / folder).rglob("*.py")):
            place = path.relative_to(root).as_posix()
            if "/migrations/" in place or place in OF_OTHERS:
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
                if is_text and id(node) not in said and re.search(HAN, node.value):
                    yield f"{place}:{node.lineno}", node.value


def english_pages(root: Path) -> Iterator[tuple[str, str]]:
    """Yield file and line of English documentation that quotes Chinese; not of the glossary."""
    for path in sorted((root / "docs").rglob("*.md")):
        if path.name.endswith(".zh.md") or path.name == "glossary.md":
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
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
