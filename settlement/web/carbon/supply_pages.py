"""Hourly green supply: data centres with their shares, one with its hours, sources and files."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.domain.periods import market_date
from marketplace.models import ResourcePool
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.error_texts import error_text
from marketplace.web.access import current_actor, require
from marketplace.web.csv_answers import csv_answer
from marketplace.web.form_fields import add_refusal
from settlement.selectors.carbon.scores import (
    PoolFigures,
    latest_month,
    pool_figures,
    pool_month,
    supplier_figures,
)
from settlement.selectors.carbon.statements import reads_all
from settlement.selectors.carbon.supply import sources_for
from settlement.services.carbon.supply import (
    COLUMNS,
    SupplyRow,
    parse_supply_file,
    record_supply,
    register_source,
)
from settlement.web.carbon.factor_pages import FileForm
from settlement.web.carbon.statement_pages import read_month
from settlement.web.carbon.supply_charts import curve_chart, heat_chart, month_text
from settlement.web.carbon.supply_forms import REASONS, HourForm, SourceForm

PAGE_SIZE = 25
HOUR_COLUMNS = ("hour", "load_wh", "own_wh", "direct_wh", "contract_wh", "covered_wh")

require_supply_reader = require(lambda actor: reads_all(actor) or actor.can_sell)
require_supplier = require(lambda actor: actor.can_sell)


@require_supply_reader
@require_safe
def list_supply(request: HttpRequest) -> HttpResponse:
    """Show data centres with their month and year, and all sources."""
    actor = current_actor(request)
    own = None if reads_all(actor) else actor.organisation
    month = _month(request) or latest_month(own) or market_date(market_now()).replace(day=1)
    figures = pool_figures(month=month, organisation=own)
    page = Paginator(sources_for(actor), PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "month": month,
        "figures": figures,
        "total": supplier_figures(figures),
        "target": figures[0].month.target if figures else None,
        "page_obj": page,
        "may_record": actor.can_sell,
        "reads_all": reads_all(actor),
    }
    return render(request, "settlement/carbon/supply.html", context)


@require_supply_reader
@require_safe
def show_pool(request: HttpRequest, identifier: str) -> HttpResponse:
    """Show a data centre's month by the hour: coverage, curve, score, and what is missing."""
    actor = current_actor(request)
    pool = _pool(actor, identifier)
    month = _month(request) or _newest(pool) or market_date(market_now()).replace(day=1)
    found = pool_month(pool, month)
    csv_url = f"{reverse('green-supply-file', args=[identifier])}?month={month_text(month)}"
    context: dict[str, Any] = {
        "pool": pool,
        "month": month,
        "found": found,
        "figures": _figures_of(pool, month),
        "heat": heat_chart(found.hours, csv_url),
        "curve": curve_chart(found.hours, csv_url),
        "sources": sources_for(actor).filter(pool=pool),
        "may_record": actor.can_sell,
        "crumbs": [(gettext("Green supply"), reverse("green-supply"))],
    }
    return render(request, "settlement/carbon/supply_pool.html", context)


@require_supply_reader
@require_safe
def download_hours(request: HttpRequest, identifier: str) -> HttpResponse:
    """Answer the hours of a data centre's month as CSV, whole watt-hours."""
    pool = _pool(current_actor(request), identifier)
    month = _month(request) or _newest(pool) or market_date(market_now()).replace(day=1)
    rows = [
        [row.starts_at.isoformat(), *(getattr(row, name) for name in HOUR_COLUMNS[1:])]
        for row in pool_month(pool, month).hours
    ]
    return csv_answer(f"green-supply-{identifier}-{month_text(month)}.csv", HOUR_COLUMNS, rows)


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def add_source(request: HttpRequest) -> HttpResponse:
    """Register a source with its evidence."""
    actor = current_actor(request)
    initial = {"pool": request.GET.get("pool", ""), "valid_from": market_date(market_now())}
    form = SourceForm(request.POST or None, organisation=actor.organisation, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = register_source(actor=actor, **form.values())
        except RuleBroken as refusal:
            add_refusal(form, refusal, names={"capacity_w": "capacity_kw"})
        else:
            text = gettext("Source %(code)s is registered; record its hours now.")
            messages.success(request, text % {"code": made.code})
            return redirect("green-supply-pool", identifier=made.pool.identifier)
    context = {
        "form": form,
        "cancel_url": reverse("green-supply"),
        "crumbs": [(gettext("Green supply"), reverse("green-supply"))],
    }
    status = 422 if form.errors else 200
    return render(request, "settlement/carbon/supply_source.html", context, status=status)


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def upload_hours(request: HttpRequest) -> HttpResponse:
    """Take a file of hours: all of it, or nothing with the line that is wrong."""
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            rows = parse_supply_file(form.cleaned_data["file"])
            count = record_supply(actor=current_actor(request), rows=rows)
        except RuleBroken as refusal:
            form.add_error("file", _refusal_text(refusal))
        else:
            _say_count(request, count)
            return redirect("green-supply")
    context = {
        "form": form,
        "columns": ",".join(COLUMNS),
        "sources": sources_for(current_actor(request)),
        "submit_label": gettext("Upload hours"),
        "cancel_url": reverse("green-supply"),
        "crumbs": [(gettext("Green supply"), reverse("green-supply"))],
    }
    status = 422 if form.errors else 200
    return render(request, "settlement/carbon/supply_upload.html", context, status=status)


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def record_hour(request: HttpRequest) -> HttpResponse:
    """Take one hour of one source from a form."""
    actor = current_actor(request)
    sources = list(sources_for(actor))
    form = HourForm(request.POST or None, sources=sources, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        row = SupplyRow(line=1, **{**given, "charge_wh": given["charge_wh"] or 0})
        try:
            count = record_supply(actor=actor, rows=[row])
        except RuleBroken as refusal:
            form.add_error(None, _refusal_text(refusal, is_file=False))
        else:
            _say_count(request, count)
            return redirect("green-supply")
    context = {
        "form": form,
        "cancel_url": reverse("green-supply"),
        "crumbs": [(gettext("Green supply"), reverse("green-supply"))],
    }
    status = 422 if form.errors else 200
    return render(request, "settlement/carbon/supply_hour.html", context, status=status)


def _say_count(request: HttpRequest, count: int) -> None:
    if count:
        text = gettext("%(count)s hours are new or changed. Statements issued before keep theirs.")
        messages.success(request, text % {"count": count})
    else:
        messages.info(request, gettext("Nothing changed: all of it was known already."))


def _refusal_text(refusal: RuleBroken, *, is_file: bool = True) -> str:
    words = REASONS.get(str(refusal.params.get("reason")))
    if words is None:
        return error_text(refusal)
    return f"{error_text(refusal)} {words}" if is_file else str(words)


def _month(request: HttpRequest) -> date | None:
    return read_month(request.GET.get("month", ""))


def _newest(pool: ResourcePool) -> date | None:
    return latest_month(pool=pool)


def _pool(actor: Actor, identifier: str) -> ResourcePool:
    rows = ResourcePool.objects.filter(identifier=identifier)
    if not reads_all(actor):
        rows = rows.filter(organisation=actor.organisation)
    found = rows.select_related("hub", "organisation", "product").first()
    if found is None:
        raise Http404
    return found


def _figures_of(pool: ResourcePool, month: date) -> PoolFigures | None:
    rows = pool_figures(month=month, organisation=pool.organisation, hub=pool.hub)
    return next((row for row in rows if row.pool.pk == pool.pk), None)
