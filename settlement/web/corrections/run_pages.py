"""Settlement runs with their sequences, and what a run changed against those before it."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from marketplace.web.access import require_finance
from settlement.models import SettlementRun
from settlement.selectors.corrections.comparison import compare_lines, lines_of_run

PAGE_SIZE = 25


@require_finance
@require_safe
def list_runs(request: HttpRequest) -> HttpResponse:
    """Show every settlement run, the latest first."""
    runs = SettlementRun.objects.select_related("auction__calendar").order_by("-pk")
    only_later = request.GET.get("only") == "differences"
    if only_later:
        runs = runs.filter(sequence__gt=1)
    page = Paginator(runs, PAGE_SIZE).get_page(request.GET.get("page"))
    own = reverse("settlement-runs")
    context = {
        "page_obj": page,
        "tabs": [
            {"label": gettext("All runs"), "url": own, "active": not only_later},
            {
                "label": gettext("Difference runs"),
                "url": f"{own}?only=differences",
                "active": only_later,
            },
        ],
        "result_text": gettext("%(count)s runs") % {"count": page.paginator.count},
        "crumbs": [(gettext("Settlement summary"), reverse("settlement-summary"))],
    }
    return render(request, "settlement/corrections/runs.html", context)


@require_finance
@require_safe
def show_comparison(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show what a run changed against the sequences before it, by delivery and interval."""
    run = get_object_or_404(SettlementRun.objects.select_related("auction"), public_id=public_id)
    page = Paginator(lines_of_run(run), PAGE_SIZE).get_page(request.GET.get("page"))
    sequences = SettlementRun.objects.filter(auction=run.auction_id).order_by("sequence")
    context = {
        "run": run,
        "sequences": list(sequences),
        "page_obj": page,
        "changes": compare_lines(run, list(page.object_list)),
        "crumbs": [
            (gettext("Settlement runs"), reverse("settlement-runs")),
            (run.number, reverse("settlement-run", args=[run.public_id])),
        ],
    }
    return render(request, "settlement/corrections/comparison.html", context)
