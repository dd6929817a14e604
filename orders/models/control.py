"""What the operator does to auctions, and the band each auction was opened with."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.models import Product
from orders.models.auctions import Auction
from orders.models.clearing import ClearingRun


class AuctionBand(models.Model):
    """The price band of a product in one auction, written when its gate opens. Append-only."""

    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="bands")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    price_min = models.DecimalField(max_digits=14, decimal_places=6)
    price_max = models.DecimalField(max_digits=14, decimal_places=6)

    class Meta:
        verbose_name = _("Price band of an auction")
        verbose_name_plural = _("Price bands of auctions")
        constraints = [
            models.UniqueConstraint(fields=["auction", "product"], name="auction_band_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.auction_id} {self.product_id}: {self.price_min}–{self.price_max}"


class GateExtension(models.Model):
    """A gate closure that was put off, with who asked and who approved. Append-only."""

    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="extensions")
    closes_before = models.DateTimeField()
    closes_after = models.DateTimeField()
    market_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=300)

    class Meta:
        verbose_name = _("Gate extension")
        verbose_name_plural = _("Gate extensions")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(closes_after__gt=models.F("closes_before")),
                name="extension_is_later",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.auction_id}: {self.closes_after:%Y-%m-%d %H:%M}"


class RunCheck(models.Model):
    """A published run cleared once more from its archived bundle, to compare; changes nothing.

    Times are real time; ``finished_at`` empty means that it is still under way.
    """

    run = models.ForeignKey(ClearingRun, on_delete=models.PROTECT, related_name="checks")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=300)
    asked_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    result_sha256 = models.CharField(max_length=64, blank=True)
    violations = models.PositiveIntegerField(default=0)
    failure = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("Run check")
        verbose_name_plural = _("Run checks")
        indexes = [models.Index(fields=["run", "-id"], name="run_check_recent")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.asked_at:%Y-%m-%d %H:%M}"
