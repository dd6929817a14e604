"""Monthly statements: issued by finance, confirmed or objected to by the member."""

from calendar import monthrange
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_ui import figure, is_chinese, localname
from marketplace.web.access import current_actor
from marketplace.web.form_fields import add_refusal
from settlement.exports.entry_words import entry_kind_words
from settlement.models import InvoiceDirection, InvoiceKind, MonthlyStatement
from settlement.services.banking.monthly_statements import (
    confirm_monthly_statement,
    issue_month,
    object_to_monthly_statement,
)
from settlement.web.banking.doing import (
    ask_and_do,
    history_table,
    is_member_finance,
    page_of,
    reads_books,
    require_keeper,
    require_member_finance,
    require_party,
    show_detail,
    show_form,
    show_list,
)
from settlement.web.banking.tables import Action, Cell, Facts, Head, Page, Table, TableRow

AMOUNT = Head(_("Amount, CNY"), is_number=True)
ANSWERABLE = ("sent", "objected")


class MonthForm(forms.Form):
    """A month."""

    month = forms.DateField(
        label=_("Month"),
        input_formats=["%Y-%m"],
        widget=forms.DateInput(attrs={"type": "month"}, format="%Y-%m"),
        error_messages={"invalid": _("Enter a month such as 2026-11.")},
    )


class ObjectionForm(forms.Form):
    """What is wrong with a statement."""

    objection = forms.CharField(
        label=_("What is wrong"), max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )


@require_party
@require_safe
def list_statements(request: HttpRequest) -> HttpResponse:
    """Show the statements of every member to the books, a member's own to the member."""
    actor = current_actor(request)
    rows = MonthlyStatement.objects.select_related("organisation").order_by("-month", "-pk")
    keeps = reads_books(actor)
    if not keeps:
        rows = rows.filter(organisation=actor.organisation)
    page_obj = page_of(request, rows)
    actions = []
    if actor.is_platform_finance:
        actions = [Action(gettext("Issue a month"), reverse("monthly-statement-issue"), True)]
    page = Page(
        title=gettext("Monthly statements"),
        lead=gettext("Confirmed or objected to until the day stated; silence confirms."),
        actions=actions,
        tables=[Table(gettext("Monthly statements"), _HEADS, [_row(one) for one in page_obj])],
        empty_title=gettext("No statement was issued yet"),
        empty_text=gettext("The market's finance issues them for a month."),
        icon="report-money",
    )
    return show_list(request, page, page_obj)


_HEADS = (
    Head(_("Number")),
    Head(_("Month")),
    Head(_("Member")),
    Head(_("Version"), is_number=True),
    Head(_("Opening, CNY"), is_number=True),
    Head(_("Closing, CNY"), is_number=True),
    Head(_("Answer until")),
    Head(_("State")),
)


def _row(one: MonthlyStatement) -> TableRow:
    return TableRow(
        [
            Cell(one.number, url=reverse("monthly-statement", args=[one.public_id])),
            Cell(f"{one.month:%Y-%m}"),
            Cell(localname(one.organisation)),
            Cell(str(one.version)),
            Cell(figure=one.opening_cny),
            Cell(figure=one.closing_cny),
            Cell(one.answer_by),
            Cell(badge=one),
        ]
    )


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def issue_statements(request: HttpRequest) -> HttpResponse:
    """Issue the statements of a month; those that stand unchanged stay."""
    today = market_date(market_now())
    form = MonthForm(request.POST or None, initial={"month": today.replace(day=1)})
    if request.method == "POST" and form.is_valid():
        try:
            found = issue_month(actor=current_actor(request), month=form.cleaned_data["month"])
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            text = gettext("%(count)s statements stand for the month.")
            messages.success(request, text % {"count": len(found)})
            return redirect("monthly-statements")
    page = Page(
        title=gettext("Issue a month"),
        lead=gettext("A statement whose figures changed gets a new version, to be confirmed anew."),
        crumbs=[(gettext("Monthly statements"), reverse("monthly-statements"))],
    )
    extra = {"cancel_url": reverse("monthly-statements")}
    return show_form(request, page, form, submit_label=gettext("Issue the statements"), **extra)


def _find(request: HttpRequest, public_id: UUID) -> MonthlyStatement:
    actor = current_actor(request)
    rows = MonthlyStatement.objects.select_related("organisation", "answered_by")
    if not reads_books(actor):
        rows = rows.filter(organisation=actor.organisation)
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


