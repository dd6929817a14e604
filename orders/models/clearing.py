"""Clearing runs and what they publish. Prices are CNY per unit and hour, VAT excluded."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Hub, Link, Listing, Organisation, Product
from orders.models.auctions import Auction
from orders.models.capacity import LinkDirection
from orders.models.orders import Order


class RunState(models.TextChoices):
    """Where a clearing run stands; at most one run of an auction is published."""

    FROZEN = "frozen", _("Book frozen")
    CLEARED = "cleared", _("Cleared")
    VERIFIED = "verified", _("Verified")
    INVALID = "invalid", _("Refused by the verifier")
    PUBLISHED = "published", _("Published")
    CANCELLED = "cancelled", _("Cancelled")


RUN_TRANSITIONS = TransitionTable(
    RunState,
    {
        "frozen": {"cleared", "cancelled"},
        "cleared": {"verified", "invalid", "cancelled"},
        "verified": {"published", "cancelled"},
        "invalid": {"cancelled"},
        "published": set(),
        "cancelled": set(),
    },
)


class ClearingRun(models.Model):
    """One clearing of an auction's frozen book; re-runs are new versions."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="runs")
    version = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.FROZEN)
    engine_version = models.CharField(max_length=20, blank=True)
    bundle_sha256 = models.CharField(max_length=64)
    result_sha256 = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=20, blank=True)
    order_count = models.PositiveIntegerField(default=0)
    welfare_cny = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    upper_bound_cny = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    gap = models.DecimalField(max_digits=14, decimal_places=12, null=True, blank=True)
    share_of_block_gain = models.DecimalField(
        max_digits=14, decimal_places=12, null=True, blank=True
    )
    buyer_payments_cny = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    seller_receipts_cny = models.DecimalField(
        max_digits=20, decimal_places=6, null=True, blank=True
    )
    congestion_rent_cny = models.DecimalField(
        max_digits=20, decimal_places=6, null=True, blank=True
    )
    tariffs_cny = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    blocks_accepted = models.PositiveIntegerField(default=0)
    blocks_paradoxically_rejected = models.PositiveIntegerField(default=0)
    violations = models.JSONField(default=list, blank=True)
    timings = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(_("Published at (market time)"), null=True, blank=True)

    class Meta:
        verbose_name = _("Clearing run")
        verbose_name_plural = _("Clearing runs")
        constraints = [
            models.UniqueConstraint(fields=["auction", "version"], name="run_version_unique"),
            models.UniqueConstraint(
                fields=["auction"],
                condition=models.Q(state="published"),
                name="one_published_run",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.auction_id} v{self.version}"


class RunArchive(models.Model):
    """The bundle and the result of a run as deterministic zip files."""

    run = models.OneToOneField(ClearingRun, on_delete=models.PROTECT, related_name="archive")
    bundle = models.BinaryField()
    result = models.BinaryField(null=True, blank=True)

    class Meta:
        verbose_name = _("Run archive")
        verbose_name_plural = _("Run archives")

    def __str__(self) -> str:
        return str(self.run_id)


class PartState(models.TextChoices):
    """Where a part of a book stands."""

    WAITING = "waiting", _("Waiting")
    CLAIMED = "claimed", _("Being cleared")
    CLEARED = "cleared", _("Cleared")


# A claim ends by itself when its worker dies; an answer that cannot be read is asked for again.
PART_TRANSITIONS = TransitionTable(
    PartState,
    {"waiting": {"claimed"}, "claimed": {"waiting", "cleared"}, "cleared": {"waiting"}},
)


class ClearingPart(models.Model):
    """Successive periods of a frozen book that a worker clears; numbers count from one.

    The answer is kept until the run has its result, its hash for good.
    """

    run = models.ForeignKey(ClearingRun, on_delete=models.PROTECT, related_name="parts")
    number = models.PositiveSmallIntegerField()
    first_period = models.PositiveIntegerField()
    last_period = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=PartState.choices, default=PartState.WAITING)
    # Claims run in real time. Of a part that waits: nobody takes it before.
    claimed_by = models.CharField(max_length=120, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    answer = models.BinaryField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("Part of a clearing run")
        verbose_name_plural = _("Parts of clearing runs")
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="part_number_unique"),
            models.CheckConstraint(
                condition=models.Q(first_period__gte=1)
                & models.Q(last_period__gte=models.F("first_period")),
                name="part_periods_in_order",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="cleared")
                | (~models.Q(sha256="") & models.Q(finished_at__isnull=False)),
                name="part_cleared_has_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number}"


