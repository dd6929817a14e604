"""What an international registry says of a batch beyond its serials and dates."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.models.registry_units import UnitBatch


class AdjustmentClaim(models.TextChoices):
    """How far the registry says that the host country's corresponding adjustment is."""

    UNKNOWN = "unknown", pgettext_lazy("adjustment", "Not stated")
    NOT_REQUIRED = "not_required", pgettext_lazy("adjustment", "Not required")
    COMMITTED = "committed", pgettext_lazy("adjustment", "Committed, not made")
    COMPLETED = "completed", pgettext_lazy("adjustment", "Made")


class BatchOrigin(models.Model):
    """A batch as its home registry writes it. Append-only.

    What it says of the adjustment is the file's word; recognition asks for the recorded proof.
    """

    batch = models.OneToOneField(UnitBatch, on_delete=models.PROTECT, related_name="origin")
    native_serial = models.CharField(_("Serial block"), max_length=160)
    country = models.CharField(_("Host country"), max_length=2)
    sector = models.PositiveSmallIntegerField(_("Sectoral scope"))
    adjustment = models.CharField(
        _("Corresponding adjustment"), max_length=12, choices=AdjustmentClaim.choices
    )
    has_additional_certification = models.BooleanField(_("Additional certification"))
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Origin of a batch")
        verbose_name_plural = _("Origins of batches")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sector__gte=1, sector__lte=16), name="sectoral_scope_known"
            ),
        ]

    def __str__(self) -> str:
        return self.native_serial
