"""The operator's master data in Django's administration pages.

Only people who run the market see them (and superusers, who alone keep users); every change is in
the audit trail. What has its own rules of change – members, pools, the clock, the trail itself –
is shown and not edited here. No order and no price of an order is reachable from here.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.forms import UserChangeForm as DjangoUserChangeForm
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from marketplace.models import (
    AuditEvent,
    HardwareModel,
    Hub,
    HubPairing,
    Link,
    MarketClock,
    MarketRules,
    Membership,
    Organisation,
    Product,
    ProductVatRate,
    ResourcePool,
    Role,
    User,
    WorkloadScenario,
)
from marketplace.services.audit import record_audit
from marketplace.services.proofs import VERIFIED_KEY

admin.site.site_header = _("Hengsuan master data")
admin.site.site_title = _("Hengsuan")
admin.site.index_title = _("Master data of the market")
admin.site.unregister(Group)


def _lead_to_sign_in(request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
    """Sign in on the portal's page, which asks for the second factor; who is in is refused."""
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.get_full_path())


def _may_enter(request: HttpRequest) -> bool:
    user = request.user
    has_proof = not settings.SECOND_FACTOR_ROLES or bool(request.session.get(VERIFIED_KEY))
    return bool(user.is_active and user.is_staff) and has_proof


# Assigned, so that every model registered on the site is behind the same door.
admin.site.login = _lead_to_sign_in  # type: ignore[method-assign,assignment]
admin.site.has_permission = _may_enter  # type: ignore[method-assign,assignment]

_UNSAID = {"password"}


def is_operator(request: HttpRequest) -> bool:
    """Tell whether the signed-in person runs the market; asked once a request."""
    known = getattr(request, "_runs_market", None)
    if known is None:
        user = request.user
        known = bool(user.is_authenticated and user.is_active and user.is_staff) and (
            bool(user.is_superuser)
            or Membership.objects.filter(
                user__email=user.get_username(), role=Role.OPERATOR, organisation__is_platform=True
            ).exists()
        )
        request._runs_market = known  # type: ignore[attr-defined]
    return known


def described(instance: Model, names: list[str]) -> dict[str, str]:
    """Return the named fields of a row as text, for the audit trail."""
    kept = [name for name in names if name not in _UNSAID and hasattr(instance, name)]
    return {name: str(getattr(instance, name)) for name in kept}


