"""Uploading benchmark results of a pool, and the catalogue they are compared with."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.benchmarks import COLUMNS, KINDS
from marketplace.domain.periods import market_date
from marketplace.domain.tables import MAX_BYTES, ImportRefused
from marketplace.models import HardwareModel, ResourcePool
from marketplace.selectors.clock import market_now
from marketplace.services.benchmarks import HEADLINES, nominal_of, upload_benchmarks
from marketplace.services.checks import plain
from marketplace.templatetags.market_ui import localname
from marketplace.web.access import current_actor, require_supplier
from marketplace.web.capacity_pages import own_pool
from marketplace.web.csv_answers import csv_answer
from marketplace.web.pool_words import BENCHMARK_NAMES
from marketplace.web.uploads import SHOWN_ERRORS, RefusedRow, refused_rows

PAGE_SIZE = 50
ENDINGS = {"csv": False, "json": True}
CATEGORIES = {
    "ai_npu": _("AI card (NPU)"),
    "gpu": _("Card (GPU)"),
    "gpgpu": _("Card (GPGPU)"),
    "cpu": _("Processor"),
}


class BenchmarkUploadForm(forms.Form):
    """One file of results."""

    file = forms.FileField(
        label=_("CSV or JSON file"),
        help_text=_("At most 2 MB and 200 results; the ending says which of the two it is."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.json,text/csv,application/json"}),
        error_messages={"empty": _("The file has no rows.")},
    )

    def clean_file(self) -> object:
        """Refuse what is neither of the two by its name; the reader looks at the content."""
        file = self.cleaned_data["file"]
        if file.name.rpartition(".")[2].lower() not in ENDINGS:
            raise forms.ValidationError(gettext("The file must end in .csv or .json."))
        return file

    def read(self) -> tuple[bytes, bool]:
        """Return the content, cut one byte above the limit, and whether it is JSON."""
        file = self.cleaned_data["file"]
        return file.read(MAX_BYTES + 1), ENDINGS[file.name.rpartition(".")[2].lower()]


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def upload_results(request: HttpRequest, identifier: str) -> HttpResponse:
    """Take in results, or show what is wrong with them."""
    pool = own_pool(request, identifier)
    form = BenchmarkUploadForm(request.POST or None, request.FILES or None)
    refused: list[RefusedRow] = []
    if request.method == "POST" and form.is_valid():
        data, is_json = form.read()
        try:
            rows = upload_benchmarks(
                actor=current_actor(request), identifier=identifier, data=data, is_json=is_json
            )
        except ImportRefused as error:
            refused = refused_rows(error)
            form.add_error("file", _headline(len(error.rows)))
        else:
            text = ngettext("%(count)s result stored.", "%(count)s results stored.", len(rows))
            messages.success(request, text % {"count": len(rows)})
            return redirect(f"{reverse('pool', args=[identifier])}#benchmarks")
    context = {
        "form": form,
        "pool": pool,
        "refused": refused,
        "most_shown": SHOWN_ERRORS,
        "kinds": _kinds(pool),
        "submit_label": gettext("Upload the results"),
        "cancel_url": reverse("pool", args=[identifier]),
        "crumbs": [
            (gettext("Resource pools"), reverse("pools")),
            (localname(pool), reverse("pool", args=[identifier])),
        ],
    }
    status = 422 if form.errors else 200
    return render(request, "marketplace/capacity_benchmarks.html", context, status=status)


def _headline(count: int) -> str:
    text = ngettext(
        "%(count)s error was found; nothing was stored.",
        "%(count)s errors were found; nothing was stored.",
        count,
    )
    return text % {"count": count}


def _kinds(pool: ResourcePool) -> list[dict[str, object]]:
    headlines = HEADLINES.get(pool.product.resource_class, ())
    return [
        {
            "code": kind.code,
            "name": BENCHMARK_NAMES[kind.code],
            "unit": kind.unit,
            "nominal": nominal_of(pool, kind.nominal_field),
            "is_headline": kind.code in headlines,
        }
        for kind in KINDS.values()
    ]


@require_supplier
@require_safe
def results_template(request: HttpRequest, identifier: str) -> HttpResponse:
    """Answer a CSV with the columns and an example row that fits the pool."""
    pool = own_pool(request, identifier)
    code = HEADLINES.get(pool.product.resource_class, ("memory_bandwidth",))[0]
    nominal = nominal_of(pool, KINDS[code].nominal_field)
    value = plain((nominal * 8 / 10).quantize(nominal)) if nominal else "100"
    today = market_date(market_now()).isoformat()
    row = [code, value, "8", today, "FlagPerf 1.0", ""]
    return csv_answer("benchmarks-template.csv", COLUMNS, [row])


class HardwareFilter(forms.Form):
    """Narrows the catalogue of hardware."""

    q = forms.CharField(label=_("Name or vendor"), required=False, max_length=60)
    category = forms.ChoiceField(label=_("Kind"), required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        codes = HardwareModel.objects.order_by("category").values_list("category", flat=True)
        self.fields["category"].choices = [  # type: ignore[attr-defined]
            ("", pgettext_lazy("filter", "All")),
            *((code, CATEGORIES.get(code, code)) for code in dict.fromkeys(codes)),
        ]


@require_safe
def list_hardware(request: HttpRequest) -> HttpResponse:
    """Show the catalogue: nominal figures with their source and how sure they are."""
    form = HardwareFilter(request.GET)
    rows = HardwareModel.objects.order_by("category", "vendor", "name")
    asked = form.cleaned_data if form.is_valid() else {}
    if asked.get("q"):
        rows = rows.filter(name__icontains=asked["q"]) | rows.filter(vendor__icontains=asked["q"])
    if asked.get("category"):
        rows = rows.filter(category=asked["category"])
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "filter_form": form,
        "page_obj": page,
        "rows": [
            {"model": one, "category": CATEGORIES.get(one.category, one.category)} for one in page
        ],
        "result_text": gettext("%(count)s models") % {"count": page.paginator.count},
    }
    return render(request, "marketplace/hardware_list.html", context)
