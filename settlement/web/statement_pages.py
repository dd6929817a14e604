"""A member's statement over a span of days: on screen, as CSV and as XLSX."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from marketplace.web.access import acting_organisation
from settlement.exports.entry_words import entry_kind_words
from settlement.selectors.statements import (
    StatementAccount,
    held_by_auction,
    statement_accounts,
)
from settlement.web.balance_pages import require_member_money
from settlement.web.spans import quick_spans, read_span

MOST_LINES = 500
HELD_SUMS = ("count", "placed_cny", "captured_cny", "released_cny", "remaining_cny")


@require_member_money
@require_safe
def show_statement(request: HttpRequest) -> HttpResponse:
    """Show opening, movements and closing of every account, and what is held for which auction."""
    form, span = read_span(request.GET)
    organisation = acting_organisation(request)
    accounts = statement_accounts(organisation, span.starts_on, span.ends_on)
    holds = held_by_auction(organisation, span.starts_on, span.ends_on)
    context = {
        "filter_form": form,
        "span": span,
        "accounts": [_account(account) for account in accounts],
        "holds": holds,
        "held": {name: sum(getattr(row, name) for row in holds) for name in HELD_SUMS},
        "tabs": quick_spans(reverse("statements"), span),
        "is_empty": not holds and not any(account.lines for account in accounts),
        "organisation": organisation,
    }
    return render(request, "settlement/statement.html", context)


def _account(account: StatementAccount) -> dict[str, Any]:
    lines = account.lines[:MOST_LINES]
    return {
        "account": account,
        "lines": [{"line": line, "kind": entry_kind_words(line.kind)} for line in lines],
        "left_out": len(account.lines) - len(lines),
    }
