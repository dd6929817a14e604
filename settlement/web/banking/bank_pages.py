"""The bank: accounts, statements taken in, and the reconciliation to the fen."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.domain.tables import MAX_BYTES, ImportRefused
from marketplace.templatetags.market_ui import figure, listed
from marketplace.web.access import current_actor
from marketplace.web.form_fields import DayField, PlainDecimalField, add_refusal
from marketplace.web.uploads import SHOWN_ERRORS, refused_rows
from settlement.exports.entry_words import entry_kind_words
from settlement.models import (
    BankAccount,
    BankMatch,
    BankMatchState,
    BankStatement,
    FileProfile,
    FileProfileKind,
)
from settlement.selectors.banking.reconciliation import Reconciliation, reconcile, with_left
from settlement.services.banking.statements import import_statement, register_bank_account
from settlement.web.banking.choices import BankAccountChoice, NamedChoice
from settlement.web.banking.doing import (
    page_of,
    require_books,
    require_keeper,
    show_detail,
    show_form,
    show_list,
)
from settlement.web.banking.tables import (
    Action,
    Cell,
    Facts,
    Head,
    Page,
    Stat,
    Table,
    TableRow,
    as_given,
)

AMOUNT = Head(_("Amount, CNY"), is_number=True, place="on-first-line")


class AccountForm(forms.Form):
    """The market's account at a bank."""

    code = forms.CharField(label=_("Code"), max_length=20)
    bank_name = forms.CharField(label=_("Bank"), max_length=120)
    number = forms.CharField(label=_("Bank account"), max_length=40)
    profile = NamedChoice(
        label=_("File layout"),
        queryset=FileProfile.objects.none(),
        to_field_name="code",
        help_text=_("Of CSV and XLSX files; camt.053 files need none."),
    )
    reconciled_from = DayField(
        label=_("Reconciled from"),
        help_text=_("The books before this day make the opening balance."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        profiles = FileProfile.objects.filter(kind=FileProfileKind.STATEMENT, is_active=True)
        self.fields["profile"].queryset = profiles  # type: ignore[attr-defined]


class StatementForm(forms.Form):
    """A file of the bank; balances only where it does not say them."""

    account = BankAccountChoice(
        label=_("Bank account"), queryset=BankAccount.objects.all(), to_field_name="code"
    )
    file = forms.FileField(
        label=_("CSV, XLSX or camt.053 file"),
        help_text=_(
            "CSV and XLSX in the layout of the account; ISO 20022 camt.053 as it is. UTF-8 or "
            "GB 18030, at most 2 MB."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx,.xml,text/csv,text/xml"}),
    )
    opening = PlainDecimalField(
        label=_("Opening balance, CNY"),
        places=2,
        required=False,
        allow_negative=True,
        help_text=_("Only if the file does not state it."),
    )
    closing = PlainDecimalField(
        label=_("Closing balance, CNY"), places=2, required=False, allow_negative=True
    )


@require_books
@require_safe
def list_statements(request: HttpRequest) -> HttpResponse:
    """Show the statements taken in, the newest first, and what waits."""
    rows = BankStatement.objects.select_related("account", "imported_by").order_by("-pk")
    page_obj = page_of(request, rows)
    is_keeper = current_actor(request).is_platform_finance
    newest = rows.first()
    page = Page(
        title=pgettext("navigation", "Bank and reconciliation"),
        lead=gettext("What the bank booked, and what of it the books explain."),
        actions=_actions(is_keeper),
        stats=_stats(reconcile(newest)) if newest else [],
        tables=[Table(gettext("Bank statements"), _HEADS, [_row(one) for one in page_obj])],
        empty_title=gettext("No statement was taken in yet"),
        empty_text=gettext("Name the market's bank account, then import the bank's file."),
    )
    return show_list(request, page, page_obj)


_HEADS = (
    Head(_("First and last day")),
    Head(_("Bank account")),
    Head(_("Opening, CNY"), is_number=True),
    Head(_("Closing, CNY"), is_number=True),
    Head(_("Bookings"), is_number=True),
    Head(_("File")),
    Head(_("Imported by")),
)


def _row(one: BankStatement) -> TableRow:
    url = reverse("bank-statement", args=[one.public_id])
    return TableRow(
        [
            Cell(f"{one.starts_on} – {one.ends_on}", url=url),
            Cell(code=one.account.code, note=one.account.bank_name),
            Cell(figure=one.opening_cny),
            Cell(figure=one.closing_cny),
            Cell(str(one.line_count)),
            Cell(code=one.filename),
            Cell(str(one.imported_by)),
        ]
    )


def _actions(is_keeper: bool) -> list[Action]:
    if not is_keeper:
        return []
    actions = [Action(gettext("Add a bank account"), reverse("bank-account-new"))]
    if BankAccount.objects.exists():
        actions.append(Action(gettext("Import a statement"), reverse("bank-import"), True))
    return actions


def _stats(report: Reconciliation) -> list[Stat]:
    cny = gettext("CNY")
    return [
        Stat(gettext("Closing of the bank"), figure(report.closing_cny), cny),
        Stat(gettext("Balance in the ledger"), figure(report.ledger_cny), cny),
        Stat(gettext("Not explained yet"), figure(report.lines_cny), cny, icon="alert-triangle"),
        Stat(
            gettext("Difference"),
            figure(report.difference_cny),
            cny,
            gettext("reconciled") if not report.difference_cny else gettext("to be found"),
            "scale",
        ),
    ]


@require_books
@require_safe
def show_statement(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show the reconciliation as of a statement, and its bookings with their matches."""
    one = get_object_or_404(BankStatement.objects.select_related("account"), public_id=public_id)
    report = reconcile(one)
    waiting = BankMatch.objects.filter(line__statement=one, state=BankMatchState.PROPOSED)
    actions = []
    if current_actor(request).is_platform_finance and waiting.exists():
        actions = [
            Action(
                gettext("Confirm all proposals"),
                reverse("bank-confirm-all", args=[one.public_id]),
                True,
            )
        ]
    page = Page(
        title=gettext("Bank reconciliation to %(day)s") % {"day": one.ends_on},
        lead=f"{one.account.code} · {one.account.bank_name} {one.account.number}",
        crumbs=[(gettext("Bank statements"), reverse("bank"))],
        actions=actions,
        stats=_stats(report),
        tables=[_lines_table(one), _left_table(report), _items_table(report)],
        facts=[_reconciliation_facts(report)],
    )
    return show_detail(request, page)


def _lines_table(one: BankStatement) -> Table:
    matches: dict[int, list[BankMatch]] = {}
    live = (BankMatchState.PROPOSED, BankMatchState.CONFIRMED)
    for match in BankMatch.objects.filter(line__statement=one, state__in=live):
        matches.setdefault(match.line_id, []).append(match)
    heads = [Head(_("Day")), AMOUNT, Head(_("Other side")), Head(_("Reference")), Head(_("State"))]
    rows = [
        TableRow(
            [
                Cell(line.booked_on, url=reverse("bank-line", args=[line.public_id])),
                Cell(figure=line.amount_cny),
                Cell(as_given(line.counterparty_name), note=line.counterparty_account),
                Cell(
                    line.reference,
                    note="" if line.purpose == line.reference else as_given(line.purpose),
                ),
                _state_cell(line, matches.get(line.pk, [])),
            ]
        )
        for line in with_left(one.lines.all())
    ]
    return Table(gettext("Lines of bank statements"), heads, rows)


def _state_cell(line: Any, matches: list[BankMatch]) -> Cell:
    kinds = listed(dict.fromkeys(str(match.get_kind_display()) for match in matches))
    if not line.left_cny:
        return Cell(gettext("Matched"), badge="matched", note=kinds)
    if any(match.state == BankMatchState.PROPOSED for match in matches):
        return Cell(gettext("Proposed"), badge="waiting", note=kinds)
    return Cell(gettext("Not explained"), badge="missing", note=kinds)


def _left_table(report: Reconciliation) -> Table:
    heads = [Head(_("Day")), AMOUNT, Head(_("Left, CNY"), is_number=True), Head(_("Other side"))]
    rows = [
        TableRow(
            [
                Cell(line.booked_on, url=reverse("bank-line", args=[line.public_id])),
                Cell(figure=line.amount_cny),
                Cell(figure=line.left_cny),  # type: ignore[attr-defined]
                Cell(as_given(line.counterparty_name), note=as_given(line.purpose)),
            ]
        )
        for line in report.lines
    ]
    empty = gettext("Every booking of the bank is explained.")
    return Table(gettext("At the bank, not explained in the books"), heads, rows, empty)


def _items_table(report: Reconciliation) -> Table:
    heads = [Head(_("Date")), AMOUNT, Head(_("Source"))]
    rows = [
        TableRow(
            [
                Cell(
                    item.entry.effective_on,
                    url=reverse("journal-entry", args=[item.entry.public_id]),
                ),
                Cell(figure=item.amount),
                Cell(entry_kind_words(item.entry.kind), code=item.entry.source_id, note=item.memo),
            ]
        )
        for item in report.items
    ]
    empty = gettext("Everything in the books is on a statement.")
    return Table(gettext("In the books, on no statement"), heads, rows, empty)


def _reconciliation_facts(report: Reconciliation) -> Facts:
    return Facts(
        gettext("Reconciliation, CNY"),
        [
            (gettext("Opening of the bank"), figure(report.opening_cny)),
            (gettext("Money in"), figure(report.incoming_cny)),
            (gettext("Money out"), figure(report.outgoing_cny)),
            (gettext("Closing of the bank"), figure(report.closing_cny)),
            (gettext("In the books, on no statement"), figure(report.items_cny)),
            (gettext("Balance in the ledger"), figure(report.ledger_cny)),
            (gettext("Difference"), figure(report.difference_cny)),
            (gettext("In suspense now"), figure(report.suspense_cny)),
        ],
        gettext("The ledger is the bank's closing and what no statement shows."),
    )


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def add_account(request: HttpRequest) -> HttpResponse:
    """Name the bank account behind the ledger's bank account."""
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        try:
            with transaction.atomic():
                profile = given.pop("profile")
                register_bank_account(
                    actor=current_actor(request), profile_code=profile.code, **given
                )
        except RuleBroken as error:
            add_refusal(form, error)
        except IntegrityError:
            form.add_error("code", gettext("There is such an account already."))
        else:
            messages.success(request, gettext("The bank account is added."))
            return redirect("bank")
    page = Page(
        title=gettext("Add a bank account"),
        crumbs=[(gettext("Bank statements"), reverse("bank"))],
    )
    extra = {"submit_label": gettext("Add"), "cancel_url": reverse("bank")}
    return show_form(request, page, form, **extra)


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def take_in(request: HttpRequest) -> HttpResponse:
    """Import a file of the bank; it is taken in as a whole or refused with its lines."""
    form = StatementForm(request.POST or None, request.FILES or None)
    refused: list[Any] = []
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = import_statement(
                actor=current_actor(request),
                account_code=given["account"].code,
                filename=given["file"].name,
                data=given["file"].read(MAX_BYTES + 1),
                opening_cny=given["opening"],
                closing_cny=given["closing"],
            )
        except ImportRefused as error:
            refused = refused_rows(error)
            form.add_error("file", gettext("The file was refused; nothing was imported."))
        except RuleBroken as error:
            add_refusal(form, error, names={"opening_cny": "opening", "closing_cny": "closing"})
        else:
            messages.success(request, gettext("The statement is imported."))
            return redirect("bank-statement", public_id=made.public_id)
    page = Page(
        title=gettext("Import a statement"),
        lead=gettext("Opening and bookings must make the closing, and follow the last statement."),
        crumbs=[(gettext("Bank statements"), reverse("bank"))],
    )
    extra = {"refused": refused, "most_shown": SHOWN_ERRORS, "cancel_url": reverse("bank")}
    return show_form(request, page, form, submit_label=gettext("Import the statement"), **extra)
