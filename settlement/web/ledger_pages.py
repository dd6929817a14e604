"""The books: trial balance, the movements of an account, a journal entry."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from marketplace.web.access import require_finance
from settlement.exports.entry_words import entry_kind_words
from settlement.models import Account, InvariantRun, JournalEntry, Posting
from settlement.selectors.movements import movements_of
from settlement.selectors.trial_balance import (
    TrialBalanceRow,
    differences_by_asset,
    trial_balance,
)
from settlement.web.reports.sources import source_address
from settlement.web.spans import quick_spans, read_span

PAGE_SIZE = 50
SUMS = ("opening_debit", "opening_credit", "debit", "credit", "closing_debit", "closing_credit")


@require_finance
@require_safe
def show_trial_balance(request: HttpRequest) -> HttpResponse:
    """Show every account's opening, movement and closing, which sum to zero."""
    form, span = read_span(request.GET)
    rows = trial_balance(span.starts_on, span.ends_on)
    moved = [row for row in rows if row.opening or row.debit or row.credit]
    shown = rows if request.GET.get("all") else moved
    differences = differences_by_asset(rows)
    context = {
        "filter_form": form,
        "span": span,
        "tabs": quick_spans(reverse("trial-balance"), span),
        "rows": shown,
        "hidden_count": len(rows) - len(shown),
        "sums": {name: _sum(rows, name) for name in SUMS},
        "differences": sorted(differences.items()),
        "is_balanced": not any(differences.values()),
        "sweep": InvariantRun.objects.order_by("-id").first(),
    }
    return render(request, "settlement/trial_balance.html", context)


def _sum(rows: list[TrialBalanceRow], name: str) -> Decimal:
    # Only the money accounts: energy and carbon are other assets.
    return sum((getattr(row, name) for row in rows if row.asset == "CNY"), Decimal(0))


@require_finance
@require_safe
def show_account(request: HttpRequest, code: str) -> HttpResponse:
    """Show the movements of one ledger account, newest first."""
    account = get_object_or_404(Account.objects.select_related("organisation"), code=code)
    page = Paginator(movements_of(account), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "account": account,
        "page_obj": page,
        "rows": [_row(posting) for posting in page.object_list],
        "crumbs": [(gettext("Trial balance"), reverse("trial-balance"))],
    }
    return render(request, "settlement/account.html", context)


def _row(posting: Posting) -> dict[str, Any]:
    amount = posting.amount
    return {
        "posting": posting,
        "kind": entry_kind_words(posting.entry.kind),
        "debit": amount if amount > 0 else None,
        "credit": -amount if amount < 0 else None,
    }


@require_finance
@require_safe
def show_entry(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one journal entry with its lines."""
    entries = JournalEntry.objects.select_related("actor", "reverses", "period")
    entry = get_object_or_404(entries, public_id=public_id)
    postings = entry.postings.select_related("account").order_by("line")
    context = {
        "entry": entry,
        "kind": entry_kind_words(entry.kind),
        "rows": [_row(posting) for posting in postings],
        "total": sum((p.amount for p in postings if p.amount > 0), Decimal(0)),
        "source_url": source_address(entry),
        "crumbs": [(gettext("Trial balance"), reverse("trial-balance"))],
    }
    return render(request, "settlement/entry.html", context)
