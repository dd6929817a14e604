"""The double-entry ledger. Amounts are plain decimals tied to the account's asset.

History is append-only: triggers refuse every change and the runtime role has no right to try.
A posting is signed: debit above zero, credit below.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation
from settlement.models.closing_periods import BookPeriod

AMOUNT_LIMIT = 1_000_000_000_000  # every amount column is below this, which also refuses NaN


class Asset(models.Model):
    """A unit of account: CNY, gCO2e, Wh, certificates."""

    code = models.CharField(max_length=12, primary_key=True)
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=60)
    scale = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("Asset")
        verbose_name_plural = _("Assets")

    def __str__(self) -> str:
        return self.code


class AccountKind(models.TextChoices):
    """The five kinds of account, and memo accounts outside the balance sheet."""

    ASSET = "asset", _("Asset")
    LIABILITY = "liability", _("Liability")
    EQUITY = "equity", _("Equity")
    INCOME = "income", _("Income")
    EXPENSE = "expense", _("Expense")
    MEMO = "memo", _("Memo")


class Account(models.Model):
    """A ledger account; members' accounts carry the organisation, platform accounts do not."""

    code = models.CharField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160)
    kind = models.CharField(max_length=10, choices=AccountKind.choices)
    purpose = models.CharField(max_length=30)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    opened_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Account")
        verbose_name_plural = _("Accounts")
        constraints = [
            models.UniqueConstraint(fields=["id", "asset"], name="account_asset_pair"),
            models.UniqueConstraint(
                fields=["purpose", "organisation", "asset"],
                name="account_purpose_unique",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return self.code


class AccountBalance(models.Model):
    """The stored balance of an account that has a limit (members' funds).

    Available = credit − debit + credit_limit − pending, never below zero.
    """

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="stored_balance")
    debit = models.DecimalField(max_digits=24, decimal_places=6, default=0)
    credit = models.DecimalField(max_digits=24, decimal_places=6, default=0)
    pending = models.DecimalField(max_digits=24, decimal_places=6, default=0)
    credit_limit = models.DecimalField(max_digits=24, decimal_places=6, default=0)
    version = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("Account balance")
        verbose_name_plural = _("Account balances")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    debit__gte=0,
                    debit__lt=AMOUNT_LIMIT,
                    credit__gte=0,
                    credit__lt=AMOUNT_LIMIT,
                    pending__gte=0,
                    pending__lt=AMOUNT_LIMIT,
                    credit_limit__gte=0,
                    credit_limit__lt=AMOUNT_LIMIT,
                ),
                name="balance_figures_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    credit__gte=models.F("debit") + models.F("pending") - models.F("credit_limit")
                ),
                name="available_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}"


