"""What each kind of journal entry is called, on pages and in reports alike."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ENTRY_KINDS: dict[str, str | Promise] = {
    "bank_line": _("Bank booking not explained yet"),
    "bank_deposit": _("Deposit received by the bank"),
    "bank_payout": _("Payout paid by the bank"),
    "bank_returned": _("Payout returned by the bank"),
    "bank_booked": _("Bank booking booked before by hand"),
    "bank_charge": _("Bank charge"),
    "bank_interest": _("Interest received"),
    "deposit": _("Deposit received"),
    "withdrawal": _("Withdrawal paid"),
    "buyer_bill": _("Bill"),
    "buyer_credit_note": _("Buyer's credit note"),
    "buyer_additional_bill": _("Buyer's additional bill"),
    "supplier_statement": _("Supplier's settlement statement"),
    "supplier_credit_note": _("Supplier's credit note"),
    "supplier_additional_statement": _("Supplier's additional statement"),
    "network_part": _("Link tariffs and congestion rent"),
    "receivable_paid": _("Open bill paid"),
    "input_tax": _("Input tax deductible"),
    "supplier_payout": _("Payout to the supplier"),
    "payout": _("Payout to the supplier"),
    "payout_rejected": _("Payout refused by the bank"),
    "adjustment": _("Correction of the books"),
    "reversal": _("Reversal"),
    "voucher_redeemed": _("Voucher redeemed"),
    "voucher_returned": _("Voucher given back"),
    "security_deposit": _("Security deposit lodged"),
    "security_deposit_returned": _("Security deposit returned"),
    "default_free_funds": _("Default: taken from free funds"),
    "default_deposit": _("Default: taken from the security deposit"),
    "default_guarantee": _("Default: called on the guarantee"),
    "default_reserve": _("Default: borne by the risk reserve"),
    "default_loss": _("Default: loss"),
    "default_recovery": _("Default: paid back"),
    "netting_cash": _("Cash of a netting cycle"),
    "units_issue": _("Units issued"),
    "units_transfer": _("Units transferred"),
    "units_reserve": _("Units reserved"),
    "units_release": _("Units released"),
    "units_lock": _("Units locked"),
    "units_unlock": _("Units unlocked"),
    "units_freeze": _("Units frozen"),
    "units_cancel": _("Units cancelled"),
    "units_expire": _("Units expired"),
    "units_retire": _("Units retired"),
    "units_invalidate": _("Units invalidated"),
}


def entry_kind_words(code: str) -> str:
    """Return the kind of a journal entry in words; an unknown one by its code."""
    return str(ENTRY_KINDS.get(code, code.replace("_", " ")))
