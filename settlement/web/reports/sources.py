"""From a journal entry to the business object behind it."""

from django.urls import reverse

from settlement.models import Invoice, JournalEntry, SettlementRun, SupplierInvoice

_DESK_KINDS = {"deposit": "deposits", "withdrawal": "withdrawals"}


def source_address(entry: JournalEntry) -> str:
    """Return the page of the document, run or request that an entry comes from; may be empty."""
    finder = {
        "invoice": _invoice,
        "settlement_run": _run,
        "supplier_invoice": _supplier_invoice,
    }.get(entry.source_type)
    if finder is not None:
        return finder(entry.source_id)
    if entry.source_type in _DESK_KINDS:
        return f"{reverse('funds-desk')}?kind={_DESK_KINDS[entry.source_type]}"
    return ""


def _invoice(number: str) -> str:
    bill = Invoice.objects.filter(number=number).first()
    return reverse("bill", args=[bill.public_id]) if bill else ""


def _run(number: str) -> str:
    run = SettlementRun.objects.filter(number=number).first()
    return reverse("settlement-run", args=[run.public_id]) if run else ""


def _supplier_invoice(tax_number: str) -> str:
    found = SupplierInvoice.objects.select_related("invoice").filter(tax_number=tax_number).first()
    return reverse("bill", args=[found.invoice.public_id]) if found else ""
