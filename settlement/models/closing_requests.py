"""What one person asks to be done to a month of the books and another person decides."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from settlement.models.closing_periods import BookPeriod
from settlement.models.funds import RequestState
from settlement.models.ledger import JournalEntry


class PeriodChangeKind(models.TextChoices):
    """What takes two persons; closing a month for all but finance takes one."""

    HARD_CLOSE = "hard_close", _("Close for good")
    REOPEN = "reopen", _("Open again")


class PeriodChange(models.Model):
    """A request to close a month for good or to open it again, decided by another person."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    period = models.ForeignKey(BookPeriod, on_delete=models.PROTECT, related_name="changes")
    kind = models.CharField(max_length=10, choices=PeriodChangeKind.choices)
    state = models.CharField(
        max_length=10, choices=RequestState.choices, default=RequestState.ENTERED
    )
    reason = models.CharField(max_length=200, blank=True)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    entered_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("Change of a month's state")
        verbose_name_plural = _("Changes of months' states")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("entered_by")),
                name="period_change_two_persons",
            ),
            models.CheckConstraint(
                condition=models.Q(state=RequestState.ENTERED, decided_by__isnull=True)
                | (~models.Q(state=RequestState.ENTERED) & models.Q(decided_by__isnull=False)),
                name="period_change_decided_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["period"],
                condition=models.Q(state=RequestState.ENTERED),
                name="one_open_change_per_period",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class EntryCorrection(models.Model):
    """Ties an entry to the earlier one that it puts right, and to the day it belonged to.

    An entry of a closed month is never changed: what corrects it lies in the next open month and
    says here where it would have gone. Append-only.
    """

    entry = models.OneToOneField(JournalEntry, on_delete=models.PROTECT, related_name="correction")
    corrects = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, related_name="corrected_by"
    )
    belongs_on = models.DateField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Correction")
        verbose_name_plural = _("Corrections")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(entry=models.F("corrects")), name="corrects_another_entry"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} corrects {self.corrects_id}"