class JournalEntry(models.Model):
    """A balanced set of postings from exactly one business source (记账凭证). Append-only.

    Triggers hold what the month and the reversed entry are; a foreign key would ask once more for
    every entry. Few entries have an actor or reverse another one: their indexes leave the rest out.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    book = models.CharField(max_length=20, default="main")
    kind = models.CharField(max_length=30)
    effective_on = models.DateField()
    period = models.ForeignKey(
        BookPeriod,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    recorded_at = models.DateTimeField(auto_now_add=True)
    source_type = models.CharField(max_length=30)
    source_id = models.CharField(max_length=64)
    idempotency_key = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=64)
    reverses = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversals",
        db_index=False,
    )
    reason = models.CharField(max_length=200, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    transaction_number = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("Journal entry")
        verbose_name_plural = _("Journal entries")
        constraints = [
            models.UniqueConstraint(fields=["book", "idempotency_key"], name="entry_once"),
            models.UniqueConstraint(
                fields=["reverses"],
                name="entry_taken_back_once",
                condition=models.Q(reverses__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["source_type", "source_id"], name="entry_source"),
            models.Index(fields=["effective_on", "id"], name="entry_effective"),
            BrinIndex(fields=["period"], name="entry_period"),
            models.Index(
                fields=["actor"], name="entry_actor", condition=models.Q(actor__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.idempotency_key}"


class Posting(models.Model):
    """One line of an entry: debit above zero, credit below. Append-only.

    A trigger holds what a posting refers to, its entry and the pair of account and asset, once per
    statement; foreign keys would ask once per row. The two indexes below begin with entry and
    account: single ones would only cost time.
    """

    entry = models.ForeignKey(
        JournalEntry,
        on_delete=models.PROTECT,
        related_name="postings",
        db_index=False,
        db_constraint=False,
    )
    line = models.PositiveSmallIntegerField()
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    asset = models.ForeignKey(
        Asset, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    amount = models.DecimalField(max_digits=24, decimal_places=6)
    memo = models.CharField(max_length=120, blank=True)

    class Meta:
        verbose_name = _("Posting")
        verbose_name_plural = _("Postings")
        constraints = [
            models.UniqueConstraint(fields=["entry", "line"], name="posting_line_unique"),
            models.CheckConstraint(
                condition=models.Q(amount__gt=-AMOUNT_LIMIT, amount__lt=AMOUNT_LIMIT)
                & ~models.Q(amount=0),
                name="posting_amount_sane",
            ),
        ]
        indexes = [models.Index(fields=["account", "id"], name="posting_account")]

    def __str__(self) -> str:
        return f"{self.entry_id}/{self.line}: {self.amount}"


class HoldState(models.TextChoices):
    """A hold ends once, when nothing remains of it."""

    OPEN = "open", pgettext_lazy("hold", "Open")
    CAPTURED = "captured", _("Captured")
    RELEASED = "released", _("Released")
    EXPIRED = "expired", _("Expired")


HOLD_TRANSITIONS = TransitionTable(
    HoldState,
    {
        "open": {"captured", "released", "expired"},
        "captured": set(),
        "released": set(),
        "expired": set(),
    },
)


class Hold(models.Model):
    """Money set aside against an order (冻结)."""

    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    placed = models.DecimalField(max_digits=24, decimal_places=6)
    remaining = models.DecimalField(max_digits=24, decimal_places=6)
    state = models.CharField(max_length=10, choices=HoldState.choices, default=HoldState.OPEN)
    source_type = models.CharField(max_length=30)
    source_id = models.CharField(max_length=64)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Hold")
        verbose_name_plural = _("Holds")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    placed__gt=0,
                    placed__lt=AMOUNT_LIMIT,
                    remaining__gte=0,
                    remaining__lte=models.F("placed"),
                ),
                name="hold_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(state="open", remaining__gt=0)
                | (~models.Q(state="open") & models.Q(remaining=0)),
                name="hold_ends_when_nothing_remains",
            ),
            models.UniqueConstraint(
                fields=["source_type", "source_id"], name="one_hold_per_source"
            ),
        ]
        indexes = [models.Index(fields=["account", "state"], name="hold_account_state")]

    def __str__(self) -> str:
        return str(self.reference)


class HoldEventKind(models.TextChoices):
    """What happened to a hold."""

    PLACE = "place", _("Placed")
    CAPTURE = "capture", _("Captured")
    RELEASE = "release", _("Released")
    EXPIRE = "expire", _("Expired")


class HoldEvent(models.Model):
    """A move of a hold. Append-only; its trigger keeps the hold and the balance in step."""

    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=8, choices=HoldEventKind.choices)
    amount = models.DecimalField(max_digits=24, decimal_places=6)
    event_key = models.CharField(max_length=120, unique=True)
    entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Hold event")
        verbose_name_plural = _("Hold events")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gt=0, amount__lt=AMOUNT_LIMIT), name="hold_event_sane"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hold_id} {self.kind} {self.amount}"


class BalanceSnapshot(models.Model):
    """The closing balance of an account for a closed period: the opening of the next."""

    period = models.ForeignKey(BookPeriod, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    debit = models.DecimalField(max_digits=24, decimal_places=6)
    credit = models.DecimalField(max_digits=24, decimal_places=6)
    last_entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("Balance snapshot")
        verbose_name_plural = _("Balance snapshots")
        constraints = [
            models.UniqueConstraint(fields=["period", "account"], name="snapshot_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.period_id} {self.account_id}"


class LedgerBlock(models.Model):
    """A link of the hash chain over journal entries. Append-only."""

    number = models.PositiveBigIntegerField(unique=True)
    first_entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="+")
    last_entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="+")
    entry_count = models.PositiveIntegerField()
    sums = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    block_hash = models.CharField(max_length=64)
    algorithm = models.CharField(max_length=20, default="sha256")
    format_version = models.PositiveSmallIntegerField(default=1)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Ledger block")
        verbose_name_plural = _("Ledger blocks")

    def __str__(self) -> str:
        return f"{self.number}"


class NumberSeries(models.Model):
    """The next number of a gap-free series; locked while a document is issued."""

    code = models.CharField(max_length=30, unique=True)
    next_value = models.PositiveBigIntegerField(default=1)

    class Meta:
        verbose_name = _("Number series")
        verbose_name_plural = _("Number series")

    def __str__(self) -> str:
        return self.code
