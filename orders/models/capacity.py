"""Commitments: what is already sold of a listing or a link, in slots of 15 minutes.

An auction claims its slice when its gate closes and frees the rest on publication, so no later
auction can sell it twice; the check on the row is the guarantee.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.models import Link, Listing
from orders.models.auctions import Auction

SLOT_MINUTES = 15


class CapacityCommitment(models.Model):
    """Units of a listing committed in one slot."""

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="+")
    slot_starts_at = models.DateTimeField()
    available = models.DecimalField(max_digits=14, decimal_places=3)
    committed = models.DecimalField(max_digits=14, decimal_places=3, default=0)

    class Meta:
        verbose_name = _("Capacity commitment")
        verbose_name_plural = _("Capacity commitments")
        constraints = [
            models.UniqueConstraint(
                fields=["listing", "slot_starts_at"], name="capacity_commitment_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    committed__gte=0,
                    committed__lte=models.F("available"),
                    available__lt=1_000_000_000,
                ),
                name="no_double_sale",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.listing_id} {self.committed}/{self.available}"


class CapacityClaim(models.Model):
    """What one auction took of a slot at gate closure, and what it kept on publication."""

    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="+")
    commitment = models.ForeignKey(CapacityCommitment, on_delete=models.PROTECT, related_name="+")
    claimed = models.DecimalField(max_digits=14, decimal_places=3)
    kept = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)

    class Meta:
        verbose_name = _("Capacity claim")
        verbose_name_plural = _("Capacity claims")
        constraints = [
            models.UniqueConstraint(fields=["auction", "commitment"], name="capacity_claim_unique"),
            models.CheckConstraint(
                condition=models.Q(claimed__gte=0, claimed__lt=1_000_000_000)
                & (
                    models.Q(kept__isnull=True)
                    | models.Q(kept__gte=0, kept__lte=models.F("claimed"))
                ),
                name="capacity_claim_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.auction_id}: {self.claimed}"


class LinkDirection(models.TextChoices):
    """Along the link's own direction or against it."""

    FORWARD = "forward", _("Forward")
    REVERSE = "reverse", _("Reverse")


class LinkCommitment(models.Model):
    """Gbit/s of one direction of a link committed in one slot."""

    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=7, choices=LinkDirection.choices)
    slot_starts_at = models.DateTimeField()
    available_gbps = models.DecimalField(max_digits=18, decimal_places=6)
    committed_gbps = models.DecimalField(max_digits=18, decimal_places=6, default=0)

    class Meta:
        verbose_name = _("Link commitment")
        verbose_name_plural = _("Link commitments")
        constraints = [
            models.UniqueConstraint(
                fields=["link", "direction", "slot_starts_at"], name="link_commitment_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    committed_gbps__gte=0,
                    committed_gbps__lte=models.F("available_gbps"),
                    available_gbps__lt=1_000_000_000,
                ),
                name="no_link_sold_twice",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.link_id} {self.direction} {self.committed_gbps}"


class LinkClaim(models.Model):
    """What one auction took of a link slot at gate closure, and what it kept."""

    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="+")
    commitment = models.ForeignKey(LinkCommitment, on_delete=models.PROTECT, related_name="+")
    claimed_gbps = models.DecimalField(max_digits=18, decimal_places=6)
    kept_gbps = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)

    class Meta:
        verbose_name = _("Link claim")
        verbose_name_plural = _("Link claims")
        constraints = [
            models.UniqueConstraint(fields=["auction", "commitment"], name="link_claim_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.auction_id}: {self.claimed_gbps}"
