"""The main navigation as one table: which sections a role sees, and where they lead.

Entries name URLs, so this layer needs to know nothing of the pages above it; an entry whose page
does not exist is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from marketplace.models import Role
from marketplace.permissions import Actor
from marketplace.web.access import current_actor, is_member, trades


@dataclass(frozen=True, slots=True)
class Entry:
    """One link: its words, the name of its page, its icon, and who sees it."""

    label: str | Promise
    url_name: str
    icon: str
    shown_to: Callable[[Actor], bool]


@dataclass(frozen=True, slots=True)
class Section:
    """A group of links; with a single visible link it is shown as that link."""

    label: str | Promise
    icon: str
    entries: tuple[Entry, ...]


def _everybody(actor: Actor) -> bool:
    return True


def _suppliers(actor: Actor) -> bool:
    return actor.can_sell


def _buyers(actor: Actor) -> bool:
    return actor.can_buy


def _buying_side(actor: Actor) -> bool:
    organisation = actor.organisation
    return (
        organisation is not None
        and actor.is_trading_member
        and organisation.is_buyer
        and actor.has(Role.BUYER, Role.FINANCE)
    )


def _traders(actor: Actor) -> bool:
    return trades(actor)


def _money(actor: Actor) -> bool:
    return (
        actor.organisation is not None
        and not actor.organisation.is_platform
        and actor.can_see_own_money
    )


def _payees(actor: Actor) -> bool:
    return _money(actor) and actor.organisation is not None and actor.organisation.is_supplier


def _payers(actor: Actor) -> bool:
    return _money(actor) and actor.organisation is not None and actor.organisation.is_buyer


def _books(actor: Actor) -> bool:
    return actor.is_platform_finance or actor.is_platform_auditor


def _desk(actor: Actor) -> bool:
    return _books(actor) or actor.is_operator


def _carbon(actor: Actor) -> bool:
    return _money(actor) or _desk(actor)


def _meters_pue(actor: Actor) -> bool:
    return actor.is_operator or actor.can_sell


def _green_supply(actor: Actor) -> bool:
    return actor.can_sell or _desk(actor)


def _readers(actor: Actor) -> bool:
    return actor.is_operator or actor.is_platform_auditor


def _operators(actor: Actor) -> bool:
    return actor.is_operator


SECTIONS: tuple[Section, ...] = (
    Section(
        pgettext_lazy("navigation", "Overview"),
        "layout-dashboard",
        (
            Entry(
                pgettext_lazy("navigation", "Overview"), "dashboard", "layout-dashboard", is_member
            ),
        ),
    ),
    Section(
        pgettext_lazy("navigation", "Market"),
        "chart-line",
        (
            Entry(pgettext_lazy("navigation", "Find capacity"), "market", "search", _everybody),
            Entry(pgettext_lazy("navigation", "Three plans"), "plans", "checklist", _everybody),
        ),
    ),
    Section(
        pgettext_lazy("navigation", "Auctions"),
        "gavel",
        (Entry(pgettext_lazy("navigation", "Auctions"), "auctions", "gavel", _everybody),),
    ),
    Section(
        pgettext_lazy("navigation", "Hubs"),
        "topology-star-3",
        (Entry(pgettext_lazy("navigation", "Hubs"), "hubs", "topology-star-3", _everybody),),
    ),
    Section(
        pgettext_lazy("navigation", "Market data"),
        "chart-histogram",
        (
            Entry(
                pgettext_lazy("navigation", "Market data"),
                "market-data",
                "chart-histogram",
                _everybody,
            ),
            Entry(
                pgettext_lazy("navigation", "Daily bulletin"), "bulletins", "file-text", _everybody
            ),
            Entry(pgettext_lazy("navigation", "Downloads"), "downloads", "download", _everybody),
            Entry(pgettext_lazy("navigation", "Rule book"), "rulebook", "book", _everybody),
            Entry(
                pgettext_lazy("navigation", "Market screen"),
                "screen",
                "device-desktop-analytics",
                _everybody,
            ),
        ),
    ),
    Section(
        pgettext_lazy("navigation", "My orders"),
        "clipboard-list",
        (
            Entry(pgettext_lazy("navigation", "My orders"), "orders", "clipboard-list", _traders),
            Entry(
                pgettext_lazy("navigation", "Standing bids"), "standing-bids", "refresh", _buyers
            ),
            Entry(pgettext_lazy("navigation", "Projects"), "projects", "box", _buying_side),
            Entry(pgettext_lazy("navigation", "Usage"), "usage", "chart-bar", _buying_side),
            Entry(
                pgettext_lazy("navigation", "Approvals"), "approvals", "user-check", _buying_side
            ),
        ),
    ),
    Section(
        pgettext_lazy("navigation", "My capacity"),
        "server",
        (Entry(pgettext_lazy("navigation", "My capacity"), "capacity", "server", _suppliers),),
    ),
    Section(
        pgettext_lazy("navigation", "Deliveries"),
        "truck-delivery",
        (
            Entry(
                pgettext_lazy("navigation", "Deliveries"),
                "deliveries",
                "truck-delivery",
                _traders,
            ),
            Entry(pgettext_lazy("navigation", "Meter keys"), "meter-keys", "key", _suppliers),
            Entry(pgettext_lazy("navigation", "Contracts"), "contracts", "file-text", _money),
            Entry(pgettext_lazy("navigation", "Service terms"), "service-terms", "book-2", _money),
            Entry(pgettext_lazy("navigation", "Disputes"), "disputes", "scale", _money),
        ),
    ),
    Section(
        pgettext_lazy("navigation", "Money"),
        "wallet",
        (
            Entry(pgettext_lazy("navigation", "Balance"), "balance", "wallet", _money),
            Entry(pgettext_lazy("navigation", "Statements"), "statements", "report-money", _money),
            Entry(pgettext_lazy("navigation", "Bills"), "bills", "file-invoice", _money),
            Entry(pgettext_lazy("navigation", "Payouts"), "payouts", "coin", _payees),
            Entry(
                pgettext_lazy("navigation", "Monthly statements"),
                "monthly-statements",
                "report-money",
                _money,
            ),
            Entry(
                pgettext_lazy("navigation", "Tax invoices from the market"),
                "tax-requests",
                "receipt-tax",
                _money,
            ),
            Entry(pgettext_lazy("navigation", "Compute vouchers"), "vouchers", "receipt", _payers),
            Entry(
                pgettext_lazy("navigation", "Security deposits"),
                "security-deposits",
                "lock",
                _money,
            ),
            Entry(pgettext_lazy("navigation", "Reports"), "reports", "report-money", _money),
            Entry(pgettext_lazy("navigation", "My exports"), "exports", "download", _money),
        ),
    ),
    Section(
        pgettext_lazy("navigation", "Carbon"),
        "leaf",
        (
            Entry(
                pgettext_lazy("navigation", "Carbon statements"),
                "carbon-statements",
                "leaf",
                _carbon,
            ),
            Entry(
                pgettext_lazy("navigation", "Mutual recognition"),
                "recognition",
                "arrows-exchange",
                _carbon,
            ),
            Entry(
                pgettext_lazy("navigation", "Certificates and credits"),
                "holdings",
                "certificate",
                _money,
            ),
            Entry(pgettext_lazy("navigation", "Retirements"), "retirements", "flag", _carbon),
            Entry(pgettext_lazy("navigation", "Registries"), "registries", "database", _everybody),
            Entry(
                pgettext_lazy("navigation", "Desk of registries"),
                "registry-desk",
                "clipboard-list",
                _desk,
            ),
            Entry(
                pgettext_lazy("navigation", "Green supply"), "green-supply", "sun", _green_supply
            ),
            Entry(pgettext_lazy("navigation", "Metered PUE"), "pue-upload", "gauge", _meters_pue),
            Entry(pgettext_lazy("navigation", "Factor sets"), "factor-sets", "database", _desk),
        ),
    ),
    Section(
        pgettext_lazy("navigation", "Settlement"),
        "report-money",
        (
            Entry(pgettext_lazy("navigation", "Finance"), "finance", "layout-dashboard", _books),
            Entry(
                pgettext_lazy("navigation", "Settlement summary"),
                "settlement-summary",
                "report-money",
                _books,
            ),
            Entry(
                pgettext_lazy("navigation", "Settlement runs"),
                "settlement-runs",
                "history",
                _books,
            ),
            Entry(
                pgettext_lazy("navigation", "Parked settlements"),
                "parked",
                "alert-triangle",
                _books,
            ),
            Entry(
                pgettext_lazy("navigation", "Receipts and limits"),
                "funds-desk",
                "building-bank",
                _desk,
            ),
            Entry(
                pgettext_lazy("navigation", "Bank and reconciliation"),
                "bank",
                "building-bank",
                _books,
            ),
            Entry(pgettext_lazy("navigation", "Payout batches"), "payout-batches", "coin", _books),
            Entry(
                pgettext_lazy("navigation", "Monthly statements"),
                "monthly-statements",
                "report-money",
                _books,
            ),
            Entry(pgettext_lazy("navigation", "Contracts"), "contracts", "file-text", _books),
            Entry(
                pgettext_lazy("navigation", "Tax invoices to members"),
                "tax-requests",
                "receipt-tax",
                _books,
            ),
            Entry(
                pgettext_lazy("navigation", "Accounting vouchers"),
                "accounting-vouchers",
                "file-text",
                _books,
            ),
            Entry(pgettext_lazy("navigation", "Workdays"), "workdays", "calendar-event", _desk),
            Entry(
                pgettext_lazy("navigation", "Suppliers' tax invoices"),
                "tax-queue",
                "receipt-tax",
                _books,
            ),
            Entry(pgettext_lazy("navigation", "Trial balance"), "trial-balance", "scale", _books),
            Entry(pgettext_lazy("navigation", "Month close"), "periods", "book-2", _books),
            Entry(pgettext_lazy("navigation", "Sweeps"), "sweeps", "checklist", _books),
            Entry(pgettext_lazy("navigation", "Service terms"), "service-terms", "book-2", _desk),
            Entry(pgettext_lazy("navigation", "Disputes"), "disputes", "gavel", _desk),
            Entry(
                pgettext_lazy("navigation", "Voucher programmes"),
                "voucher-programmes",
                "receipt",
                _desk,
            ),
            Entry(
                pgettext_lazy("navigation", "Overdue bills and defaults"),
                "defaults",
                "alert-triangle",
                _desk,
            ),
            Entry(
                pgettext_lazy("navigation", "Security deposits"),
                "security-deposits",
                "lock",
                _desk,
            ),
            Entry(pgettext_lazy("navigation", "Journal"), "ledger-explorer", "search", _books),
            Entry(pgettext_lazy("navigation", "Reports"), "reports", "report-money", _books),
            Entry(pgettext_lazy("navigation", "My exports"), "exports", "download", _books),
        ),
    ),
    Section(
        pgettext_lazy("navigation", "Operation"),
        "adjustments",
        (
            Entry(pgettext_lazy("navigation", "Control room"), "control-room", "gauge", _operators),
            Entry(
                pgettext_lazy("navigation", "Auction control"),
                "auction-control",
                "adjustments",
                _operators,
            ),
            Entry(
                pgettext_lazy("navigation", "Admissions"), "admissions", "user-check", _operators
            ),
            Entry(
                pgettext_lazy("navigation", "Two-person requests"),
                "two-person-requests",
                "users",
                _readers,
            ),
            Entry(pgettext_lazy("navigation", "Surveillance"), "surveillance", "eye", _readers),
            Entry(
                pgettext_lazy("navigation", "Counter resets"),
                "counter-resets",
                "gauge",
                _operators,
            ),
            Entry(pgettext_lazy("navigation", "Price bands"), "price-bands", "scale", _operators),
            Entry(
                pgettext_lazy("navigation", "Market rules"), "market-rules", "book-2", _operators
            ),
            Entry(
                pgettext_lazy("navigation", "Master data"), "master-hubs", "database", _operators
            ),
            Entry(pgettext_lazy("navigation", "Audit trail"), "audit-log", "history", _readers),
        ),
    ),
    Section(
        pgettext_lazy("navigation", "Notices"),
        "bell",
        (
            Entry(pgettext_lazy("navigation", "Notices"), "notices", "bell", is_member),
            Entry(
                pgettext_lazy("navigation", "Suggestions"),
                "suggestions",
                "message-report",
                is_member,
            ),
        ),
    ),
)


# Pages that lie below no entry of some readers: where they begin, and what leads to them.
LED_TO = {
    "/finance/reports/green-share/": "green-supply",
    "/finance/layouts/": "accounting-vouchers",
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sections that this visitor may open, for templates/includes/top_bar.html."""
    actor = current_actor(request)
    shown = [_show_section(section, actor, request.path) for section in SECTIONS]
    sections = [section for section in shown if section["items"]]
    _mark_nearest(sections)
    _mark_leading(sections, request.path)
    return sections


