"""Recognition of retired units against the need of a statement. Append-only throughout.

The counters of the caps are written by the trigger of the events alone, so that what is used is
the sum of the events by construction.
"""

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.models import Organisation
from settlement.models.recognition_agreements import AgreementVersion, RecognitionAgreement

CREDITS_LIMIT = 1_000_000_000


class Recognition(models.Model):
    """One act of recognition for a statement: what was needed, applied and left. Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=30, unique=True)
    statement = models.ForeignKey(
        "settlement.EmissionStatement", on_delete=models.PROTECT, related_name="recognitions"
    )
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    scheme = models.ForeignKey("settlement.Registry", on_delete=models.PROTECT, related_name="+")
    # Subject and month: all versions of a statement share the key, and so the need.
    subject_key = models.CharField(max_length=80)
    claim_month = models.DateField()
    recognised_on = models.DateField()
    market_based_t = models.DecimalField(max_digits=18, decimal_places=6)
    need_t = models.DecimalField(max_digits=18, decimal_places=6)
    applied_t = models.DecimalField(max_digits=18, decimal_places=6)
    residual_t = models.DecimalField(max_digits=18, decimal_places=6)
    over_coverage_t = models.DecimalField(max_digits=18, decimal_places=6)
    idempotency_key = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=64)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Recognition")
        verbose_name_plural = _("Recognitions")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "idempotency_key"], name="recognition_once"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    need_t=models.F("applied_t") + models.F("residual_t"),
                    applied_t__gte=0,
                    residual_t__gte=0,
                    over_coverage_t__gte=0,
                    need_t__lte=models.F("market_based_t"),
                ),
                name="recognition_adds_up",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-id"], name="recognition_member"),
            models.Index(fields=["subject_key"], name="recognition_subject"),
        ]

    def __str__(self) -> str:
        return self.number


class RecognitionEvent(models.Model):
    """A retirement line recognised, exactly once, under the version pinned to it. Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    recognition = models.ForeignKey(Recognition, on_delete=models.PROTECT, related_name="events")
    retirement_line = models.OneToOneField(
        "settlement.RetirementLine", on_delete=models.PROTECT, related_name="recognition_event"
    )
    version = models.ForeignKey(AgreementVersion, on_delete=models.PROTECT, related_name="events")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    cap_period = models.CharField(max_length=10)
    credits = models.PositiveIntegerField()
    factor = models.DecimalField(max_digits=9, decimal_places=8)
    recognised_t = models.DecimalField(max_digits=18, decimal_places=6)
    applied_t = models.DecimalField(max_digits=18, decimal_places=6)
    usage_t = models.DecimalField(max_digits=18, decimal_places=6)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Recognition event")
        verbose_name_plural = _("Recognition events")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    credits__gt=0,
                    credits__lt=CREDITS_LIMIT,
                    factor__gt=0,
                    factor__lte=1,
                    applied_t__gte=0,
                    applied_t__lte=models.F("recognised_t"),
                    # Rounded from running sums, so an event may differ by a gram.
                    recognised_t__lte=models.F("usage_t") + Decimal("0.000001"),
                    usage_t__lte=models.F("credits"),
                ),
                name="recognition_event_sane",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class CapUsage(models.Model):
    """Tonnes of an agreement's cap used in a period, by all or by one party.

    The row is a lock and a counter; the trigger of the events keeps it equal to their sum, and the
    check refuses what would go beyond the cap of the newest version.
    """

    agreement = models.ForeignKey(RecognitionAgreement, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    period = models.CharField(max_length=10)
    used_t = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    cap_t = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)

    class Meta:
        verbose_name = _("Use of a cap")
        verbose_name_plural = _("Uses of caps")
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "organisation", "period"],
                name="cap_usage_unique",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(used_t__gte=0)
                & (models.Q(cap_t__isnull=True) | models.Q(used_t__lte=models.F("cap_t"))),
                name="cap_not_exceeded",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agreement_id} {self.organisation_id} {self.period}: {self.used_t}"
