"""Orders: intentions to buy or sell, sealed until gate closure.

All prices are CNY per unit and hour, VAT excluded (不含税); the bundle converts to periods.
"""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Hub, Listing, Organisation, Product, WorkloadScenario
from orders.models.auctions import Auction
from orders.models.projects import Project


class OrderSide(models.TextChoices):
    """Bid or ask."""

    BUY = "buy", _("Buy")
    SELL = "sell", _("Sell")


class OrderKind(models.TextChoices):
    """The order types of the market."""

    CURVE = "curve", _("Curve order")
    BLOCK = "block", _("Block order")
    FLEXIBLE = "flexible", _("Flexible order")
    INTERRUPTIBLE = "interruptible", _("Interruptible order")


class Placement(models.TextChoices):
    """May an order be served by several listings?"""

    ANY = "any", _("Any listings")
    SINGLE = "single", _("One listing for the whole window")


class OrderState(models.TextChoices):
    """What became of an order."""

    ACTIVE = "active", _("In the book")
    FILLED = "filled", _("Filled")
    PARTLY_FILLED = "partly_filled", _("Partly filled")
    REJECTED = "rejected", _("Not matched")
    PARADOXICALLY_REJECTED = "paradoxically_rejected", _("In the money, not matched")
    CANCELLED = "cancelled", _("Cancelled")
    QUARANTINED = "quarantined", _("Set aside at freezing")


ORDER_TRANSITIONS = TransitionTable(
    OrderState,
    {
        "active": {
            "filled",
            "partly_filled",
            "rejected",
            "paradoxically_rejected",
            "cancelled",
            "quarantined",
        },
        "filled": set(),
        "partly_filled": set(),
        "rejected": set(),
        "paradoxically_rejected": set(),
        "cancelled": set(),
        "quarantined": set(),
    },
)


class OrderSource(models.TextChoices):
    """Where an order came from."""

    PORTAL = "portal", _("Portal")
    API = "api", _("API")
    STANDING = "standing", _("Standing offer")
    IMPORT = "import", _("Import")
    DEMO = "demo", _("Demonstration")


