"""Carbon statements: the list, one statement down to its readings, evidence files, closing."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.domain.periods import market_date
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.error_texts import error_text
from marketplace.web.access import acting_organisation, current_actor, require
from marketplace.web.csv_answers import file_answer
from settlement.exports.carbon.evidence import evidence_file
from settlement.models import EmissionStatement, StatementSubject
from settlement.selectors.carbon.effectiveness import effectiveness_of
from settlement.selectors.carbon.statements import (
    certificates_of,
    hours_of,
    lines_of_statement,
    readings_of,
    reads_all,
    share_of,
    statement_for,
    statements_for,
    versions_of,
)
from settlement.services.carbon.closing import close_statement, subject_of
from settlement.services.carbon.gathering import SubjectKey
from settlement.services.carbon.statements import issue_statement

PAGE_SIZE = 25
LINES_PER_PAGE = 50


def reads_statements(actor: Actor) -> bool:
    """Tell whether the actor reads carbon statements: the own ones, or everybody's."""
    return reads_all(actor) or (
        actor.organisation is not None
        and not actor.organisation.is_platform
        and actor.can_see_own_money
    )


require_statement_reader = require(reads_statements)


class StatementFilter(forms.Form):
    """Narrows the list of statements."""

    month = forms.CharField(
        label=_("Month"),
        required=False,
        widget=forms.TextInput(attrs={"type": "month"}),
    )
    subject = forms.ChoiceField(
        label=pgettext_lazy("carbon statement", "Subject"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *StatementSubject.choices],
    )

    def clean_month(self) -> date | None:
        """Return the first day of the month, or nothing."""
        return read_month(self.cleaned_data["month"])


def read_month(text: str) -> date | None:
    """Return the first day of a month written as `2026-11`; nothing for anything else."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


@require_statement_reader
@require_safe
def list_statements(request: HttpRequest) -> HttpResponse:
    """Show the current statements that the visitor may read."""
    actor = current_actor(request)
    form = StatementFilter(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    rows = statements_for(actor)
    for name in ("month", "subject"):
        if asked.get(name):
            rows = rows.filter(**{name: asked[name]})
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    newest = page.object_list[0] if page.object_list else None
    context: dict[str, Any] = {
        "filter_form": form,
        "page_obj": page,
        "is_filtered": any(request.GET.get(name) for name in form.fields),
        "result_text": gettext("%(count)s statements") % {"count": page.paginator.count},
        "rows": [_listed(row) for row in page],
        "newest": _listed(newest) if newest is not None and not reads_all(actor) else None,
        "reads_all": reads_all(actor),
        "this_month": market_date(market_now()).replace(day=1),
    }
    return render(request, "settlement/carbon/statements.html", context)


def _listed(statement: EmissionStatement) -> dict[str, Any]:
    share = share_of(statement.matched_wh, statement.facility_wh)
    return {
        "statement": statement,
        "green_share": share,
        "kwh": statement.facility_wh / 1000,
        "effectiveness": effectiveness_of(statement, with_sci=False),
    }


@require_statement_reader
@require_safe
def show_statement(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one statement: figures, deliveries, certificates, versions, what it pins."""
    actor = current_actor(request)
    statement = _found(actor, public_id)
    versions = list(versions_of(statement))
    page = Paginator(lines_of_statement(statement), LINES_PER_PAGE)
    is_current = versions[0].pk == statement.pk
    context = {
        "statement": statement,
        "page_obj": page.get_page(request.GET.get("page")),
        "versions": versions,
        "certificates": certificates_of(statement),
        "green_share": share_of(statement.matched_wh, statement.facility_wh),
        "effectiveness": effectiveness_of(statement),
        "is_current": is_current,
        "is_closed": any(v.pk == statement.pk and hasattr(v, "closing") for v in versions),
        "may_change": is_current and not actor.is_platform_auditor,
        "reads_all": reads_all(actor),
        "crumbs": [(gettext("Carbon statements"), reverse("carbon-statements"))],
    }
    return render(request, "settlement/carbon/statement.html", context)


@require_statement_reader
@require_safe
def show_hours(request: HttpRequest, public_id: UUID, delivery_id: UUID) -> HttpResponse:
    """Show the hours of one delivery as the statement read them, and its readings."""
    actor = current_actor(request)
    statement = _found(actor, public_id)
    line = get_object_or_404(
        lines_of_statement(statement).select_related("delivery__allocation__listing__pool"),
        delivery__public_id=delivery_id,
    )
    context = {
        "statement": statement,
        "line": line,
        "hours": hours_of(statement, line.delivery),
        "readings": readings_of(line.delivery),
        "links_delivery": not reads_all(actor),
        "crumbs": [
            (gettext("Carbon statements"), reverse("carbon-statements")),
            (str(statement), reverse("carbon-statement", args=[public_id])),
        ],
    }
    return render(request, "settlement/carbon/hours.html", context)


@require_statement_reader
@require_safe
def download_evidence(request: HttpRequest, public_id: UUID, file_format: str) -> HttpResponse:
    """Answer the evidence of a statement as a file."""
    statement = _found(current_actor(request), public_id)
    try:
        made = evidence_file(statement, file_format)
    except NotFound:
        raise Http404 from None
    except RuleBroken as refusal:
        return HttpResponse(error_text(refusal), status=refusal.status, content_type="text/plain")
    response = file_answer(made.content, name=made.filename, content_type=made.content_type)
    response["X-Content-SHA256"] = str(made.manifest["sha256"])
    return response


@require_statement_reader
@require_POST
def state_month(request: HttpRequest) -> HttpResponse:
    """State a month of the own organisation from what is settled now."""
    actor = current_actor(request)
    month = read_month(request.POST.get("month", ""))
    if month is None or actor.organisation is None or actor.organisation.is_platform:
        raise Http404
    subject = SubjectKey.of_buyer(acting_organisation(request))
    try:
        made = issue_statement(subject=subject, month=month, actor=actor)
    except RuleBroken as refusal:
        messages.error(request, error_text(refusal))
        return redirect("carbon-statements")
    messages.success(request, gettext("The month is stated from what is settled so far."))
    return redirect("carbon-statement", public_id=made.public_id)


@require_statement_reader
@require_POST
def correct_statement(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """State the same subject and month again, with a reason."""
    actor = current_actor(request)
    statement = _found(actor, public_id)
    reason = request.POST.get("reason", "").strip()
    try:
        made = issue_statement(
            subject=subject_of(statement), month=statement.month, actor=actor, reason=reason
        )
    except RuleBroken as refusal:
        messages.error(request, error_text(refusal))
        return redirect("carbon-statement", public_id=public_id)
    if made.pk == statement.pk:
        messages.info(request, gettext("Nothing changed since this version was issued."))
    else:
        messages.success(request, gettext("A new version is issued; the old one stays."))
    return redirect("carbon-statement", public_id=made.public_id)


@require_statement_reader
@require_POST
def close_month(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Close a statement: its certificates are allocated for good."""
    try:
        close_statement(actor=current_actor(request), public_id=public_id)
    except NotFound:
        raise Http404 from None
    except RuleBroken as refusal:
        messages.error(request, error_text(refusal))
    else:
        messages.success(request, gettext("The statement is closed."))
    return redirect("carbon-statement", public_id=public_id)


def _found(actor: Actor, public_id: UUID) -> EmissionStatement:
    try:
        return statement_for(actor, public_id)
    except NotFound:
        raise Http404 from None
