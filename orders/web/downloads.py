"""Files of published auctions, and how anybody can check a result by themselves."""

from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from marketplace.selectors.clock import market_now
from marketplace.web.access import current_actor
from orders.models import ClearingRun
from orders.selectors.market_runs import published_newest
from orders.web.bundle_access import publication_dates, sees_every_bundle
from orders.web.names import auction_name

PAGE_SIZE = 20


@require_safe
def list_downloads(request: HttpRequest) -> HttpResponse:
    """Show the published auctions with their files and hashes, newest first."""
    page = Paginator(published_newest(), PAGE_SIZE).get_page(request.GET.get("page"))
    runs = list(page.object_list)
    dates, now = publication_dates(runs), market_now()
    sees_all = sees_every_bundle(current_actor(request))
    rows = [_row(run, dates.get(run.pk), now, sees_all=sees_all) for run in runs]
    context = {
        "page_obj": page,
        "rows": rows,
        "example": next((row for row in rows if row["allowed"]), rows[0] if rows else None),
        "result_text": gettext("%(count)s published auctions") % {"count": page.paginator.count},
    }
    return render(request, "orders/downloads.html", context)


def _row(
    run: ClearingRun, public_at: datetime | None, now: datetime, *, sees_all: bool
) -> dict[str, Any]:
    return {
        "run": run,
        "auction": run.auction,
        "name": auction_name(run.auction),
        "public_at": public_at,
        "allowed": sees_all or (public_at is not None and public_at <= now),
    }
