"""Sums of a published run that price history, index and bulletin are made of."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.models import Hub, Product
from orders.models.clearing import ClearingRun


class PriceSummary(models.Model):
    """What a hub supplied of a product in a run: unit-hours and their value. Never edited.

    Value and prices are CNY per unit and hour, VAT excluded; a hub that supplied nothing has no
    row. Written in the transaction that publishes the run, so that a chart over months of auctions
    reads a few rows an auction instead of every period.
    """

    run = models.ForeignKey(ClearingRun, on_delete=models.PROTECT, related_name="summaries")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="+")
    unit_hours = models.DecimalField(max_digits=20, decimal_places=6)
    value_cny = models.DecimalField(max_digits=24, decimal_places=6)
    lowest_price = models.DecimalField(max_digits=16, decimal_places=8)
    highest_price = models.DecimalField(max_digits=16, decimal_places=8)

    class Meta:
        verbose_name = _("Price summary")
        verbose_name_plural = _("Price summaries")
        constraints = [
            models.UniqueConstraint(fields=["run", "product", "hub"], name="price_summary_unique"),
            models.CheckConstraint(
                condition=models.Q(unit_hours__gt=0), name="price_summary_has_volume"
            ),
        ]
        indexes = [models.Index(fields=["product", "run"], name="price_summary_product")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.product_id} {self.hub_id}"
