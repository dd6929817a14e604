"""Benchmark results that suppliers upload for their pools."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.models.pools import ResourcePool


class PoolBenchmark(models.Model):
    """A measured figure of a pool, per unit of its product. Append-only: a new one counts."""

    pool = models.ForeignKey(ResourcePool, on_delete=models.PROTECT, related_name="benchmarks")
    benchmark = models.CharField(_("Benchmark"), max_length=30)
    value = models.DecimalField(_("Measured"), max_digits=16, decimal_places=4)
    # The catalogue's nominal figure when it was uploaded; empty where there is none.
    nominal = models.DecimalField(
        _("Nominal"), max_digits=16, decimal_places=4, null=True, blank=True
    )
    efficiency = models.DecimalField(
        _("Efficiency"), max_digits=5, decimal_places=4, null=True, blank=True
    )
    units_tested = models.PositiveIntegerField(_("Units tested"))
    measured_on = models.DateField(_("Measured on"))
    tool = models.CharField(_("Tool"), max_length=80)
    note = models.CharField(_("Note"), max_length=200, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(_("Recorded at"), auto_now_add=True)

    class Meta:
        verbose_name = _("Benchmark result")
        verbose_name_plural = _("Benchmark results")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(value__gt=0, value__lt=1_000_000_000, units_tested__gt=0),
                name="benchmark_sane",
            ),
        ]
        indexes = [models.Index(fields=["pool", "-measured_on"], name="benchmark_pool")]

    def __str__(self) -> str:
        return f"{self.pool_id} {self.benchmark} {self.value}"
