"""Records that every layer writes: audit trail, outbox, inbox, idempotency, API tokens."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.models.organisations import Organisation


class AuditEvent(models.Model):
    """Who did what to which object, before and after. Append-only (trigger and rights)."""

    recorded_at = models.DateTimeField(_("Recorded at"), auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Person"),
    )
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Organisation"),
    )
    action = models.CharField(_("Action"), max_length=60)
    object_type = models.CharField(_("Kind of object"), max_length=60)
    object_id = models.CharField(_("Object number"), max_length=64)
    before = models.JSONField(_("Before"), null=True, blank=True)
    after = models.JSONField(_("After"), null=True, blank=True)
    reason = models.CharField(_("Reason"), max_length=300, blank=True)
    address = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    request_id = models.CharField(_("Request"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("Audit event")
        verbose_name_plural = _("Audit trail")
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
            models.Index(fields=["organisation", "-id"], name="audit_organisation"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"


class OutboxEvent(models.Model):
    """Something that happened, for the layers above; written in the same transaction."""

    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    topic = models.CharField(max_length=60)
    aggregate = models.CharField(max_length=60)
    payload = models.JSONField(default=dict)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Outbox event")
        verbose_name_plural = _("Outbox events")
        indexes = [models.Index(fields=["topic", "id"], name="outbox_topic")]

    def __str__(self) -> str:
        return f"{self.topic} {self.aggregate}"


class InboxReceipt(models.Model):
    """A consumer has applied an event; unique, so each event is applied at most once."""

    consumer = models.CharField(max_length=60)
    event = models.ForeignKey(OutboxEvent, on_delete=models.PROTECT, related_name="receipts")
    applied_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Inbox receipt")
        verbose_name_plural = _("Inbox receipts")
        constraints = [
            models.UniqueConstraint(fields=["consumer", "event"], name="inbox_receipt_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.consumer} {self.event_id}"


class IdempotencyRecord(models.Model):
    """The stored answer to a request that carried an Idempotency-Key."""

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=120)
    operation = models.CharField(max_length=80)
    fingerprint = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.JSONField(null=True, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Idempotency record")
        verbose_name_plural = _("Idempotency records")
        constraints = [
            models.UniqueConstraint(
                fields=["actor", "operation", "key"], name="idempotency_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.key}"


class Heartbeat(models.Model):
    """When a kind of process was last seen at work, in real time."""

    name = models.CharField(max_length=60, unique=True)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("Heartbeat")
        verbose_name_plural = _("Heartbeats")

    def __str__(self) -> str:
        return self.name
