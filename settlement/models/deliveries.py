"""Deliveries, access details, meter readings, emissions."""

import uuid
from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Func
from django.utils.translation import gettext_lazy as _

from marketplace.domain.transitions import TransitionTable
from marketplace.models import RecordedAtField
from orders.models import Allocation


class TsTzRange(Func):
    """``tstzrange(starts, ends)``, half-open, for exclusion constraints."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class DeliveryState(models.TextChoices):
    """From 待交付 to settled."""

    SCHEDULED = "scheduled", _("Waiting for hand-over")
    HANDED_OVER = "handed_over", _("Handed over")
    ACCEPTED = "accepted", _("Confirmed by the buyer")
    COMPLETED = "completed", _("Completed, metered")
    SETTLED = "settled", _("Settled")
    FAILED = "failed", _("Not delivered")


DELIVERY_TRANSITIONS = TransitionTable(
    DeliveryState,
    {
        "scheduled": {"handed_over", "failed"},
        "handed_over": {"accepted", "failed"},
        "accepted": {"completed"},
        "completed": {"settled"},
        "failed": {"settled"},
        "settled": set(),
    },
)


class Delivery(models.Model):
    """The obligation of one allocation and its performance."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    allocation = models.OneToOneField(Allocation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=12, choices=DeliveryState.choices, default=DeliveryState.SCHEDULED
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    handed_over_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    acceptance_timed_out = models.BooleanField(default=False)
    completed_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    failure_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("Delivery")
        verbose_name_plural = _("Deliveries")
        indexes = [models.Index(fields=["state", "starts_at"], name="delivery_due")]

    def __str__(self) -> str:
        return str(self.public_id)


class DeliveryTransition(models.Model):
    """The history of a delivery's states. Append-only."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="transitions")
    from_state = models.CharField(max_length=12, blank=True)
    to_state = models.CharField(max_length=12)
    market_at = models.DateTimeField()
    recorded_at = RecordedAtField(follows=("delivery_id",))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("Delivery transition")
        verbose_name_plural = _("Delivery transitions")

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.to_state}"


class DeliveryAccess(models.Model):
    """Access details handed to the buyer, encrypted at rest; a new hand-over adds a row."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="accesses")
    ciphertext = models.BinaryField()
    key_id = models.CharField(max_length=16)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Delivery access")
        verbose_name_plural = _("Delivery accesses")

    def __str__(self) -> str:
        return str(self.delivery_id)


class ReadingQuality(models.TextChoices):
    """How a reading came about."""

    MEASURED = "measured", _("Measured")
    ESTIMATED = "estimated", _("Estimated")
    CORRECTED = "corrected", _("Corrected")


class MeterReading(models.Model):
    """Units delivered, averaged over an interval of a delivery. Append-only.

    A correction is a new revision of the very same interval; intervals of one revision do not
    overlap.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="readings")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revision = models.PositiveSmallIntegerField(default=1)
    quantity = models.DecimalField(_("Units"), max_digits=14, decimal_places=3)
    quality = models.CharField(
        max_length=10, choices=ReadingQuality.choices, default=ReadingQuality.MEASURED
    )
    source = models.CharField(max_length=20)
    energy_wh = models.BigIntegerField(_("IT energy, Wh"), null=True, blank=True)
    counter = models.DecimalField(
        _("Counter at the end, unit-hours"), max_digits=18, decimal_places=3, null=True, blank=True
    )
    batch = models.ForeignKey(
        "settlement.ReadingBatch",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="readings",
    )
    is_late = models.BooleanField(_("After settlement"), default=False)
    reason = models.CharField(_("Reason"), max_length=200, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Meter reading")
        verbose_name_plural = _("Meter readings")
        constraints = [
            models.UniqueConstraint(
                fields=["delivery", "starts_at", "ends_at", "revision"], name="reading_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    quantity__gte=0,
                    quantity__lt=1_000_000_000,
                    ends_at__gt=models.F("starts_at"),
                ),
                name="reading_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(counter__isnull=True)
                | models.Q(counter__gte=0, counter__lt=1_000_000_000_000),
                name="reading_counter_sane",
            ),
            ExclusionConstraint(
                name="readings_do_not_overlap",
                expressions=[
                    ("delivery", RangeOperators.EQUAL),
                    ("revision", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

        indexes = [
            models.Index(
                fields=["delivery", "id"], condition=models.Q(is_late=True), name="reading_late"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.starts_at:%H:%M} {self.quantity}"


class GridEmissionFactor(models.Model):
    """A published grid factor, tCO2/MWh = kgCO2/kWh."""

    province_en = models.CharField(max_length=40)
    province_zh = models.CharField(max_length=20)
    year = models.PositiveSmallIntegerField()
    level = models.CharField(max_length=12)
    basis = models.CharField(max_length=40)
    kg_per_kwh = models.DecimalField(max_digits=7, decimal_places=4)
    source = models.TextField()
    confidence = models.CharField(max_length=8)

    class Meta:
        verbose_name = _("Grid emission factor")
        verbose_name_plural = _("Grid emission factors")
        constraints = [
            models.UniqueConstraint(
                fields=["province_en", "year", "level", "basis"], name="grid_factor_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.province_en} {self.year}: {self.kg_per_kwh}"


class EmissionRecord(models.Model):
    """Energy and location-based emissions of a delivery, with the factor pinned. Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="emissions")
    version = models.PositiveSmallIntegerField(default=1)
    it_wh = models.BigIntegerField()
    facility_wh = models.BigIntegerField()
    pue = models.DecimalField(max_digits=6, decimal_places=4)
    factor = models.ForeignKey(GridEmissionFactor, on_delete=models.PROTECT, related_name="+")
    factor_kg_per_kwh = models.DecimalField(max_digits=7, decimal_places=4)
    location_based_t = models.DecimalField(max_digits=16, decimal_places=6)
    is_estimated = models.BooleanField(default=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Emission record")
        verbose_name_plural = _("Emission records")
        constraints = [
            models.UniqueConstraint(fields=["delivery", "version"], name="emission_version_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.location_based_t} t"

    @property
    def it_kwh(self) -> Decimal:
        """Return the energy of the machines in kilowatt-hours."""
        return Decimal(self.it_wh) / 1000

    @property
    def facility_kwh(self) -> Decimal:
        """Return the energy of the facility in kilowatt-hours."""
        return Decimal(self.facility_wh) / 1000
