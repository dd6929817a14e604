"""Security deposits: lodged by a member, decided and returned by the market's finance."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.models import Role
from marketplace.permissions import Actor
from marketplace.templatetags.market_ui import figure, localname, market_time
from marketplace.web.access import current_actor, require
from marketplace.web.stepping_up import require_confirmation
from settlement.models import SecurityDeposit, SecurityDepositState
from settlement.selectors.cases.debts import free_funds
from settlement.services.cases.deposits import (
    ask_for_return,
    decide_deposit,
    decide_return,
    enter_deposit,
)
from settlement.web.cases.acting import NothingAsked, confirm_page, enter_page
from settlement.web.cases.forms import SecurityDepositForm
from settlement.web.funds_desk import sees_desk
from settlement.web.funds_forms import DecisionForm

PAGE_SIZE = 25
require_reader = require(lambda actor: actor.can_see_own_money or sees_desk(actor))
require_bookkeeper = require(lambda actor: actor.is_platform_finance)


def _deposits(actor: Actor) -> Any:
    rows = SecurityDeposit.objects.select_related("organisation", "entered_by")
    if sees_desk(actor):
        return rows
    return rows.filter(organisation=actor.organisation)


@require_reader
@require_safe
def list_deposits(request: HttpRequest) -> HttpResponse:
    """Show the own deposits, or to the market everybody's."""
    actor = current_actor(request)
    page = Paginator(_deposits(actor).order_by("-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    is_desk = sees_desk(actor)
    context = {
        "page_obj": page,
        "is_desk": is_desk,
        "can_enter": not is_desk and actor.has(Role.FINANCE),
        "rows": [_row(one, actor) for one in page.object_list],
        "result_text": gettext("%(count)s deposits") % {"count": page.paginator.count},
    }
    return render(request, "settlement/cases/deposits.html", context)


def _row(one: SecurityDeposit, actor: Actor) -> dict[str, Any]:
    is_keeper = actor.is_platform_finance
    is_own = actor.organisation == one.organisation and actor.has(Role.FINANCE)
    return {
        "one": one,
        "can_decide": is_keeper
        and one.state == SecurityDepositState.ENTERED
        and one.entered_by_id != actor.user.pk,
        "can_ask": (is_own or is_keeper) and one.state == SecurityDepositState.LODGED,
        "can_return": is_keeper
        and one.state == SecurityDepositState.RELEASE_ASKED
        and one.asked_by_id != actor.user.pk,
    }


@require_reader
@require_http_methods(["GET", "HEAD", "POST"])
def lodge(request: HttpRequest) -> HttpResponse:
    """Propose to lodge own free money."""
    actor = current_actor(request)
    if actor.organisation is None or actor.organisation.is_platform:
        raise Http404
    organisation = actor.organisation
    back = reverse("security-deposits")
    return enter_page(
        request,
        form=SecurityDepositForm(request.POST or None),
        run=lambda given: enter_deposit(
            actor=actor,
            organisation=organisation,
            amount_cny=given["amount"],
            expires_on=given["expires_on"],
            note=given["note"],
        ),
        title=gettext("Lodge a security deposit"),
        submit_label=gettext("Lodge"),
        back=back,
        crumbs=[(gettext("Security deposits"), back)],
        aside=gettext(
            "The market's finance confirms it. The money leaves your balance, backs no orders, and "
            "comes back when its term ends."
        ),
        lines=[(gettext("Own free funds, CNY"), figure(free_funds(organisation)))],
        done=gettext("Entered; another person must decide it now."),
    )


@require_bookkeeper
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, public_id: UUID, verdict: str) -> HttpResponse:
    """Lodge, refuse, return or keep a deposit."""
    deposit = _find(request, public_id)
    actor = current_actor(request)
    act = decide_return if verdict in ("return", "keep") else decide_deposit
    words = {
        "approve": (gettext("Lodge this deposit?"), gettext("Lodge")),
        "reject": (gettext("Refuse this deposit?"), gettext("Refuse")),
        "return": (gettext("Return this deposit?"), gettext("Return")),
        "keep": (gettext("Keep this deposit lodged?"), gettext("Keep")),
    }[verdict]
    approve = verdict in ("approve", "return")
    return confirm_page(
        request,
        form=DecisionForm(request.POST or None, is_required=not approve),
        run=lambda given: act(
            actor=actor, public_id=public_id, approve=approve, reason=given["reason"]
        ),
        question=words[0],
        text="",
        confirm_label=words[1],
        danger=not approve,
        lines=_lines(deposit),
        back=reverse("security-deposits"),
    )


@require_reader
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask for a deposit back before its term ends."""
    deposit = _find(request, public_id)
    actor = current_actor(request)
    return confirm_page(
        request,
        form=NothingAsked(request.POST or None),
        run=lambda given: ask_for_return(actor=actor, public_id=public_id),
        question=gettext("Ask for this deposit back?"),
        text=gettext("It is returned to the balance unless the member owes something."),
        confirm_label=gettext("Ask for it"),
        lines=_lines(deposit),
        back=reverse("security-deposits"),
    )


def _find(request: HttpRequest, public_id: UUID) -> SecurityDeposit:
    return get_object_or_404(_deposits(current_actor(request)), public_id=public_id)


def _lines(deposit: SecurityDeposit) -> list[tuple[Any, Any]]:
    return [
        (gettext("Member"), localname(deposit.organisation)),
        (gettext("Amount, CNY"), figure(deposit.amount)),
        (gettext("Left, CNY"), figure(deposit.remaining_cny)),
        (gettext("Lodged until"), market_time(deposit.expires_on)),
        (gettext("Entered by"), str(deposit.entered_by)),
    ]
