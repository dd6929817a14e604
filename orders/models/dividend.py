"""The coupling dividend of a published run: what clearing all hubs together earned."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Hub, Link
from orders.models.capacity import LinkDirection
from orders.models.clearing import ClearingRun


class DividendState(models.TextChoices):
    """Whether the comparison has been made."""

    DUE = "due", _("To be computed")
    DONE = "done", _("Computed")
    FAILED = "failed", _("Could not be computed")


DIVIDEND_TRANSITIONS = TransitionTable(
    DividendState, {"due": {"done", "failed"}, "done": set(), "failed": set()}
)


class CouplingDividend(models.Model):
    """A published run beside the same book with every link closed.

    Money is CNY for the whole auction; emissions are location-based, kg, of what was served.
    """

    run = models.OneToOneField(ClearingRun, on_delete=models.PROTECT, related_name="dividend")
    state = models.CharField(max_length=6, choices=DividendState.choices, default=DividendState.DUE)
    # Claims run in real time; one that nobody follows up ends by itself.
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=400, blank=True)
    welfare_gain_cny = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    closed_welfare_cny = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    congestion_rent_cny = models.DecimalField(
        max_digits=20, decimal_places=6, null=True, blank=True
    )
    coupled_unit_hours = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    closed_unit_hours = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    coupled_co2_kg = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    closed_co2_kg = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    # For the same work: what it would have emitted at the closed market's intensity, less what it
    # does; negative if coupling moved it to dirtier hubs.
    avoided_co2_kg = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    computed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("Coupling dividend")
        verbose_name_plural = _("Coupling dividends")
        indexes = [
            models.Index(
                fields=["id"], name="dividend_due", condition=models.Q(state=DividendState.DUE)
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="done") | models.Q(welfare_gain_cny__isnull=False),
                name="dividend_done_has_figures",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.welfare_gain_cny}"


class HubDividend(models.Model):
    """What buyers and suppliers at a hub gained (or lost) by coupling, CNY."""

    dividend = models.ForeignKey(CouplingDividend, on_delete=models.PROTECT, related_name="hubs")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="+")
    buyers_gain_cny = models.DecimalField(max_digits=20, decimal_places=6)
    suppliers_gain_cny = models.DecimalField(max_digits=20, decimal_places=6)

    class Meta:
        verbose_name = _("Coupling dividend of a hub")
        verbose_name_plural = _("Coupling dividends of hubs")
        constraints = [
            models.UniqueConstraint(fields=["dividend", "hub"], name="hub_dividend_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.dividend_id} {self.hub_id}"


class LinkDividend(models.Model):
    """What one more Gbit/s on a link direction would have been worth in the auction, CNY."""

    dividend = models.ForeignKey(CouplingDividend, on_delete=models.PROTECT, related_name="links")
    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=7, choices=LinkDirection.choices)
    cny_per_gbps = models.DecimalField(max_digits=20, decimal_places=8)

    class Meta:
        verbose_name = _("Value of a link's next Gbit/s")
        verbose_name_plural = _("Values of links' next Gbit/s")
        constraints = [
            models.UniqueConstraint(
                fields=["dividend", "link", "direction"], name="link_dividend_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dividend_id} {self.link_id} {self.direction}"
