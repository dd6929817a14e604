"""数电票 to members: asked for by the member, dealt with by the market's finance."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.domain.units import Unit
from marketplace.permissions import Actor
from marketplace.templatetags.market_ui import figure, is_chinese, localname, quantity
from marketplace.web.access import acting_organisation, current_actor
from marketplace.web.form_fields import add_refusal
from settlement.models import (
    Invoice,
    TaxInvoice,
    TaxInvoiceKind,
    TaxInvoiceLine,
    TaxInvoiceState,
)
from settlement.services.banking.tax_invoices import (
    cancel_red_letter,
    record_failed,
    record_issued,
    record_red_letter,
    request_red_letter,
    request_tax_invoice,
    retry_request,
    withdraw_request,
)
from settlement.web.banking.doing import (
    ReasonForm,
    ask_and_do,
    history_table,
    is_member_finance,
    page_of,
    reads_books,
    require_asker,
    require_member_finance,
    require_party,
    show_detail,
    show_form,
    show_list,
)
from settlement.web.banking.tables import Action, Cell, Facts, Head, Page, Table, TableRow, as_given
from settlement.web.banking.tax_forms import FailureForm, NumberForm, RedForm, RequestForm

_STATE = TaxInvoiceState
MOST_BILLS = 500


@require_party
@require_safe
def list_requests(request: HttpRequest) -> HttpResponse:
    """Show the requests: all to the books, a member's own to the member."""
    actor = current_actor(request)
    rows = TaxInvoice.objects.select_related("organisation").order_by("-pk")
    title = gettext("Tax invoices to members")
    if not reads_books(actor):
        rows = rows.filter(organisation=actor.organisation)
        title = gettext("Tax invoices from the market")
    page_obj = page_of(request, rows)
    waiting = rows.filter(state__in=(_STATE.REQUESTED, _STATE.RED_REQUESTED)).count()
    actions = []
    if is_member_finance(actor):
        actions = [Action(gettext("Ask for a tax invoice"), reverse("tax-request-new"), True)]
    page = Page(
        title=title,
        lead=gettext("%(count)s wait for the tax platform.") % {"count": waiting}
        if waiting
        else gettext("None waits for the tax platform."),
        actions=actions,
        tables=[Table(gettext("Tax invoices"), _HEADS, [_row(one) for one in page_obj])],
        empty_title=gettext("No tax invoice was asked for yet"),
        empty_text=gettext("A member's finance person asks for one on bills."),
        icon="receipt-tax",
    )
    return show_list(request, page, page_obj)


_HEADS = (
    Head(_("Number")),
    Head(_("Member")),
    Head(_("Kind")),
    Head(_("Net, CNY"), is_number=True),
    Head(_("VAT, CNY"), is_number=True),
    Head(_("Total with VAT, CNY"), is_number=True),
    Head(_("Tax invoice number")),
    Head(_("State")),
)


def _row(one: TaxInvoice) -> TableRow:
    return TableRow(
        [
            Cell(one.number, url=reverse("tax-request", args=[one.public_id])),
            Cell(localname(one.organisation)),
            Cell(one.get_kind_display()),
            Cell(figure=one.net_cny),
            Cell(figure=one.vat_cny),
            Cell(figure=one.gross_cny),
            Cell(one.tax_number or "", note=one.red_number or ""),
            Cell(badge=one, note=one.failure_text),
        ]
    )


