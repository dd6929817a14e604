"""The payment file for the bank, with its control total, and the remittance advice (付款通知)."""

from decimal import Decimal
from typing import Any

from marketplace.models import Organisation
from settlement.domain.banking.layouts import PAYOUT_FIELDS, out_layout
from settlement.exports.banking.tables import Values, csv_of
from settlement.exports.documents import number
from settlement.exports.pdf import draw_pdf
from settlement.models import Payout, PayoutBatch


def payment_file(batch: PayoutBatch) -> bytes:
    """Return the bank's payment file of an approved batch, in the layout of its profile."""
    layout = out_layout(batch.profile.layout, PAYOUT_FIELDS)
    payouts = list(batch.payouts.order_by("number"))
    total = sum((payout.amount_cny for payout in payouts), Decimal(0))
    above = (
        [["总笔数", str(len(payouts)), "总金额", format(total, ".2f"), "批次号", batch.number]]
        if layout.has_totals
        else []
    )
    return csv_of([_row(batch, payout) for payout in payouts], layout, above=above)


def purpose_of(payout: Payout) -> str:
    """Return what a payment is for, as the supplier reads it at its bank."""
    return f"算力结算款 {payout.number}"


def remittance_pdf(payout: Payout) -> bytes:
    """Return the advice of a payment to a supplier, in both languages.

    Raises:
        PdfUnavailable: Pango is missing.
    """
    return draw_pdf("settlement/pdf/remittance.html", remittance_context(payout))


def remittance_context(payout: Payout) -> dict[str, Any]:
    """Return what a remittance advice shows: each statement, what was kept back, credit notes."""
    items = payout.items.select_related("invoice__run__auction").order_by("invoice__number")
    return {
        "payout": payout,
        "batch": payout.batch,
        "platform": Organisation.objects.filter(is_platform=True).first(),
        "rows": [
            {
                "invoice": item.invoice,
                "auction": item.invoice.run.auction.code,
                "net": number(item.invoice.net.amount),
                "vat": number(item.invoice.vat.amount),
                "gross": number(item.invoice.gross.amount),
                "held": number(item.held_back_cny),
                "paid": number(item.amount_cny),
            }
            for item in items
        ],
        "total": number(payout.amount_cny),
    }


def _row(batch: PayoutBatch, payout: Payout) -> Values:
    return {
        "number": payout.number,
        "payee_name": payout.payee_name,
        "bank_account": payout.bank_account,
        "bank_name": payout.bank_name,
        "amount": payout.amount_cny,
        "purpose": purpose_of(payout),
        "currency": "CNY",
        "pay_on": batch.pay_on,
    }
