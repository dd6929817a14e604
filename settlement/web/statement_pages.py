"""A member's statement over a span of days: on screen, as CSV and as XLSX."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from marketplace.web.access import acting_organisation
from settlement.selectors.statements import StatementAccount, participant_statement
from settlement.web.balance_pages import require_member_money
from settlement.web.ledger_words import kind_text
from settlement.web.spans import quick_spans, read_span

MOST_LINES = 500


@require_member_money
@require_safe
def show_statement(request: HttpRequest) -> HttpResponse:
    """Show opening, movements and closing of every account, and the holds."""
    form, span = read_span(request.GET)
    organisation = acting_organisation(request)
    statement = participant_statement(organisation, span.starts_on, span.ends_on)
    context = {
        "filter_form": form,
        "span": span,
        "statement": statement,
        "accounts": [_account(account) for account in statement.accounts],
        "holds": statement.holds[:MOST_LINES],
        "tabs": quick_spans(reverse("statements"), span),
        "is_empty": not any(account.lines for account in statement.accounts)
        and not statement.holds,
        "organisation": organisation,
    }
    return render(request, "settlement/statement.html", context)


def _account(account: StatementAccount) -> dict[str, Any]:
    lines = account.lines[:MOST_LINES]
    return {
        "account": account,
        "lines": [{"line": line, "kind": kind_text(line.kind)} for line in lines],
        "left_out": len(account.lines) - len(lines),
    }
