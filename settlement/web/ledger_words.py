"""What journal entries and ledger accounts are called on a page."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

KINDS: dict[str, str | Promise] = {
    "deposit": _("Deposit received"),
    "withdrawal": _("Withdrawal paid"),
    "buyer_bill": _("Bill"),
    "supplier_statement": _("Supplier's settlement statement"),
    "network_part": _("Link tariffs and congestion rent"),
    "receivable_paid": _("Open bill paid"),
    "input_tax": _("Input tax deductible"),
    "supplier_payout": _("Payout to the supplier"),
    "payout": _("Payout to the supplier"),
    "reversal": _("Reversal"),
}


def kind_text(kind: str) -> str:
    """Return the kind of a journal entry in words; an unknown one by its code."""
    return str(KINDS.get(kind, kind.replace("_", " ")))
