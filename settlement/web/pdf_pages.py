"""Documents to save: confirmation (成交确认单) and bill (结算单) as PDF, a bill as a message."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.services.error_texts import error_text
from marketplace.web.csv_answers import file_answer
from orders.models import Allocation
from settlement.domain.formats.adapter import named
from settlement.domain.formats.registry import BILL_ADAPTERS
from settlement.exports.bill_messages import bill_message_file
from settlement.exports.pdf import confirmation_pdf, invoice_pdf
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
    return pdf_answer(
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
    return pdf_answer(
        request,
        lambda: invoice_pdf(bill),
        name=f"{bill.number}.pdf",
        otherwise=("bill", public_id),
    )


@require_bill_reader
@require_safe
def download_bill_message(request: HttpRequest, public_id: UUID, code: str) -> HttpResponse:
    """Answer a bill, a supplier's statement or a credit note in a message standard."""
    bill = find_bill(request, public_id)
    adapter = named(BILL_ADAPTERS, code)
    if adapter is None:
        raise Http404
    try:
        content = bill_message_file(bill, adapter)
    except RuleBroken as error:
        messages.error(request, error_text(error))
        return redirect("bill", public_id=public_id)
    return file_answer(content, name=f"{bill.number}.xml", content_type=adapter.media_type)


def pdf_answer(
    request: HttpRequest, make: Callable[[], bytes], *, name: str, otherwise: tuple[str, UUID]
) -> HttpResponse:
    """Answer a PDF; where there is none, as without Pango, say so on the page, which prints."""
    try:
        content = make()
    except RuleBroken as error:
        messages.error(request, error_text(error))
        return redirect(otherwise[0], public_id=otherwise[1])
    return file_answer(content, name=name, content_type="application/pdf")
