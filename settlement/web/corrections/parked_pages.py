"""The parked queue: settlements that were refused, tried again or resolved with a reason."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.web.access import current_actor, require, require_finance
from marketplace.web.form_fields import add_refusal
from orders.web.names import auction_name
from settlement.models import ParkedItem, ParkedState
from settlement.services.corrections.parking import resolve_parked, retry_parked
from settlement.web.funds_forms import DecisionForm

PAGE_SIZE = 25
require_bookkeeper = require(lambda actor: actor.is_platform_finance)


@require_finance
@require_safe
def list_parked(request: HttpRequest) -> HttpResponse:
    """Show what is parked, or with `?state=resolved` what was."""
    state = ParkedState.RESOLVED if request.GET.get("state") == "resolved" else ParkedState.OPEN
    items = ParkedItem.objects.filter(state=state).select_related(
        "auction__calendar", "resolved_by"
    )
    page = Paginator(items.order_by("-last_tried_at"), PAGE_SIZE).get_page(request.GET.get("page"))
    own = reverse("parked")
    context = {
        "page_obj": page,
        "rows": [{"item": item, "reason": reason_of(item)} for item in page.object_list],
        "is_open": state == ParkedState.OPEN,
        "can_decide": current_actor(request).is_platform_finance,
        "tabs": [
            {"label": gettext("Parked"), "url": own, "active": state == ParkedState.OPEN},
            {
                "label": gettext("Resolved"),
                "url": f"{own}?state=resolved",
                "active": state == ParkedState.RESOLVED,
            },
        ],
        "crumbs": [(gettext("Settlement runs"), reverse("settlement-runs"))],
    }
    return render(request, "settlement/corrections/parked.html", context)


def reason_of(item: ParkedItem) -> str:
    """Return the named reason in the reader's language."""
    text = gettext(item.message) if item.message else item.code
    return text % item.params if item.params else text


@require_bookkeeper
@require_POST
def retry(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Try a parked settlement again at once."""
    try:
        item = retry_parked(actor=current_actor(request), parked_public_id=public_id)
    except RuleBroken as error:
        messages.error(request, gettext(error.message) % error.params)
        return redirect("parked")
    if item.state == ParkedState.RESOLVED:
        messages.success(request, gettext("It is settled now."))
    else:
        messages.error(
            request, gettext("It was refused again: %(reason)s") % {"reason": reason_of(item)}
        )
    return redirect("parked")


@require_bookkeeper
@require_http_methods(["GET", "HEAD", "POST"])
def resolve(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take an item off the queue for a reason."""
    item = get_object_or_404(
        ParkedItem.objects.select_related("auction__calendar"), public_id=public_id
    )
    form = DecisionForm(request.POST or None, is_required=True)
    if request.method == "POST" and form.is_valid():
        try:
            resolve_parked(
                actor=current_actor(request),
                parked_public_id=public_id,
                reason=form.cleaned_data["reason"],
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Resolved."))
            return redirect("parked")
    context = {
        "question": gettext("Take this settlement off the queue?"),
        "text": gettext("If it is refused again, it is parked anew."),
        "confirm_label": gettext("Resolve"),
        "form": form,
        "lines": [
            (gettext("Auction"), f"{auction_name(item.auction)} · {item.auction.code}"),
            (gettext("Work"), item.get_stage_display()),
            (gettext("Reason"), reason_of(item)),
        ],
        "cancel_url": reverse("parked"),
    }
    status = 422 if form.errors else 200
    return render(request, "generic/confirm.html", context, status=status)
