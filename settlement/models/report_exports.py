"""Files made in the background: who asked for which report, how far it is, where the file lies."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation


class ExportState(models.TextChoices):
    """A file is waited for, made, kept for a while and removed."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Being made")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    REMOVED = "removed", _("Removed")


# A job whose worker died waits again; a removed file is gone for good.
EXPORT_TRANSITIONS = TransitionTable(
    ExportState,
    {
        "waiting": {"running", "removed"},
        "running": {"ready", "failed", "waiting"},
        "ready": {"removed"},
        "failed": {"removed"},
        "removed": set(),
    },
)


class ExportJob(models.Model):
    """A report to be written to a file in the background; only who asked for it may fetch it."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    report = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)
    file_format = models.CharField(max_length=8)
    language = models.CharField(max_length=10)
    state = models.CharField(max_length=8, choices=ExportState.choices, default=ExportState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    filename = models.CharField(max_length=160, blank=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(default=dict)
    error_code = models.CharField(max_length=60, blank=True)
    error_text = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("Export")
        verbose_name_plural = _("Exports")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="ready") | ~models.Q(sha256=""),
                name="ready_export_has_a_hash",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="export_user"),
            models.Index(fields=["state", "id"], name="export_state"),
        ]

    def __str__(self) -> str:
        return f"{self.report} {self.public_id}"
