"""A member's compute vouchers: what is left, what they paid, and using one on a bill."""

from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.models import Role
from marketplace.templatetags.market_ui import figure, localname
from marketplace.web.access import acting_organisation, current_actor, require
from settlement.models import Invoice, InvoiceDirection, InvoiceKind, Voucher, VoucherState
from settlement.services.cases.redemption import redeem_voucher
from settlement.web.cases.acting import enter_page
from settlement.web.cases.forms import RedeemForm

PAGE_SIZE = 25
require_holder = require(
    lambda actor: (
        actor.can_see_own_money
        and actor.organisation is not None
        and not actor.organisation.is_platform
    )
)
require_user = require(
    lambda actor: (
        actor.organisation is not None
        and not actor.organisation.is_platform
        and actor.has(Role.BUYER, Role.FINANCE)
    )
)
_SHOWN = (
    VoucherState.ACTIVE,
    VoucherState.USED_UP,
    VoucherState.EXPIRED,
    VoucherState.RECALLED,
)


@require_holder
@require_safe
def list_vouchers(request: HttpRequest) -> HttpResponse:
    """Show the own vouchers, the usable ones first."""
    own = Voucher.objects.filter(organisation=acting_organisation(request), state__in=_SHOWN)
    rows = own.select_related("programme").order_by("state", "valid_until", "-pk")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    usable = own.filter(state=VoucherState.ACTIVE).aggregate(total=Sum("remaining_cny"))
    context = {
        "page_obj": page,
        "usable_cny": usable["total"] or 0,
        "result_text": gettext("%(count)s vouchers") % {"count": page.paginator.count},
    }
    return render(request, "settlement/cases/vouchers.html", context)


@require_holder
@require_safe
def show_voucher(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a voucher with everything that happened to it."""
    voucher = _own(request, public_id)
    actor = current_actor(request)
    is_usable = voucher.state == VoucherState.ACTIVE and actor.has(Role.BUYER, Role.FINANCE)
    context = {
        "voucher": voucher,
        "programme": voucher.programme,
        "moves": voucher.moves.select_related("invoice", "credit_note").order_by("pk"),
        "can_use": is_usable,
        "crumbs": [(gettext("Compute vouchers"), reverse("vouchers"))],
    }
    return render(request, "settlement/cases/voucher.html", context)


@require_user
@require_http_methods(["GET", "HEAD", "POST"])
def use_voucher(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Use a voucher on a bill that was issued before the voucher."""
    voucher = _own(request, public_id)
    actor = current_actor(request)
    bills = Invoice.objects.filter(
        organisation=voucher.organisation,
        direction=InvoiceDirection.RECEIVABLE,
        issued_on__gte=voucher.programme.valid_from,
        issued_on__lte=voucher.valid_until,
    ).exclude(kind=InvoiceKind.CREDIT_NOTE)
    back = reverse("voucher", args=[public_id])
    return enter_page(
        request,
        form=RedeemForm(request.POST or None, bills=bills.order_by("-pk")),
        run=lambda given: redeem_voucher(
            actor=actor, public_id=public_id, bill_public_id=given["bill"].public_id
        ),
        title=gettext("Use the voucher on a bill"),
        submit_label=gettext("Use it"),
        back=back,
        crumbs=[(gettext("Compute vouchers"), reverse("vouchers")), (voucher.number, back)],
        aside=gettext(
            "New bills use your vouchers by themselves. What a voucher pays goes to your balance."
        ),
        lines=[
            (gettext("Voucher"), voucher.number),
            (gettext("Programme"), localname(voucher.programme)),
            (gettext("Left, CNY"), figure(voucher.remaining_cny)),
        ],
    )


def _own(request: HttpRequest, public_id: UUID) -> Voucher:
    own = Voucher.objects.filter(organisation=acting_organisation(request), state__in=_SHOWN)
    return get_object_or_404(own.select_related("programme", "organisation"), public_id=public_id)
