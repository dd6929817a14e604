"""Writing a listing: one page for a new one and for a change, with its curve drawn."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from marketplace.context_processors import provided
from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.models import Listing, ListingState, ResourcePool
from marketplace.selectors.organisations import listing_of
from marketplace.services.error_texts import error_text
from marketplace.services.listings import create_listing, revise_listing
from marketplace.web.access import acting_organisation, current_actor, require_supplier
from marketplace.web.curve_chart import curve_chart
from marketplace.web.form_fields import add_refusal
from marketplace.web.listing_forms import (
    MOST_ROWS,
    SPARE_ROWS,
    ListingForm,
    Rows,
    StepForm,
    WindowForm,
    row_forms,
    steps_from,
    windows_from_rows,
)

MORE_ROWS = 5


class ListingEditor:
    """The three parts of the page, filled from a stored listing, a request, or a draft of one.

    A request that only asks for more rows or for the drawing is shown again as it was typed,
    without a word about what is missing yet.
    """

    def __init__(self, request: HttpRequest, listing: Listing | None) -> None:
        self.request = request
        self.listing = listing
        self.actor = current_actor(request)
        self.asks_only = "more" in request.POST or "draw" in request.POST
        self.data = request.POST if request.method == "POST" and not self.asks_only else None
        self.form = ListingForm(
            self.data, owner=acting_organisation(request), listing=listing, initial=self._facts()
        )
        self.steps = self._rows(StepForm, "steps", self._stored_steps)
        self.windows = self._rows(WindowForm, "windows", self._stored_windows)

    def _facts(self) -> dict[str, Any]:
        if self.asks_only:
            return {name: self.request.POST.get(name) for name in ListingForm.base_fields}
        if self.listing is None:
            return {"pool": self._asked_pool()}
        names = ("name", "quantity", "is_standing", "note")
        facts = {name: getattr(self.listing, name) for name in names}
        return {**facts, "min_run_hours": str(self.listing.min_run_hours)}

    def _asked_pool(self) -> int | None:
        pools = ResourcePool.objects.filter(organisation=self.actor.organisation)
        identifier = self.request.GET.get("pool", "")
        return pools.filter(identifier=identifier).values_list("pk", flat=True).first()

    def _stored_steps(self) -> list[dict[str, Any]]:
        if self.listing is None:
            return []
        steps = sorted(self.listing.price_steps.all(), key=lambda step: step.step)
        return [{"quantity": step.quantity, "price": step.price.amount} for step in steps]

    def _stored_windows(self) -> list[dict[str, Any]]:
        if self.listing is None:
            return []
        rows = sorted(self.listing.availability.all(), key=lambda row: row.starts_at)
        return [
            {"starts_at": row.starts_at, "ends_at": row.ends_at, "quantity": row.quantity}
            for row in rows
        ]

    def _typed(self, kind: type[forms.Form], prefix: str) -> list[dict[str, Any]]:
        sent = self.request.POST
        total = sent.get(f"{prefix}-TOTAL_FORMS", "")
        count = min(int(total), MOST_ROWS) if total.isdecimal() and len(total) < 6 else 0
        rows = [
            {name: sent.get(f"{prefix}-{index}-{name}", "") for name in kind.base_fields}
            for index in range(count)
        ]
        return [row for row in rows if any(row.values())]

    def _rows(
        self, kind: type[forms.Form], prefix: str, stored: Callable[[], list[dict[str, Any]]]
    ) -> Rows:
        if self.data is not None:
            return row_forms(kind, rows=0)(self.data, prefix=prefix)
        shown = self._typed(kind, prefix) if self.asks_only else stored()
        spare = MORE_ROWS if "more" in self.request.POST else SPARE_ROWS
        return row_forms(kind, rows=spare)(initial=shown, prefix=prefix)

    def is_valid(self) -> bool:
        """Tell whether every part can be read."""
        return all([self.form.is_valid(), self.steps.is_valid(), self.windows.is_valid()])

    def values(self) -> dict[str, Any]:
        """Return the input in the service's terms."""
        given = dict(self.form.cleaned_data)
        given["min_run_hours"] = int(given["min_run_hours"])
        given["price_steps"] = steps_from(self.steps)
        given["windows"] = windows_from_rows(self.windows, given["quantity"])
        return given

    def store(self) -> Listing:
        """Create or revise the listing; raises the service's refusals."""
        values = self.values()
        if self.listing is None:
            activate = "draft" not in self.request.POST
            return create_listing(actor=self.actor, activate=activate, **values)
        values.pop("pool")
        return revise_listing(actor=self.actor, public_id=self.listing.public_id, **values)

    def refuse(self, error: RuleBroken) -> None:
        """Put a refusal beside the part it belongs to."""
        parts = {"price_steps": self.steps, "windows": self.windows}
        part = parts.get(error.field or "")
        if part is None:
            add_refusal(self.form, error)
        else:
            part.refuse(error_text(error))

    @property
    def has_errors(self) -> bool:
        """Whether something was refused."""
        rows = (self.steps, self.windows)
        return bool(self.form.errors) or any(
            any(part.errors) or part.non_form_errors() for part in rows
        )

    def drawn_steps(self) -> list[tuple[Decimal, Decimal]]:
        """Return the steps that can be read, for the drawing."""
        if self.request.method != "POST":
            return [(row["quantity"], row["price"]) for row in self._stored_steps()]
        read = [StepForm(row) for row in self._typed(StepForm, "steps")]
        good = [form.cleaned_data for form in read if form.is_valid()]
        return [(row["quantity"], row["price"]) for row in good]

    def has_pools(self) -> bool:
        """Tell whether the supplier has anything to list."""
        return ResourcePool.objects.filter(organisation=self.actor.organisation).exists()

    def chosen_pool(self) -> ResourcePool | None:
        """Return the pool in the form, if it is one of the supplier's."""
        if self.listing is not None:
            return self.listing.pool
        wanted = self.form["pool"].value()
        pools = self.form.fields["pool"].queryset  # type: ignore[attr-defined]
        return pools.filter(pk=wanted).first() if str(wanted or "").isdecimal() else None


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def edit_listing(request: HttpRequest, public_id: UUID | None = None) -> HttpResponse:
    """Write a new listing or change one; drawing the curve and adding rows store nothing."""
    listing = own_listing(request, public_id) if public_id else None
    if listing is not None and listing.state == ListingState.WITHDRAWN:
        messages.info(request, gettext("A withdrawn listing cannot be changed."))
        return redirect("my-listing", public_id=listing.public_id)
    editor = ListingEditor(request, listing)
    if editor.data is not None:
        stored = _store(request, editor)
        if stored is not None:
            return stored
    status = 422 if editor.data is not None else 200
    return render(request, "marketplace/listing_form.html", _context(editor), status=status)


