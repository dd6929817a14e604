"""Payout batches: what can be paid, made by one person, approved by another, with the bank."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_ui import figure, localname
from marketplace.web.access import current_actor
from marketplace.web.form_fields import DayField, add_refusal
from marketplace.web.stepping_up import require_confirmation
from settlement.domain.formats.registry import PAYMENT_ADAPTERS
from settlement.models import (
    FileProfile,
    FileProfileKind,
    Payout,
    PayoutBatch,
    PayoutBatchState,
    PayoutState,
)
from settlement.selectors.banking.payables import SupplierPayables, open_payables
from settlement.services.banking.payout_outcomes import reject_payout
from settlement.services.banking.payouts import (
    approve_payout_batch,
    make_payout_batch,
    refuse_payout_batch,
)
from settlement.web.banking.choices import NamedChoice, NamedChoices
from settlement.web.banking.doing import (
    ReasonForm,
    ask_and_do,
    history_table,
    page_of,
    require_books,
    require_keeper,
    show_detail,
    show_form,
    show_list,
)
from settlement.web.banking.tables import Action, Cell, Facts, Head, Page, Table, TableRow, as_given

OBSTACLES = {
    "tax_invoice": _("Waits for a checked tax invoice"),
    "disputed": _("Disputed"),
    "not_due": _("Not due yet"),
    "bank_account": _("No bank account is known"),
    "ledger": _("More than the ledger owes"),
    "nothing": _("Nothing to pay"),
}
AMOUNT = Head(_("Amount, CNY"), is_number=True)


class BatchForm(forms.Form):
    """A batch: by when, whom, and in which file."""

    pay_on = DayField(label=_("Pay on"), help_text=_("Statements due until then are taken."))
    profile = NamedChoice(
        label=_("Payment file"), queryset=FileProfile.objects.none(), to_field_name="code"
    )
    suppliers = NamedChoices(
        label=_("Suppliers"),
        queryset=Organisation.objects.filter(is_supplier=True, is_platform=False),
        required=False,
        to_field_name="code",
        help_text=_("Nobody chosen: all that can be paid."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        profiles = FileProfile.objects.filter(kind=FileProfileKind.PAYOUT, is_active=True)
        self.fields["profile"].queryset = profiles  # type: ignore[attr-defined]
        self.fields["profile"].initial = profiles.first()


@require_books
@require_safe
def list_batches(request: HttpRequest) -> HttpResponse:
    """Show the batches, and beside them what each supplier is owed and waits for."""
    rows = PayoutBatch.objects.select_related("made_by", "decided_by").order_by("-pk")
    page_obj = page_of(request, rows)
    today = market_date(market_now())
    actions = []
    if current_actor(request).is_platform_finance:
        actions = [Action(gettext("Make a batch"), reverse("payout-batch-new"), True)]
    page = Page(
        title=gettext("Payout batches"),
        lead=gettext("One finance person makes a batch, another one approves it."),
        actions=actions,
        tables=[
            Table(gettext("Payout batches"), _HEADS, [_row(one) for one in page_obj]),
            _owed_table(today),
        ],
        empty_title=gettext("No batch was made yet"),
        empty_text=gettext("A statement can be paid once its tax invoice is checked."),
        icon="coin",
    )
    return show_list(request, page, page_obj)


_HEADS = (
    Head(_("Batch")),
    Head(_("Pay on")),
    Head(_("Payments"), is_number=True),
    AMOUNT,
    Head(_("Made by")),
    Head(_("Decided by")),
    Head(_("State")),
)


def _row(one: PayoutBatch) -> TableRow:
    return TableRow(
        [
            Cell(one.number, url=reverse("payout-batch", args=[one.public_id])),
            Cell(one.pay_on),
            Cell(str(one.payout_count)),
            Cell(figure=one.total_cny),
            Cell(str(one.made_by)),
            Cell(str(one.decided_by) if one.decided_by else ""),
            Cell(badge=one),
        ]
    )


def _owed_table(due_until: date) -> Table:
    heads = [
        Head(_("Supplier")),
        Head(_("Statements paid"), is_number=True),
        Head(_("Open, CNY"), is_number=True),
        Head(_("Payable now, CNY"), is_number=True),
        Head(_("What it waits for")),
    ]
    rows = [_owed_row(group) for group in open_payables(due_until=due_until)]
    return Table(
        gettext("Owed to suppliers today"), heads, rows, gettext("No supplier is owed anything.")
    )


def _owed_row(group: SupplierPayables) -> TableRow:
    waits = dict.fromkeys(str(OBSTACLES[row.obstacle]) for row in group.rows if row.obstacle)
    if group.obstacle in ("bank_account", "ledger"):
        waits[str(OBSTACLES[group.obstacle])] = None
    return TableRow(
        [
            Cell(localname(group.organisation), code=group.organisation.code),
            Cell(str(len(group.rows))),
            Cell(figure=sum(row.open_cny for row in group.rows)),
            Cell(figure=max(group.payable_cny, 0)),
            Cell(" · ".join(waits) or gettext("a batch")),
        ]
    )


@require_keeper
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def make_batch(request: HttpRequest) -> HttpResponse:
    """Make a batch of what can be paid by a day."""
    form = BatchForm(request.POST or None, initial={"pay_on": market_date(market_now())})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            batch = make_payout_batch(
                actor=current_actor(request),
                pay_on=given["pay_on"],
                profile_code=given["profile"].code,
                suppliers=list(given["suppliers"]) or None,
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("The batch is made; another person approves it."))
            return redirect("payout-batch", public_id=batch.public_id)
    page = Page(
        title=gettext("Make a batch"),
        lead=gettext("Credit notes are taken off, disputed parts are kept back."),
        crumbs=[(gettext("Payout batches"), reverse("payout-batches"))],
    )
    extra = {"cancel_url": reverse("payout-batches")}
    return show_form(request, page, form, submit_label=gettext("Make the batch"), **extra)


@require_books
@require_safe
def show_batch(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a batch with its payments and their statements."""
    rows = PayoutBatch.objects.select_related("made_by", "decided_by", "profile")
    batch = get_object_or_404(rows, public_id=public_id)
    actor = current_actor(request)
    page = Page(
        title=batch.number,
        lead=gettext("To be paid on %(day)s") % {"day": batch.pay_on},
        state=batch,
        crumbs=[(gettext("Payout batches"), reverse("payout-batches"))],
        actions=_batch_actions(batch, actor),
        notice=_own_batch_notice(batch, actor),
        tables=[_payouts_table(batch, actor), _items_table(batch), history_table(batch)],
        facts=[_batch_facts(batch)],
    )
    return show_detail(request, page)