def _mark_nearest(sections: list[dict[str, Any]]) -> None:
    """Of two entries whose pages lie below each other, leave the nearer one marked."""
    items = [item for section in sections for item in section["items"]]
    nearest = max((len(item["url"]) for item in items if item["active"]), default=0)
    for item in items:
        item["active"] = item["active"] and len(item["url"]) == nearest
    for section in sections:
        section["active"] = any(item["active"] for item in section["items"])


def _mark_leading(sections: list[dict[str, Any]], path: str) -> None:
    """Where a page lies below no entry of its reader, mark the entry that leads to it."""
    leading = next((name for start, name in LED_TO.items() if path.startswith(start)), None)
    if leading is None or any(section["active"] for section in sections):
        return
    url = reverse(leading)
    for section in sections:
        for item in section["items"]:
            item["active"] = item["url"] == url
        section["active"] = any(item["active"] for item in section["items"])


def _show_section(section: Section, actor: Actor, path: str) -> dict[str, Any]:
    items = [
        item
        for entry in section.entries
        if entry.shown_to(actor)
        for item in _show_entry(entry, path)
    ]
    return {
        "label": section.label,
        "icon": section.icon,
        "items": items,
        "active": any(item["active"] for item in items),
    }


def _show_entry(entry: Entry, path: str) -> list[dict[str, Any]]:
    try:
        url = reverse(entry.url_name)
    except NoReverseMatch:
        return []
    # Other pages of the operator and of finance lie below these two.
    is_root = entry.url_name in {"control-room", "finance"}
    active = path == url or (path.startswith(url) and not is_root)
    return [{"label": entry.label, "url": url, "icon": entry.icon, "active": active}]
