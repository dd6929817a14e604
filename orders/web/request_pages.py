"""Two-person requests: what waits for a second operator, and what was decided."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.models import RequestState, TwoPersonRequest
from marketplace.services.market_terms import BAND_ACTION, RULES_ACTION
from marketplace.services.two_person import refuse_request, withdraw_request
from marketplace.templatetags.market_ui import market_time
from marketplace.web.access import current_actor, require, require_operator
from marketplace.web.form_fields import add_refusal
from orders.services.control import CANCEL, EXTEND, RERUN, approve
from orders.web.rule_words import rule_words

PAGE_SIZE = 25
require_reader = require(lambda actor: actor.is_operator or actor.is_platform_auditor)

ACTION_NAMES: dict[str, str | Promise] = {
    CANCEL: _("Cancel the auction"),
    EXTEND: _("Extend the gate"),
    RERUN: _("Clear again"),
    BAND_ACTION: _("Change a price band"),
    RULES_ACTION: _("Change the market rules"),
}
DECISIONS: dict[str, dict[str, Any]] = {
    "approve": {
        "question": gettext_noop("Approve and carry out: %(action)s, %(name)s?"),
        "text": _("It is done at once, with both names in the audit trail."),
        "label": _("Approve and carry out"),
        "done": _("The request is approved and carried out."),
        "danger": False,
        "is_own": False,
    },
    "refuse": {
        "question": gettext_noop("Refuse: %(action)s, %(name)s?"),
        "text": _("Nothing happens; whoever asked reads the reason."),
        "label": _("Refuse"),
        "done": _("The request is refused."),
        "danger": True,
        "is_own": False,
    },
    "withdraw": {
        "question": gettext_noop("Withdraw: %(action)s, %(name)s?"),
        "text": _("Nothing happens."),
        "label": _("Withdraw the request"),
        "done": _("The request is withdrawn."),
        "danger": False,
        "is_own": True,
    },
}


class NoteForm(forms.Form):
    """What the one who decides adds."""

    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, is_required: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["reason"].required = is_required


def describe_request(request: TwoPersonRequest) -> dict[str, Any]:
    """Return a request with its action and figures in words."""
    return {
        "request": request,
        "action": ACTION_NAMES.get(request.action, request.action),
        "figures": _figures(request),
        "is_pending": request.state == RequestState.PENDING,
        "url": reverse("two-person-request", args=[request.public_id]),
    }


def _figures(request: TwoPersonRequest) -> list[tuple[str, Any]]:
    words = rule_words()
    return [
        (str(words.get(name, name)), market_time(parse_datetime(value)))
        if name == "valid_from"
        else (str(words.get(name, name)), value)
        for name, value in request.params.items()
    ]


@require_reader
@require_safe
def list_requests(request: HttpRequest) -> HttpResponse:
    """Show what waits, and below it what was decided; times are real time."""
    rows = TwoPersonRequest.objects.select_related("requested_by", "decided_by")
    waiting = rows.filter(state=RequestState.PENDING).order_by("expires_at")
    decided = rows.exclude(state=RequestState.PENDING).order_by("-id")
    page = Paginator(decided, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "waiting": [describe_request(row) for row in waiting[:50]],
        "page_obj": page,
        "rows": [describe_request(row) for row in page.object_list],
        "result_text": gettext("%(count)s requests") % {"count": page.paginator.count},
    }
    return render(request, "orders/requests.html", context)


@require_reader
@require_safe
def show_request(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one request, and what this operator may do about it."""
    found = _find(public_id)
    is_own = found.requested_by_id == request.user.pk
    may_decide = current_actor(request).is_operator and found.state == RequestState.PENDING
    context = {
        **{k: v for k, v in describe_request(found).items() if k != "request"},
        "found": found,
        "is_own": is_own,
        "decisions": [
            {**decision, "url": reverse(f"two-person-{name}", args=[public_id])}
            for name, decision in DECISIONS.items()
            if may_decide and decision["is_own"] == is_own
        ],
        "crumbs": [(gettext("Two-person requests"), reverse("two-person-requests"))],
    }
    return render(request, "orders/request.html", context)


@require_operator
@require_http_methods(["GET", "HEAD", "POST"])
def decide_request(request: HttpRequest, public_id: UUID, decision: str) -> HttpResponse:
    """Ask once more, then approve, refuse or withdraw."""
    found = _find(public_id)
    chosen = DECISIONS[decision]
    form = NoteForm(request.POST or None, is_required=decision == "refuse")
    if request.method == "POST" and form.is_valid():
        service: dict[str, Any] = {
            "approve": approve,
            "refuse": refuse_request,
            "withdraw": withdraw_request,
        }
        try:
            service[decision](
                actor=current_actor(request),
                public_id=public_id,
                note=form.cleaned_data["reason"],
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, chosen["done"])
            return redirect("two-person-requests")
    described = describe_request(found)
    question: str = chosen["question"]
    context = {
        "question": gettext(question) % {"action": described["action"], "name": found.object_name},
        "text": chosen["text"],
        "confirm_label": chosen["label"],
        "danger": chosen["danger"],
        "form": form,
        "cancel_url": described["url"],
        "lines": [
            (gettext("Asked by"), str(found.requested_by)),
            (gettext("Reason"), found.reason),
            *described["figures"],
        ],
    }
    return render(request, "generic/confirm.html", context, status=422 if form.errors else 200)


def _find(public_id: UUID) -> TwoPersonRequest:
    rows = TwoPersonRequest.objects.select_related("requested_by", "decided_by")
    return get_object_or_404(rows, public_id=public_id)