class ClearingPrice(models.Model):
    """The supply price at a hub (``is_delivered`` false) or a delivered price of a class."""

    run = models.ForeignKey(ClearingRun, on_delete=models.PROTECT, related_name="prices")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    is_delivered = models.BooleanField(default=False)
    max_rtt_ms = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    carbon_class_g = models.DecimalField(max_digits=10, decimal_places=3, null=True, blank=True)
    period = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    price = models.DecimalField(max_digits=16, decimal_places=8, null=True, blank=True)
    supplied = models.DecimalField(max_digits=16, decimal_places=3, default=0)
    consumed = models.DecimalField(max_digits=16, decimal_places=3, default=0)

    class Meta:
        verbose_name = _("Clearing price")
        verbose_name_plural = _("Clearing prices")
        indexes = [
            models.Index(fields=["run", "product", "is_delivered"], name="price_run_product"),
            models.Index(fields=["product", "hub", "starts_at"], name="price_history"),
        ]

    def __str__(self) -> str:
        return f"{self.hub_id} {self.product_id} {self.period}: {self.price}"


class LinkFlow(models.Model):
    """Units of a product carried over a link in a period, gross in each direction."""

    run = models.ForeignKey(ClearingRun, on_delete=models.PROTECT, related_name="flows")
    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    period = models.PositiveIntegerField()
    forward_quantity = models.DecimalField(max_digits=16, decimal_places=3)
    reverse_quantity = models.DecimalField(max_digits=16, decimal_places=3)

    class Meta:
        verbose_name = _("Link flow")
        verbose_name_plural = _("Link flows")
        indexes = [models.Index(fields=["run", "link"], name="flow_run_link")]

    def __str__(self) -> str:
        return f"{self.link_id} {self.period}"


class LinkRent(models.Model):
    """Congestion rent of a full link direction, CNY per Gbit/s and period, with its load."""

    run = models.ForeignKey(ClearingRun, on_delete=models.PROTECT, related_name="rents")
    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=7, choices=LinkDirection.choices)
    period = models.PositiveIntegerField()
    rent_cny_per_gbps = models.DecimalField(max_digits=18, decimal_places=8)
    load_gbps = models.DecimalField(max_digits=18, decimal_places=6)
    capacity_gbps = models.DecimalField(max_digits=18, decimal_places=6)

    class Meta:
        verbose_name = _("Link rent")
        verbose_name_plural = _("Link rents")
        indexes = [models.Index(fields=["run", "link"], name="rent_run_link")]

    def __str__(self) -> str:
        return f"{self.link_id} {self.direction} {self.period}"


class FlowType(models.TextChoices):
    """The direction of work by the stored east / central / west tags of consumption and supply."""

    EAST_WEST = "east_west", _("East data, west compute")
    EAST_EAST = "east_east", _("East data, east compute")
    WEST_WEST = "west_west", _("West data, west compute")
    OTHER = "other", _("Other directions")


class Allocation(models.Model):
    """Accepted quantity of a buy served by one listing: who serves whom (成交). Never edited."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(_("Confirmation number"), max_length=30, unique=True)
    run = models.ForeignKey(ClearingRun, on_delete=models.PROTECT, related_name="allocations")
    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="allocations")
    buy_order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="bought")
    sell_order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="sold")
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    seller = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    supply_hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="+")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="+")
    flow_type = models.CharField(max_length=10, choices=FlowType.choices)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    unit_hours = models.DecimalField(max_digits=18, decimal_places=6)
    buyer_net_cny = models.DecimalField(max_digits=16, decimal_places=6)
    seller_net_cny = models.DecimalField(max_digits=16, decimal_places=6)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Allocation")
        verbose_name_plural = _("Allocations")
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "run",
                    "buy_order",
                    "sell_order",
                    "listing",
                    "product",
                    "supply_hub",
                    "hub",
                ],
                name="allocation_unique",
            ),
        ]
        indexes = [
            models.Index(fields=["buyer", "-id"], name="allocation_buyer"),
            models.Index(fields=["seller", "-id"], name="allocation_seller"),
        ]

    def __str__(self) -> str:
        return self.number


class AllocationPeriod(models.Model):
    """One delivery period of an allocation; prices per unit and hour, transport = difference."""

    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="periods")
    period = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    buyer_price = models.DecimalField(max_digits=16, decimal_places=8)
    seller_price = models.DecimalField(max_digits=16, decimal_places=8)
    tariff_price = models.DecimalField(max_digits=16, decimal_places=8)

    class Meta:
        verbose_name = _("Allocation period")
        verbose_name_plural = _("Allocation periods")
        constraints = [
            models.UniqueConstraint(
                fields=["allocation", "period"], name="allocation_period_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0, quantity__lt=1_000_000_000),
                name="allocation_period_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.allocation_id}/{self.period}"