@require_party
@require_safe
def show_statement(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a statement: each account, what moved it, the documents of the month."""
    one = _find(request, public_id)
    actor = current_actor(request)
    actions = _actions(one) if is_member_finance(actor) else []
    page = Page(
        title=gettext("Statement of %(month)s") % {"month": f"{one.month:%Y-%m}"},
        lead=f"{one.number} · {localname(one.organisation)}",
        state=one,
        crumbs=[(gettext("Monthly statements"), reverse("monthly-statements"))],
        actions=[*_movement_link(one, actor), *actions],
        notice=one.objection and gettext("Objection: %(text)s") % {"text": one.objection},
        notice_tone="warning",
        tables=[
            _accounts_table(one),
            _movements_table(one),
            _documents_table(one),
            history_table(one),
        ],
        facts=[_facts(one)],
    )
    return show_detail(request, page)


def _actions(one: MonthlyStatement) -> list[Action]:
    if one.state not in ANSWERABLE:
        return []
    key = [one.public_id]
    actions = [Action(gettext("Confirm"), reverse("monthly-statement-confirm", args=key), True)]
    if one.state == "sent":
        actions.append(
            Action(gettext("Object to it"), reverse("monthly-statement-object", args=key))
        )
    return actions


def _movement_link(one: MonthlyStatement, actor: Any) -> list[Action]:
    if actor.organisation != one.organisation:
        return []
    last = one.month.replace(day=monthrange(one.month.year, one.month.month)[1])
    url = f"{reverse('statements')}?since={one.month}&until={last}"
    return [Action(gettext("Every movement"), url)]


def _accounts_table(one: MonthlyStatement) -> Table:
    heads = [
        Head(pgettext_lazy("of the ledger", "Account")),
        Head(_("Opening, CNY"), is_number=True),
        Head(_("Closing, CNY"), is_number=True),
    ]
    rows = [
        TableRow(
            [
                Cell(_name(account), code=account["code"]),
                Cell(figure=account["opening"]),
                Cell(figure=account["closing"]),
            ]
        )
        for account in one.content["accounts"]
    ]
    return Table(gettext("Accounts"), heads, rows)


def _name(account: dict[str, Any]) -> str:
    return str(account["name_zh" if is_chinese() else "name_en"])


def _movements_table(one: MonthlyStatement) -> Table:
    heads = [
        Head(_("What")),
        Head(pgettext_lazy("of the ledger", "Account")),
        Head(_("Entries"), is_number=True),
        AMOUNT,
    ]
    rows = [
        TableRow(
            [
                Cell(entry_kind_words(move["kind"])),
                Cell(_name(account), code=account["code"]),
                Cell(str(move["count"])),
                Cell(figure=move["amount"]),
            ]
        )
        for account in one.content["accounts"]
        for move in account["movements"]
    ]
    return Table(gettext("What moved"), heads, rows, gettext("Nothing moved in this month."))


def _documents_table(one: MonthlyStatement) -> Table:
    directions, kinds = dict(InvoiceDirection.choices), dict(InvoiceKind.choices)
    heads = [
        Head(_("Number")),
        Head(_("Kind")),
        Head(_("Issued on")),
        Head(_("Due")),
        Head(_("Net, CNY"), is_number=True),
        Head(_("VAT, CNY"), is_number=True),
        Head(_("Total with VAT, CNY"), is_number=True),
    ]
    rows = [
        TableRow(
            [
                Cell(bill["number"]),
                Cell(str(directions[bill["direction"]]), note=str(kinds[bill["kind"]])),
                Cell(bill["issued_on"]),
                Cell(bill["due_on"]),
                Cell(figure=bill["net"]),
                Cell(figure=bill["vat"]),
                Cell(figure=bill["gross"]),
            ]
        )
        for bill in one.content["documents"]
    ]
    return Table(gettext("Documents of the month"), heads, rows, gettext("No documents."))


def _facts(one: MonthlyStatement) -> Facts:
    return Facts(
        gettext("Statement"),
        [
            (gettext("Version"), one.version),
            (gettext("Issued on"), one.issued_on),
            (gettext("Answer until"), one.answer_by),
            (gettext("Answered by"), one.answered_by or "–"),
            (gettext("Opening, CNY"), figure(one.opening_cny)),
            (gettext("Closing, CNY"), figure(one.closing_cny)),
            (gettext("Fingerprint"), one.content_sha256[:16]),
        ],
        gettext("What the member has or is owed is above zero."),
    )


@require_member_finance
@require_http_methods(["GET", "HEAD", "POST"])
def answer_statement(request: HttpRequest, public_id: UUID, verdict: str) -> HttpResponse:
    """Confirm the own statement, or object to it."""
    one = _find(request, public_id)
    actor = current_actor(request)
    back = reverse("monthly-statement", args=[public_id])
    lines = [
        (gettext("Month"), f"{one.month:%Y-%m}"),
        (gettext("Opening, CNY"), figure(one.opening_cny)),
        (gettext("Closing, CNY"), figure(one.closing_cny)),
    ]
    if verdict == "confirm":
        return ask_and_do(
            request,
            question=gettext("Confirm this statement?"),
            text=gettext("You state that your books agree with it."),
            label=gettext("Confirm"),
            act=lambda _given: confirm_monthly_statement(actor=actor, public_id=public_id),
            back=back,
            lines=lines,
        )
    return ask_and_do(
        request,
        question=gettext("Object to this statement?"),
        text=gettext("Say what differs; the market's finance answers you."),
        label=gettext("Object"),
        act=lambda given: object_to_monthly_statement(actor=actor, public_id=public_id, **given),
        form=ObjectionForm(request.POST or None),
        back=back,
        lines=lines,
        danger=True,
    )
