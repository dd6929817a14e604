"""Money in and out: receipts, credit limits, withdrawals; each needs two persons."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation
from settlement.models.ledger import JournalEntry


class RequestState(models.TextChoices):
    """Entered by one person, decided by another."""

    ENTERED = "entered", _("Waiting for a second person")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")


REQUEST_TRANSITIONS = TransitionTable(
    RequestState,
    {"entered": {"approved", "rejected"}, "approved": set(), "rejected": set()},
)


class FundsRequest(models.Model):
    """What receipts, credit limits and withdrawals share."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    amount = MoneyField(max_digits=16, decimal_places=2, default_currency="CNY")
    state = models.CharField(
        max_length=10, choices=RequestState.choices, default=RequestState.ENTERED
    )
    note = models.CharField(max_length=200, blank=True)
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
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gte=0, amount__lt=1_000_000_000_000),
                name="%(class)s_amount_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("entered_by")),
                name="%(class)s_two_persons",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class DepositReceipt(FundsRequest):
    """Money received on the custodian-bank sub-account."""

    bank_reference = models.CharField(_("Bank reference"), max_length=60, unique=True)
    received_on = models.DateField(_("Received on"))
    entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta(FundsRequest.Meta):
        verbose_name = _("Deposit receipt")
        verbose_name_plural = _("Deposit receipts")


class CreditKind(models.TextChoices):
    """What stands behind a limit."""

    CREDIT = "credit", _("Credit limit")
    GUARANTEE = "guarantee", _("Bank guarantee")


class CreditLimit(FundsRequest):
    """A credit limit or bank guarantee; the newest approved of each kind counts."""

    kind = models.CharField(max_length=10, choices=CreditKind.choices, default=CreditKind.CREDIT)
    guarantee_number = models.CharField(max_length=60, blank=True)
    guarantor = models.CharField(_("Bank that guarantees"), max_length=80, blank=True)
    expires_on = models.DateField(null=True, blank=True)

    class Meta(FundsRequest.Meta):
        verbose_name = _("Credit limit")
        verbose_name_plural = _("Credit limits")


class WithdrawalRequest(FundsRequest):
    """A member asks for free deposit back; the amount is on hold until decided."""

    hold_reference = models.UUIDField(null=True, blank=True)
    entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta(FundsRequest.Meta):
        verbose_name = _("Withdrawal request")
        verbose_name_plural = _("Withdrawal requests")