def _batch_actions(batch: PayoutBatch, actor: Any) -> list[Action]:
    actions = []
    key = [batch.public_id]
    if batch.state in (PayoutBatchState.APPROVED, PayoutBatchState.FINISHED):
        actions.append(Action(gettext("Payment file"), reverse("payout-batch-file", args=key)))
        actions += [
            Action(one.title, reverse("payout-batch-message", args=[*key, one.code]))
            for one in PAYMENT_ADAPTERS
        ]
    is_other = actor.is_platform_finance and batch.made_by_id != actor.user.pk
    if is_other and batch.state == PayoutBatchState.DRAFT:
        actions += [
            Action(gettext("Approve"), reverse("payout-batch-approve", args=key), True),
            Action(pgettext("send back", "Refuse"), reverse("payout-batch-refuse", args=key)),
        ]
    return actions


def _own_batch_notice(batch: PayoutBatch, actor: Any) -> str:
    if batch.state == PayoutBatchState.DRAFT and batch.made_by_id == actor.user.pk:
        return gettext("You made this batch; another person approves it.")
    return ""


def _payouts_table(batch: PayoutBatch, actor: Any) -> Table:
    heads = [
        Head(_("Payment")),
        Head(_("Supplier")),
        Head(_("Bank account")),
        AMOUNT,
        Head(_("State")),
    ]
    rows = []
    for payout in batch.payouts.select_related("organisation").order_by("number"):
        key, actions = [payout.public_id], []
        if payout.state in (PayoutState.ORDERED, PayoutState.PAID):
            actions.append(
                Action(gettext("Advice"), reverse("payout-advice", args=key), about=payout.number)
            )
        if payout.state == PayoutState.ORDERED and actor.is_platform_finance:
            url = reverse("payout-reject", args=key)
            actions.append(Action(gettext("Refused by the bank"), url, about=payout.number))
        cells = [
            Cell(payout.number),
            Cell(localname(payout.organisation), note=_payee(payout)),
            Cell(as_given(payout.bank_name), note=payout.bank_account),
            Cell(figure=payout.amount_cny),
            Cell(badge=payout, note=payout.return_reason or str(payout.paid_on or "")),
        ]
        rows.append(TableRow(cells, actions))
    return Table(pgettext("list", "Payments"), heads, rows, has_actions=True)


