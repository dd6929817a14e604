"""The sweeps of the invariants: their history, what each one showed, and one more now."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from marketplace.web.access import require_finance
from settlement.models import InvariantResult, InvariantRun
from settlement.services.chain import seal_blocks
from settlement.services.invariants import INVARIANTS, sweep_ledger
from settlement.web.tax_queue import require_bookkeeper

PAGE_SIZE = 30


@require_finance
@require_safe
def list_sweeps(request: HttpRequest) -> HttpResponse:
    """Show the sweeps, the newest first."""
    runs = InvariantRun.objects.annotate(
        broken=Count("results", filter=Q(results__finding_count__gt=0)), asked=Count("results")
    )
    page = Paginator(runs.order_by("-id"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page_obj": page, "invariant_count": len(INVARIANTS)}
    return render(request, "settlement/closing/sweeps.html", context)


@require_finance
@require_safe
def show_sweep(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what each invariant showed in one sweep."""
    run = get_object_or_404(InvariantRun, pk=pk)
    titles = {invariant.code: invariant.title for invariant in INVARIANTS}
    context = {
        "run": run,
        "rows": [_row(result, titles) for result in run.results.order_by("code")],
        "crumbs": [(gettext("Sweeps"), reverse("sweeps"))],
    }
    return render(request, "settlement/closing/sweep.html", context)


@require_bookkeeper
@require_POST
def run_sweep(request: HttpRequest) -> HttpResponse:
    """Seal finished entries and check every invariant now."""
    seal_blocks()
    run = sweep_ledger()
    if run.passed:
        messages.success(request, gettext("Every invariant holds."))
    else:
        messages.error(request, gettext("The sweep found something."))
    return redirect("sweep", run.pk)


def _row(result: InvariantResult, titles: dict[str, str]) -> dict[str, Any]:
    title = titles.get(result.code)
    return {"result": result, "title": gettext(title) if title else result.code}
