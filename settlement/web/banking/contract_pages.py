"""Contracts (合同) as their parties and the market's books see them: list, file, one contract."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.selectors.organisations import platform
from marketplace.templatetags.market_ui import localname, market_period, quantity
from marketplace.web.access import current_actor
from marketplace.web.csv_answers import csv_answer
from settlement.exports.banking.contract_pdf import contract_pdf
from settlement.models import Contract, ContractState
from settlement.selectors.banking.contracts import (
    contracts_for,
    delivery_of,
    net_of,
    parties_of,
    reads_all_contracts,
)
from settlement.services.banking.contract_answers import may_answer, sent_document
from settlement.web.banking.contract_facts import (
    bills_table,
    document_facts,
    price_table,
    signatures_table,
    terms_facts,
)
from settlement.web.banking.contract_forms import ContractFilter
from settlement.web.banking.doing import (
    history_table,
    page_of,
    require_party,
    show_detail,
    show_list,
)
from settlement.web.banking.tables import Action, Cell, Facts, Head, Page, Table, TableRow
from settlement.web.pdf_pages import pdf_answer

CSV_HEAD = (
    "number",
    "confirmation",
    "provider",
    "receiver",
    "product",
    "supply_hub",
    "consumption_hub",
    "starts_at",
    "ends_at",
    "unit_hours",
    "net_cny_excl_vat",
    "drawn_up_on",
    "sent_at",
    "signed_at",
    "state",
)
HEADS = (
    Head(_("Number")),
    Head(_("Parties")),
    Head(_("Confirmation")),
    Head(_("Product")),
    Head(pgettext_lazy("of an allocation", "Delivered")),
    Head(_("Net, CNY"), is_number=True),
    Head(_("State")),
)


@require_party
@require_safe
def list_contracts(request: HttpRequest) -> HttpResponse:
    """Show the contracts: all to the books, a member's own to the member."""
    actor = current_actor(request)
    form = ContractFilter(request.GET)
    seen = contracts_for(actor)
    page_obj = page_of(request, form.narrow(seen))
    waiting = seen.filter(state=ContractState.SENT).count()
    market = platform()
    is_filtered = any(request.GET.get(name) for name in form.fields)
    page = Page(
        title=gettext("Contracts"),
        lead=ngettext(
            "%(count)s contract waits for signatures.",
            "%(count)s contracts wait for signatures.",
            waiting,
        )
        % {"count": waiting},
        actions=_list_actions(request, actor),
        tables=[Table(gettext("Contracts"), HEADS, [_row(one, market) for one in page_obj])],
        empty_title=_empty_title(is_filtered),
        empty_text=_empty_text(is_filtered, actor),
        icon="filter-off" if is_filtered else "file-text",
    )
    return show_list(request, page, page_obj, filter_form=form)


def _list_actions(request: HttpRequest, actor: Actor) -> list[Action]:
    asked = request.GET.copy()
    asked.pop("page", None)
    url = reverse("contracts-csv") + (f"?{asked.urlencode()}" if asked else "")
    actions = [Action(gettext("Export CSV"), url)]
    if actor.is_platform_finance:
        actions.append(Action(gettext("Draw up contracts"), reverse("contract-new"), True))
    return actions


def _empty_title(is_filtered: bool) -> str:
    if is_filtered:
        return gettext("No contract meets these filters")
    return gettext("No contracts yet")


def _empty_text(is_filtered: bool, actor: Actor) -> str:
    if is_filtered:
        return gettext("Take a filter away to see more.")
    if reads_all_contracts(actor):
        return gettext("Draw one up from the number of a confirmation.")
    return gettext("The market's finance draws them up and sends them for signature.")


def _row(one: Contract, market: Organisation) -> TableRow:
    allocation = one.allocation
    names = " – ".join(localname(party) for _role, party in parties_of(one, market))
    return TableRow(
        [
            Cell(one.number, url=reverse("contract", args=[one.public_id])),
            Cell(names),
            Cell(allocation.number),
            Cell(localname(allocation.product)),
            Cell(market_period(allocation.starts_at, allocation.ends_at)),
            Cell(figure=net_of(one)),
            Cell(badge=one),
        ]
    )


