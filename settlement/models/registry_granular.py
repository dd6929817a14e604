"""Granular certificates: watt-hours of one device in at most one hour, issued against a month."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.utils.translation import gettext_lazy as _

from settlement.models.carbon_factors import GranularSlice
from settlement.models.deliveries import TsTzRange
from settlement.models.registry_reference import Project
from settlement.models.registry_units import UnitBatch


class GranularBundle(models.Model):
    """What a batch of granular certificates is made of. Append-only.

    The batch holds one serial for each watt-hour, under its own issuance id; the slice is the
    device's energy of the same time under the month's certificates (the parent), which were used
    up for it. The database keeps the two equal and within the parent (23L13).
    """

    batch = models.OneToOneField(UnitBatch, on_delete=models.PROTECT, related_name="bundle")
    parent_slice = models.OneToOneField(
        GranularSlice, on_delete=models.PROTECT, related_name="bundle"
    )
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    device = models.CharField(_("Device"), max_length=64)
    source = models.CharField(_("Energy source"), max_length=40)
    starts_at = models.DateTimeField(_("Production from"))
    ends_at = models.DateTimeField(_("Production to"))
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Bundle of granular certificates")
        verbose_name_plural = _("Bundles of granular certificates")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at"))
                & ~models.Q(device="")
                & ~models.Q(source=""),
                name="bundle_of_a_device_and_time",
            ),
            ExclusionConstraint(
                name="a_device_produces_once",
                expressions=[
                    ("project", RangeOperators.EQUAL),
                    ("device", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.starts_at:%Y-%m-%d %H:%M}"
