"""Indicative figures of an open auction: public, rounded, never of fewer than five members."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.models import Hub, Product
from orders.models.auctions import Auction


class IndicativeMark(models.Model):
    """One look at the standing book at a fixed mark of market time. Append-only."""

    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="marks")
    marked_at = models.DateTimeField(_("Mark (market time)"))
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Indicative mark")
        verbose_name_plural = _("Indicative marks")
        constraints = [
            models.UniqueConstraint(fields=["auction", "marked_at"], name="indicative_mark_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.auction_id} {self.marked_at:%Y-%m-%d %H:%M}"


class IndicativeCell(models.Model):
    """Rounded figures of a product at a hub (none: all hubs together) in a period. Append-only.

    Price is CNY per unit and hour (不含税), volume and imbalance are units through the period;
    imbalance is what bids ask at the price minus what asks offer at it.
    """

    mark = models.ForeignKey(IndicativeMark, on_delete=models.PROTECT, related_name="cells")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    period = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=16, decimal_places=8, null=True, blank=True)
    volume = models.DecimalField(max_digits=16, decimal_places=3)
    imbalance = models.DecimalField(max_digits=16, decimal_places=3)

    class Meta:
        verbose_name = _("Indicative cell")
        verbose_name_plural = _("Indicative cells")
        constraints = [
            models.UniqueConstraint(
                fields=["mark", "product", "hub", "period"],
                name="indicative_cell_unique",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mark_id} {self.product_id} {self.period}: {self.price}"
