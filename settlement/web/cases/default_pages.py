"""Overdue bills and defaults as the market keeps them: reminders, declaration, order of taking."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_ui import figure, localname
from marketplace.web.access import current_actor, require, require_operator
from marketplace.web.stepping_up import require_confirmation
from settlement.models import (
    DefaultCase,
    DefaultState,
    Invoice,
    InvoiceDirection,
    InvoiceState,
    WaterfallSource,
)
from settlement.selectors.cases.debts import debts_of, owed_on, sources_of
from settlement.services.cases.defaults import (
    continue_default,
    decide_default,
    propose_default,
)
from settlement.services.cases.waterfall import outstanding
from settlement.web.cases.acting import NothingAsked, confirm_page, enter_page
from settlement.web.cases.forms import DefaultForm
from settlement.web.funds_desk import sees_desk
from settlement.web.funds_forms import DecisionForm

PAGE_SIZE = 25
MOST_OVERDUE = 100
require_desk = require(sees_desk)


@require_desk
@require_safe
def list_defaults(request: HttpRequest) -> HttpResponse:
    """Show overdue bills with their reminders, and the defaults."""
    today = market_date(market_now())
    overdue = (
        Invoice.objects.filter(
            direction=InvoiceDirection.RECEIVABLE, state=InvoiceState.ISSUED, due_on__lt=today
        )
        .select_related("organisation")
        .prefetch_related("dunning")
        .order_by("due_on", "pk")
    )
    cases = DefaultCase.objects.select_related("organisation").order_by("-pk")
    page = Paginator(cases, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "overdue": [
            {
                "one": bill,
                "owed": owed_on(bill),
                "days": (today - bill.due_on).days,
                "step": max((each.step for each in bill.dunning.all()), default=0),
            }
            for bill in overdue[:MOST_OVERDUE]
        ],
        "can_propose": current_actor(request).is_operator,
        "result_text": gettext("%(count)s defaults") % {"count": page.paginator.count},
    }
    return render(request, "settlement/cases/defaults.html", context)


@require_desk
@require_safe
def show_default(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a default with every step and its entry."""
    rows = DefaultCase.objects.select_related("organisation", "entered_by", "decided_by")
    case = get_object_or_404(rows, public_id=public_id)
    actor = current_actor(request)
    is_waiting = case.state == DefaultState.ENTERED
    today = market_date(market_now())
    context = {
        "case": case,
        "steps": case.steps.select_related("entry").order_by("position"),
        "outstanding": [
            (WaterfallSource(source).label, amount)
            for source, amount in outstanding(case).items()
            if amount
        ],
        "debts": debts_of(case.organisation),
        "sources": [
            (WaterfallSource(source).label, amount)
            for source, amount in sources_of(case.organisation, today).items()
        ],
        "can_decide": actor.is_operator and is_waiting and case.entered_by_id != actor.user.pk,
        "can_continue": actor.is_operator and case.state == DefaultState.DECLARED,
        "crumbs": [(gettext("Overdue bills and defaults"), reverse("defaults"))],
    }
    return render(request, "settlement/cases/default.html", context)


@require_operator
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest) -> HttpResponse:
    """Propose to declare a member in default."""
    actor = current_actor(request)
    back = reverse("defaults")
    return enter_page(
        request,
        form=DefaultForm(request.POST or None, initial=request.GET.dict()),
        run=lambda given: propose_default(actor=actor, **given),
        title=gettext("Propose a default"),
        submit_label=gettext("Propose"),
        back=back,
        crumbs=[(gettext("Overdue bills and defaults"), back)],
        aside=gettext(
            "Another operator declares it. Then the member is suspended, its open orders are "
            "cancelled, and its debt is taken from its funds, its deposit, its guarantee, the risk "
            "reserve, and what is left is a loss."
        ),
        done=gettext("Proposed; another operator must decide it now."),
        success_url=lambda case: reverse("default", args=[case.public_id]),
    )


@require_operator
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, public_id: UUID, verdict: str) -> HttpResponse:
    """Declare the default, which covers it at once, or reject it."""
    rows = DefaultCase.objects.select_related("organisation", "entered_by")
    case = get_object_or_404(rows, public_id=public_id)
    actor, approve = current_actor(request), verdict == "approve"
    return confirm_page(
        request,
        form=DecisionForm(request.POST or None, is_required=not approve),
        run=lambda given: decide_default(
            actor=actor, public_id=public_id, approve=approve, reason=given["reason"]
        ),
        question=gettext("Declare this default?") if approve else gettext("Reject this default?"),
        text=gettext("The member is suspended and its debt covered at once.") if approve else "",
        confirm_label=gettext("Declare") if approve else gettext("Reject"),
        danger=True,
        lines=_lines(case),
        back=reverse("default", args=[public_id]),
    )


@require_operator
@require_http_methods(["GET", "HEAD", "POST"])
def go_on(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Cover what became owed after the declaration."""
    case = get_object_or_404(
        DefaultCase.objects.select_related("organisation"), public_id=public_id
    )
    actor = current_actor(request)
    return confirm_page(
        request,
        form=NothingAsked(request.POST or None),
        run=lambda given: continue_default(actor=actor, public_id=public_id),
        question=gettext("Cover what is owed since?"),
        text=gettext("The same order of taking applies to bills issued after the declaration."),
        confirm_label=gettext("Cover it"),
        lines=_lines(case),
        back=reverse("default", args=[public_id]),
    )


def _lines(case: DefaultCase) -> list[tuple[Any, Any]]:
    debts = [(debt.name, figure(debt.amount_cny)) for debt in debts_of(case.organisation)]
    return [
        (gettext("Default"), case.number),
        (gettext("Member"), localname(case.organisation)),
        (gettext("Entered by"), str(case.entered_by)),
        (gettext("Reason"), case.reason),
        *debts,
    ]
