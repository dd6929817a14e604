"""Two-person requests: what one operator proposes and another one decides."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable


class RequestState(models.TextChoices):
    """Where a request stands; only a pending one can change."""

    PENDING = "pending", _("Waiting for a second person")
    APPROVED = "approved", _("Approved and carried out")
    REFUSED = "refused", pgettext_lazy("request", "Refused")
    WITHDRAWN = "withdrawn", pgettext_lazy("request", "Withdrawn")
    EXPIRED = "expired", pgettext_lazy("request", "Expired")


REQUEST_TRANSITIONS = TransitionTable(
    RequestState,
    {
        "pending": {"approved", "refused", "withdrawn", "expired"},
        "approved": set(),
        "refused": set(),
        "withdrawn": set(),
        "expired": set(),
    },
)


class TwoPersonRequest(models.Model):
    """An act on the market that needs two operators; times are real, not market, time."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=64)
    object_name = models.CharField(max_length=120)
    params = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=300)
    state = models.CharField(
        max_length=10, choices=RequestState.choices, default=RequestState.PENDING
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("Two-person request")
        verbose_name_plural = _("Two-person requests")
        constraints = [
            models.UniqueConstraint(
                fields=["action", "object_type", "object_id"],
                condition=models.Q(state="pending"),
                name="one_pending_request",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("requested_by")),
                name="request_needs_two_people",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["approved", "refused"])
                | models.Q(decided_by__isnull=False, decided_at__isnull=False),
                name="request_decision_has_a_person",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="request_state"),
            models.Index(fields=["object_type", "object_id"], name="request_object"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_name}"