def _payee(payout: Payout) -> SafeString | str:
    """Return the name on the bank account where it differs from the supplier's as shown."""
    is_shown = payout.payee_name == localname(payout.organisation)
    return "" if is_shown else as_given(payout.payee_name)


def _items_table(batch: PayoutBatch) -> Table:
    heads = [
        Head(_("Bill")),
        Head(_("Payment")),
        Head(_("Total with VAT, CNY"), is_number=True),
        Head(_("Kept back, CNY"), is_number=True),
        Head(_("In this batch, CNY"), is_number=True),
    ]
    rows = [
        TableRow(
            [
                Cell(item.invoice.number, url=reverse("bill", args=[item.invoice.public_id])),
                Cell(payout.number),
                Cell(figure=item.invoice.gross.amount),
                Cell(figure=item.held_back_cny),
                Cell(figure=item.amount_cny),
            ]
        )
        for payout in batch.payouts.prefetch_related("items__invoice").order_by("number")
        for item in payout.items.all()
    ]
    return Table(gettext("Statements and credit notes"), heads, rows)


def _batch_facts(batch: PayoutBatch) -> Facts:
    return Facts(
        gettext("Control total"),
        [
            (gettext("Payments"), batch.payout_count),
            (gettext("Amount, CNY"), figure(batch.total_cny)),
            (gettext("Payment file"), localname(batch.profile)),
            (gettext("Made by"), batch.made_by),
            (gettext("Decided by"), batch.decided_by or "–"),
            (gettext("Reason"), batch.decision_reason or "–"),
        ],
    )


@require_keeper
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def decide_batch(request: HttpRequest, public_id: UUID, verdict: str) -> HttpResponse:
    """Approve or refuse a batch that somebody else made."""
    batch = get_object_or_404(PayoutBatch, public_id=public_id)
    actor = current_actor(request)
    lines = [
        (gettext("Batch"), batch.number),
        (gettext("Payments"), batch.payout_count),
        (gettext("Made by"), batch.made_by),
        (gettext("Amount, CNY"), figure(batch.total_cny)),
    ]
    back = reverse("payout-batch", args=[public_id])
    if verdict == "approve":
        return ask_and_do(
            request,
            question=gettext("Approve this batch?"),
            text=gettext("Each payment is posted and goes into the bank's file."),
            label=gettext("Approve"),
            act=lambda _given: approve_payout_batch(actor=actor, batch_public_id=public_id),
            back=back,
            lines=lines,
        )
    return ask_and_do(
        request,
        question=gettext("Refuse this batch?"),
        text=gettext("Its statements are free for another batch."),
        label=pgettext("send back", "Refuse"),
        act=lambda given: refuse_payout_batch(actor=actor, batch_public_id=public_id, **given),
        form=ReasonForm(request.POST or None),
        back=back,
        lines=lines,
        danger=True,
    )


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def reject_one(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Note that the bank refused a payment before money moved."""
    payout = get_object_or_404(Payout.objects.select_related("batch"), public_id=public_id)
    actor = current_actor(request)
    return ask_and_do(
        request,
        question=gettext("Did the bank refuse this payment?"),
        text=gettext("The supplier is owed the money again and can be paid in another batch."),
        label=gettext("It was refused"),
        act=lambda given: reject_payout(actor=actor, payout_public_id=public_id, **given),
        form=ReasonForm(request.POST or None),
        back=reverse("payout-batch", args=[payout.batch.public_id]),
        lines=[
            (gettext("Payment"), payout.number),
            (gettext("Payee"), payout.payee_name),
            (gettext("Amount, CNY"), figure(payout.amount_cny)),
        ],
        danger=True,
    )
