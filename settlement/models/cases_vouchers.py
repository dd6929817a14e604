"""Compute vouchers (算力券): a public body pays part of a member's bills.

A programme's budget is committed when a voucher is issued and given back when it ends unused; the
row's constraints keep commitments within the budget whatever happens at the same time.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation, ResourceClass
from settlement.models.billing import Invoice
from settlement.models.ledger import JournalEntry

_LIMIT = 1_000_000_000_000


class VoucherProgrammeState(models.TextChoices):
    """Entered by one person, put into force by another; it ends once."""

    ENTERED = "entered", _("Waiting for a second person")
    ACTIVE = "active", _("In force")
    REJECTED = "rejected", _("Rejected")
    ENDED = "ended", _("Ended")


VOUCHER_PROGRAMME_TRANSITIONS = TransitionTable(
    VoucherProgrammeState,
    {
        "entered": {"active", "rejected"},
        "active": {"ended"},
        "rejected": set(),
        "ended": set(),
    },
)


class VoucherProgramme(models.Model):
    """Money a public body sets aside for members' compute, and who may use it for what.

    Empty lists of eligibility admit everything. `committed_cny` is the face of live vouchers plus
    what ended ones had redeemed; `redeemed_cny` is what went into members' funds, net of what was
    given back.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(_("Code"), max_length=20, unique=True)
    name_zh = models.CharField(_("Name in Chinese"), max_length=80)
    name_en = models.CharField(_("Name in English"), max_length=120)
    issuer_zh = models.CharField(_("Issuer in Chinese"), max_length=80)
    issuer_en = models.CharField(_("Issuer in English"), max_length=120)
    budget_cny = models.DecimalField(_("Budget"), max_digits=16, decimal_places=2)
    committed_cny = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    redeemed_cny = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    share_of_bill = models.DecimalField(_("Share of the bill"), max_digits=5, decimal_places=4)
    member_cap_cny = models.DecimalField(_("Cap per member"), max_digits=16, decimal_places=2)
    valid_from = models.DateField(_("Valid from"))
    valid_until = models.DateField(_("Valid until"))
    organisations = models.ManyToManyField(Organisation, blank=True, related_name="+")
    regions = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    resource_classes = ArrayField(
        models.CharField(max_length=2, choices=ResourceClass.choices), default=list, blank=True
    )
    state = models.CharField(
        max_length=10,
        choices=VoucherProgrammeState.choices,
        default=VoucherProgrammeState.ENTERED,
    )
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
        verbose_name = _("Voucher programme")
        verbose_name_plural = _("Voucher programmes")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    budget_cny__gt=0,
                    budget_cny__lt=_LIMIT,
                    committed_cny__gte=0,
                    committed_cny__lte=models.F("budget_cny"),
                    redeemed_cny__gte=0,
                    redeemed_cny__lte=models.F("committed_cny"),
                ),
                name="voucher_budget_kept",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    share_of_bill__gt=0,
                    share_of_bill__lte=1,
                    member_cap_cny__gt=0,
                    member_cap_cny__lte=models.F("budget_cny"),
                    valid_until__gte=models.F("valid_from"),
                ),
                name="voucher_programme_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("entered_by")),
                name="voucher_programme_two_persons",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class VoucherState(models.TextChoices):
    """Proposed by one person, issued by another, and ended once."""

    ENTERED = "entered", _("Waiting for a second person")
    ACTIVE = "active", _("Usable")
    REJECTED = "rejected", _("Rejected")
    USED_UP = "used_up", _("Used up")
    EXPIRED = "expired", _("Expired")
    RECALLED = "recalled", _("Recalled")


VOUCHER_TRANSITIONS = TransitionTable(
    VoucherState,
    {
        "entered": {"active", "rejected"},
        "active": {"used_up", "expired", "recalled"},
        "rejected": set(),
        # A credit note gives its share of the voucher back.
        "used_up": {"active"},
        "expired": set(),
        "recalled": set(),
    },
)


class Voucher(models.Model):
    """A member's voucher; what remains of it never leaves 0 … face."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=30, unique=True)
    programme = models.ForeignKey(
        VoucherProgramme, on_delete=models.PROTECT, related_name="vouchers"
    )
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    face_cny = models.DecimalField(max_digits=16, decimal_places=2)
    remaining_cny = models.DecimalField(max_digits=16, decimal_places=2)
    valid_until = models.DateField(_("Valid until"))
    state = models.CharField(
        max_length=10, choices=VoucherState.choices, default=VoucherState.ENTERED
    )
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
        verbose_name = _("Voucher")
        verbose_name_plural = _("Vouchers")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    face_cny__gt=0,
                    face_cny__lt=_LIMIT,
                    remaining_cny__gte=0,
                    remaining_cny__lte=models.F("face_cny"),
                ),
                name="voucher_sane",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="used_up") | models.Q(remaining_cny=0),
                name="voucher_used_up_is_empty",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("entered_by")),
                name="voucher_two_persons",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "state"], name="voucher_member")]

    def __str__(self) -> str:
        return self.number


class VoucherMoveKind(models.TextChoices):
    """What happened to a voucher."""

    ISSUE = "issue", pgettext_lazy("voucher", "Issued")
    REDEEM = "redeem", _("Redeemed on a bill")
    GIVE_BACK = "give_back", _("Given back by a credit note")
    EXPIRE = "expire", _("Expired")
    RECALL = "recall", _("Recalled")


class VoucherMove(models.Model):
    """The trail of a voucher. Append-only."""

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="moves")
    kind = models.CharField(max_length=10, choices=VoucherMoveKind.choices)
    amount_cny = models.DecimalField(max_digits=16, decimal_places=2)
    event_key = models.CharField(max_length=120, unique=True)
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    credit_note = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=200, blank=True)
    market_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Voucher move")
        verbose_name_plural = _("Voucher moves")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount_cny__gte=0, amount_cny__lt=_LIMIT),
                name="voucher_move_sane",
            ),
        ]
        indexes = [models.Index(fields=["invoice", "kind"], name="voucher_move_invoice")]

    def __str__(self) -> str:
        return f"{self.voucher_id} {self.kind} {self.amount_cny}"
