"""The buyer's own rules: projects with budgets, second signatures, bids that repeat themselves.

Sums are CNY with fee and VAT (含税), as the holds are.
"""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Hub, Organisation, Product
from orders.models.auctions import Auction, AuctionCalendar
from orders.models.orders import Order
from orders.models.projects import Project


class BuyingRule(models.Model):
    """A member's rule for its own bids: above this sum a second person must agree."""

    organisation = models.OneToOneField(Organisation, on_delete=models.PROTECT, related_name="+")
    approval_above_cny = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("Buying rule")
        verbose_name_plural = _("Buying rules")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(approval_above_cny__isnull=True)
                | models.Q(approval_above_cny__gte=0),
                name="buying_rule_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id}: {self.approval_above_cny}"


class ApprovalState(models.TextChoices):
    """Where a bid that needs a second person stands."""

    WAITING = "waiting", pgettext_lazy("bid approval", "Waiting for approval")
    APPROVED = "approved", pgettext_lazy("bid approval", "Approved")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", pgettext_lazy("bid approval", "Withdrawn")


APPROVAL_TRANSITIONS = TransitionTable(
    ApprovalState,
    {
        "waiting": {"approved", "declined", "withdrawn"},
        "approved": set(),
        "declined": set(),
        "withdrawn": set(),
    },
)


class BidApproval(models.Model):
    """A bid above the member's threshold; nothing is held until a second person agrees.

    ``request`` is the order as entered (`orders.services.request_record`).
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    request = models.JSONField()
    worst_case_cny = models.DecimalField(max_digits=14, decimal_places=2)
    state = models.CharField(
        max_length=10, choices=ApprovalState.choices, default=ApprovalState.WAITING
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(_("Requested at (market time)"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("Decided at (market time)"), null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    order = models.OneToOneField(
        Order, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("Bid approval")
        verbose_name_plural = _("Bid approvals")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | models.Q(state="withdrawn")
                | ~models.Q(decided_by=models.F("requested_by")),
                name="approved_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(worst_case_cny__gte=0), name="bid_approval_sane"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "state", "-id"], name="approval_member_state"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class StandingBidState(models.TextChoices):
    """Whether a bid repeats itself."""

    ACTIVE = "active", _("Repeats")
    PAUSED = "paused", _("Paused")
    ENDED = "ended", _("Ended")


STANDING_BID_TRANSITIONS = TransitionTable(
    StandingBidState,
    {"active": {"paused", "ended"}, "paused": {"active", "ended"}, "ended": set()},
)


class StandingBid(models.Model):
    """A bid that goes into every auction of one calendar until a date or a budget is reached.

    ``request`` is the order without its auction; its window counts in periods for calendars whose
    auctions are alike, and in minutes of the day (``from_minute`` to ``until_minute``) for
    intraday ones.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    calendar = models.ForeignKey(AuctionCalendar, on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="+")
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    request = models.JSONField()
    from_minute = models.PositiveSmallIntegerField(default=0)
    until_minute = models.PositiveSmallIntegerField(default=1440)
    ends_on = models.DateField(null=True, blank=True)
    budget_cny = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    state = models.CharField(
        max_length=8, choices=StandingBidState.choices, default=StandingBidState.ACTIVE
    )
    ended_reason = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(_("Created at (market time)"))

    class Meta:
        verbose_name = _("Standing bid")
        verbose_name_plural = _("Standing bids")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(budget_cny__isnull=True) | models.Q(budget_cny__gt=0),
                name="standing_bid_budget_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    from_minute__lt=models.F("until_minute"), until_minute__lte=1440
                ),
                name="standing_bid_window_sane",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-id"], name="standing_bid_member"),
            models.Index(fields=["calendar", "state"], name="standing_bid_calendar"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class StandingBidCopy(models.Model):
    """What a standing bid became in one auction: an order, or the reason why not. Append-only."""

    standing_bid = models.ForeignKey(StandingBid, on_delete=models.PROTECT, related_name="copies")
    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="+")
    order = models.OneToOneField(
        Order, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    refusal_code = models.CharField(max_length=40, blank=True)
    refusal_params = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(_("Copied at (market time)"))

    class Meta:
        verbose_name = _("Copy of a standing bid")
        verbose_name_plural = _("Copies of standing bids")
        constraints = [
            models.UniqueConstraint(
                fields=["standing_bid", "auction"], name="standing_bid_copied_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.standing_bid_id} {self.auction_id}"
