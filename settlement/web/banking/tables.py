"""Tables and facts that a page shows, put together in Python and drawn by one template."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString

Text = str | Promise
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def as_given(text: str) -> SafeString | str:
    """Return a text as somebody outside wrote it; Chinese is marked as such for its readers."""
    if not _CHINESE.search(text):
        return text
    return format_html('<span lang="zh-Hans">{}</span>', text)


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; `place` says where its cells go on a phone."""

    label: Text
    is_number: bool = False
    place: Literal["", "on-first-line", "not-on-phone"] = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: text, an identifier, a link, a figure of CNY, or a state as a badge."""

    text: Any = ""
    code: str = ""
    url: str = ""
    figure: Any = None
    badge: Any = None
    note: Text = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A link that does something, or leads to where it is asked."""

    label: Text
    url: str
    is_primary: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row: its cells, the first of them its head, and what can be done with it."""

    cells: Sequence[Cell]
    actions: Sequence[Action] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption; `empty` is said when it has no rows."""

    caption: Text
    heads: Sequence[Head]
    rows: Sequence[TableRow]
    empty: Text = ""
    has_actions: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """A list of terms and what they are."""

    title: Text
    pairs: Sequence[tuple[Text, Any]]
    note: Text = ""


@dataclass(frozen=True, slots=True)
class Stat:
    """A figure at the head of a page."""

    label: Text
    value: str
    unit: Text = ""
    note: Text = ""
    icon: str = "coin"


@dataclass(frozen=True)
class Page:
    """What the templates `list.html` and `detail.html` of this topic show."""

    title: Text
    lead: Text = ""
    crumbs: Sequence[tuple[Text, str]] = ()
    actions: Sequence[Action] = ()
    stats: Sequence[Stat] = ()
    tables: Sequence[Table] = ()
    facts: Sequence[Facts] = ()
    notice: Text = ""
    notice_tone: str = "info"
    state: Any = None
    empty_title: Text = ""
    empty_text: Text = ""
    icon: str = "building-bank"
    extra: dict[str, Any] = field(default_factory=dict)
