"""One booking of the bank: what it was, confirmed, said by a person, or taken back."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from marketplace.domain.errors import RuleBroken
from marketplace.models import Organisation, OrganisationState
from marketplace.templatetags.market_ui import figure, localname
from marketplace.web.access import current_actor
from marketplace.web.form_fields import PlainDecimalField, add_refusal
from settlement.models import (
    BankLine,
    BankMatch,
    BankMatchKind,
    BankMatchState,
    BankStatement,
    Payout,
    PayoutState,
    Posting,
)
from settlement.selectors.banking.reconciliation import unmatched_items
from settlement.services.banking.matching import (
    MatchTarget,
    confirm_match,
    drop_proposal,
    match_line,
    undo_match,
    unmatched_of,
)
from settlement.web.banking.choices import NamedChoice
from settlement.web.banking.doing import (
    ReasonForm,
    ask_and_do,
    require_books,
    require_keeper,
    show_detail,
)
from settlement.web.banking.tables import Action, Cell, Facts, Head, Page, Table, TableRow, as_given


class MatchForm(forms.Form):
    """What a booking was, said by a person."""

    kind = forms.ChoiceField(label=_("It was"), choices=BankMatchKind.choices)
    organisation = NamedChoice(
        label=_("Member"),
        queryset=Organisation.objects.filter(is_platform=False).exclude(
            state__in=(OrganisationState.PENDING, OrganisationState.REJECTED)
        ),
        required=False,
        to_field_name="code",
        help_text=_("For money of a member."),
    )
    payout = forms.ModelChoiceField(
        label=_("Payout"),
        queryset=Payout.objects.none(),
        required=False,
        to_field_name="number",
        help_text=_("For a payout, or one that came back."),
    )
    booked = forms.ChoiceField(
        label=_("Entry in the books"),
        required=False,
        help_text=_("For what was booked by hand before."),
    )
    amount = PlainDecimalField(
        label=_("Part, CNY"),
        places=2,
        required=False,
        help_text=_("Empty: all that is not explained."),
    )

    def __init__(self, line: BankLine, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        wanted = PayoutState.ORDERED if line.amount_cny < 0 else PayoutState.PAID
        self.fields["payout"].queryset = Payout.objects.filter(state=wanted)  # type: ignore[attr-defined]
        self.items = {str(item.pk): item for item in unmatched_items(line.account, on=date.max)}
        self.fields["booked"].choices = [  # type: ignore[attr-defined]
            ("", "–"),
            *((key, _item_text(item)) for key, item in self.items.items()),
        ]

    def target(self) -> MatchTarget:
        """Return what was chosen."""
        given = self.cleaned_data
        item = self.items.get(given["booked"])
        return MatchTarget(
            kind=given["kind"],
            organisation=given["organisation"],
            payout=given["payout"],
            booked_entry=item.entry if item else None,
        )


def _item_text(item: Posting) -> str:
    return f"{item.entry.effective_on} · {figure(item.amount)} · {item.memo}"


@require_books
@require_http_methods(["GET", "HEAD", "POST"])
def show_line(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a booking with its matches; finance says what it was."""
    rows = BankLine.objects.select_related("account", "statement", "entry")
    line = get_object_or_404(rows, public_id=public_id)
    left = unmatched_of(line)
    actor = current_actor(request)
    form = None
    if actor.is_platform_finance and left:
        form = MatchForm(line, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                match_line(
                    actor=actor,
                    line_public_id=line.public_id,
                    target=form.target(),
                    amount_cny=form.cleaned_data["amount"],
                )
            except RuleBroken as error:
                add_refusal(form, error)
            else:
                messages.success(request, gettext("Matched and posted."))
                return redirect("bank-line", public_id=line.public_id)
    page = Page(
        title=gettext("Booking of %(day)s") % {"day": line.booked_on},
        lead=as_given(line.counterparty_name),
        crumbs=[
            (gettext("Bank statements"), reverse("bank")),
            (
                f"{line.statement.starts_on} – {line.statement.ends_on}",
                reverse("bank-statement", args=[line.statement.public_id]),
            ),
        ],
        tables=[_matches_table(line, actor.is_platform_finance)],
        facts=[_facts(line, left)],
    )
    extra = {"form_title": gettext("What was it?"), "submit_label": gettext("Match and post")}
    return show_detail(request, page, form=form, **extra)


def _facts(line: BankLine, left: Any) -> Facts:
    return Facts(
        gettext("Booking"),
        [
            (gettext("Amount, CNY"), figure(line.amount_cny)),
            (gettext("Not explained, CNY"), figure(left)),
            (gettext("Balance after it, CNY"), figure(line.balance_cny)),
            (gettext("Reference"), line.reference or "–"),
            (gettext("Other side"), as_given(line.counterparty_name) or "–"),
            (gettext("Bank account"), line.counterparty_account or "–"),
            (gettext("Purpose"), as_given(line.purpose) or "–"),
            (gettext("Journal entry"), line.entry.pk),
        ],
    )


def _matches_table(line: BankLine, is_keeper: bool) -> Table:
    matches = line.matches.select_related("organisation", "payout", "invoice", "entry", "deposit")
    heads = [
        Head(_("It was")),
        Head(_("Amount, CNY"), is_number=True),
        Head(_("About")),
        Head(_("State")),
        Head(_("Entry")),
    ]
    rows = [
        TableRow(
            [
                Cell(match.get_kind_display(), note=_ground(match)),
                Cell(figure=match.amount_cny),
                Cell(_about(match)),
                Cell(badge=match),
                Cell(
                    match.entry.pk if match.entry else "",
                    url=reverse("journal-entry", args=[match.entry.public_id])
                    if match.entry
                    else "",
                ),
            ],
            _match_actions(match) if is_keeper else (),
        )
        for match in matches.order_by("pk")
    ]
    empty = gettext("Nothing fits clearly: say what it was.")
    return Table(gettext("Matches"), heads, rows, empty, has_actions=is_keeper)


def _ground(match: BankMatch) -> str:
    words = {
        "reference": gettext("by its reference"),
        "account": gettext("by the bank account"),
        "name": gettext("by the name"),
        "manual": gettext("said by a person"),
    }
    return words.get(match.reason, match.reason)


def _about(match: BankMatch) -> str:
    parts = [
        localname(match.organisation) if match.organisation else "",
        match.payout.number if match.payout else "",
        match.invoice.number if match.invoice else "",
    ]
    return " · ".join(part for part in parts if part)


def _match_actions(match: BankMatch) -> list[Action]:
    about = str(match.get_kind_display())
    key = [match.public_id]
    if match.state == BankMatchState.PROPOSED:
        return [
            Action(
                gettext("Confirm"),
                reverse("bank-match-confirm", args=[match.public_id]),
                True,
                about,
            ),
            Action(gettext("Drop"), reverse("bank-match-drop", args=key), about=about),
        ]
    if match.state == BankMatchState.CONFIRMED:
        url = reverse("bank-match-undo", args=key)
        return [Action(gettext("Take back"), url, about=about)]
    return []


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def decide_match(request: HttpRequest, public_id: UUID, verdict: str) -> HttpResponse:
    """Confirm or drop a proposal, or take a match back."""
    rows = BankMatch.objects.select_related("line", "organisation", "payout", "invoice")
    match = get_object_or_404(rows, public_id=public_id)
    actor = current_actor(request)
    lines = [
        (gettext("It was"), match.get_kind_display()),
        (gettext("About"), _about(match) or "–"),
        (gettext("Amount, CNY"), figure(match.amount_cny)),
    ]
    back = reverse("bank-line", args=[match.line.public_id])
    if verdict == "undo":
        return ask_and_do(
            request,
            question=gettext("Take this match back?"),
            text=gettext("Its entry is reversed and the money is in suspense again."),
            label=gettext("Take back"),
            act=lambda given: undo_match(actor=actor, match_public_id=public_id, **given),
            form=ReasonForm(request.POST or None),
            back=back,
            lines=lines,
            danger=True,
        )
    is_confirm = verdict == "confirm"
    service = confirm_match if is_confirm else drop_proposal
    return ask_and_do(
        request,
        question=gettext("Confirm this match?") if is_confirm else gettext("Drop this proposal?"),
        text=gettext("The money leaves suspense and is posted at once.")
        if is_confirm
        else gettext("The money stays in suspense until somebody says what it was."),
        label=gettext("Confirm") if is_confirm else gettext("Drop"),
        act=lambda _given: service(actor=actor, match_public_id=public_id),
        back=back,
        lines=lines,
    )


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_all(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Confirm every proposal of a statement, each in a transaction of its own."""
    statement = get_object_or_404(BankStatement, public_id=public_id)
    waiting = BankMatch.objects.filter(line__statement=statement, state=BankMatchState.PROPOSED)
    actor = current_actor(request)

    def act(_given: dict[str, Any]) -> None:
        for match in waiting.order_by("pk"):
            confirm_match(actor=actor, match_public_id=match.public_id)

    return ask_and_do(
        request,
        question=gettext("Confirm all proposals of this statement?"),
        text=gettext("Each is posted; look at the bookings first."),
        label=gettext("Confirm all"),
        act=act,
        back=reverse("bank-statement", args=[public_id]),
        lines=[
            (
                f"{match.get_kind_display()} · {_about(match) or match.line.counterparty_name}",
                figure(match.amount_cny),
            )
            for match in waiting.select_related("organisation", "payout", "invoice", "line")
        ],
    )
