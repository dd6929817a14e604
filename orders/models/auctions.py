"""Auctions: one model for day-ahead, intraday, weekly and monthly."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Product, RecordedAtField


class CalendarKind(models.TextChoices):
    """Which rule makes the delivery windows of a calendar."""

    DAY_AHEAD = "day_ahead", _("Day-ahead")
    INTRADAY = "intraday", _("Intraday")
    WEEKLY = "weekly", _("Weekly")
    MONTHLY = "monthly", _("Monthly")


class AuctionCalendar(models.Model):
    """How a series of auctions is made: windows of delivery, gates, products.

    Leads are minutes before the start of delivery, in market time.
    """

    code = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=12, choices=CalendarKind.choices)
    name_zh = models.CharField(_("Chinese name"), max_length=60)
    name_en = models.CharField(_("English name"), max_length=80)
    period_minutes = models.PositiveIntegerField(_("Period, minutes"))
    cadence_minutes = models.PositiveIntegerField(
        _("Minutes between two auctions"),
        default=0,
        help_text=_("Intraday only; day, week and month follow the calendar."),
    )
    horizon_minutes = models.PositiveIntegerField(
        _("Minutes of delivery"),
        default=0,
        help_text=_("Intraday only; 0 is the rest of the day."),
    )
    gate_opens_lead_minutes = models.PositiveIntegerField()
    gate_closes_lead_minutes = models.PositiveIntegerField()
    no_cancel_minutes = models.PositiveIntegerField(default=0)
    indicative_minutes = models.PositiveSmallIntegerField(
        _("Minutes between indicative figures"),
        default=15,
        help_text=_("Marks of market time at which they are published; 0 for none."),
    )
    products = models.ManyToManyField(Product, related_name="+", blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("Auction calendar")
        verbose_name_plural = _("Auction calendars")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    gate_opens_lead_minutes__gt=models.F("gate_closes_lead_minutes"),
                    period_minutes__in=[15, 30, 60, 1440],
                ),
                name="calendar_sane",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class AuctionState(models.TextChoices):
    """The life of an auction."""

    SCHEDULED = "scheduled", _("Scheduled")
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Gate closed")
    CLEARED = "cleared", _("Cleared")
    VERIFIED = "verified", _("Verified")
    PUBLISHED = "published", _("Published")
    SETTLING = "settling", _("Handed to settlement")
    HALTED = "halted", _("Halted")
    PARKED = "parked", _("Parked after failures")
    CANCELLED = "cancelled", _("Cancelled")


AUCTION_TRANSITIONS = TransitionTable(
    AuctionState,
    {
        "scheduled": {"open", "halted", "cancelled"},
        "open": {"closed", "halted", "cancelled"},
        "closed": {"cleared", "parked", "halted", "cancelled"},
        "cleared": {"verified", "closed", "parked", "halted", "cancelled"},
        "verified": {"published", "closed", "parked", "halted", "cancelled"},
        "published": {"settling"},
        "settling": set(),
        "halted": {"scheduled", "open", "closed", "cleared", "verified", "cancelled"},
        "parked": {"closed", "cancelled"},
        "cancelled": set(),
    },
)


class Auction(models.Model):
    """One clearing of all hubs and a calendar's products for a set of delivery periods.

    The row is also the due row of the life cycle: the database says what is due, a task only
    carries the id.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(_("Code"), max_length=40, unique=True)
    calendar = models.ForeignKey(AuctionCalendar, on_delete=models.PROTECT, related_name="auctions")
    period_minutes = models.PositiveIntegerField()
    delivery_starts_at = models.DateTimeField()
    delivery_ends_at = models.DateTimeField()
    gate_opens_at = models.DateTimeField()
    gate_closes_at = models.DateTimeField()
    no_cancel_from = models.DateTimeField()
    products = models.ManyToManyField(Product, related_name="+")
    state = models.CharField(
        max_length=10, choices=AuctionState.choices, default=AuctionState.SCHEDULED
    )
    halted_from = models.CharField(max_length=10, blank=True)
    state_reason = models.CharField(max_length=300, blank=True)
    pseudonym_salt = models.UUIDField(default=uuid.uuid4, editable=False)
    # The frozen book, written once at gate closure.
    book_order_count = models.PositiveIntegerField(null=True, blank=True)
    book_sha256 = models.CharField(max_length=64, blank=True)
    # Lease of the worker that is at it (real time); attempts since the last success.
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Auction")
        verbose_name_plural = _("Auctions")
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "delivery_starts_at"], name="auction_window_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    gate_opens_at__lt=models.F("gate_closes_at"),
                    gate_closes_at__lte=models.F("delivery_starts_at"),
                    delivery_starts_at__lt=models.F("delivery_ends_at"),
                ),
                name="auction_times_in_order",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "gate_closes_at"], name="auction_due"),
            models.Index(fields=["-gate_closes_at"], name="auction_recent"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def period_count(self) -> int:
        """How many delivery periods the auction has."""
        seconds = (self.delivery_ends_at - self.delivery_starts_at).total_seconds()
        return int(seconds // 60 // self.period_minutes)


class AuctionTransition(models.Model):
    """The history of an auction's states. Append-only."""

    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="transitions")
    from_state = models.CharField(max_length=10, blank=True)
    to_state = models.CharField(max_length=10)
    market_at = models.DateTimeField()
    recorded_at = RecordedAtField(follows=("auction_id",))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("Auction transition")
        verbose_name_plural = _("Auction transitions")
        indexes = [models.Index(fields=["auction", "id"], name="auction_transition")]

    def __str__(self) -> str:
        return f"{self.auction_id}: {self.from_state} → {self.to_state}"
