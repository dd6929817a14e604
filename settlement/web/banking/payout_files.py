"""Files of payouts: for the bank in its layout or as a message, and the supplier's advice."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.services.error_texts import error_text
from marketplace.web.access import current_actor
from marketplace.web.csv_answers import file_answer
from settlement.domain.formats.adapter import named
from settlement.domain.formats.registry import PAYMENT_ADAPTERS
from settlement.exports.banking.payment_messages import payment_message
from settlement.exports.banking.payout_files import payment_file, remittance_pdf
from settlement.exports.pdf import PdfUnavailable
from settlement.models import Payout, PayoutBatch, PayoutBatchState, PayoutState
from settlement.web.banking.doing import reads_books, require_books, require_party


@require_books
@require_safe
def download_file(_request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Answer the bank's payment file of an approved batch."""
    batch = _approved(public_id)
    return file_answer(
        payment_file(batch), name=f"{batch.number}.csv", content_type="text/csv; charset=utf-8"
    )


@require_books
@require_safe
def download_message(request: HttpRequest, public_id: UUID, code: str) -> HttpResponse:
    """Answer the payments of an approved batch in a message standard."""
    batch = _approved(public_id)
    adapter = named(PAYMENT_ADAPTERS, code)
    if adapter is None:
        raise Http404
    try:
        content = payment_message(batch, adapter)
    except RuleBroken as error:
        messages.error(request, error_text(error))
        return redirect("payout-batch", public_id=public_id)
    return file_answer(content, name=f"{batch.number}.xml", content_type=adapter.media_type)


@require_party
@require_safe
def download_advice(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Answer the remittance advice of a payment, the own one to a supplier."""
    actor = current_actor(request)
    rows = Payout.objects.exclude(state__in=(PayoutState.PLANNED, PayoutState.DROPPED))
    if not reads_books(actor):
        rows = rows.filter(organisation=actor.organisation)
    payout = get_object_or_404(rows.select_related("batch", "organisation"), public_id=public_id)
    try:
        content = remittance_pdf(payout)
    except PdfUnavailable as error:
        return HttpResponse(error_text(error), status=error.status, content_type="text/plain")
    return file_answer(content, name=f"{payout.number}.pdf", content_type="application/pdf")


def _approved(public_id: UUID) -> PayoutBatch:
    states = (PayoutBatchState.APPROVED, PayoutBatchState.FINISHED)
    rows = PayoutBatch.objects.filter(state__in=states).select_related("profile")
    return get_object_or_404(rows, public_id=public_id)
