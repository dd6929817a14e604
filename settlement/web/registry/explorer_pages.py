"""The registry explorer: public facts about registries, projects, batches and single serials."""

from uuid import UUID

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from marketplace.web.access import current_actor
from settlement.models import Project, Registry
from settlement.selectors.registry.explorer import (
    UnitTotals,
    batch_of_serial,
    batch_totals,
    batches_shown,
    projects_shown,
    registry_faces,
)
from settlement.selectors.registry.holdings import holdings_of, life_of_serial
from settlement.selectors.registry.rules import rules_need_warning
from settlement.services.registry.access import may_keep_registry

PAGE_SIZE = 20


class BatchFilter(forms.Form):
    """Narrows the batches."""

    registry = forms.ChoiceField(label=_("Registry"), required=False)
    vintage = forms.IntegerField(label=_("Vintage"), required=False, min_value=1990, max_value=2200)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["registry"].choices = registry_choices()  # type: ignore[attr-defined]


class ProjectFilter(forms.Form):
    """Narrows the projects."""

    registry = forms.ChoiceField(label=_("Registry"), required=False)
    text = forms.CharField(label=_("Name or id"), required=False, max_length=60)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["registry"].choices = registry_choices()  # type: ignore[attr-defined]


def registry_choices() -> list[tuple[str, object]]:
    """Return every registry as a choice of a filter, after all of them."""
    codes = Registry.objects.order_by("code").values_list("code", flat=True)
    return [("", pgettext_lazy("filter", "All")), *((code, code) for code in codes)]


@require_safe
def show_registries(request: HttpRequest) -> HttpResponse:
    """Show the registries with their totals, and every batch."""
    form = BatchFilter(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    rows = batches_shown(registry=asked.get("registry", ""), vintage=asked.get("vintage"))
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    totals = batch_totals(page.object_list)
    context = {
        "faces": registry_faces(),
        "filter_form": form,
        "page_obj": page,
        "rows": [(batch, totals.get(batch.pk, UnitTotals({}))) for batch in page.object_list],
        "needs_warning": rules_need_warning(market_date(market_now())),
        "is_keeper": may_keep_registry(current_actor(request)),
        "result_text": gettext("%(count)s batches") % {"count": page.paginator.count},
    }
    return render(request, "settlement/registry/registries.html", context)


@require_safe
def show_batch(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a batch: what was issued, where its units stand, which are the reader's own."""
    batch = batches_shown().filter(public_id=public_id).first()
    if batch is None:
        raise Http404
    reader = current_actor(request)
    own = reader.organisation
    context = {
        "batch": batch,
        "totals": batch_totals([batch]).get(batch.pk, UnitTotals({})),
        "first": batch.serial_text(batch.first_serial),
        "last": batch.serial_text(batch.last_serial),
        "own": list(holdings_of(own).filter(batch=batch)) if own else [],
        "crumbs": [_crumb()],
    }
    return render(request, "settlement/registry/batch.html", context)


@require_safe
def show_serial(request: HttpRequest) -> HttpResponse:
    """Show what happened to a serial from issue to death."""
    serial = request.GET.get("serial", "").strip()[:128]
    found = batch_of_serial(serial) if serial else None
    context: dict[str, object] = {"serial": serial, "found": found is not None}
    if found is not None:
        batch, number = found
        events = life_of_serial(batch, number, current_actor(request))
        context |= {
            "batch": batch,
            "serial": batch.serial_text(number),
            "events": events,
            "state": events[-1].line if events else None,
        }
    context["crumbs"] = [_crumb()]
    status = 404 if serial and found is None else 200
    return render(request, "settlement/registry/serial.html", context, status=status)


@require_safe
def list_projects(request: HttpRequest) -> HttpResponse:
    """Show the projects behind certificates and credits."""
    form = ProjectFilter(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    rows = projects_shown(registry=asked.get("registry", ""), text=asked.get("text", ""))
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "filter_form": form,
        "page_obj": page,
        "crumbs": [_crumb()],
        "result_text": gettext("%(count)s projects") % {"count": page.paginator.count},
    }
    return render(request, "settlement/registry/projects.html", context)


@require_safe
def show_project(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a project: its energy by month, its crediting periods, its batches."""
    project = find_project(public_id)
    rows = batches_shown(project=public_id)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    totals = batch_totals(page.object_list)
    context = {
        "project": project,
        "months": project.months.order_by("-month")[:36],
        "periods": project.crediting_periods.order_by("days"),
        "page_obj": page,
        "rows": [(batch, totals.get(batch.pk, UnitTotals({}))) for batch in page.object_list],
        "is_keeper": may_keep_registry(current_actor(request)),
        "crumbs": [_crumb(), (gettext("Projects"), reverse("registry-projects"))],
    }
    return render(request, "settlement/registry/project.html", context)


def find_project(public_id: UUID) -> Project:
    """Return a project; 404 when there is none."""
    project = projects_shown().filter(public_id=public_id).first()
    if project is None:
        raise Http404
    return project


def _crumb() -> tuple[str, str]:
    return gettext("Registries"), reverse("registries")
