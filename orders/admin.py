"""The operator's view of calendars, auctions and, once a gate is closed, of orders.

Calendars may be changed; auctions are run from the control room and orders by nobody.
"""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from marketplace.services.audit import record_audit
from orders.models import Auction, AuctionCalendar, AuctionState, ClearingRun, Order
from orders.selectors.auctions import SEALED


class ReadOnlyAdmin(admin.ModelAdmin):
    """Shows rows and changes none."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is changed by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted."""
        return False


@admin.register(AuctionCalendar)
class AuctionCalendarAdmin(admin.ModelAdmin):
    """Calendars; a change concerns auctions that are still to be made."""

    list_display = ["code", "kind", "name_zh", "name_en", "period_minutes", "is_active"]
    list_filter = ["kind", "is_active"]
    filter_horizontal = ["products"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A calendar is switched off, never deleted."""
        return False

    def save_model(
        self, request: HttpRequest, obj: AuctionCalendar, form: ModelForm, change: bool
    ) -> None:
        """Save with a row in the audit trail: what the changed fields were and became."""
        before = {name: str(form.initial.get(name)) for name in form.changed_data} if change else {}
        super().save_model(request, obj, form, change)
        record_audit(
            action="calendar.changed" if change else "calendar.created",
            subject=obj,
            actor=request.user,  # type: ignore[arg-type]
            before=before or None,
            after={name: str(form.cleaned_data.get(name)) for name in form.changed_data},
        )


@admin.register(Auction)
class AuctionAdmin(ReadOnlyAdmin):
    """Auctions with their states and gates; the size of a book only after closure."""

    list_display = ["code", "calendar", "state", "gate_opens_at", "gate_closes_at", "attempts"]
    list_filter = ["state", "calendar"]
    list_select_related = ["calendar"]
    search_fields = ["code"]
    date_hierarchy = "delivery_starts_at"
    ordering = ["-gate_closes_at"]
    exclude = ["pseudonym_salt"]


@admin.register(ClearingRun)
class ClearingRunAdmin(ReadOnlyAdmin):
    """Clearing runs with their hashes and sums."""

    list_display = ["auction", "version", "state", "status", "order_count", "welfare_cny", "gap"]
    list_filter = ["state"]
    list_select_related = ["auction"]
    search_fields = ["auction__code", "bundle_sha256", "result_sha256"]
    ordering = ["-id"]


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Orders of closed gates; a sealed order is shown to nobody, and cannot be searched for."""

    list_display = ["public_id", "auction", "organisation", "side", "kind", "product", "state"]
    list_filter = ["state", "side", "kind", "product"]
    list_select_related = ["auction", "organisation", "product"]
    search_fields = ["=public_id", "auction__code", "organisation__code"]
    ordering = ["-id"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Leave out the orders of every auction whose gate is not closed."""
        return (
            super()
            .get_queryset(request)
            .exclude(auction__state__in=SEALED)
            .exclude(auction__state=AuctionState.HALTED, auction__halted_from__in=SEALED)
        )
