"""Disputes (争议): a party questions a delivery, the other answers, the operator rules."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation, RecordedAtField
from settlement.models.billing import Invoice
from settlement.models.deliveries import Delivery
from settlement.models.funds import RequestState

_LIMIT = 1_000_000_000_000


class DisputeState(models.TextChoices):
    """Where a dispute stands; the last three are final."""

    OPENED = "opened", _("Waiting for the other side")
    ANSWERED = "answered", _("Waiting for the ruling")
    RULED = "ruled", _("Ruled")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")


DISPUTE_TRANSITIONS = TransitionTable(
    DisputeState,
    {
        "opened": {"answered", "ruled", "withdrawn"},
        "answered": {"ruled", "withdrawn", "expired"},
        "ruled": set(),
        "withdrawn": set(),
        "expired": set(),
    },
)


class DisputeSide(models.TextChoices):
    """On which side of the delivery the party that opened it stands."""

    BUYER = "buyer", _("Buyer")
    SUPPLIER = "supplier", _("Supplier")


class DisputeGround(models.TextChoices):
    """What is questioned."""

    METERING = "metering", _("Metered quantity")
    LATE = "late", _("Late hand-over")
    QUALITY = "quality", _("Performance below the promise")
    ACCESS = "access", _("No access")
    BILLING = "billing", _("Price or fee on the bill")
    OTHER = "other", _("Something else")


class DisputeRule(models.Model):
    """Deadlines of disputes, in days of the market's calendar; the newest in force counts."""

    effective_from = models.DateField(unique=True)
    open_days = models.PositiveSmallIntegerField(_("Days to open, from the bill's date"))
    answer_days = models.PositiveSmallIntegerField(_("Days to answer"))
    insist_days = models.PositiveSmallIntegerField(_("Days to insist, from the answer"))
    ruling_days = models.PositiveSmallIntegerField(_("Days to rule"))

    class Meta:
        verbose_name = _("Rule for disputes")
        verbose_name_plural = _("Rules for disputes")

    def __str__(self) -> str:
        return f"{self.effective_from}"


class Dispute(models.Model):
    """A questioned delivery: what is claimed, and what the supplier's payout waits for.

    `claimed_net_cny` is compute before tax, above zero when the buyer asks for it back and below
    when the supplier asks for more. `held_cny` is the part of the supplier's statement, tax
    included, that is not paid out while the dispute is open, `bill_part_cny` the part of the
    buyer's bill that is not collected meanwhile. After an answer the opener insists in time, or the
    dispute expires; a side that does not answer leaves the ruling to what is on file.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=30, unique=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="disputes")
    bill = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    statement = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=8, choices=DisputeSide.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    respondent = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    ground = models.CharField(max_length=10, choices=DisputeGround.choices)
    claim = models.CharField(max_length=2000)
    claimed_net_cny = models.DecimalField(max_digits=16, decimal_places=2)
    held_cny = models.DecimalField(max_digits=16, decimal_places=2)
    bill_part_cny = models.DecimalField(max_digits=16, decimal_places=2)
    state = models.CharField(
        max_length=10, choices=DisputeState.choices, default=DisputeState.OPENED
    )
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    opened_on = models.DateField()
    answer_due_on = models.DateField()
    insist_due_on = models.DateField(null=True, blank=True)
    insisted_on = models.DateField(null=True, blank=True)
    ruling_due_on = models.DateField()
    market_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Dispute")
        verbose_name_plural = _("Disputes")
        constraints = [
            models.UniqueConstraint(
                fields=["delivery"],
                condition=models.Q(state__in=("opened", "answered")),
                name="one_open_dispute_per_delivery",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    claimed_net_cny__gt=-_LIMIT,
                    claimed_net_cny__lt=_LIMIT,
                    held_cny__gte=0,
                    held_cny__lt=_LIMIT,
                    bill_part_cny__gte=0,
                    bill_part_cny__lt=_LIMIT,
                )
                & ~models.Q(claimed_net_cny=0),
                name="dispute_amounts_sane",
            ),
        ]
        indexes = [
            models.Index(fields=["statement", "state"], name="dispute_statement"),
            models.Index(fields=["organisation", "-id"], name="dispute_member"),
            models.Index(fields=["respondent", "-id"], name="dispute_respondent"),
        ]

    def __str__(self) -> str:
        return self.number


class DisputeTransition(models.Model):
    """The history of a dispute's states. Append-only."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="transitions")
    from_state = models.CharField(max_length=10, blank=True)
    to_state = models.CharField(max_length=10)
    market_at = models.DateTimeField()
    recorded_at = RecordedAtField(follows=("dispute_id",))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("Dispute transition")
        verbose_name_plural = _("Dispute transitions")

    def __str__(self) -> str:
        return f"{self.dispute_id} {self.to_state}"


class DisputeVisibility(models.TextChoices):
    """Who reads a message or a file besides its author's side: the other side as well, or not."""

    PARTIES = "parties", _("Both sides and the market")
    PRIVATE = "private", _("Own side and the market")


class DisputeMessage(models.Model):
    """Something said in a dispute. Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="messages")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    visibility = models.CharField(
        max_length=8, choices=DisputeVisibility.choices, default=DisputeVisibility.PARTIES
    )
    is_answer = models.BooleanField(default=False)
    text = models.CharField(max_length=2000)
    market_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Dispute message")
        verbose_name_plural = _("Dispute messages")
        constraints = [
            models.UniqueConstraint(
                fields=["dispute"],
                condition=models.Q(is_answer=True),
                name="one_answer_per_dispute",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dispute_id} {self.public_id}"


class DisputeEvidence(models.Model):
    """A file handed in as evidence, kept in the row under a random name. Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="evidence")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    visibility = models.CharField(
        max_length=8, choices=DisputeVisibility.choices, default=DisputeVisibility.PARTIES
    )
    name = models.CharField(_("File name"), max_length=120)
    media_type = models.CharField(max_length=40)
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    market_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Evidence")
        verbose_name_plural = _("Evidence")
        constraints = [
            models.UniqueConstraint(
                fields=["dispute", "organisation", "sha256"], name="evidence_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dispute_id} {self.name}"


class DisputeOutcome(models.TextChoices):
    """What a ruling says."""

    UPHELD = "upheld", _("Upheld in full")
    PART = "part", _("Upheld in part")
    REJECTED = "rejected", _("Rejected")


class DisputeRuling(models.Model):
    """A ruling proposed by one operator; it takes effect when another approves it."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="rulings")
    outcome = models.CharField(max_length=8, choices=DisputeOutcome.choices)
    awarded_net_cny = models.DecimalField(max_digits=16, decimal_places=2)
    reason = models.CharField(max_length=2000)
    state = models.CharField(
        max_length=10, choices=RequestState.choices, default=RequestState.ENTERED
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("Ruling")
        verbose_name_plural = _("Rulings")
        constraints = [
            models.UniqueConstraint(
                fields=["dispute"],
                condition=~models.Q(state="rejected"),
                name="one_live_ruling_per_dispute",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("proposed_by")),
                name="ruling_two_persons",
            ),
            models.CheckConstraint(
                condition=models.Q(awarded_net_cny__gt=-_LIMIT, awarded_net_cny__lt=_LIMIT),
                name="ruling_amount_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dispute_id} {self.outcome}"
