"""Bills and suppliers' settlement statements (结算单): list, page, tax invoice number."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.permissions import Actor
from marketplace.web.access import acting_organisation, current_actor, require, require_supplier
from marketplace.web.csv_answers import csv_answer
from marketplace.web.form_fields import DayField, PlainDecimalField, add_refusal
from settlement.domain.formats.registry import BILL_ADAPTERS
from settlement.models import (
    Invoice,
    InvoiceDirection,
    InvoiceState,
    SupplierInvoice,
)
from settlement.selectors.invoices import invoice_for, invoices_of, lines_of, supplied_lines
from settlement.services.supplier_invoices import record_supplier_invoice
from settlement.web.balance_pages import require_member_money

PAGE_SIZE = 25
LINES_PER_PAGE = 100
CSV_HEAD = (
    "number",
    "direction",
    "run",
    "issued_on",
    "due_on",
    "net_cny",
    "vat_cny",
    "gross_cny",
    "state",
)


def keeps_books(actor: Actor) -> bool:
    """Tell whether the actor may read every member's bills."""
    return actor.is_platform_finance or actor.is_platform_auditor


require_bill_reader = require(
    lambda actor: keeps_books(actor) or (actor.can_see_own_money and not actor.is_operator)
)


class BillFilter(forms.Form):
    """Narrows the list of bills."""

    direction = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *InvoiceDirection.choices],
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *InvoiceState.choices],
    )
    since = DayField(label=_("Issued from"), required=False)
    until = DayField(label=_("Issued until"), required=False)

    def narrow(self, invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
        """Return the bills asked for; wrong values narrow nothing."""
        asked = self.cleaned_data if self.is_valid() else {}
        exact = {
            "direction": "direction",
            "state": "state",
            "since": "issued_on__gte",
            "until": "issued_on__lte",
        }
        return invoices.filter(**{exact[n]: asked[n] for n in exact if asked.get(n)})


class TaxInvoiceForm(forms.Form):
    """The supplier's tax invoice for one of our statements."""

    tax_number = forms.CharField(
        label=_("Tax invoice number"), max_length=20, help_text=_("20 digits of the 数电票.")
    )
    issued_on = DayField(label=pgettext_lazy("tax invoice", "Issued on"))
    amount = PlainDecimalField(label=_("Amount with VAT, CNY"), places=2)
    vat = PlainDecimalField(label=_("VAT, CNY"), places=2)


@require_member_money
@require_safe
def list_bills(request: HttpRequest) -> HttpResponse:
    """Show a member's bills and settlement statements."""
    organisation = acting_organisation(request)
    form = BillFilter(request.GET)
    found = form.narrow(invoices_of(organisation))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "filter_form": form,
        "page_obj": page,
        "is_filtered": any(request.GET.get(name) for name in form.fields),
        "result_text": gettext("%(count)s bills") % {"count": page.paginator.count},
    }
    return render(request, "settlement/bills.html", context)


@require_member_money
@require_safe
def export_bills(request: HttpRequest) -> HttpResponse:
    """Answer the filtered bills as CSV."""
    found = BillFilter(request.GET).narrow(invoices_of(acting_organisation(request)))
    return csv_answer("bills.csv", CSV_HEAD, (bill_row(bill) for bill in found))


def bill_row(bill: Invoice) -> list[object]:
    return [
        bill.number,
        bill.direction,
        bill.run.number,
        bill.issued_on.isoformat(),
        bill.due_on.isoformat(),
        bill.net.amount,
        bill.vat.amount,
        bill.gross.amount,
        bill.state,
    ]


def find_bill(request: HttpRequest, public_id: UUID) -> Invoice:
    """Return a bill of the acting organisation, any bill to the market's books, or 404."""
    actor = current_actor(request)
    try:
        return invoice_for(None if keeps_books(actor) else actor.organisation, public_id)
    except NotFound:
        raise Http404 from None


@require_bill_reader
@require_safe
def show_bill(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a bill with its lines, its tax and, for a supplier, its tax invoices."""
    bill = find_bill(request, public_id)
    actor = current_actor(request)
    lines = Paginator(lines_of(bill), LINES_PER_PAGE).get_page(request.GET.get("page"))
    is_payable = bill.direction == InvoiceDirection.PAYABLE
    context = {
        "bill": bill,
        "page_obj": lines,
        "is_payable": is_payable,
        "tax_invoices": bill.supplier_invoices.order_by("-id") if is_payable else [],
        "can_enter_tax": is_payable
        and (actor.is_platform_finance or (actor.can_sell and bill.gross.amount != 0)),
        "keeps_books": keeps_books(actor),
        "corrections": bill.corrections.order_by("pk"),
        "crumbs": _crumbs(bill, actor),
        "standards": BILL_ADAPTERS,
    }
    return render(request, "settlement/bill.html", context)


def _crumbs(bill: Invoice, actor: Actor) -> list[tuple[str, str]]:
    if keeps_books(actor):
        return [
            (gettext("Settlement summary"), reverse("settlement-summary")),
            (bill.run.number, reverse("settlement-run", args=[bill.run.public_id])),
        ]
    return [(gettext("Bills"), reverse("bills"))]


require_tax_entry = require(lambda actor: actor.can_sell or actor.is_platform_finance)


@require_tax_entry
@require_http_methods(["GET", "HEAD", "POST"])
def enter_tax_invoice(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take in the number of the supplier's tax invoice for a statement."""
    bill = find_bill(request, public_id)
    if bill.direction != InvoiceDirection.PAYABLE:
        raise Http404
    expected = compute_sums(bill)
    form = TaxInvoiceForm(request.POST or None, initial=expected)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            record_supplier_invoice(
                actor=current_actor(request),
                invoice_number=bill.number,
                tax_number=given["tax_number"].strip(),
                issued_on=given["issued_on"],
                amount_cny=given["amount"],
                vat_cny=given["vat"],
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("The tax invoice is entered; finance checks it."))
            return redirect("bill", public_id=public_id)
    context = {
        "form": form,
        "bill": bill,
        "expected": expected,
        "submit_label": gettext("Enter the tax invoice"),
        "cancel_url": reverse("bill", args=[public_id]),
        "crumbs": [(bill.number, reverse("bill", args=[public_id]))],
    }
    status = 422 if form.errors else 200
    return render(request, "settlement/tax_invoice_form.html", context, status=status)


def compute_sums(bill: Invoice) -> dict[str, Any]:
    """Return what the supplier's tax invoice must state: compute with tax, and the tax."""
    sums = list(supplied_lines(bill).values_list("net_cny", "vat_cny"))
    vat = sum(vat for _net, vat in sums)
    return {"amount": sum(net for net, _vat in sums) + vat, "vat": vat}


@require_supplier
@require_safe
def list_tax_invoices(request: HttpRequest) -> HttpResponse:
    """Show a supplier's tax invoices and the statements that still lack one."""
    organisation = acting_organisation(request)
    own = SupplierInvoice.objects.filter(organisation=organisation).select_related("invoice")
    page = Paginator(own.order_by("-id"), PAGE_SIZE).get_page(request.GET.get("page"))
    missing = (
        invoices_of(organisation)
        .filter(direction=InvoiceDirection.PAYABLE)
        .exclude(pk__in=own.exclude(state="refused").values("invoice_id"))
    )
    context = {
        "page_obj": page,
        "missing": missing[:PAGE_SIZE],
        "missing_count": missing.count(),
        "result_text": gettext("%(count)s tax invoices") % {"count": page.paginator.count},
    }
    return render(request, "settlement/tax_invoices_own.html", context)