class OperatorAdmin(admin.ModelAdmin):
    """Master data that operators read and change, with an audit row for every change."""

    list_per_page = 50

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the section to people who run the market."""
        return is_operator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let people who run the market read."""
        return is_operator(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let people who run the market add."""
        return is_operator(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let people who run the market change."""
        return is_operator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what auctions once used is switched off, not removed."""
        return False

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm, change: bool) -> None:
        """Save, and write what changed into the audit trail in the same transaction."""
        before = None
        names = list(form.changed_data)
        if change:
            stored = type(obj)._default_manager.get(pk=obj.pk)
            before = described(stored, names)
        super().save_model(request, obj, form, change)
        if names or not change:
            self.audit(request, obj, "changed" if change else "added", before, names)

    def audit(
        self,
        request: HttpRequest,
        obj: Model,
        action: str,
        before: dict[str, str] | None,
        names: list[str],
    ) -> None:
        """Write an audit row of the platform for a change made here."""
        user = request.user
        record_audit(
            action=f"{obj._meta.model_name}.{action}",
            subject=obj,
            actor=user if isinstance(user, User) else None,
            organisation=Organisation.objects.filter(is_platform=True).first(),
            before=before,
            after=described(obj, names),
        )


class ReadOnlyAdmin(OperatorAdmin):
    """Shown for reference; changed by its own rules elsewhere, or never."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


@admin.register(Hub)
class HubAdmin(OperatorAdmin):
    """Hubs: nodes, clusters, cities, and sites of the operator's own."""

    list_display = ("code", "name_zh", "name_en", "kind", "parent", "side", "has_supply", "trades")
    list_filter = ("kind", "side", "has_supply", "trades")
    search_fields = ("code", "name_zh", "name_en")
    list_select_related = ("parent",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep code and identifier letters as they are once identifiers were given out."""
        return ("code", "id4") if obj is not None else ()


@admin.register(HubPairing)
class HubPairingAdmin(OperatorAdmin):
    """Dated pairings (结对子)."""

    list_display = ("hub", "partner_zh", "partner_en", "since_year", "tariff_discount")
    list_select_related = ("hub",)
    search_fields = ("hub__code", "partner_zh", "partner_en")


@admin.register(Link)
class LinkAdmin(OperatorAdmin):
    """Links of the network."""

    list_display = (
        "from_hub",
        "to_hub",
        "rtt_ms",
        "tariff_cny_per_gbps_hour",
        "forward_gbps",
        "reverse_gbps",
        "active",
    )
    list_filter = ("active",)
    list_select_related = ("from_hub", "to_hub")
    search_fields = ("from_hub__code", "to_hub__code")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the ends of a link; another link is a new row."""
        return ("from_hub", "to_hub") if obj is not None else ()


@admin.register(Product)
class ProductAdmin(OperatorAdmin):
    """Products; ticks and lots stay once orders may rest on them."""

    list_display = (
        "code",
        "name_zh",
        "name_en",
        "resource_class",
        "price_tick",
        "quantity_lot",
        "price_max",
        "active",
    )
    list_filter = ("resource_class", "active")
    search_fields = ("code", "name_zh", "name_en")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep what standing listings and open orders were checked against."""
        fixed = (
            *("code", "resource_class", "price_tick", "clearing_price_tick", "quantity_lot"),
            *("price_min", "price_max", "bandwidth_gbps_per_unit", "rtt_classes_ms"),
            "carbon_classes_g",
        )
        return fixed if obj is not None else ()


@admin.register(ProductVatRate)
class ProductVatRateAdmin(OperatorAdmin):
    """Tax rates from a date on; a rate that was in force is not rewritten."""

    list_display = ("product", "rate", "valid_from", "source")
    list_filter = ("product",)
    list_select_related = ("product",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a new rate is a new row."""
        return False


@admin.register(MarketRules)
class MarketRulesAdmin(ReadOnlyAdmin):
    """Fees, limits and terms from an instant on; two operators put them in force, in the portal."""

    list_display = (
        "valid_from",
        "counterparty",
        "buyer_fee_rate",
        "seller_fee_rate",
        "fee_vat_rate",
        "max_order_notional_cny",
    )


@admin.register(WorkloadScenario)
class WorkloadScenarioAdmin(OperatorAdmin):
    """Workload scenarios and their latency classes."""

    list_display = ("code", "name_zh", "name_en", "latency_class", "max_rtt_ms", "sort_order")
    search_fields = ("code", "name_zh", "name_en")


@admin.register(HardwareModel)
class HardwareModelAdmin(OperatorAdmin):
    """Cards and processors with nominal figures."""

    list_display = ("name", "vendor", "category", "bf16_tflops", "memory_gib", "power_w")
    list_filter = ("category", "vendor")
    search_fields = ("name", "vendor")


@admin.register(Organisation)
class OrganisationAdmin(ReadOnlyAdmin):
    """Members; admission is decided on its own page, with a reason."""

    list_display = ("code", "name_zh", "credit_code", "state", "is_supplier", "is_buyer", "city")
    list_filter = ("state", "is_supplier", "is_buyer")
    search_fields = ("code", "name_zh", "name_en", "credit_code")


@admin.register(ResourcePool)
class ResourcePoolAdmin(ReadOnlyAdmin):
    """Pools of the suppliers, without what they ask for them."""

    list_display = ("identifier", "organisation", "hub", "product", "unit_count", "trust_level")
    list_filter = ("trust_level", "dengbao_level", "is_xinchuang", "product", "hub")
    search_fields = ("identifier", "name", "organisation__name_zh")
    list_select_related = ("organisation", "hub", "product")


@admin.register(MarketClock)
class MarketClockAdmin(ReadOnlyAdmin):
    """The market's clock."""

    list_display = ("market_anchor_at", "real_anchor_at", "speed", "is_demo")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """The audit trail of members and master data, newest first."""

    list_display = ("recorded_at", "action", "object_type", "object_id", "actor", "organisation")
    list_filter = ("object_type",)
    search_fields = ("action", "object_id")
    list_select_related = ("actor", "organisation")
    ordering = ("-id",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        """Leave out listings, whose rows hold the asks that stay sealed until gate closure."""
        return super().get_queryset(request).exclude(object_type="marketplace.Listing")


class UserAddForm(AdminUserCreationForm):
    """Asks for e-mail and name instead of a user name."""

    class Meta:
        model = User
        fields = ("email", "display_name")


class UserChangeForm(DjangoUserChangeForm):
    """Changes a user of this market."""

    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(OperatorAdmin, DjangoUserAdmin):
    """People who sign in; only superusers see them."""

    form = UserChangeForm
    add_form = UserAddForm
    list_display = ("email", "display_name", "mobile", "is_staff", "is_active")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "display_name", "mobile")
    ordering = ("email",)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "password", "display_name", "mobile", "language")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "display_name", "usable_password", "password1", "password2"),
            },
        ),
    )

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show users to superusers only."""
        return self._is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers read."""
        return self._is_superuser(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers add."""
        return self._is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers change."""
        return self._is_superuser(request)

    @staticmethod
    def _is_superuser(request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)
