"""What changes a settlement afterwards: adjustments, penalties for short service, parked work."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Product
from orders.models import Auction
from settlement.models.billing import SettlementRun
from settlement.models.deliveries import Delivery


class AdjustmentKind(models.TextChoices):
    """Why an amount is added to a settlement by decision and not by rating."""

    SLA_PENALTY = "sla_penalty", _("Penalty for short service")
    DISPUTE_RULING = "dispute_ruling", _("Ruling on a dispute")
    CORRECTION = "correction", _("Correction")
    GOODWILL = "goodwill", _("Goodwill")


class Adjustment(models.Model):
    """Net amounts that the next difference run adds to both sides of a delivery.

    Below zero the buyer pays, or the supplier gets, less; the platform bears what the two sides
    differ by. Append-only but for the run that took it in, which is written once.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="adjustments")
    kind = models.CharField(max_length=16, choices=AdjustmentKind.choices)
    buyer_net_cny = models.DecimalField(max_digits=16, decimal_places=2)
    seller_net_cny = models.DecimalField(max_digits=16, decimal_places=2)
    source_type = models.CharField(max_length=30)
    source_id = models.CharField(max_length=64)
    reason = models.CharField(max_length=200)
    ordered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    ordered_at = models.DateTimeField(auto_now_add=True)
    run = models.ForeignKey(
        SettlementRun, on_delete=models.PROTECT, null=True, blank=True, related_name="adjustments"
    )

    class Meta:
        verbose_name = _("Adjustment")
        verbose_name_plural = _("Adjustments")
        constraints = [
            models.UniqueConstraint(
                fields=["source_type", "source_id", "delivery"], name="adjustment_once"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    buyer_net_cny__lt=1_000_000_000_000,
                    buyer_net_cny__gt=-1_000_000_000_000,
                    seller_net_cny__lt=1_000_000_000_000,
                    seller_net_cny__gt=-1_000_000_000_000,
                ),
                name="adjustment_sane",
            ),
        ]
        indexes = [
            models.Index(
                fields=["delivery"], condition=models.Q(run__isnull=True), name="adjustment_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source_type} {self.source_id}"


class SlaTerms(models.Model):
    """What a product promises hour by hour and what falling short costs; dated, added to only."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateField()
    late_minutes = models.PositiveSmallIntegerField(_("Minutes a start may be late"))
    short_threshold = models.DecimalField(
        _("Share of an hour's units below which it is short"), max_digits=5, decimal_places=4
    )
    late_rate = models.DecimalField(_("Penalty rate, late"), max_digits=5, decimal_places=4)
    short_rate = models.DecimalField(_("Penalty rate, short"), max_digits=5, decimal_places=4)
    lost_rate = models.DecimalField(_("Penalty rate, lost"), max_digits=5, decimal_places=4)
    cap_share = models.DecimalField(
        _("Cap, share of the contracted net"), max_digits=5, decimal_places=4
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Service terms")
        verbose_name_plural = _("Service terms")
        constraints = [
            models.UniqueConstraint(fields=["product", "valid_from"], name="sla_terms_unique"),
            models.CheckConstraint(
                condition=models.Q(
                    short_threshold__gte=0,
                    short_threshold__lte=1,
                    late_rate__gte=0,
                    late_rate__lte=1,
                    short_rate__gte=0,
                    short_rate__lte=1,
                    lost_rate__gte=0,
                    lost_rate__lte=1,
                    cap_share__gte=0,
                    cap_share__lte=1,
                ),
                name="sla_terms_are_shares",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.valid_from}"


class SlaPenalty(models.Model):
    """The penalty of a delivery as a run found it, with its arithmetic. Append-only.

    `amount_cny` is the whole penalty, `posted_cny` what this run added. `intervals` lists each
    period that fell short: starts_at, ends_at, kind (late, lost, short), promised, delivered,
    price, rate and exact penalty as decimal texts.
    """

    run = models.ForeignKey(SettlementRun, on_delete=models.PROTECT, related_name="penalties")
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="penalties")
    terms = models.ForeignKey(SlaTerms, on_delete=models.PROTECT, related_name="+")
    formula_version = models.CharField(max_length=12)
    promised_unit_hours = models.DecimalField(max_digits=18, decimal_places=6)
    delivered_unit_hours = models.DecimalField(max_digits=18, decimal_places=6)
    intervals = models.JSONField(default=list)
    uncapped_cny = models.DecimalField(max_digits=16, decimal_places=2)
    cap_cny = models.DecimalField(max_digits=16, decimal_places=2)
    amount_cny = models.DecimalField(max_digits=16, decimal_places=2)
    posted_cny = models.DecimalField(max_digits=16, decimal_places=2)

    class Meta:
        verbose_name = _("Penalty for short service")
        verbose_name_plural = _("Penalties for short service")
        constraints = [
            models.UniqueConstraint(fields=["run", "delivery"], name="penalty_once_per_run"),
            models.CheckConstraint(
                condition=models.Q(amount_cny__gte=0, amount_cny__lte=models.F("cap_cny"))
                & models.Q(cap_cny__lt=1_000_000_000_000),
                name="penalty_within_cap",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.delivery_id}: {self.amount_cny}"


class ParkedState(models.TextChoices):
    """Parked work waits for a person or for the next try."""

    OPEN = "open", pgettext_lazy("parked work", "Open")
    RESOLVED = "resolved", _("Resolved")


PARKED_TRANSITIONS = TransitionTable(ParkedState, {"open": {"resolved"}, "resolved": set()})


class ParkedStage(models.TextChoices):
    """The work that could not be done."""

    SETTLEMENT = "settlement", _("First settlement")
    DIFFERENCES = "differences", _("Settlement of differences")


class ParkedItem(models.Model):
    """An auction whose settlement was refused: the named reason, tried again or resolved."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=12, choices=ParkedStage.choices)
    code = models.CharField(max_length=60)
    message = models.CharField(max_length=300, blank=True)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=ParkedState.choices, default=ParkedState.OPEN)
    attempts = models.PositiveIntegerField(default=1)
    parked_at = models.DateTimeField(auto_now_add=True)
    last_tried_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    resolution = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("Parked settlement")
        verbose_name_plural = _("Parked settlements")
        constraints = [
            models.UniqueConstraint(
                fields=["auction", "stage"],
                condition=models.Q(state="open"),
                name="parked_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.auction_id} {self.stage}: {self.code}"
