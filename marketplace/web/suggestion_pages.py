"""Suggestions: members send them and read answers, the operator works the queue."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.models import Suggestion, SuggestionState
from marketplace.permissions import Actor
from marketplace.selectors.notices import public_answers, suggestion_queue, suggestions_of
from marketplace.services.notices import (
    LONGEST_TEXT,
    LONGEST_TITLE,
    answer_suggestion,
    review_suggestion,
    send_suggestion,
)
from marketplace.web.access import (
    acting_organisation,
    current_actor,
    require,
    require_member,
    require_operator,
)
from marketplace.web.form_fields import add_refusal

PAGE_SIZE = 20
PUBLIC_SHOWN = 10
is_participant = require(
    lambda actor: actor.organisation is not None and not actor.organisation.is_platform
)


class SuggestionForm(forms.Form):
    """What a participant proposes."""

    subject = forms.CharField(label=_("Subject"), max_length=LONGEST_TITLE)
    text = forms.CharField(
        label=_("Suggestion"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("What would make the market better for you, and why."),
    )


class AnswerForm(forms.Form):
    """The operator's answer."""

    answer = forms.CharField(
        label=_("Answer"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 5})
    )
    is_public = forms.BooleanField(
        label=_("Everybody may read question and answer"),
        required=False,
        help_text=_("Without the name of who asked."),
    )


@require_member
@require_safe
def list_suggestions(request: HttpRequest) -> HttpResponse:
    """Show the organisation's own suggestions, or to the operator everybody's, and answers."""
    actor = current_actor(request)
    found = _readable(actor, request)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "is_desk": actor.is_operator,
        "may_send": not acting_organisation(request).is_platform,
        "answers": public_answers()[:PUBLIC_SHOWN],
        "result_text": gettext("%(count)s suggestions") % {"count": page.paginator.count},
    }
    return render(request, "marketplace/suggestions.html", context)


def _readable(actor: Actor, request: HttpRequest) -> Any:
    if actor.is_operator or actor.is_platform_auditor:
        return suggestion_queue()
    return suggestions_of(acting_organisation(request)).select_related("organisation", "author")


@is_participant
@require_http_methods(["GET", "HEAD", "POST"])
def write_suggestion(request: HttpRequest) -> HttpResponse:
    """Take in a suggestion."""
    form = SuggestionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            send_suggestion(actor=current_actor(request), **form.cleaned_data)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Thank you: the market operator reads it."))
            return redirect("suggestions")
    context = {
        "form": form,
        "submit_label": gettext("Send the suggestion"),
        "cancel_url": reverse("suggestions"),
        "crumbs": [(gettext("Suggestions"), reverse("suggestions"))],
    }
    status = 422 if form.errors else 200
    return render(request, "marketplace/suggestion_form.html", context, status=status)


@require_member
@require_safe
def show_suggestion(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one suggestion with its answer; somebody else's is not found."""
    actor = current_actor(request)
    suggestion = get_object_or_404(_readable(actor, request), public_id=public_id)
    is_waiting = suggestion.state != SuggestionState.ANSWERED
    context = {
        "suggestion": suggestion,
        "form": AnswerForm() if actor.is_operator and is_waiting else None,
        "may_review": actor.is_operator and suggestion.state == SuggestionState.SENT,
        "crumbs": [(gettext("Suggestions"), reverse("suggestions"))],
    }
    return render(request, "marketplace/suggestion.html", context)


@require_operator
@require_http_methods(["POST"])
def work_on_suggestion(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Mark a suggestion as under review, or answer it."""
    actor = current_actor(request)
    suggestion = get_object_or_404(Suggestion, public_id=public_id)
    if "review" in request.POST:
        try:
            review_suggestion(actor=actor, public_id=public_id)
        except RuleBroken:
            messages.warning(request, gettext("Somebody was faster: look at its state."))
        return redirect("suggestion", public_id=public_id)
    form = AnswerForm(request.POST)
    if form.is_valid():
        try:
            answer_suggestion(actor=actor, public_id=public_id, **form.cleaned_data)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("The answer is sent."))
            return redirect("suggestions")
    context = {
        "suggestion": suggestion,
        "form": form,
        "may_review": False,
        "crumbs": [(gettext("Suggestions"), reverse("suggestions"))],
    }
    return render(request, "marketplace/suggestion.html", context, status=422)
