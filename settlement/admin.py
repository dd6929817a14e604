"""The books in Django's administration pages: read, never changed.

Holds and what is pending are left out: before gate closure they would tell how much somebody bids.
Access details of deliveries are left out: they belong to the buyer.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from marketplace.models import Membership, Role
from settlement.models import (
    Account,
    AccountBalance,
    Asset,
    BookPeriod,
    CreditLimit,
    Delivery,
    DepositReceipt,
    EmissionRecord,
    GridEmissionFactor,
    InvariantRun,
    Invoice,
    InvoiceLine,
    JournalEntry,
    LedgerBlock,
    MeterReading,
    Posting,
    RatedLine,
    SettlementRun,
    SupplierInvoice,
    WithdrawalRequest,
)

_READERS = (Role.OPERATOR, Role.FINANCE, Role.AUDITOR)


def may_read_books(request: HttpRequest) -> bool:
    """Tell whether the signed-in person reads the market's books; asked once a request."""
    known = getattr(request, "_reads_books", None)
    if known is None:
        user = request.user
        known = bool(user.is_authenticated and user.is_active and user.is_staff) and (
            bool(user.is_superuser)
            or Membership.objects.filter(
                user__email=user.get_username(),
                role__in=_READERS,
                organisation__is_platform=True,
            ).exists()
        )
        request._reads_books = known  # type: ignore[attr-defined]
    return known


class BooksAdmin(admin.ModelAdmin):
    """Shows rows to the people of the platform and lets nobody change one."""

    list_per_page = 50
    ordering = ["-pk"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the section to the platform's people."""
        return may_read_books(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let the platform's people read."""
        return may_read_books(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Entries come from services."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Corrections are new entries."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History is kept."""
        return False


class _Lines(admin.TabularInline):
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_read_books(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PostingLines(_Lines):
    """The postings of an entry."""

    model = Posting


class BillLines(_Lines):
    """The lines of a bill."""

    model = InvoiceLine


@admin.register(JournalEntry)
class JournalEntryAdmin(BooksAdmin):
    """Journal entries with their postings."""

    list_display = ["id", "kind", "effective_on", "source_type", "source_id", "recorded_at"]
    list_filter = ["kind", "effective_on"]
    search_fields = ["source_id", "idempotency_key"]
    inlines = [PostingLines]


@admin.register(Account)
class AccountAdmin(BooksAdmin):
    """The chart of accounts."""

    list_display = ["code", "name_zh", "name_en", "kind", "asset"]
    list_filter = ["kind", "purpose"]
    search_fields = ["code", "name_zh", "name_en"]
    ordering = ["code"]


@admin.register(AccountBalance)
class AccountBalanceAdmin(BooksAdmin):
    """Stored balances, without what is pending."""

    list_display = ["account", "debit", "credit", "credit_limit"]
    list_select_related = ["account"]
    exclude = ["pending"]


@admin.register(Invoice)
class InvoiceAdmin(BooksAdmin):
    """Bills with their lines."""

    list_display = ["number", "direction", "organisation", "issued_on", "state", "net", "gross"]
    list_filter = ["direction", "state"]
    list_select_related = ["organisation"]
    search_fields = ["number", "organisation__code", "organisation__name_zh"]
    inlines = [BillLines]


_PLAIN: tuple[tuple[type[Model], list[str]], ...] = (
    (Asset, ["code", "name_zh", "name_en", "scale"]),
    (BookPeriod, ["book", "days", "state"]),
    (CreditLimit, ["organisation", "kind", "amount", "state", "expires_on"]),
    (Delivery, ["allocation", "state", "starts_at", "ends_at"]),
    (DepositReceipt, ["bank_reference", "organisation", "amount", "state", "received_on"]),
    (EmissionRecord, ["delivery", "it_wh", "facility_wh", "location_based_t", "is_estimated"]),
    (GridEmissionFactor, ["province_zh", "year", "level", "basis", "kg_per_kwh"]),
    (InvariantRun, ["recorded_at", "passed"]),
    (LedgerBlock, ["number", "entry_count", "block_hash", "recorded_at"]),
    (MeterReading, ["delivery", "starts_at", "ends_at", "revision", "quantity", "quality"]),
    (RatedLine, ["run", "delivery", "billed_unit_hours", "buyer_net_cny", "seller_net_cny"]),
    (SettlementRun, ["number", "auction", "state", "settled_on", "buyer_net_cny"]),
    (SupplierInvoice, ["tax_number", "organisation", "amount", "state", "issued_on"]),
    (WithdrawalRequest, ["organisation", "amount", "state", "entered_at"]),
)
for _model, _columns in _PLAIN:
    admin.site.register(
        _model, type(f"{_model.__name__}Admin", (BooksAdmin,), {"list_display": _columns})
    )