@require_party
@require_safe
def export_contracts(request: HttpRequest) -> HttpResponse:
    """Answer the filtered contracts as CSV."""
    found = ContractFilter(request.GET).narrow(contracts_for(current_actor(request)))
    return csv_answer("contracts.csv", CSV_HEAD, _csv_rows(found, platform()))


def _csv_rows(contracts: Iterable[Contract], market: Organisation) -> Iterable[list[object]]:
    for one in contracts:
        allocation = one.allocation
        provider, receiver = (party for _role, party in parties_of(one, market))
        yield [
            one.number,
            allocation.number,
            provider.code,
            receiver.code,
            allocation.product.code,
            allocation.supply_hub.code,
            allocation.hub.code,
            allocation.starts_at.isoformat(),
            allocation.ends_at.isoformat(),
            allocation.unit_hours,
            net_of(one),
            one.drawn_up_on.isoformat(),
            one.sent_at.isoformat() if one.sent_at else "",
            one.signed_at.isoformat() if one.signed_at else "",
            one.state,
        ]


def find_contract(request: HttpRequest, public_id: UUID) -> Contract:
    """Return a contract that the visitor may see, or answer 404."""
    found = contracts_for(current_actor(request)).filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


@require_party
@require_safe
def show_contract(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a contract: its parties and their signatures, what for how much, and its terms."""
    one = find_contract(request, public_id)
    actor = current_actor(request)
    page = Page(
        title=one.number,
        lead=one.get_side_display(),
        state=one,
        crumbs=[(gettext("Contracts"), reverse("contracts"))],
        actions=_actions(one, actor),
        tables=[
            signatures_table(one),
            price_table(one),
            bills_table(one, actor),
            history_table(one),
        ],
        facts=[_delivery_facts(one), terms_facts(one), document_facts(one)],
    )
    return show_detail(request, page)


STEPS: dict[str, tuple[tuple[str, Any, bool], ...]] = {
    ContractState.DRAFT: (
        ("void", pgettext_lazy("contract", "Declare void"), False),
        ("send", _("Send for signature"), True),
    ),
    ContractState.SENT: (
        ("void", pgettext_lazy("contract", "Declare void"), False),
        ("collect", _("Ask the signature service"), False),
    ),
}


def _actions(one: Contract, actor: Actor) -> list[Action]:
    key = [one.public_id]
    actions = [Action(gettext("PDF"), reverse("contract-pdf", args=key))]
    if actor.is_platform_finance:
        actions += [
            Action(label, reverse(f"contract-{name}", args=key), is_primary)
            for name, label, is_primary in STEPS.get(one.state, ())
        ]
    if may_answer(actor, one):
        actions += [
            Action(pgettext_lazy("contract", "Decline"), reverse("contract-decline", args=key)),
            Action(pgettext_lazy("contract", "Sign"), reverse("contract-sign", args=key), True),
        ]
    return actions


def _delivery_facts(one: Contract) -> Facts:
    allocation = one.allocation
    delivery = delivery_of(one)
    confirmation: Any = allocation.number
    if delivery is not None:
        url = reverse("delivery", args=[delivery.public_id])
        confirmation = format_html('<a href="{}">{}</a>', url, allocation.number)
    pairs = [
        (gettext("Confirmation"), confirmation),
        (gettext("Product"), localname(allocation.product)),
        (gettext("Delivered at"), localname(allocation.supply_hub)),
        (gettext("Used at"), localname(allocation.hub)),
        (gettext("When"), market_period(allocation.starts_at, allocation.ends_at)),
        (gettext("Unit-hours"), quantity(allocation.unit_hours, allocation.product)),
    ]
    return Facts(gettext("What is delivered"), pairs)


@require_party
@require_safe
def download_contract(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Answer the document: the very one that was sent, or a draft as it would be sent."""
    one = find_contract(request, public_id)
    return pdf_answer(
        request,
        lambda: sent_document(one) if one.envelope else contract_pdf(one),
        name=f"{one.number}.pdf",
        otherwise=("contract", public_id),
    )
