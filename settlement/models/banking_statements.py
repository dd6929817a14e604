"""Bank accounts, imported statements and what their lines were matched to."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation
from settlement.models.banking_calendar import FileProfile
from settlement.models.billing import Invoice
from settlement.models.ledger import AMOUNT_LIMIT, Account, JournalEntry


class BankAccount(models.Model):
    """An account of the market at a bank, and the ledger account that mirrors it.

    Ledger entries before `reconciled_from` are covered by the opening balance.
    """

    code = models.CharField(_("Code"), max_length=20, unique=True)
    bank_name = models.CharField(_("Bank"), max_length=120)
    number = models.CharField(_("Bank account"), max_length=40, unique=True)
    ledger_account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="+")
    profile = models.ForeignKey(FileProfile, on_delete=models.PROTECT, related_name="+")
    reconciled_from = models.DateField(_("Reconciled from"))
    opening_cny = models.DecimalField(_("Opening balance, CNY"), max_digits=18, decimal_places=2)

    class Meta:
        verbose_name = _("Bank account of the market")
        verbose_name_plural = _("Bank accounts of the market")

    def __str__(self) -> str:
        return self.code


class BankStatement(models.Model):
    """An imported statement; it opens where the one before it closed. Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="statements")
    sequence = models.PositiveIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    opening_cny = models.DecimalField(max_digits=18, decimal_places=2)
    closing_cny = models.DecimalField(max_digits=18, decimal_places=2)
    line_count = models.PositiveIntegerField()
    filename = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    imported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Bank statement")
        verbose_name_plural = _("Bank statements")
        constraints = [
            models.UniqueConstraint(fields=["account", "sequence"], name="bank_statement_sequence"),
            models.UniqueConstraint(fields=["account", "sha256"], name="bank_statement_once"),
            models.CheckConstraint(
                condition=models.Q(
                    opening_cny__gt=-AMOUNT_LIMIT,
                    opening_cny__lt=AMOUNT_LIMIT,
                    closing_cny__gt=-AMOUNT_LIMIT,
                    closing_cny__lt=AMOUNT_LIMIT,
                    ends_on__gte=models.F("starts_on"),
                ),
                name="bank_statement_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.sequence}"


class BankLine(models.Model):
    """A booking on a bank statement: money in above zero, out below. Append-only.

    Identical bookings are told apart by `occurrence`, so that an overlap of two files adds none.
    `entry` brings the money onto the ledger's bank account, against money not yet explained.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="lines")
    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveIntegerField()
    booked_on = models.DateField()
    amount_cny = models.DecimalField(max_digits=18, decimal_places=2)
    balance_cny = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    reference = models.CharField(max_length=80, blank=True)
    counterparty_name = models.CharField(max_length=160, blank=True)
    counterparty_account = models.CharField(max_length=60, blank=True)
    purpose = models.CharField(max_length=300, blank=True)
    fingerprint = models.CharField(max_length=64)
    occurrence = models.PositiveSmallIntegerField()
    entry = models.OneToOneField(JournalEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("Line of a bank statement")
        verbose_name_plural = _("Lines of bank statements")
        constraints = [
            models.UniqueConstraint(fields=["statement", "line"], name="bank_line_unique"),
            models.UniqueConstraint(
                fields=["account", "fingerprint", "occurrence"], name="bank_line_once"
            ),
            models.CheckConstraint(
                condition=models.Q(amount_cny__gt=-AMOUNT_LIMIT, amount_cny__lt=AMOUNT_LIMIT)
                & ~models.Q(amount_cny=0),
                name="bank_line_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id}/{self.line}"


class BankMatchKind(models.TextChoices):
    """What money on a bank statement was."""

    DEPOSIT = "deposit", _("Money of a member")
    PAYOUT = "payout", _("Payout to a supplier")
    RETURNED = "returned", _("Payout returned by the bank")
    BOOKED = "booked", _("Booked before by hand")
    CHARGE = "charge", _("Bank charge")
    INTEREST = "interest", _("Interest received")


class BankMatchState(models.TextChoices):
    """A proposal is confirmed or dropped; a confirmed match can be undone."""

    PROPOSED = "proposed", _("Proposed")
    CONFIRMED = "confirmed", _("Matched")
    DROPPED = "dropped", pgettext_lazy("match", "Dropped")
    UNDONE = "undone", pgettext_lazy("match", "Undone")


BANK_MATCH_TRANSITIONS = TransitionTable(
    BankMatchState,
    {
        "proposed": {"confirmed", "dropped"},
        "confirmed": {"undone"},
        "dropped": set(),
        "undone": set(),
    },
)


class BankMatch(models.Model):
    """What a line, or a part of it, was for; the live matches of a line never exceed it."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    line = models.ForeignKey(BankLine, on_delete=models.PROTECT, related_name="matches")
    kind = models.CharField(max_length=10, choices=BankMatchKind.choices)
    state = models.CharField(
        max_length=10, choices=BankMatchState.choices, default=BankMatchState.PROPOSED
    )
    amount_cny = models.DecimalField(max_digits=18, decimal_places=2)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    deposit = models.ForeignKey(
        "settlement.DepositReceipt",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    payout = models.ForeignKey(
        "settlement.Payout",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="bank_matches",
    )
    booked_entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=200, blank=True)
    entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("Match of a bank line")
        verbose_name_plural = _("Matches of bank lines")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount_cny__gt=-AMOUNT_LIMIT, amount_cny__lt=AMOUNT_LIMIT)
                & ~models.Q(amount_cny=0),
                name="bank_match_sane",
            ),
            models.UniqueConstraint(
                fields=["booked_entry"],
                condition=models.Q(state="confirmed"),
                name="booked_entry_matched_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="confirmed") | models.Q(entry__isnull=False),
                name="bank_match_is_posted",
            ),
        ]
        indexes = [models.Index(fields=["state", "-id"], name="bank_match_state")]

    def __str__(self) -> str:
        return f"{self.line_id} {self.kind}"
