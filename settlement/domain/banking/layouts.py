"""Layouts of other people's files: what one must say, checked before it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.domain.errors import RuleBroken, gettext_noop

STATEMENT_COLUMNS = (
    "booked_on",
    "amount",
    "amount_in",
    "amount_out",
    "direction",
    "balance",
    "reference",
    "counterparty_name",
    "counterparty_account",
    "purpose",
)
PAYOUT_FIELDS = (
    "number",
    "payee_name",
    "bank_account",
    "bank_name",
    "amount",
    "purpose",
    "currency",
    "pay_on",
)
VOUCHER_FIELDS = (
    "date",
    "period",
    "word",
    "number",
    "line",
    "summary",
    "subject_code",
    "subject_name",
    "debit",
    "credit",
    "currency",
    "rate",
    "partner_code",
    "partner_name",
    "maker",
    "attachments",
)


class LayoutInvalid(RuleBroken):
    """A layout lacks something or names something unknown."""

    code = "layout_invalid"
    message = gettext_noop("The layout is not usable: %(problem)s.")


@dataclass(frozen=True)
class StatementLayout:
    """How a bank writes its statements.

    Attributes:
        columns: our name of a column to the bank's.
        date_formats: tried in order.
        incoming: words in the direction column for money in.
        outgoing: words in the direction column for money out.
        opening_label: text before the opening balance, empty when the file has none.
        closing_label: text before the closing balance, likewise.
    """

    columns: Mapping[str, str]
    date_formats: tuple[str, ...]
    incoming: frozenset[str]
    outgoing: frozenset[str]
    opening_label: str
    closing_label: str


def statement_layout(layout: Mapping[str, Any]) -> StatementLayout:
    """Return the checked layout of bank statements; raises LayoutInvalid."""
    columns = _named(layout, "columns", STATEMENT_COLUMNS)
    if "booked_on" not in columns:
        raise LayoutInvalid(field="layout", problem="columns.booked_on")
    two = {"amount_in", "amount_out"} <= columns.keys()
    if two == ("amount" in columns):
        raise LayoutInvalid(field="layout", problem="columns.amount | amount_in + amount_out")
    formats = tuple(layout.get("date_formats") or ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d"))
    incoming = frozenset(layout.get("incoming") or ())
    outgoing = frozenset(layout.get("outgoing") or ())
    if "direction" in columns and not (incoming and outgoing):
        raise LayoutInvalid(field="layout", problem="incoming, outgoing")
    return StatementLayout(
        columns,
        formats,
        incoming,
        outgoing,
        str(layout.get("opening_label") or ""),
        str(layout.get("closing_label") or ""),
    )


@dataclass(frozen=True)
class OutLayout:
    """How a file that we write is laid out: (heading, our field or a fixed text after `=`)."""

    columns: tuple[tuple[str, str], ...]
    encoding: str
    has_totals: bool
    places: int
    date_format: str


def out_layout(layout: Mapping[str, Any], fields: tuple[str, ...]) -> OutLayout:
    """Return the checked layout of a file of ours; raises LayoutInvalid."""
    columns = layout.get("columns")
    if not isinstance(columns, list) or not columns:
        raise LayoutInvalid(field="layout", problem="columns")
    pairs = []
    for column in columns:
        if not (isinstance(column, list) and len(column) == 2):
            raise LayoutInvalid(field="layout", problem="columns")
        heading, source = str(column[0]), str(column[1])
        if not source.startswith("=") and source not in fields:
            raise LayoutInvalid(field="layout", problem=source)
        pairs.append((heading, source))
    encoding = str(layout.get("encoding") or "utf-8-sig")
    if encoding not in ("utf-8-sig", "utf-8", "gb18030"):
        raise LayoutInvalid(field="layout", problem="encoding")
    return OutLayout(
        tuple(pairs),
        encoding,
        bool(layout.get("totals", False)),
        2,
        str(layout.get("date_format") or "%Y-%m-%d"),
    )


def _named(layout: Mapping[str, Any], key: str, known: tuple[str, ...]) -> dict[str, str]:
    given = layout.get(key)
    if not isinstance(given, dict):
        raise LayoutInvalid(field="layout", problem=key)
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise LayoutInvalid(field="layout", problem=", ".join(unknown))
    return {name: str(value).strip() for name, value in given.items() if str(value).strip()}
