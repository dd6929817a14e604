"""Defaults (违约): reminders, the declaration by two persons, and the order of taking."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation
from settlement.models.billing import Invoice
from settlement.models.ledger import JournalEntry

_LIMIT = 1_000_000_000_000


class DefaultRule(models.Model):
    """When an unpaid bill is reminded of and when it is a default; the newest in force counts.

    Days are days of the market's calendar after the due date. The penalty is a share of the debt
    per calendar day overdue, capped at a share of the debt.
    """

    effective_from = models.DateField(unique=True)
    first_reminder_days = models.PositiveSmallIntegerField()
    second_reminder_days = models.PositiveSmallIntegerField()
    default_days = models.PositiveSmallIntegerField()
    penalty_rate_per_day = models.DecimalField(max_digits=7, decimal_places=6)
    penalty_cap_rate = models.DecimalField(max_digits=5, decimal_places=4)

    class Meta:
        verbose_name = _("Rule for defaults")
        verbose_name_plural = _("Rules for defaults")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    first_reminder_days__lte=models.F("second_reminder_days"),
                    second_reminder_days__lte=models.F("default_days"),
                    penalty_rate_per_day__gte=0,
                    penalty_rate_per_day__lte=1,
                    penalty_cap_rate__gte=0,
                    penalty_cap_rate__lte=1,
                ),
                name="default_rule_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.effective_from}"


class DunningStep(models.Model):
    """A reminder of an overdue bill, or the note that it may be declared a default. Append-only."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="dunning")
    step = models.PositiveSmallIntegerField()
    owed_cny = models.DecimalField(max_digits=16, decimal_places=2)
    due_on = models.DateField()
    market_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Reminder of a bill")
        verbose_name_plural = _("Reminders of bills")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "step"], name="dunning_step_once"),
            models.CheckConstraint(
                condition=models.Q(step__gte=1, step__lte=3), name="dunning_step_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.step}"


class DefaultState(models.TextChoices):
    """Proposed by one operator, declared by another; recovered when the debt is paid back."""

    ENTERED = "entered", _("Waiting for a second person")
    DECLARED = "declared", _("Declared")
    REJECTED = "rejected", _("Rejected")
    RECOVERED = "recovered", _("Recovered")


DEFAULT_TRANSITIONS = TransitionTable(
    DefaultState,
    {
        "entered": {"declared", "rejected"},
        "declared": {"recovered"},
        "rejected": set(),
        "recovered": set(),
    },
)


class DefaultCase(models.Model):
    """A member's default: what was owed at declaration, and how it was covered."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=30, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=10, choices=DefaultState.choices, default=DefaultState.ENTERED
    )
    reason = models.CharField(max_length=200)
    owed_cny = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    penalty_cny = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    entered_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=200, blank=True)
    declared_on = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("Default")
        verbose_name_plural = _("Defaults")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"],
                condition=models.Q(state__in=("entered", "declared")),
                name="one_live_default_per_member",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("entered_by")),
                name="default_two_persons",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    owed_cny__gte=0,
                    owed_cny__lt=_LIMIT,
                    penalty_cny__gte=0,
                    penalty_cny__lte=models.F("owed_cny"),
                ),
                name="default_amounts_sane",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class WaterfallSource(models.TextChoices):
    """Where the money for a default comes from, in the order of taking."""

    FREE_FUNDS = "free_funds", _("The member's free funds")
    DEPOSIT = "deposit", _("Security deposit")
    GUARANTEE = "guarantee", _("Bank guarantee")
    RESERVE = "reserve", _("Risk reserve of the market")
    LOSS = "loss", _("Loss")


class DefaultStep(models.Model):
    """One taking, or one recovery, of a default, each with its own entry. Append-only."""

    case = models.ForeignKey(DefaultCase, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=10, choices=WaterfallSource.choices)
    is_recovery = models.BooleanField(default=False)
    is_penalty = models.BooleanField(default=False)
    amount_cny = models.DecimalField(max_digits=16, decimal_places=2)
    debt = models.CharField(max_length=40, blank=True)
    entry = models.OneToOneField(JournalEntry, on_delete=models.PROTECT, related_name="+")
    market_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Step of a default")
        verbose_name_plural = _("Steps of defaults")
        constraints = [
            models.UniqueConstraint(fields=["case", "position"], name="default_step_position"),
            models.CheckConstraint(
                condition=models.Q(amount_cny__gt=0, amount_cny__lt=_LIMIT),
                name="default_step_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.position} {self.source} {self.amount_cny}"
