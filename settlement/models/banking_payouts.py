"""Payouts to suppliers in batches: made by one person, approved by another, paid by the bank."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation
from settlement.models.banking_calendar import FileProfile
from settlement.models.billing import Invoice
from settlement.models.ledger import AMOUNT_LIMIT, JournalEntry


class PayoutBatchState(models.TextChoices):
    """Made, approved and posted, finished by the bank; or refused."""

    DRAFT = "draft", _("Waiting for a second person")
    APPROVED = "approved", _("Approved, with the bank")
    FINISHED = "finished", _("Finished by the bank")
    REFUSED = "refused", pgettext_lazy("payout batch", "Refused")


PAYOUT_BATCH_TRANSITIONS = TransitionTable(
    PayoutBatchState,
    {
        "draft": {"approved", "refused"},
        "approved": {"finished"},
        "finished": set(),
        "refused": set(),
    },
)


class PayoutBatch(models.Model):
    """Payments that leave together (付款批次); its content never changes."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=30, unique=True)
    state = models.CharField(
        max_length=10, choices=PayoutBatchState.choices, default=PayoutBatchState.DRAFT
    )
    profile = models.ForeignKey(FileProfile, on_delete=models.PROTECT, related_name="+")
    pay_on = models.DateField()
    payout_count = models.PositiveIntegerField()
    total_cny = models.DecimalField(max_digits=18, decimal_places=2)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("Payout batch")
        verbose_name_plural = _("Payout batches")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("made_by")),
                name="payout_batch_two_persons",
            ),
            models.CheckConstraint(
                condition=models.Q(state="draft") | models.Q(decided_by__isnull=False),
                name="payout_batch_decided",
            ),
            models.CheckConstraint(
                condition=models.Q(total_cny__gt=0, total_cny__lt=AMOUNT_LIMIT),
                name="payout_batch_sane",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class PayoutState(models.TextChoices):
    """Planned, ordered from the bank, paid, or sent back."""

    PLANNED = "planned", _("Planned")
    ORDERED = "ordered", _("Ordered from the bank")
    PAID = "paid", _("Paid")
    RETURNED = "returned", _("Returned by the bank")
    DROPPED = "dropped", pgettext_lazy("payout", "Dropped")


# Undoing the match of a bank line takes a payout back to what it was before.
PAYOUT_TRANSITIONS = TransitionTable(
    PayoutState,
    {
        "planned": {"ordered", "dropped"},
        "ordered": {"paid", "returned"},
        "paid": {"returned", "ordered"},
        "returned": {"paid", "ordered"},
        "dropped": set(),
    },
)


class Payout(models.Model):
    """One payment to one supplier; bank details are those at the time it was made."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=30, unique=True)
    batch = models.ForeignKey(PayoutBatch, on_delete=models.PROTECT, related_name="payouts")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=10, choices=PayoutState.choices, default=PayoutState.PLANNED
    )
    amount_cny = models.DecimalField(max_digits=16, decimal_places=2)
    payee_name = models.CharField(max_length=120)
    bank_name = models.CharField(max_length=120)
    bank_account = models.CharField(max_length=40)
    entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    paid_on = models.DateField(null=True, blank=True)
    return_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("Payout")
        verbose_name_plural = _("Payouts")
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "organisation"], name="one_payout_per_supplier_and_batch"
            ),
            models.CheckConstraint(
                condition=models.Q(amount_cny__gt=0, amount_cny__lt=AMOUNT_LIMIT),
                name="payout_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["planned", "dropped"])
                | models.Q(entry__isnull=False),
                name="payout_is_posted",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "-id"], name="payout_member")]

    def __str__(self) -> str:
        return self.number


class PayoutItem(models.Model):
    """A supplier's statement in a payout, or a credit note taken off it. Append-only."""

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="items")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payout_items")
    amount_cny = models.DecimalField(max_digits=16, decimal_places=2)
    held_back_cny = models.DecimalField(max_digits=16, decimal_places=2, default=0)

    class Meta:
        verbose_name = _("Item of a payout")
        verbose_name_plural = _("Items of payouts")
        constraints = [
            models.UniqueConstraint(fields=["payout", "invoice"], name="payout_item_unique"),
            models.CheckConstraint(
                condition=models.Q(amount_cny__gt=-AMOUNT_LIMIT, amount_cny__lt=AMOUNT_LIMIT)
                & ~models.Q(amount_cny=0),
                name="payout_item_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(held_back_cny__gte=0, held_back_cny__lt=AMOUNT_LIMIT),
                name="payout_item_held_back_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payout_id} {self.invoice_id}"
