"""What stands around meter readings: keys of suppliers, batches, counter resets, dated rules."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation
from settlement.models.deliveries import Delivery


class MeteringRules(models.Model):
    """How long after its end a delivery takes late readings; the newest row in force counts."""

    valid_from = models.DateField(unique=True)
    correction_days = models.PositiveSmallIntegerField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Metering rules")
        verbose_name_plural = _("Metering rules")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(correction_days__lte=366), name="correction_days_sane"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.valid_from}: {self.correction_days}"


class MeterKey(models.Model):
    """A supplier's public key (Ed25519) that signs batches of readings; ended, never edited."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("Name"), max_length=60)
    algorithm = models.CharField(max_length=16, default="ed25519")
    public_key = models.BinaryField()
    fingerprint = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("Meter key")
        verbose_name_plural = _("Meter keys")

    def __str__(self) -> str:
        return self.name


class BatchSignature(models.TextChoices):
    """Whether a batch of readings carried a signature; a wrong one is refused as a whole."""

    UNSIGNED = "unsigned", _("Not signed")
    VERIFIED = "verified", _("Signature verified")


class ReadingBatch(models.Model):
    """Readings that arrived together, with the signature over what was sent. Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=20)
    signed = models.CharField(
        max_length=10, choices=BatchSignature.choices, default=BatchSignature.UNSIGNED
    )
    key = models.ForeignKey(
        MeterKey, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    signature = models.BinaryField(null=True, blank=True)
    content_sha256 = models.CharField(max_length=64)
    reading_count = models.PositiveIntegerField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Batch of readings")
        verbose_name_plural = _("Batches of readings")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(signed="unsigned", key__isnull=True, signature__isnull=True)
                | models.Q(signed="verified", key__isnull=False, signature__isnull=False),
                name="batch_signature_fits",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class CounterResetState(models.TextChoices):
    """A counter that starts again is announced by the supplier and approved by the operator."""

    REQUESTED = "requested", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    REFUSED = "refused", _("Refused")


COUNTER_RESET_TRANSITIONS = TransitionTable(
    CounterResetState,
    {"requested": {"approved", "refused"}, "approved": set(), "refused": set()},
)


class CounterReset(models.Model):
    """The instant at which the counter of a delivery's meter started again from zero."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="counter_resets")
    reset_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    state = models.CharField(
        max_length=10, choices=CounterResetState.choices, default=CounterResetState.REQUESTED
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("Counter reset")
        verbose_name_plural = _("Counter resets")
        constraints = [
            models.UniqueConstraint(fields=["delivery", "reset_at"], name="counter_reset_once"),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("requested_by")),
                name="counter_reset_two_persons",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.reset_at:%m-%d %H:%M}"