@require_member_finance
@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_one(request: HttpRequest) -> HttpResponse:
    """Ask for a tax invoice on the own bills."""
    organisation = acting_organisation(request)
    bills = (
        Invoice.objects.filter(organisation=organisation)
        .exclude(tax_items__counts=True)
        .exclude(gross=0)
        .order_by("-pk")
    )
    shown = bills.filter(pk__in=list(bills.values_list("pk", flat=True)[:MOST_BILLS]))
    form = RequestForm(shown, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = request_tax_invoice(
                actor=current_actor(request),
                organisation=organisation,
                kind=form.cleaned_data["kind"],
                bills=list(form.cleaned_data["bills"]),
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("The tax invoice is asked for."))
            return redirect("tax-request", public_id=made.public_id)
    page = Page(
        title=gettext("Ask for a tax invoice"),
        lead=gettext("Of a settlement statement only our service fee is on it."),
        crumbs=[(gettext("Tax invoices from the market"), reverse("tax-requests"))],
        facts=[_title_facts(organisation)],
    )
    extra = {"cancel_url": reverse("tax-requests")}
    return show_form(request, page, form, submit_label=gettext("Ask for a tax invoice"), **extra)


def _title_facts(organisation: Any) -> Facts:
    return Facts(
        gettext("It will be made out to"),
        [
            (
                pgettext("tax invoice", "Title"),
                as_given(organisation.invoice_title or organisation.name_zh),
            ),
            (gettext("Tax id"), organisation.tax_id or organisation.credit_code),
            (
                gettext("Bank"),
                as_given(f"{organisation.bank_name} {organisation.bank_account}".strip()),
            ),
        ],
        gettext("The market operator corrects these data."),
    )


def _find(request: HttpRequest, public_id: UUID) -> TaxInvoice:
    actor = current_actor(request)
    rows = TaxInvoice.objects.select_related("organisation", "requested_by")
    if not reads_books(actor):
        rows = rows.filter(organisation=actor.organisation)
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


@require_party
@require_safe
def show_request(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a request with its lines, its bills and its history."""
    one = _find(request, public_id)
    page = Page(
        title=one.number,
        lead=f"{one.get_kind_display()} · {localname(one.organisation)}",
        state=one,
        crumbs=[(gettext("Tax invoices from the market"), reverse("tax-requests"))],
        actions=_actions(one, current_actor(request)),
        notice=one.failure_text,
        notice_tone="warning",
        tables=[_lines_table(one), _bills_table(one), history_table(one)],
        facts=[_facts(one)],
    )
    return show_detail(request, page)


STEPS: dict[str, tuple[tuple[str, Any, bool], ...]] = {
    _STATE.REQUESTED: (
        ("issued", _("It is issued"), True),
        ("failed", _("It was refused"), False),
    ),
    _STATE.FAILED: (
        ("issued", _("It is issued"), True),
        ("retry", _("Try again"), False),
    ),
    _STATE.ISSUED: (("red", _("Reverse it in red"), False),),
    _STATE.RED_REQUESTED: (
        ("red-issued", _("The red letter is issued"), True),
        ("red-cancel", _("Give the reversal up"), False),
    ),
}


def _actions(one: TaxInvoice, actor: Actor) -> list[Action]:
    key = [one.public_id]
    actions = []
    if actor.is_platform_finance:
        actions = [
            Action(label, reverse(f"tax-request-{name}", args=key), is_primary)
            for name, label, is_primary in STEPS.get(one.state, ())
        ]
    may_withdraw = actor.is_platform_finance or is_member_finance(actor)
    if may_withdraw and one.state in (_STATE.REQUESTED, _STATE.FAILED):
        actions.append(Action(gettext("Withdraw"), reverse("tax-request-withdraw", args=key)))
    return actions


def _lines_table(one: TaxInvoice) -> Table:
    heads = [
        Head(_("Goods or service")),
        Head(_("Quantity"), is_number=True),
        Head(_("Net, CNY"), is_number=True),
        Head(_("Tax rate"), is_number=True),
        Head(_("VAT, CNY"), is_number=True),
    ]
    rows = [
        TableRow(
            [
                Cell(
                    line.name_zh if is_chinese() else line.name_en,
                ),
                Cell(_quantity(line)) if line.quantity else Cell(),
                Cell(figure=line.net_cny),
                Cell(f"{(line.vat_rate * 100).normalize():f} %"),
                Cell(figure=line.vat_cny),
            ]
        )
        for line in one.lines.order_by("line")[:200]
    ]
    return Table(gettext("Lines"), heads, rows)


def _quantity(line: TaxInvoiceLine) -> str:
    """Return the quantity with its unit, which the line holds as the tax platform is told it."""
    units = {unit.zh.volume: unit.en.volume for unit in Unit}
    return quantity(line.quantity, line.unit if is_chinese() else units.get(line.unit, line.unit))


def _bills_table(one: TaxInvoice) -> Table:
    heads = [Head(_("Bill")), Head(_("Issued on")), Head(_("Total with VAT, CNY"), is_number=True)]
    rows = [
        TableRow(
            [
                Cell(item.invoice.number, url=reverse("bill", args=[item.invoice.public_id])),
                Cell(item.invoice.issued_on),
                Cell(figure=item.gross_cny),
            ]
        )
        for item in one.items.select_related("invoice").order_by("invoice__number")[:200]
    ]
    return Table(gettext("Bills on it"), heads, rows)


def _facts(one: TaxInvoice) -> Facts:
    pairs = [
        (pgettext("tax invoice", "Title"), as_given(one.title)),
        (gettext("Tax id"), one.tax_id),
        (gettext("Address"), as_given(one.address) or "–"),
        (gettext("Bank"), as_given(one.bank) or "–"),
        (gettext("Asked for by"), one.requested_by),
        (gettext("Tax invoice number"), one.tax_number or "–"),
        (pgettext("tax invoice", "Issued on"), one.issued_on or "–"),
        (gettext("Total with VAT, CNY"), figure(one.gross_cny)),
    ]
    if one.red_number:
        pairs += [
            (gettext("Red-letter number"), one.red_number),
            (gettext("Confirmation form"), one.red_confirmation),
            (gettext("Reason"), one.red_reason),
        ]
    return Facts(gettext("Tax invoice"), pairs)


ACTS: dict[str, tuple[Any, type[forms.Form] | None, Any, Any]] = {
    "issued": (
        record_issued,
        NumberForm,
        _("Which number did the tax platform give?"),
        _("The number is checked: 20 digits, its first two the year, used once."),
    ),
    "failed": (
        record_failed,
        FailureForm,
        _("Why was it not issued?"),
        _("The member sees it; the request can be tried again."),
    ),
    "retry": (
        retry_request,
        None,
        _("Try this request again?"),
        _("It waits in the queue once more."),
    ),
    "withdraw": (
        withdraw_request,
        None,
        _("Withdraw this request?"),
        _("Its bills are free for another request."),
    ),
    "red": (
        request_red_letter,
        ReasonForm,
        _("Reverse this tax invoice in red?"),
        _("If the buyer has deducted it, the confirmation form (红字确认单) must exist first."),
    ),
    "red-cancel": (
        cancel_red_letter,
        None,
        _("Give the reversal up?"),
        _("The tax invoice stands as it is."),
    ),
    "red-issued": (
        record_red_letter,
        RedForm,
        _("Which red-letter invoice was issued?"),
        _("Its bills are free for another tax invoice."),
    ),
}


@require_asker
@require_http_methods(["GET", "HEAD", "POST"])
def act_on_request(request: HttpRequest, public_id: UUID, step: str) -> HttpResponse:
    """Do one step of a request; members may withdraw their own, the rest is finance's."""
    one = _find(request, public_id)
    actor = current_actor(request)
    if step != "withdraw" and not actor.is_platform_finance:
        raise Http404
    service, form_class, question, text = ACTS[step]
    return ask_and_do(
        request,
        question=str(question),
        text=str(text),
        label=gettext("Confirm"),
        act=lambda given: service(actor=actor, public_id=public_id, **given),
        form=form_class(request.POST or None) if form_class else None,
        back=reverse("tax-request", args=[public_id]),
        lines=[
            (gettext("Request"), one.number),
            (gettext("Member"), localname(one.organisation)),
            (gettext("Kind"), dict(TaxInvoiceKind.choices)[one.kind]),
            (gettext("Total with VAT, CNY"), figure(one.gross_cny)),
        ],
        danger=step in ("withdraw", "red"),
    )
