"""What members are told, and by which ways: portal, e-mail, webhook."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models.organisations import Organisation


class Notification(models.Model):
    """Something a member should know; unique by topic and key, so it is told once."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="notifications"
    )
    topic = models.CharField(max_length=40)
    key = models.CharField(max_length=80)
    params = models.JSONField(default=dict)
    path = models.CharField(max_length=200, blank=True)
    market_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Notification")
        verbose_name_plural = _("Notifications")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "topic", "key"], name="notification_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"


class NotificationCopy(models.Model):
    """A notification in the portal of one person."""

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="copies")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_copies"
    )
    # Repeated from the notification: the list of a person in an organisation is one index scan.
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("Copy of a notification")
        verbose_name_plural = _("Copies of notifications")
        constraints = [
            models.UniqueConstraint(fields=["notification", "user"], name="copy_unique"),
        ]
        indexes = [
            models.Index(fields=["user", "organisation", "-id"], name="copy_list"),
            models.Index(
                fields=["user", "organisation"],
                condition=models.Q(read_at=None),
                name="copy_unread",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notification_id} for {self.user_id}"


class NotificationSetting(models.Model):
    """By which ways a person wants a topic; without a row the topic's own defaults count."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_settings"
    )
    topic = models.CharField(max_length=40)
    in_portal = models.BooleanField(_("In the portal"))
    by_email = models.BooleanField(_("By e-mail"))

    class Meta:
        verbose_name = _("Notification setting")
        verbose_name_plural = _("Notification settings")
        constraints = [
            models.UniqueConstraint(fields=["user", "topic"], name="notification_setting_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.topic}"


class DispatchState(models.TextChoices):
    """Where a message to the outside stands."""

    DUE = "due", pgettext_lazy("message", "Waiting")
    SENT = "sent", pgettext_lazy("message", "Delivered")
    FAILED = "failed", pgettext_lazy("message", "Given up")


DISPATCH_TRANSITIONS = TransitionTable(
    DispatchState, {"due": {"sent", "failed"}, "sent": {"due"}, "failed": {"due"}}
)


class Dispatch(models.Model):
    """What messages to the outside share: when to try next, and how often it was tried."""

    state = models.CharField(max_length=6, choices=DispatchState.choices, default=DispatchState.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class EmailDelivery(Dispatch):
    """A notification by e-mail to one person."""

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="emails")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("E-mail")
        verbose_name_plural = _("E-mails")
        constraints = [
            models.UniqueConstraint(fields=["notification", "user"], name="email_unique"),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=models.Q(state="due"), name="email_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notification_id} to {self.user_id}"


class WebhookEndpoint(models.Model):
    """An address of a member's own system that is told of events; its secret is encrypted."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="webhook_endpoints"
    )
    url = models.URLField(_("Address"), max_length=500)
    topics = ArrayField(models.CharField(max_length=40), verbose_name=_("Events"))
    ciphertext = models.BinaryField()
    key_id = models.CharField(max_length=16)
    is_active = models.BooleanField(_("On"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Webhook")
        verbose_name_plural = _("Webhooks")

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(Dispatch):
    """A notification to one webhook."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    notification = models.ForeignKey(
        Notification, on_delete=models.CASCADE, related_name="webhook_deliveries"
    )
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries"
    )

    class Meta:
        verbose_name = _("Webhook delivery")
        verbose_name_plural = _("Webhook deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["notification", "endpoint"], name="webhook_delivery_unique"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=models.Q(state="due"), name="webhook_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notification_id} to {self.endpoint_id}"


class WebhookAttempt(models.Model):
    """One try to deliver, and how it went. Append-only."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.PROTECT, related_name="tries")
    recorded_at = models.DateTimeField(auto_now_add=True)
    # Empty when no answer came.
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    problem = models.CharField(max_length=40, blank=True)
    duration_ms = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("Webhook attempt")
        verbose_name_plural = _("Webhook attempts")

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.http_status or self.problem}"
