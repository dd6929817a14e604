"""Hubs, links, products and calendars: lists, forms, and removal of what was never used."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.models import Hub, Link, Product
from marketplace.services.checks import plain
from marketplace.services.error_texts import error_text
from marketplace.templatetags.market_ui import counted, duration, figure, localname
from marketplace.web.access import current_actor, require_operator
from marketplace.web.form_fields import add_refusal
from orders.models import AuctionCalendar
from orders.services.master_data import (
    delete_hub,
    save_calendar,
    save_hub,
    save_link,
    save_product,
)
from orders.web.master_forms import CalendarForm, HubForm, LinkForm, MasterForm, ProductForm
from orders.web.names import yes_no

PAGE_SIZE = 50
Cells = Callable[[Any], list[tuple[Any, bool]]]  # what is shown, and whether it is a number


@dataclass(frozen=True)
class Kind:
    """One kind of master data: its words, its rows, its form and its service."""

    title: str | Promise
    lead: str | Promise
    add_label: str | Promise
    form: type[MasterForm]
    rows: Callable[[], QuerySet[Any]]
    head: tuple[tuple[str | Promise, bool], ...]
    cells: Cells
    icon: str
    save: Callable[[Any, Any, MasterForm], Any]


def _save_hub(actor: Any, row: Any, form: MasterForm) -> Any:
    return save_hub(actor=actor, hub=row, values=form.values())


def _save_link(actor: Any, row: Any, form: MasterForm) -> Any:
    return save_link(actor=actor, link=row, values=form.values())


def _save_product(actor: Any, row: Any, form: MasterForm) -> Any:
    return save_product(actor=actor, product=row, values=form.values())


def _save_calendar(actor: Any, row: Any, form: MasterForm) -> Any:
    values = form.values()
    products = values.pop("products")
    return save_calendar(actor=actor, calendar=row, values=values, products=products)


def _link_rows() -> QuerySet[Link]:
    rows = Link.objects.select_related("from_hub", "to_hub")
    return rows.order_by("from_hub__code", "to_hub__code")


def _minutes(count: int) -> str:
    return duration(timedelta(minutes=count))


def _calendar_cells(row: Any) -> list[tuple[Any, bool]]:
    products = row.product_count
    return [
        (row.get_kind_display(), False),
        (_minutes(row.period_minutes), True),
        (_minutes(row.gate_opens_lead_minutes), True),
        (_minutes(row.gate_closes_lead_minutes), True),
        (_minutes(row.no_cancel_minutes), True),
        (_minutes(row.indicative_minutes) if row.indicative_minutes else "–", True),
        (products or gettext("all"), True),
        (yes_no(row.is_active), False),
    ]


KINDS: dict[str, Kind] = {
    "hub": Kind(
        title=_("Hubs"),
        lead=_("Places where capacity is delivered and where consumption is stated."),
        add_label=_("Add a hub"),
        form=HubForm,
        rows=lambda: Hub.objects.select_related("parent").order_by("-has_supply", "code"),
        head=(
            (_("Code"), False),
            (_("Kind"), False),
            (_("Parent"), False),
            (_("East or west"), False),
            (_("Takes listings"), False),
            (_("Part of the auctions"), False),
        ),
        cells=lambda row: [
            (row.code, False),
            (row.get_kind_display(), False),
            (localname(row.parent) if row.parent else "–", False),
            (row.get_side_display(), False),
            (yes_no(row.has_supply), False),
            (yes_no(row.trades), False),
        ],
        icon="map-pin",
        save=_save_hub,
    ),
    "link": Kind(
        title=_("Links"),
        lead=_("One link joins two hubs and has a capacity in each direction."),
        add_label=_("Add a link"),
        form=LinkForm,
        rows=_link_rows,
        head=(
            (_("RTT, ms"), True),
            (_("Tariff, CNY per Gbit/s and hour"), True),
            (_("Capacity forward, Gbit/s"), True),
            (_("Capacity reverse, Gbit/s"), True),
            (_("Active"), False),
        ),
        cells=lambda row: [
            (plain(row.rtt_ms), True),
            (figure(row.tariff_cny_per_gbps_hour), True),
            (figure(row.forward_gbps, 0), True),
            (figure(row.reverse_gbps, 0), True),
            (yes_no(row.active), False),
        ],
        icon="network",
        save=_save_link,
    ),
    "product": Kind(
        title=_("Products"),
        lead=_("Standardised contracts. Ticks, lots and classes stay as they were made."),
        add_label=_("Add a product"),
        form=ProductForm,
        rows=lambda: Product.objects.order_by("sort_order", "code"),
        head=(
            (_("Code"), False),
            (_("Resource class"), False),
            (_("Price tick, CNY"), True),
            (_("Quantity lot"), True),
            (_("Price band, CNY"), True),
            (_("Active"), False),
        ),
        cells=lambda row: [
            (row.code, False),
            (row.get_resource_class_display(), False),
            (plain(row.price_tick), True),
            (f"{plain(row.quantity_lot)} {counted(row)}", True),
            (f"{plain(row.price_min)}–{plain(row.price_max)}", True),
            (yes_no(row.active), False),
        ],
        icon="box",
        save=_save_product,
    ),
    "calendar": Kind(
        title=_("Calendars"),
        lead=_("Calendars make auctions; a change binds those that do not exist yet."),
        add_label=_("Add a calendar"),
        form=CalendarForm,
        rows=lambda: AuctionCalendar.objects.annotate(product_count=Count("products")).order_by(
            "id"
        ),
        head=(
            (_("Kind"), False),
            (_("Period"), True),
            (_("Gate opens before delivery"), True),
            (_("Gate closes before delivery"), True),
            (_("Last phase before closure"), True),
            (_("Between indicative figures"), True),
            (_("Products"), True),
            (_("Makes auctions"), False),
        ),
        cells=_calendar_cells,
        icon="calendar-event",
        save=_save_calendar,
    ),
}


def _name(row: Any) -> str:
    if isinstance(row, Link):
        return f"{localname(row.from_hub)} – {localname(row.to_hub)}"
    return str(localname(row))


@require_operator
@require_safe
def list_rows(request: HttpRequest, kind: str) -> HttpResponse:
    """Show all rows of a kind."""
    chosen = KINDS[kind]
    page = Paginator(chosen.rows(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "kind": chosen,
        "tabs": tabs(kind),
        "page_obj": page,
        "add_url": reverse(f"{kind}-new"),
        "rows": [
            {
                "name": _name(row),
                "url": reverse(f"{kind}-edit", args=[row.pk]),
                "cells": [
                    (label, value, is_number)
                    for (label, _n), (value, is_number) in zip(
                        chosen.head, chosen.cells(row), strict=True
                    )
                ],
            }
            for row in page.object_list
        ],
        "result_text": gettext("%(count)s entries") % {"count": page.paginator.count},
    }
    return render(request, "orders/master_list.html", context)


def tabs(active: str) -> list[dict[str, Any]]:
    """Return the links between the kinds of master data."""
    names = {"hub": "master-hubs", "link": "links", "product": "products", "calendar": "calendars"}
    return [
        {"label": kind.title, "url": reverse(names[name]), "active": name == active, "count": None}
        for name, kind in KINDS.items()
    ]


@require_operator
@require_http_methods(["GET", "HEAD", "POST"])
def edit_row(request: HttpRequest, kind: str, pk: int | None = None) -> HttpResponse:
    """Take in a new row, or change one; refusals stand beside their field."""
    chosen = KINDS[kind]
    row = None if pk is None else get_object_or_404(chosen.rows(), pk=pk)
    form = chosen.form(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        try:
            chosen.save(current_actor(request), row, form)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Saved, and written in the audit trail."))
            return redirect(list_url(kind))
    context = {
        "form": form,
        "kind": chosen,
        "title": _name(row) if row else chosen.add_label,
        "cancel_url": list_url(kind),
        "delete_url": reverse("hub-delete", args=[pk]) if row and kind == "hub" else "",
        "crumbs": [(chosen.title, list_url(kind))],
    }
    return render(request, "orders/master_form.html", context, status=422 if form.errors else 200)


def list_url(kind: str) -> str:
    """Return the address of the list of a kind."""
    return str(next(tab["url"] for tab in tabs(kind) if tab["active"]))


@require_operator
@require_http_methods(["GET", "HEAD", "POST"])
def remove_hub(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then remove a hub at which nothing ever was."""
    hub = Hub.objects.filter(pk=pk).first()
    if hub is None:
        raise Http404
    refusal = ""
    if request.method == "POST":
        try:
            delete_hub(actor=current_actor(request), hub=hub)
        except RuleBroken as error:
            refusal = error_text(error)
        else:
            messages.success(request, gettext("The hub is removed."))
            return redirect("master-hubs")
    context = {
        "question": gettext("Remove the hub %(name)s?") % {"name": localname(hub)},
        "text": refusal or gettext("Only a hub at which nothing ever was can be removed."),
        "confirm_label": gettext("Remove the hub"),
        "danger": True,
        "cancel_url": reverse("hub-edit", args=[pk]),
        "lines": [(gettext("Code"), hub.code)],
    }
    return render(request, "generic/confirm.html", context, status=409 if refusal else 200)
