"""What the sweep of the invariants found, kept for finance and auditors."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class InvariantRun(models.Model):
    """The outcome of one sweep of the ledger's invariants. Append-only.

    `chain_head` is the number and hash of the newest block then: a chain that is cut short or made
    anew no longer holds it.
    """

    recorded_at = models.DateTimeField(auto_now_add=True)
    passed = models.BooleanField()
    findings = models.JSONField(default=list)
    duration_ms = models.PositiveIntegerField(default=0)
    chain_head = models.CharField(max_length=90, blank=True)

    class Meta:
        verbose_name = _("Invariant sweep")
        verbose_name_plural = _("Invariant sweeps")

    def __str__(self) -> str:
        return f"{self.recorded_at:%Y-%m-%d %H:%M} {self.passed}"


class InvariantResult(models.Model):
    """One invariant in one sweep: how long it took, how many offenders, the first. Append-only."""

    run = models.ForeignKey(InvariantRun, on_delete=models.PROTECT, related_name="results")
    code = models.CharField(max_length=20)
    duration_ms = models.PositiveIntegerField()
    finding_count = models.PositiveIntegerField()
    sample = models.JSONField(default=list)

    class Meta:
        verbose_name = _("Outcome of an invariant")
        verbose_name_plural = _("Outcomes of invariants")
        constraints = [
            models.UniqueConstraint(fields=["run", "code"], name="one_result_per_invariant"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.code}: {self.finding_count}"
