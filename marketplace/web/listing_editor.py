"""What the page of a listing holds: facts, price curve, calendar, repeated hours."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, QueryDict

from marketplace.domain.availability import CapacityWindow
from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.domain.periods import market_date
from marketplace.models import Listing, ResourcePool
from marketplace.selectors.clock import market_now
from marketplace.selectors.organisations import listing_of
from marketplace.services.error_texts import error_text
from marketplace.services.listings import check_new_listing, create_listing, revise_listing
from marketplace.web.access import acting_organisation, current_actor
from marketplace.web.form_fields import add_refusal
from marketplace.web.listing_forms import (
    MOST_ROWS,
    SPARE_ROWS,
    ListingForm,
    RepeatForm,
    Rows,
    StepForm,
    WindowForm,
    row_forms,
    steps_from,
    windows_from_rows,
)

MORE_ROWS = 5
# Buttons that change the page and store nothing.
ASKS_ONLY = ("more", "draw", "repeat")


class ListingEditor:
    """The parts of the page, filled from a stored listing, a request, or a draft of one.

    A request that only asks for more rows, for repeated hours or for the drawing is shown again as
    it was typed, without a word about what is missing yet; so is a draft that was kept.
    """

    def __init__(
        self, request: HttpRequest, listing: Listing | None, kept: QueryDict | None = None
    ) -> None:
        self.request = request
        self.listing = listing
        self.actor = current_actor(request)
        self.sent = request.POST if request.method == "POST" else kept or QueryDict()
        self.asks_only = kept is not None or any(name in self.sent for name in ASKS_ONLY)
        self.data = request.POST if request.method == "POST" and not self.asks_only else None
        self.repeat = self._repeat()
        self.form = ListingForm(
            self.data, owner=acting_organisation(request), listing=listing, initial=self._facts()
        )
        self.steps = self._rows(StepForm, "steps", self._stored_steps)
        self.windows = self._rows(WindowForm, "windows", self._stored_windows)

    def _repeat(self) -> RepeatForm:
        if "repeat" in self.sent:
            return RepeatForm(self.sent, prefix="repeat")
        today = market_date(market_now())
        days = {"first_day": today + timedelta(days=1), "last_day": today + timedelta(days=7)}
        return RepeatForm(initial=days, prefix="repeat")

    def _repeated(self) -> list[dict[str, Any]]:
        if not (self.repeat.is_bound and self.repeat.is_valid()):
            return []
        form = self.repeat
        return [{"starts_at": start, "ends_at": end} for start, end in form.windows()]

    def _facts(self) -> dict[str, Any]:
        if self.asks_only:
            return {name: self.sent.get(name) for name in ListingForm.base_fields}
        if self.listing is None:
            return {"pool": self._asked_pool()}
        names = ("name", "name_en", "quantity", "is_standing", "note")
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
        sent = self.sent
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
        if prefix == "windows":
            shown = [*shown, *self._repeated()][:MOST_ROWS]
        spare = MORE_ROWS if "more" in self.sent else SPARE_ROWS
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

    def check(self) -> None:
        """Let the service look without storing; raises its refusals."""
        values = self.values()
        pool = self.listing.pool if self.listing else values.pop("pool")
        values.pop("pool", None)
        check_new_listing(actor=self.actor, pool=pool, listing=self.listing, **values)

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
        if not self.sent:
            return [(row["quantity"], row["price"]) for row in self._stored_steps()]
        read = [StepForm(row) for row in self._typed(StepForm, "steps")]
        good = [form.cleaned_data for form in read if form.is_valid()]
        return [(row["quantity"], row["price"]) for row in good]

    def drawn_windows(self) -> list[CapacityWindow]:
        """Return the windows that can be read, for the promise; all units where none are named."""
        rows = self._stored_windows()
        if self.sent:
            read = [WindowForm(row) for row in self._typed(WindowForm, "windows")]
            rows = [form.cleaned_data for form in read if form.is_valid()]
            rows += [{**row, "quantity": None} for row in self._repeated()]
        total = sum((quantity for quantity, _ in self.drawn_steps()), Decimal(0))
        return [
            CapacityWindow(row["starts_at"], row["ends_at"], row["quantity"] or total)
            for row in rows
            if row["ends_at"] > row["starts_at"] and (row["quantity"] or total)
        ]

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


def own_listing(request: HttpRequest, public_id: UUID) -> Listing:
    """Return a listing of the acting organisation, or answer 404."""
    try:
        return listing_of(acting_organisation(request), public_id)
    except NotFound:
        raise Http404 from None
