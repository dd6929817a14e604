"""What is done with contracts: drawn up, sent and voided by finance, signed by the parties."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_http_methods

from marketplace.domain.errors import RuleBroken
from marketplace.templatetags.market_ui import figure, localname, market_period
from marketplace.web.access import current_actor
from marketplace.web.form_fields import add_refusal
from marketplace.web.stepping_up import require_confirmation
from settlement.exports.banking.contract_pdf import contract_pdf
from settlement.models import Contract
from settlement.selectors.banking.contracts import parties_of, sums_of
from settlement.services.banking.contract_answers import (
    decline_contract,
    role_of_signer,
    sign_contract,
)
from settlement.services.banking.contracts import (
    collect_signature,
    draw_up_contracts,
    send_contract,
    void_contract,
)
from settlement.web.banking.contract_forms import DrawUpForm
from settlement.web.banking.contract_pages import find_contract
from settlement.web.banking.doing import (
    ReasonForm,
    ask_and_do,
    require_keeper,
    require_party,
    show_form,
)
from settlement.web.banking.tables import Page

METHODS = ["GET", "HEAD", "POST"]


@require_keeper
@require_http_methods(METHODS)
def draw_up(request: HttpRequest) -> HttpResponse:
    """Draw up the contracts of an allocation; those that stand stay."""
    form = DrawUpForm(request.POST or None, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        allocation = form.cleaned_data["confirmation"]
        try:
            made = draw_up_contracts(actor=current_actor(request), allocation=allocation)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            text = gettext("%(count)s contracts stand behind this confirmation.")
            messages.success(request, text % {"count": len(made)})
            return redirect(f"{reverse('contracts')}?q={allocation.number}")
    page = Page(
        title=gettext("Draw up contracts"),
        lead=gettext("Supplier with market and market with buyer; a direct one for brokerage."),
        crumbs=[(gettext("Contracts"), reverse("contracts"))],
    )
    extra = {"cancel_url": reverse("contracts"), "submit_label": gettext("Draw up")}
    return show_form(request, page, form, **extra)


@require_keeper
@require_http_methods(METHODS)
def send(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Send a contract for signature."""
    actor = current_actor(request)
    return _ask(
        request,
        find_contract(request, public_id),
        question=gettext("Send this contract for signature?"),
        text=gettext("Its document is fixed by a hash from now on; the parties see it."),
        label=gettext("Send for signature"),
        act=lambda _given: send_contract(actor=actor, public_id=public_id, draw=contract_pdf),
    )


@require_keeper
@require_http_methods(METHODS)
def collect(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask the signature service whether everybody has signed."""
    actor = current_actor(request)
    return _ask(
        request,
        find_contract(request, public_id),
        question=gettext("Ask whether everybody has signed?"),
        text=gettext("The contract is signed if the service says so of this very document."),
        label=gettext("Ask the signature service"),
        act=lambda _given: collect_signature(actor=actor, public_id=public_id),
    )


@require_keeper
@require_http_methods(METHODS)
def void(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Void a contract that is not signed."""
    actor = current_actor(request)
    return _ask(
        request,
        find_contract(request, public_id),
        question=gettext("Declare this contract void?"),
        text=gettext("Another one may be drawn up; the allocation itself stands."),
        label=pgettext("contract", "Declare void"),
        act=lambda given: void_contract(actor=actor, public_id=public_id, **given),
        form=ReasonForm(request.POST or None),
        danger=True,
    )


@require_party
@require_confirmation
@require_http_methods(METHODS)
def sign(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Sign for the own organisation."""
    actor = current_actor(request)
    return _ask(
        request,
        _to_answer(request, public_id),
        question=gettext("Sign this contract?"),
        text=gettext("You sign the document with the hash below for your organisation."),
        label=pgettext("contract", "Sign"),
        act=lambda _given: sign_contract(actor=actor, public_id=public_id),
    )


@require_party
@require_http_methods(METHODS)
def decline(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Decline for the own organisation."""
    actor = current_actor(request)
    return _ask(
        request,
        _to_answer(request, public_id),
        question=gettext("Decline this contract?"),
        text=gettext("It becomes void and the other party reads your reason."),
        label=pgettext("contract", "Decline"),
        act=lambda given: decline_contract(actor=actor, public_id=public_id, **given),
        form=ReasonForm(request.POST or None),
        danger=True,
    )


ACTS = {"send": send, "collect": collect, "void": void, "sign": sign, "decline": decline}


def _to_answer(request: HttpRequest, public_id: UUID) -> Contract:
    """Return a contract of which the visitor signs a part, or answer 404."""
    one = find_contract(request, public_id)
    if not role_of_signer(current_actor(request), one):
        raise Http404
    return one


def _ask(request: HttpRequest, one: Contract, **asked: Any) -> HttpResponse:
    allocation, sums = one.allocation, sums_of(one)
    parties = " – ".join(localname(party) for _role, party in parties_of(one))
    lines = [
        (gettext("Contract"), one.number),
        (gettext("Parties"), parties),
        (gettext("Product"), localname(allocation.product)),
        (gettext("When"), market_period(allocation.starts_at, allocation.ends_at)),
        (gettext("Net, CNY"), figure(sums.net)),
        (gettext("Total with VAT, CNY"), figure(sums.gross)),
    ]
    if one.content_sha256:
        digest = format_html('<code class="wrap">{}</code>', one.content_sha256)
        lines.append((gettext("SHA-256 of the document"), digest))
    back = reverse("contract", args=[one.public_id])
    return ask_and_do(request, back=back, lines=lines, **asked)
