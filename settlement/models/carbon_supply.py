"""Sources of green energy of a data centre, and the figures its shares are held against."""

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.models import ResourcePool


class SourceKind(models.TextChoices):
    """Where green energy comes from."""

    SOLAR = "own_solar", _("Own solar")
    WIND = "own_wind", _("Own wind")
    DIRECT = "direct", _("Direct green supply")
    CONTRACT = "contract", _("Contract (PPA)")
    STORAGE = "storage", _("Storage discharge")


class SupplyReading(models.TextChoices):
    """Whether an hour was expected or measured; what is measured wins."""

    FORECAST = "forecast", pgettext_lazy("green supply", "Forecast")
    METERED = "metered", pgettext_lazy("green supply", "Metered")


class GreenSource(models.Model):
    """A plant, line, contract or storage that gives a data centre green energy. Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(_("Code"), max_length=24, unique=True)
    pool = models.ForeignKey(ResourcePool, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("Kind"), max_length=10, choices=SourceKind.choices)
    name = models.CharField(_("Name"), max_length=100)
    name_en = models.CharField(_("English name"), max_length=120, blank=True)
    capacity_w = models.PositiveBigIntegerField(_("Capacity, W"))
    valid_from = models.DateField(_("From"))
    valid_to = models.DateField(_("Until"), null=True, blank=True)
    evidence = models.CharField(_("Evidence"), max_length=200)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Green source")
        verbose_name_plural = _("Green sources")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(capacity_w__gt=0, capacity_w__lte=100_000_000_000),
                name="green_source_capacity_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True)
                | models.Q(valid_to__gte=models.F("valid_from")),
                name="green_source_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=~models.Q(evidence=""), name="green_source_has_evidence"
            ),
        ]
        indexes = [models.Index(fields=["pool", "code"], name="green_source_pool")]

    def __str__(self) -> str:
        return self.code

    @property
    def name_zh(self) -> str:
        """The name as it was given first; ``name_en`` is the other language's, if there is one."""
        return self.name

    @property
    def capacity_kw(self) -> Decimal:
        """The capacity in kW."""
        return Decimal(self.capacity_w) / 1000


class ReferenceKind(models.TextChoices):
    """What a stated share is of."""

    GRID = "grid_share", _("Carbon-free share of the grid")
    TARGET = "target_share", _("Green share wanted of data centres")


class GreenReference(models.Model):
    """A share that somebody published, from a day on, with its source. Append-only."""

    kind = models.CharField(max_length=12, choices=ReferenceKind.choices)
    # Province of the grid in English; nothing for the whole nation.
    area_en = models.CharField(max_length=40, blank=True)
    valid_from = models.DateField(_("From"))
    share = models.DecimalField(_("Share"), max_digits=5, decimal_places=4)
    source = models.CharField(_("Source"), max_length=200)
    note = models.CharField(max_length=200, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Stated green share")
        verbose_name_plural = _("Stated green shares")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(share__gte=0, share__lte=1), name="green_reference_is_a_share"
            ),
            models.CheckConstraint(
                condition=~models.Q(source=""), name="green_reference_has_source"
            ),
            models.UniqueConstraint(
                fields=["kind", "area_en", "valid_from"], name="green_reference_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.area_en} {self.valid_from:%Y-%m-%d}"
