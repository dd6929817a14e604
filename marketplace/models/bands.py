"""Dated price bands: which prices a product may have, from an instant on."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.models.approvals import TwoPersonRequest
from marketplace.models.products import Product


class PriceBand(models.Model):
    """Lowest and highest price of a product, CNY per unit and hour (不含税). Append-only.

    Auctions whose gate opens at or after ``valid_from`` have this band; those whose gate is open
    already keep theirs.
    """

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="price_bands")
    valid_from = models.DateTimeField(_("Valid from"))
    price_min = models.DecimalField(_("Lowest price"), max_digits=14, decimal_places=6)
    price_max = models.DecimalField(_("Highest price"), max_digits=14, decimal_places=6)
    request = models.ForeignKey(
        TwoPersonRequest, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(_("Reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Price band")
        verbose_name_plural = _("Price bands")
        constraints = [
            models.UniqueConstraint(fields=["product", "valid_from"], name="price_band_unique"),
            models.CheckConstraint(
                condition=models.Q(
                    price_min__gte=0,
                    price_max__gt=models.F("price_min"),
                    price_max__lt=1_000_000,
                ),
                name="price_band_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.price_min}–{self.price_max} {self.valid_from:%Y-%m-%d}"
