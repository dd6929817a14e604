"""Payouts: what a supplier has earned, what it is waiting for, and who acts next."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.web.access import acting_organisation, current_actor, require
from marketplace.web.csv_answers import csv_answer
from orders.web.names import auction_name
from settlement.models import Invoice, InvoiceState, SupplierInvoiceState
from settlement.selectors.balances import funds_of
from settlement.selectors.supplier_money import statements_of, supplier_money

PAGE_SIZE = 25
CSV_HEAD = (
    "statement",
    "auction",
    "issued_on",
    "due_on",
    "net_cny",
    "vat_cny",
    "gross_cny",
    "tax_invoice",
    "step",
)
# What a statement waits for: words, tone of the badge, who acts.
STEPS = {
    "tax_invoice": (_("Waiting for your tax invoice"), "warning", _("you")),
    "refused": (_("Tax invoice refused, enter another"), "danger", _("you")),
    "check": (_("Tax invoice is being checked"), "info", _("the market's finance")),
    "payout": (_("To be paid on the due date"), "accent", _("the market's finance")),
    "planned": (_("In a payout batch, waiting for approval"), "info", _("the market's finance")),
    "ordered": (_("Ordered from the bank"), "accent", _("the bank")),
    "returned": (_("Sent back by the bank"), "danger", _("the market's finance")),
    "paid": (_("Paid"), "success", ""),
    "credited": (_("Reversed by a credit note"), "neutral", ""),
}

require_payee = require(
    lambda actor: (
        actor.can_see_own_money
        and actor.organisation is not None
        and actor.organisation.is_supplier
        and not actor.organisation.is_platform
    )
)


def step_of(statement: Invoice) -> str:
    """Return what a statement of `statements_of` waits for: a key of `STEPS`."""
    if statement.state == InvoiceState.PAID:
        return "paid"
    if statement.state == InvoiceState.CREDITED:
        return "credited"
    if getattr(statement, "payout_state", None) in ("planned", "ordered", "returned"):
        return str(statement.payout_state)  # type: ignore[attr-defined]
    if getattr(statement, "is_checked", False):
        return "payout"
    state = getattr(statement, "tax_invoice_state", None)
    if state == SupplierInvoiceState.RECEIVED:
        return "check"
    return "refused" if state == SupplierInvoiceState.REFUSED else "tax_invoice"


@require_payee
@require_safe
def list_payouts(request: HttpRequest) -> HttpResponse:
    """Show the statements with their step, and the sums on the way."""
    organisation = acting_organisation(request)
    page = Paginator(statements_of(organisation), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "rows": [_row(statement) for statement in page.object_list],
        "money": supplier_money(organisation),
        "payable_cny": funds_of(organisation).payable_cny,
        "bank": (organisation.bank_name, organisation.bank_account[-4:]),
        "can_enter": current_actor(request).can_sell,
        "result_text": gettext("%(count)s statements") % {"count": page.paginator.count},
    }
    return render(request, "settlement/payouts.html", context)


def _row(statement: Invoice) -> dict[str, Any]:
    step = step_of(statement)
    words, tone, who = STEPS[step]
    return {
        "statement": statement,
        "auction": auction_name(statement.run.auction),
        "step": step,
        "words": words,
        "tone": tone,
        "who": who,
    }


@require_payee
@require_safe
def export_payouts(request: HttpRequest) -> HttpResponse:
    """Answer the statements with their step as CSV."""
    rows = (
        [
            one.number,
            one.run.auction.code,
            one.issued_on.isoformat(),
            one.due_on.isoformat(),
            one.net.amount,
            one.vat.amount,
            one.gross.amount,
            getattr(one, "tax_invoice_number", None) or "",
            step_of(one),
        ]
        for one in statements_of(acting_organisation(request))
    )
    return csv_answer("payouts.csv", CSV_HEAD, rows)
