"""From the application to the first sale: what is done, what is missing, who acts next."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from marketplace.context_processors import provided
from marketplace.models import (
    DocumentKind,
    DocumentState,
    ListingState,
    Organisation,
    OrganisationState,
)
from marketplace.selectors.evidence import documents_of
from marketplace.templatetags.market_ui import market_time


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the checklist.

    Attributes:
        label: what is to be done.
        is_done: whether it is.
        who: who does it.
        note: what helps to do it.
        url: where it is done, empty when there is nothing to press.
        action: words of the link.
        is_optional: whether the market works without it.
    """

    label: str
    is_done: bool
    who: str
    note: str = ""
    url: str = ""
    action: str = ""
    is_optional: bool = False


def tasks_of(request: HttpRequest, organisation: Organisation) -> list[Task]:
    """Return every step of a member, in order."""
    first = [*_application(organisation), *_documents(organisation), _admission(organisation)]
    if not organisation.is_supplier:
        return [*first, *_buying(organisation)]
    return [*first, *_selling(request, organisation)]


def summary_of(tasks: list[Task]) -> dict[str, Any]:
    """Return how many steps are done, and the first that waits."""
    needed = [task for task in tasks if not task.is_optional]
    done = sum(task.is_done for task in needed)
    return {
        "tasks": tasks,
        "done": done,
        "count": len(needed),
        "next": next((task for task in needed if not task.is_done), None),
        "is_complete": done == len(needed),
    }


def _you() -> str:
    return gettext("you")


def _operator() -> str:
    return gettext("the market operator")


def _application(organisation: Organisation) -> list[Task]:
    sent = market_time(organisation.created_at, "minute")
    payable = bool(organisation.bank_name and organisation.bank_account)
    return [
        Task(gettext("Application sent"), True, _you(), note=str(sent)),
        Task(
            gettext("Bank account and contact stated"),
            payable and bool(organisation.contact_name),
            _you(),
            note=gettext("Needed for payouts and tax; tell the operator what is missing."),
            is_optional=True,
        ),
    ]


def _documents(organisation: Organisation) -> list[Task]:
    kept = {one.kind: one.state for one in documents_of(organisation).order_by("id")}
    wanted = [(DocumentKind.BUSINESS_LICENCE, gettext("Business licence handed in"))]
    if organisation.is_supplier:
        wanted.append((DocumentKind.TELECOM_LICENCE, gettext("Telecom licence handed in")))
    notes: dict[str, str] = {
        DocumentState.RECEIVED: gettext("Received; the operator checks it."),
        DocumentState.ACCEPTED: gettext("Checked and accepted."),
        DocumentState.REFUSED: gettext("Refused; hand in another one."),
    }
    return [
        Task(
            label,
            kept.get(kind) in (DocumentState.RECEIVED, DocumentState.ACCEPTED),
            _you(),
            note=notes.get(kept.get(kind, ""), gettext("PDF, PNG or JPEG, at most 5 MB.")),
            url=f"{reverse('documents')}?kind={kind}",
            action=gettext("Hand in"),
            # The operator has let it in without; nothing waits for the paper any more.
            is_optional=organisation.state == OrganisationState.APPROVED,
        )
        for kind, label in wanted
    ]


def _admission(organisation: Organisation) -> Task:
    is_done = organisation.state in (OrganisationState.APPROVED, OrganisationState.SUSPENDED)
    note = gettext("The operator checks licence, credit code and invoicing data")
    if organisation.state == OrganisationState.REJECTED:
        note = organisation.state_reason
    return Task(gettext("Check by the operator and admission"), is_done, _operator(), note=note)


def _buying(organisation: Organisation) -> list[Task]:
    is_in = organisation.state == OrganisationState.APPROVED
    return [
        Task(
            gettext("Pay in a deposit"),
            False,
            _you(),
            note=gettext("Or ask for a credit limit."),
            url=reverse("balance") if is_in else "",
            action=gettext("Deposit instruction"),
        )
    ]


def _selling(request: HttpRequest, organisation: Organisation) -> list[Task]:
    is_in = organisation.state == OrganisationState.APPROVED
    progress = provided("trading_progress", request, {})
    pools = organisation.pools
    active = organisation.listings.filter(state=ListingState.ACTIVE)
    market = gettext("the market")

    def link(name: str, query: str = "") -> str:
        return reverse(name) + query if is_in else ""

    return [
        Task(
            gettext("Register a resource pool"),
            pools.exists(),
            _you(),
            note=gettext("It gets its 22-character resource identifier at once."),
            url=link("pool-new"),
            action=gettext("Register a pool"),
        ),
        Task(
            gettext("Upload benchmark results and certificates"),
            pools.filter(benchmarks__isnull=False).exists(),
            _you(),
            note=gettext("Buyers can ask for measured and checked machines."),
            url=link("pools"),
            action=gettext("To the pools"),
            is_optional=True,
        ),
        Task(
            gettext("List idle capacity"),
            active.exists(),
            _you(),
            note=gettext("A standing offer takes part in every auction."),
            url=link("listing-new"),
            action=gettext("New listing"),
        ),
        Task(
            gettext("First sale"),
            progress.get("has_sold", False),
            market,
            note=gettext("The next auctions clear your offer; you do nothing."),
            url=link("auctions"),
            action=gettext("To the auctions"),
        ),
        Task(
            gettext("First hand-over"),
            progress.get("has_handed_over", False),
            _you(),
            url=link("deliveries"),
            action=gettext("To the deliveries"),
        ),
    ]
