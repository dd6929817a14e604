"""A member's money: deposit, credit, what is held, what is free, and how it moved."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.models import Organisation, Role
from marketplace.selectors.organisations import platform
from marketplace.templatetags.market_ui import figure
from marketplace.web.access import acting_organisation, current_actor, require
from marketplace.web.csv_answers import csv_answer
from marketplace.web.form_fields import PlainDecimalField, add_refusal
from marketplace.web.stepping_up import require_confirmation
from orders.web.names import auction_name
from settlement.exports.entry_words import entry_kind_words
from settlement.models import Posting, WithdrawalRequest
from settlement.selectors.balances import funds_of
from settlement.selectors.movements import (
    explain_holds,
    member_accounts,
    movements_of,
    open_holds_of,
)
from settlement.services.funds import request_withdrawal
from settlement.web.ledger_words import request_state_text

PAGE_SIZE = 25
MOST_HOLDS = 50
CSV_HEAD = ("recorded_at", "effective_on", "kind", "reference", "memo", "amount_cny", "balance_cny")
ACCOUNTS = ("member_funds", "supplier_payable", "member_receivable")

require_member_money = require(
    lambda actor: (
        actor.can_see_own_money
        and actor.organisation is not None
        and not actor.organisation.is_platform
    )
)
require_member_finance = require(lambda actor: actor.is_trading_member and actor.has(Role.FINANCE))


class WithdrawalForm(forms.Form):
    """How much of the free deposit should go back."""

    amount = PlainDecimalField(
        label=_("Amount, CNY"),
        places=2,
        help_text=_("Paid to the bank account of your invoicing data."),
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


@require_member_money
@require_safe
def show_balance(request: HttpRequest) -> HttpResponse:
    """Show funds, holds with their orders, the deposit instruction and the movements."""
    actor = current_actor(request)
    organisation = acting_organisation(request)
    accounts = member_accounts(organisation)
    shown = request.GET.get("account", "")
    shown = shown if shown in accounts else "member_funds"
    page = None
    if shown in accounts:
        found = Paginator(movements_of(accounts[shown]), PAGE_SIZE)
        page = found.get_page(request.GET.get("page"))
    holds = open_holds_of(organisation)
    latest = WithdrawalRequest.objects.filter(organisation=organisation).order_by("-id")
    context = {
        "funds": funds_of(organisation),
        "is_open": bool(accounts),
        "page_obj": page,
        "rows": [_row(posting) for posting in page.object_list] if page else [],
        "tabs": _tabs(shown, organisation) if accounts else [],
        "account": shown,
        "hold_count": holds.count(),
        "holds": [_hold(held) for held in explain_holds(list(holds[:MOST_HOLDS]))],
        "custodian": _custodian(),
        "organisation": organisation,
        "can_withdraw": actor.is_trading_member and actor.has(Role.FINANCE),
        "withdrawals": [(one, request_state_text(one.state)) for one in latest[:5]],
    }
    return render(request, "settlement/balance.html", context)


def _custodian() -> Organisation | None:
    try:
        return platform()
    except NotFound:
        return None


def _hold(held: Any) -> dict[str, Any]:
    order = held.order
    return {
        "hold": held.hold,
        "order": order,
        "withdrawal": held.withdrawal,
        "auction_name": auction_name(order.auction) if order else "",
    }


def _row(posting: Posting) -> dict[str, Any]:
    """Turn a posting into the member's view: money to the member is above zero."""
    return {
        "posting": posting,
        "kind": entry_kind_words(posting.entry.kind),
        "amount": -posting.amount,
        "balance": -posting.balance,  # type: ignore[attr-defined]
    }


def _tabs(active: str, organisation: Organisation) -> list[dict[str, Any]]:
    names = {
        "member_funds": pgettext("account", "Funds"),
        "supplier_payable": pgettext("account", "Payable to you"),
        "member_receivable": pgettext("account", "Owed by you"),
    }
    if not organisation.is_supplier:
        names.pop("supplier_payable")
    if not organisation.is_buyer:
        names.pop("member_receivable")
    own = reverse("balance")
    return [
        {"label": label, "url": f"{own}?account={purpose}", "active": purpose == active}
        for purpose, label in names.items()
    ]


@require_member_money
@require_safe
def export_movements(request: HttpRequest) -> HttpResponse:
    """Answer every movement of an account as CSV, newest first."""
    accounts = member_accounts(acting_organisation(request))
    shown = request.GET.get("account", "member_funds")
    account = accounts.get(shown)
    rows = movements_of(account).iterator() if account else ()
    return csv_answer(f"{shown if account else 'movements'}.csv", CSV_HEAD, map(_csv_row, rows))


def _csv_row(posting: Posting) -> list[object]:
    entry = posting.entry
    return [
        entry.recorded_at.isoformat(),
        entry.effective_on.isoformat(),
        entry.kind,
        entry.source_id,
        posting.memo,
        -posting.amount,
        -posting.balance,  # type: ignore[attr-defined]
    ]


@require_member_finance
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest) -> HttpResponse:
    """Take in the sum, show it with what stays free, and ask for it only when confirmed."""
    actor = current_actor(request)
    organisation = acting_organisation(request)
    form = WithdrawalForm(request.POST or None)
    funds = funds_of(organisation)
    free = max(funds.deposit_cny - funds.held_cny, Decimal(0))
    if request.method == "POST" and form.is_valid():
        amount, note = form.cleaned_data["amount"], form.cleaned_data["note"]
        if "confirmed" not in request.POST and amount <= free:
            return _ask(request, amount, note, free)
        try:
            request_withdrawal(actor=actor, amount_cny=amount, note=note)
        except RuleBroken as error:
            add_refusal(form, error)
            if error.field is None and "amount" not in form.errors:
                form.add_error("amount", gettext("Not more than the free deposit."))
        else:
            text = gettext("The withdrawal is requested; the amount is held until it is decided.")
            messages.success(request, text)
            return redirect("balance")
    context = {
        "form": form,
        "funds": funds,
        "free": free,
        "organisation": organisation,
        "submit_label": gettext("Go on"),
        "cancel_url": reverse("balance"),
        "crumbs": [(gettext("Balance"), reverse("balance"))],
    }
    status = 422 if form.errors else 200
    return render(request, "settlement/withdrawal.html", context, status=status)


def _ask(request: HttpRequest, amount: Decimal, note: str, free: Decimal) -> HttpResponse:
    organisation = acting_organisation(request)
    context = {
        "question": gettext("Request this withdrawal?"),
        "text": gettext("The amount is held at once and paid when the market's finance agrees."),
        "lines": [
            (gettext("Bank"), organisation.bank_name or "–"),
            (gettext("Bank account"), organisation.bank_account or "–"),
            (gettext("Free deposit afterwards, CNY"), figure(free - amount)),
            (gettext("Withdrawal, CNY"), figure(amount)),
        ],
        "hidden": [("amount", request.POST.get("amount", "")), ("note", note)],
        "confirm_label": gettext("Request the withdrawal"),
        "cancel_url": reverse("balance"),
    }
    return render(request, "generic/confirm.html", context)