def _store(request: HttpRequest, editor: ListingEditor) -> HttpResponseRedirect | None:
    if not editor.is_valid():
        return None
    try:
        listing = editor.store()
    except RuleBroken as error:
        editor.refuse(error)
        return None
    messages.success(request, gettext("The listing is saved."))
    return redirect("my-listing", public_id=listing.public_id)


def _context(editor: ListingEditor) -> dict[str, Any]:
    pool = editor.chosen_pool()
    prices = provided("recent_prices", editor.request, {})
    last = prices.get((pool.hub_id, pool.product_id)) if pool else None
    steps = editor.drawn_steps()
    listing = editor.listing
    own_page = reverse("my-listing", args=[listing.public_id]) if listing else reverse("capacity")
    return {
        "editor": editor,
        "form": editor.form,
        "listing": listing,
        "pool": pool,
        "product": pool.product if pool else None,
        "last": last,
        "chart": curve_chart(steps, product=pool.product if pool else None, last=last),
        "cancel_url": own_page,
        "no_pools": listing is None and not editor.has_pools(),
        "crumbs": [(gettext("My capacity"), reverse("capacity"))],
    }


def own_listing(request: HttpRequest, public_id: UUID) -> Listing:
    """Return a listing of the acting organisation, or answer 404."""
    try:
        return listing_of(acting_organisation(request), public_id)
    except NotFound:
        raise Http404 from None
