"""Suppliers' tax invoices that wait for a check by the market's finance."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.templatetags.market_ui import figure, localname
from marketplace.web.access import current_actor, require, require_finance
from marketplace.web.form_fields import add_refusal
from settlement.models import SupplierInvoice, SupplierInvoiceState
from settlement.services.supplier_invoices import check_supplier_invoice
from settlement.web.bill_pages import compute_sums
from settlement.web.funds_forms import DecisionForm

PAGE_SIZE = 25
require_bookkeeper = require(lambda actor: actor.is_platform_finance)


class QueueFilter(forms.Form):
    """Narrows the queue by state; those that wait are shown first."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *SupplierInvoiceState.choices],
    )


@require_finance
@require_safe
def list_queue(request: HttpRequest) -> HttpResponse:
    """Show the tax invoices with what our statement says beside them."""
    form = QueueFilter(request.GET)
    rows = SupplierInvoice.objects.select_related("organisation", "invoice", "entered_by")
    asked = form.cleaned_data.get("state") if form.is_valid() else ""
    if asked:
        rows = rows.filter(state=asked)
    page = Paginator(rows.order_by("-id"), PAGE_SIZE).get_page(request.GET.get("page"))
    actor = current_actor(request)
    waiting = SupplierInvoice.objects.filter(state=SupplierInvoiceState.RECEIVED).count()
    context = {
        "filter_form": form,
        "page_obj": page,
        "rows": [
            {
                "one": one,
                "is_waiting": one.state == SupplierInvoiceState.RECEIVED,
                "can_decide": actor.is_platform_finance and one.entered_by_id != actor.user.pk,
            }
            for one in page.object_list
        ],
        "waiting": waiting,
        "result_text": gettext("%(count)s tax invoices") % {"count": page.paginator.count},
    }
    return render(request, "settlement/tax_queue.html", context)


@require_bookkeeper
@require_http_methods(["GET", "HEAD", "POST"])
def check_tax_invoice(request: HttpRequest, public_id: UUID, verdict: str) -> HttpResponse:
    """Compare the tax invoice with our statement, then find it right or refuse it."""
    rows = SupplierInvoice.objects.select_related("organisation", "invoice")
    one: SupplierInvoice = get_object_or_404(rows, public_id=public_id)
    approve = verdict == "approve"
    form = DecisionForm(request.POST or None, is_required=not approve)
    if request.method == "POST" and form.is_valid():
        try:
            check_supplier_invoice(
                actor=current_actor(request),
                tax_number=one.tax_number,
                approve=approve,
                reason=form.cleaned_data["reason"],
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Decided."))
            return redirect("tax-queue")
    context: dict[str, Any] = {
        "question": gettext("Is this tax invoice right?")
        if approve
        else gettext("Refuse this tax invoice?"),
        "text": gettext("Checked, its tax becomes deductible and the payout is released.")
        if approve
        else gettext("The supplier enters another one."),
        "confirm_label": gettext("It is right") if approve else pgettext("send back", "Refuse"),
        "danger": not approve,
        "form": form,
        "lines": _lines(one),
        "cancel_url": reverse("tax-queue"),
    }
    status = 422 if form.errors else 200
    return render(request, "generic/confirm.html", context, status=status)


def _lines(one: SupplierInvoice) -> list[tuple[str, str]]:
    expected = compute_sums(one.invoice)
    return [
        (gettext("Supplier"), localname(one.organisation)),
        (gettext("Tax invoice number"), one.tax_number),
        (gettext("Our statement"), one.invoice.number),
        (gettext("VAT, statement, CNY"), figure(expected["vat"])),
        (gettext("VAT, tax invoice, CNY"), figure(one.vat)),
        (gettext("With VAT, statement, CNY"), figure(expected["amount"])),
        (gettext("With VAT, tax invoice, CNY"), figure(one.amount)),
    ]
