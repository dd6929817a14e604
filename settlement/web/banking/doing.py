"""What the pages of this topic share: who may, and asking before something is done."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Page as PaginatorPage
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.domain.errors import RuleBroken
from marketplace.models import Role
from marketplace.permissions import Actor
from marketplace.templatetags.market_ui import market_time
from marketplace.web.access import require
from marketplace.web.form_fields import add_refusal
from settlement.services.banking.history import history_of
from settlement.web.banking.tables import Cell, Head, Page, Table, TableRow

PAGE_SIZE = 25


def reads_books(actor: Actor) -> bool:
    """Tell whether the actor reads the market's bank and documents."""
    return actor.is_platform_finance or actor.is_platform_auditor


def is_member_finance(actor: Actor) -> bool:
    """Tell whether the actor answers for a member's money."""
    organisation = actor.organisation
    return organisation is not None and not organisation.is_platform and actor.has(Role.FINANCE)


def reads_own(actor: Actor) -> bool:
    """Tell whether the actor reads a member's own documents."""
    organisation = actor.organisation
    return organisation is not None and not organisation.is_platform and actor.can_see_own_money


require_books = require(reads_books)
require_keeper = require(lambda actor: actor.is_platform_finance)
require_calendar = require(lambda actor: actor.is_platform_finance or actor.is_operator)
require_calendar_reader = require(lambda actor: reads_books(actor) or actor.is_operator)
require_party = require(lambda actor: reads_books(actor) or reads_own(actor))
require_member = require(reads_own)
require_member_finance = require(is_member_finance)
require_asker = require(lambda actor: actor.is_platform_finance or is_member_finance(actor))


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(label=_("Reason"), max_length=200)


def page_of(request: HttpRequest, rows: Any) -> PaginatorPage[Any]:
    """Return the asked page of rows."""
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def show_list(
    request: HttpRequest, page: Page, page_obj: PaginatorPage[Any], **extra: Any
) -> HttpResponse:
    """Draw a list; its first table holds the rows of `page_obj`."""
    text = gettext("%(count)s results") % {"count": page_obj.paginator.count}
    context = {"page": page, "page_obj": page_obj, "result_text": text, **extra}
    return render(request, "settlement/banking/list.html", context)


def show_detail(request: HttpRequest, page: Page, **extra: Any) -> HttpResponse:
    """Draw one thing."""
    form = extra.get("form")
    status = 422 if form is not None and form.errors else 200
    return render(request, "settlement/banking/detail.html", {"page": page, **extra}, status=status)


def show_form(request: HttpRequest, page: Page, form: forms.Form, **extra: Any) -> HttpResponse:
    """Draw a form on a page of its own."""
    context = {"page": page, "form": form, **extra}
    status = 422 if form.errors else 200
    return render(request, "settlement/banking/form.html", context, status=status)


def ask_and_do(
    request: HttpRequest,
    *,
    question: str,
    text: str,
    label: str,
    act: Callable[[dict[str, Any]], object],
    back: str,
    lines: Sequence[tuple[str, Any]] = (),
    form: forms.Form | None = None,
    danger: bool = False,
    done: str = "",
) -> HttpResponse:
    """Ask, then do it on POST; a refusal is shown above the form or beside its field."""
    asked = form or forms.Form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and asked.is_valid():
        try:
            act(asked.cleaned_data)
        except RuleBroken as error:
            add_refusal(asked, error)
        else:
            messages.success(request, done or gettext("Done."))
            return redirect(back)
    context = {
        "question": question,
        "text": text,
        "confirm_label": label,
        "danger": danger,
        "form": asked,
        "lines": lines,
        "cancel_url": back,
    }
    status = 422 if asked.errors else 200
    return render(request, "generic/confirm.html", context, status=status)


def history_table(document: Any) -> Table:
    """Return the states a document went through."""
    labels = dict(document._meta.get_field("state").choices)
    rows = [
        TableRow(
            [
                Cell(market_time(step.market_at, "minute")),
                Cell(str(labels.get(step.to_state, step.to_state))),
                Cell(str(step.actor) if step.actor else gettext("the system")),
                Cell(step.note),
            ]
        )
        for step in history_of(document)
    ]
    state = Head(_("State"), place="on-first-line")
    heads = [Head(_("Time")), state, Head(_("Person")), Head(_("Note"))]
    return Table(gettext("History"), heads, rows, gettext("Nothing happened yet."))
