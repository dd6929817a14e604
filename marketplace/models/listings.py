"""Listings: idle slices of pools that are offered standing into the auctions."""

import uuid

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Func
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from marketplace.domain.transitions import TransitionTable
from marketplace.models.organisations import Organisation
from marketplace.models.pools import ResourcePool


class TsTzRange(Func):
    """``tstzrange(starts, ends)``, half-open, for exclusion constraints."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class ListingState(models.TextChoices):
    """Only an active listing is copied into auctions."""

    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


LISTING_TRANSITIONS = TransitionTable(
    ListingState,
    {
        "draft": {"active", "withdrawn"},
        "active": {"paused", "withdrawn"},
        "paused": {"active", "withdrawn"},
        "withdrawn": set(),
    },
)


class Listing(models.Model):
    """An idle slice of a pool with a calendar and a price curve (供给申报)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="listings"
    )
    pool = models.ForeignKey(ResourcePool, on_delete=models.PROTECT, related_name="listings")
    name = models.CharField(_("Name"), max_length=100)
    name_en = models.CharField(_("English name"), max_length=120, blank=True)
    quantity = models.DecimalField(_("Units offered"), max_digits=14, decimal_places=3)
    min_run_hours = models.PositiveSmallIntegerField(_("Minimum run, hours"), default=1)
    is_standing = models.BooleanField(_("Offer it in every auction"), default=True)
    state = models.CharField(
        max_length=10, choices=ListingState.choices, default=ListingState.DRAFT
    )
    # Paused by taking its pool offline; it comes back with the pool.
    paused_with_pool = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=20, default="portal")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("Listing")
        verbose_name_plural = _("Listings")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0, quantity__lt=1_000_000_000),
                name="listing_quantity_sane",
            ),
        ]
        indexes = [models.Index(fields=["state", "pool"], name="listing_state_pool")]

    def __str__(self) -> str:
        return self.name

    @property
    def name_zh(self) -> str:
        """The name as it was given first; ``name_en`` is the other language's, if there is one."""
        return self.name


class ListingPriceStep(models.Model):
    """A step of a price curve: its own quantity at CNY per unit and hour, 不含税."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="price_steps")
    step = models.PositiveSmallIntegerField()
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    price = MoneyField(max_digits=14, decimal_places=6, default_currency="CNY")

    class Meta:
        verbose_name = _("Price step")
        verbose_name_plural = _("Price steps")
        constraints = [
            models.UniqueConstraint(fields=["listing", "step"], name="price_step_unique"),
            models.CheckConstraint(
                condition=models.Q(
                    quantity__gt=0, quantity__lt=1_000_000_000, price__gte=0, price__lt=1_000_000
                ),
                name="price_step_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.listing_id}#{self.step}"


class ListingAvailability(models.Model):
    """When a listing is available, and how much of it; windows of a listing do not overlap."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="availability")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity = models.DecimalField(max_digits=14, decimal_places=3)

    class Meta:
        verbose_name = _("Availability window")
        verbose_name_plural = _("Availability windows")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at"), quantity__gt=0)
                & models.Q(quantity__lt=1_000_000_000),
                name="availability_sane",
            ),
            ExclusionConstraint(
                name="availability_windows_do_not_overlap",
                expressions=[
                    ("listing", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.listing_id} {self.starts_at:%Y-%m-%d %H:%M}"


class MaintenanceWindow(models.Model):
    """A time in which a listing sells nothing."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="maintenance")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("Maintenance window")
        verbose_name_plural = _("Maintenance windows")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="maintenance_sane"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.listing_id} {self.starts_at:%Y-%m-%d %H:%M}"
