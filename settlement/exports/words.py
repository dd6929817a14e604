"""Machine words of reports as people read them."""

from functools import cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.reference import load_table
from marketplace.templatetags.market_ui import is_chinese
from settlement.exports.entry_words import entry_kind_words
from settlement.models import AccountKind, InvoiceDirection, InvoiceKind, InvoiceLineKind

_RECORDS: dict[str, str | Promise] = {
    "opening": pgettext_lazy("row of a statement", "Opening balance"),
    "movement": pgettext_lazy("row of a statement", "Movement"),
    "closing": pgettext_lazy("row of a statement", "Closing balance"),
}


def hub_words(code: str) -> str:
    """Return a hub's short name with its code, which finance searches for."""
    names = _hub_names().get(code)
    return f"{names[0 if is_chinese() else 1]} {code}" if names else code


@cache
def _hub_names() -> dict[str, tuple[str, str]]:
    """Return Chinese and English short names of the shipped hubs; others keep their code."""
    return {row["code"]: (row["short_zh"], row["short_en"]) for row in load_table("hubs")}


def record_words(code: str) -> str:
    """Return what a row of a statement is."""
    return str(_RECORDS.get(code, code))


def account_kind_words(code: str) -> str:
    """Return the kind of an account."""
    return _label(AccountKind, code)


def direction_words(code: str) -> str:
    """Return whom a document is for."""
    return _label(InvoiceDirection, code)


def document_kind_words(code: str) -> str:
    """Return whether a document bills for the first time or corrects."""
    return _label(InvoiceKind, code)


def line_kind_words(code: str) -> str:
    """Return what a line of a document bills."""
    return _label(InvoiceLineKind, code)


def line_or_entry_words(code: str) -> str:
    """Return what a line bills, or the kind of an entry where the row is of an entry."""
    labels = dict(InvoiceLineKind.choices)
    return str(labels[code]) if code in labels else entry_kind_words(code)


def tax_side_words(code: str) -> str:
    """Return whether tax is output or input."""
    sides = {"output": _("Output tax"), "input": _("Input tax")}
    return str(sides.get(code, code))


def bank_record_words(code: str) -> str:
    """Return what a row of the bank reconciliation is."""
    records = {
        "opening": _("Opening balance of the statement"),
        "incoming": _("Money in"),
        "outgoing": _("Money out"),
        "closing": _("Closing balance of the statement"),
        "matched": _("Matched so far"),
        "unmatched_bank": _("On the statement, not explained"),
        "unmatched_ledger": _("In the ledger, on no statement"),
        "ledger": _("Balance in the ledger"),
        "difference": pgettext_lazy("of two sums", "Difference"),
    }
    return str(records.get(code, code))


def breach_words(code: str) -> str:
    """Return what is wrong with a member's collateral; nothing for an empty code."""
    breaches = {
        "overdrawn": _("More is held than there is"),
        "receivable": _("Bills beyond the funds"),
        "limit_nearly_used": _("Over nine tenths of the limit are used"),
    }
    return str(breaches.get(code, code))


def _label(enum: type, code: str) -> str:
    labels = dict(enum.choices)  # type: ignore[attr-defined]
    return str(labels.get(code, code))
