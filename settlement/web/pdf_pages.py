"""Downloads of signed-form documents: confirmation (成交确认单) and bill (结算单) as PDF."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from marketplace.services.error_texts import error_text
from marketplace.web.csv_answers import file_answer
from orders.models import Allocation
from settlement.exports.pdf import PdfUnavailable, confirmation_pdf, invoice_pdf
from settlement.web.bill_pages import find_bill, require_bill_reader
from settlement.web.delivery_access import find_delivery, require_reader

ALLOCATION_PARTS = (
    "run",
    "auction",
    "buyer",
    "seller",
    "product",
    "hub",
    "supply_hub",
    "listing__pool",
)


@require_reader
@require_safe
def download_confirmation(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Answer the confirmation of a delivery's allocation."""
    seen = find_delivery(request, public_id)
    rows = Allocation.objects.select_related(*ALLOCATION_PARTS)
    allocation = rows.get(pk=seen.delivery.allocation_id)
    return _pdf(
        request,
        lambda: confirmation_pdf(allocation),
        name=f"{allocation.number}.pdf",
        otherwise=("confirmation", public_id),
    )


@require_bill_reader
@require_safe
def download_bill(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Answer a bill or a supplier's statement."""
    bill = find_bill(request, public_id)
    return _pdf(
        request,
        lambda: invoice_pdf(bill),
        name=f"{bill.number}.pdf",
        otherwise=("bill", public_id),
    )


def _pdf(
    request: HttpRequest, make: Callable[[], bytes], *, name: str, otherwise: tuple[str, UUID]
) -> HttpResponse:
    """Answer a PDF; on a machine that cannot draw one, say so on the page, which prints as well."""
    try:
        content = make()
    except PdfUnavailable as error:
        messages.error(request, error_text(error))
        return redirect(otherwise[0], public_id=otherwise[1])
    return file_answer(content, name=name, content_type="application/pdf")
