"""Surveillance: what looks wrong in a published auction, and what became of it."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Hub, Organisation, Product
from orders.models.auctions import Auction


class AlertKind(models.TextChoices):
    """What is watched; the definitions stand in docs/reference/surveillance.md."""

    SELF_TRADE = "self_trade", _("Bought from itself")
    LINKED_TRADE = "linked_trade", _("Traded with an organisation run by the same people")
    LATE_WITHDRAWAL = "late_withdrawal", _("Withdrew just before orders became binding")
    LATE_VOLUME = "late_volume", _("Large part of the book entered in the last phase")
    CONCENTRATION = "concentration", _("Supply in few hands")
    PRICE_OUTLIER = "price_outlier", _("Price far from its recent course")


class AlertState(models.TextChoices):
    """Where a case stands."""

    OPEN = "open", pgettext_lazy("case", "Open")
    UNDER_REVIEW = "under_review", pgettext_lazy("case", "Under review")
    CLOSED = "closed", pgettext_lazy("case", "Closed")


ALERT_TRANSITIONS = TransitionTable(
    AlertState,
    {"open": {"under_review", "closed"}, "under_review": {"closed"}, "closed": {"under_review"}},
)


class SurveillanceAlert(models.Model):
    """Something found once; the key makes a repeated search find nothing new."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=20, choices=AlertKind.choices)
    key = models.CharField(max_length=120)
    auction = models.ForeignKey(
        Auction, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    counterparty = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    figures = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=AlertState.choices, default=AlertState.OPEN)
    found_at = models.DateTimeField(_("Found at (market time)"))
    recorded_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("Surveillance alert")
        verbose_name_plural = _("Surveillance alerts")
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="alert_unique"),
            models.CheckConstraint(
                condition=~models.Q(state="closed")
                | models.Q(closed_at__isnull=False, closed_by__isnull=False),
                name="alert_closed_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["state", "-id"], name="alert_state")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class AlertComment(models.Model):
    """What an operator wrote on a case. Append-only."""

    alert = models.ForeignKey(SurveillanceAlert, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=1000)
    to_state = models.CharField(max_length=12, choices=AlertState.choices, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Comment on an alert")
        verbose_name_plural = _("Comments on alerts")
        indexes = [models.Index(fields=["alert", "id"], name="alert_comment")]

    def __str__(self) -> str:
        return f"{self.alert_id}: {self.text[:40]}"