class Order(models.Model):
    """An order in one auction. Windows are periods of the auction, counted from 1, inclusive."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="orders")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    source = models.CharField(max_length=10, choices=OrderSource.choices)
    side = models.CharField(max_length=4, choices=OrderSide.choices)
    kind = models.CharField(max_length=13, choices=OrderKind.choices)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        help_text=_("Blocks: accepted at most at the share of this order."),
    )
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    hub = models.ForeignKey(
        Hub,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Buy: where it is consumed. Sell: where it is delivered."),
    )
    listing = models.ForeignKey(
        Listing, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    scenario = models.ForeignKey(
        WorkloadScenario, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    max_rtt_ms = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    max_carbon_g = models.DecimalField(max_digits=10, decimal_places=3, null=True, blank=True)
    placement = models.CharField(max_length=6, choices=Placement.choices, default=Placement.ANY)
    min_acceptance = models.DecimalField(max_digits=5, decimal_places=4, default=0)
    min_dengbao_level = models.PositiveSmallIntegerField(default=0)
    requires_xinchuang = models.BooleanField(default=False)
    min_trust_level = models.PositiveSmallIntegerField(default=0)
    first_period = models.PositiveIntegerField()
    last_period = models.PositiveIntegerField()
    # Flexible and interruptible orders: how many periods of the window they need.
    duration = models.PositiveIntegerField(null=True, blank=True)
    quantity = models.DecimalField(_("Most units in any period"), max_digits=14, decimal_places=3)
    limit_price = models.DecimalField(
        _("Best limit, CNY per unit and hour"), max_digits=14, decimal_places=6
    )
    # Worst case at the limits, fees and VAT in: what the hold must cover (buys; 0 for sells).
    worst_case_cny = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    hold_reference = models.UUIDField(null=True, blank=True)
    state = models.CharField(max_length=24, choices=OrderState.choices, default=OrderState.ACTIVE)
    reason_code = models.CharField(max_length=40, blank=True)
    reason_params = models.JSONField(default=dict, blank=True)
    accepted_unit_hours = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    acceptance = models.DecimalField(max_digits=9, decimal_places=8, null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    submitted_at = models.DateTimeField(_("Submitted at (market time)"))
    recorded_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("Order")
        verbose_name_plural = _("Orders")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    quantity__gt=0,
                    quantity__lt=1_000_000_000,
                    limit_price__gte=0,
                    limit_price__lt=1_000_000,
                    worst_case_cny__gte=0,
                    worst_case_cny__lt=1_000_000_000_000,
                    min_acceptance__gte=0,
                    min_acceptance__lte=1,
                    first_period__gte=1,
                    last_period__gte=models.F("first_period"),
                ),
                name="order_figures_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(side="buy") | models.Q(listing__isnull=False),
                name="sell_order_has_listing",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=("curve", "block"), duration__isnull=True)
                | models.Q(
                    kind__in=("flexible", "interruptible"),
                    side="buy",
                    duration__gte=1,
                    duration__lte=models.F("last_period") - models.F("first_period") + 1,
                ),
                name="order_duration_fits_window",
            ),
            models.CheckConstraint(
                condition=models.Q(parent__isnull=True) | models.Q(kind="block"),
                name="only_blocks_are_linked",
            ),
        ]
        indexes = [
            models.Index(fields=["auction", "state"], name="order_book"),
            models.Index(fields=["organisation", "-id"], name="order_member"),
            models.Index(fields=["organisation", "state", "-id"], name="order_member_state"),
            # Statements find the order of a hold.
            models.Index(fields=["hold_reference"], name="order_hold"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class CurveStep(models.Model):
    """One price–quantity step of a curve order over a run of periods; ``quantity`` is its own."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="curve_steps")
    first_period = models.PositiveIntegerField()
    last_period = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=14, decimal_places=6)
    quantity = models.DecimalField(max_digits=14, decimal_places=3)

    class Meta:
        verbose_name = _("Curve step")
        verbose_name_plural = _("Curve steps")
        constraints = [
            models.UniqueConstraint(
                fields=["order", "first_period", "price"], name="curve_step_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    quantity__gt=0,
                    quantity__lt=1_000_000_000,
                    price__gte=0,
                    price__lt=1_000_000,
                    first_period__gte=1,
                    last_period__gte=models.F("first_period"),
                ),
                name="curve_step_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} @ {self.price}"


class BlockOption(models.Model):
    """One profile of a block order with its own limit; several make an exclusive group."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="options")
    option_no = models.PositiveSmallIntegerField(default=1)
    limit_price = models.DecimalField(max_digits=14, decimal_places=6)

    class Meta:
        verbose_name = _("Block option")
        verbose_name_plural = _("Block options")
        constraints = [
            models.UniqueConstraint(fields=["order", "option_no"], name="block_option_unique"),
            models.CheckConstraint(
                condition=models.Q(limit_price__gte=0, limit_price__lt=1_000_000),
                name="block_option_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.option_no}"


class BlockLeg(models.Model):
    """Units of one product at one hub over a run of periods, within a block option."""

    option = models.ForeignKey(BlockOption, on_delete=models.CASCADE, related_name="legs")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    first_period = models.PositiveIntegerField()
    last_period = models.PositiveIntegerField()
    quantity = models.DecimalField(max_digits=14, decimal_places=3)

    class Meta:
        verbose_name = _("Block leg")
        verbose_name_plural = _("Block legs")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    quantity__gt=0,
                    quantity__lt=1_000_000_000,
                    first_period__gte=1,
                    last_period__gte=models.F("first_period"),
                ),
                name="block_leg_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.option_id}: {self.quantity}"
