"""The market clock and the dated settings of a market."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MarketClock(models.Model):
    """The one clock of the market: market time = anchor + (database time − real anchor) × speed.

    The row is read by the SQL function ``market_now()``; nothing else tells market time.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    real_anchor_at = models.DateTimeField(_("Real time at the anchor"))
    market_anchor_at = models.DateTimeField(_("Market time at the anchor"))
    speed = models.DecimalField(_("Speed"), max_digits=9, decimal_places=3, default=1)
    is_demo = models.BooleanField(_("Demonstration"), default=False)

    class Meta:
        verbose_name = _("Market clock")
        verbose_name_plural = _("Market clock")
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_market_clock"),
            models.CheckConstraint(condition=models.Q(speed__gte=0), name="clock_never_runs_back"),
        ]

    def __str__(self) -> str:
        return f"×{self.speed}"


class CounterpartyMode(models.TextChoices):
    """Who stands between buyer and supplier."""

    CENTRAL = "central", _("The platform buys and sells")
    BROKERAGE = "brokerage", _("The platform brokers")


class PaymentTermUnit(models.TextChoices):
    """How the days until payment are counted."""

    DAYS = "days", _("Calendar days, then the next workday")
    WORKDAYS = "workdays", _("Workdays")


class MarketRules(models.Model):
    """The rules in force from an instant on; the newest row that has begun applies."""

    valid_from = models.DateTimeField(_("Valid from"), unique=True)
    counterparty = models.CharField(
        _("Counterparty"),
        max_length=12,
        choices=CounterpartyMode.choices,
        default=CounterpartyMode.CENTRAL,
    )
    buyer_fee_rate = models.DecimalField(_("Fee of buyers"), max_digits=6, decimal_places=5)
    seller_fee_rate = models.DecimalField(_("Fee of sellers"), max_digits=6, decimal_places=5)
    fee_vat_rate = models.DecimalField(_("VAT on fees"), max_digits=5, decimal_places=4)
    max_order_notional_cny = models.DecimalField(
        _("Largest order, CNY"), max_digits=14, decimal_places=2
    )
    acceptance_timeout_hours = models.PositiveSmallIntegerField(
        _("Hours to accept a delivery"), default=24
    )
    payment_term_days = models.PositiveSmallIntegerField(_("Days to pay"), default=30)
    payment_term_unit = models.CharField(
        _("Days to pay are"),
        max_length=8,
        choices=PaymentTermUnit.choices,
        default=PaymentTermUnit.DAYS,
    )
    confirmation_workdays = models.PositiveSmallIntegerField(
        _("Workdays to confirm a monthly statement"), default=5
    )
    bundle_publication_delay_days = models.PositiveSmallIntegerField(
        _("Days until bundles are public"), default=90
    )
    resale_allowed = models.BooleanField(_("Resale allowed"), default=False)
    note = models.TextField(_("Note"), blank=True)

    class Meta:
        verbose_name = _("Market rules")
        verbose_name_plural = _("Market rules")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    buyer_fee_rate__gte=0,
                    buyer_fee_rate__lt=1,
                    seller_fee_rate__gte=0,
                    seller_fee_rate__lt=1,
                    fee_vat_rate__gte=0,
                    fee_vat_rate__lt=1,
                ),
                name="market_rules_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.valid_from:%Y-%m-%d}"
