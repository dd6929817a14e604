"""Carbon statements: what a subject emitted in a month, with everything it was computed from."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.models import Hub, Organisation, ResourcePool
from orders.models import Order
from settlement.models.carbon_factors import FactorSet, MatchingSlot
from settlement.models.deliveries import Delivery


class StatementSubject(models.TextChoices):
    """Whose energy a statement states."""

    BUYER = "buyer", _("Buyer")
    ORDER = "order", _("Order")
    POOL = "pool", _("Data centre")


class EmissionStatement(models.Model):
    """A month of one subject. Append-only: a correction is the next version and names the last.

    `inputs` is the canonical JSON of everything the figures follow from, `sha256` its hash;
    `manage.py verify_statement` recomputes the figures from it.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    subject = models.CharField(max_length=6, choices=StatementSubject.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    pool = models.ForeignKey(
        ResourcePool, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    month = models.DateField(_("Month"))
    version = models.PositiveSmallIntegerField(default=1)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )
    reason = models.CharField(_("Reason"), max_length=200, blank=True)
    delivery_count = models.PositiveIntegerField()
    is_estimated = models.BooleanField()
    it_wh = models.BigIntegerField()
    facility_wh = models.BigIntegerField()
    slot = models.CharField(max_length=6, choices=MatchingSlot.choices)
    matched_wh = models.BigIntegerField()
    residual_wh = models.BigIntegerField()
    excess_wh = models.BigIntegerField()
    certificates = models.PositiveIntegerField()
    # Parts of what is matched: own generation and storage, direct supply; certificates the rest.
    own_wh = models.BigIntegerField(default=0)
    direct_wh = models.BigIntegerField(default=0)
    # What supply of the same hour covers, contracts included, and all of that supply.
    hourly_wh = models.BigIntegerField(default=0)
    supply_wh = models.BigIntegerField(default=0)
    location_g = models.DecimalField(max_digits=26, decimal_places=4)
    market_g = models.DecimalField(max_digits=26, decimal_places=4)
    location_based_t = models.DecimalField(max_digits=18, decimal_places=6)
    market_based_t = models.DecimalField(max_digits=18, decimal_places=6)
    factor_set = models.ForeignKey(FactorSet, on_delete=models.PROTECT, related_name="+")
    factor_year = models.PositiveSmallIntegerField()
    announcement = models.CharField(max_length=160)
    residual_factor = models.DecimalField(max_digits=7, decimal_places=4)
    code_version = models.CharField(max_length=40)
    inputs = models.TextField()
    sha256 = models.CharField(max_length=64)
    issued_at = models.DateTimeField(auto_now_add=True)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("Carbon statement")
        verbose_name_plural = _("Carbon statements")
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "organisation", "order", "pool", "month", "version"],
                nulls_distinct=False,
                name="statement_version_unique",
            ),
            models.CheckConstraint(
                condition=models.Q(subject="buyer", order__isnull=True, pool__isnull=True)
                | models.Q(subject="order", order__isnull=False, pool__isnull=True)
                | models.Q(subject="pool", order__isnull=True, pool__isnull=False),
                name="statement_of_one_subject",
            ),
            models.CheckConstraint(
                condition=models.Q(version=1, supersedes__isnull=True)
                | models.Q(version__gt=1, supersedes__isnull=False),
                name="statement_correction_names_the_last",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    facility_wh=models.F("matched_wh") + models.F("residual_wh"),
                    it_wh__gte=0,
                    facility_wh__gte=models.F("it_wh"),
                    matched_wh__gte=0,
                    residual_wh__gte=0,
                    excess_wh__gte=0,
                ),
                name="statement_energy_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    own_wh__gte=0,
                    direct_wh__gte=0,
                    matched_wh__gte=models.F("own_wh") + models.F("direct_wh"),
                    hourly_wh__gte=models.F("own_wh") + models.F("direct_wh"),
                    facility_wh__gte=models.F("hourly_wh"),
                    supply_wh__gte=models.F("hourly_wh"),
                ),
                name="statement_supply_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(month__day=1), name="statement_month_starts_on_first"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-month"], name="statement_member"),
            models.Index(fields=["month", "subject"], name="statement_month"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.month:%Y-%m} v{self.version}"

    @property
    def certified_wh(self) -> int:
        """What certificates cover of the energy."""
        return self.matched_wh - self.own_wh - self.direct_wh


class EmissionStatementLine(models.Model):
    """One delivery of a statement; its hours are in the statement's inputs. Append-only."""

    statement = models.ForeignKey(EmissionStatement, on_delete=models.PROTECT, related_name="lines")
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="+")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="+")
    hours = models.PositiveIntegerField()
    it_wh = models.BigIntegerField()
    facility_wh = models.BigIntegerField()
    location_factor = models.DecimalField(max_digits=7, decimal_places=4)
    location_g = models.DecimalField(max_digits=26, decimal_places=4)
    is_estimated = models.BooleanField()

    class Meta:
        verbose_name = _("Line of a carbon statement")
        verbose_name_plural = _("Lines of carbon statements")
        constraints = [
            models.UniqueConstraint(fields=["statement", "delivery"], name="statement_line_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id} {self.delivery_id}"


class StatementClosing(models.Model):
    """A statement takes no more certificates and no recognition from here on. Append-only."""

    statement = models.OneToOneField(
        EmissionStatement, on_delete=models.PROTECT, related_name="closing"
    )
    closed_at = models.DateTimeField(auto_now_add=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("Closing of a carbon statement")
        verbose_name_plural = _("Closings of carbon statements")

    def __str__(self) -> str:
        return str(self.statement_id)
