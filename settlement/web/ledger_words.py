"""What journal entries and ledger accounts are called on a page."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

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


REQUEST_STATES: dict[str, str | Promise] = {
    "entered": _("Waiting for a second person"),
    "approved": pgettext_lazy("request", "Approved"),
    "rejected": pgettext_lazy("request", "Rejected"),
}


def request_state_text(state: str) -> str:
    """Return the state of a receipt, limit or withdrawal in words."""
    return str(REQUEST_STATES.get(state, state))


def kind_text(kind: str) -> str:
    """Return the kind of a journal entry in words; an unknown one by its code."""
    return str(KINDS.get(kind, kind.replace("_", " ")))
