"""Reference data of carbon statements: published factor sets, metered PUE, how members match."""

import uuid

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Hub, Organisation, ResourcePool
from settlement.models.carbon_supply import GreenSource, SupplyReading
from settlement.models.deliveries import TsTzRange
from settlement.models.registry_units import UnitBatch


class FactorSetState(models.TextChoices):
    """A factor set counts once a second person has approved it."""

    PROPOSED = "proposed", pgettext_lazy("factor set", "Waiting for approval")
    APPROVED = "approved", pgettext_lazy("factor set", "In use")
    REFUSED = "refused", pgettext_lazy("factor set", "Refused")


FACTOR_SET_TRANSITIONS = TransitionTable(
    FactorSetState,
    {"proposed": {"approved", "refused"}, "approved": set(), "refused": set()},
)


class FactorOrigin(models.TextChoices):
    """Whether a set came with the software or was entered."""

    SHIPPED = "shipped", _("Came with the software")
    ENTERED = "entered", _("Entered")


class FactorSet(models.Model):
    """A dated version of published grid factors; an approved one never changes."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    year = models.PositiveSmallIntegerField(_("Factor year"))
    version = models.PositiveSmallIntegerField(default=1)
    announcement = models.CharField(_("Announcement"), max_length=160)
    published_on = models.DateField(_("Published on"), null=True, blank=True)
    origin = models.CharField(max_length=8, choices=FactorOrigin.choices)
    state = models.CharField(
        max_length=8, choices=FactorSetState.choices, default=FactorSetState.PROPOSED
    )
    sha256 = models.CharField(max_length=64)
    reason = models.CharField(_("Reason"), max_length=200, blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    proposed_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("Factor set")
        verbose_name_plural = _("Factor sets")
        constraints = [
            models.UniqueConstraint(fields=["year", "version"], name="factor_set_unique"),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("proposed_by")),
                name="factor_set_two_persons",
            ),
            models.CheckConstraint(
                condition=models.Q(origin="shipped", proposed_by__isnull=True)
                | models.Q(origin="entered", proposed_by__isnull=False)
                & (
                    models.Q(state="proposed", decided_by__isnull=True)
                    | models.Q(decided_by__isnull=False)
                ),
                name="factor_set_decided_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} v{self.version}"


class FactorLevel(models.TextChoices):
    """The area that a factor holds for."""

    PROVINCE = "province", _("Province")
    REGION = "region", _("Region")
    NATIONAL = "national", _("Nation")


class FactorValue(models.Model):
    """One factor of a set, kgCO2/kWh. Append-only."""

    factor_set = models.ForeignKey(FactorSet, on_delete=models.PROTECT, related_name="values")
    level = models.CharField(max_length=12, choices=FactorLevel.choices)
    area_en = models.CharField(max_length=40)
    area_zh = models.CharField(max_length=20)
    basis = models.CharField(max_length=40)
    kg_per_kwh = models.DecimalField(max_digits=7, decimal_places=4)

    class Meta:
        verbose_name = _("Factor")
        verbose_name_plural = _("Factors")
        constraints = [
            models.UniqueConstraint(
                fields=["factor_set", "level", "area_en", "basis"], name="factor_value_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(kg_per_kwh__gte=0, kg_per_kwh__lt=10), name="factor_value_sane"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.area_en} {self.kg_per_kwh}"


class PueInterval(models.Model):
    """The PUE metered over an interval at a pool, or at a hub. Append-only.

    A correction is the next revision; within a revision, intervals of one place do not overlap.
    """

    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    pool = models.ForeignKey(
        ResourcePool, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    pue = models.DecimalField(max_digits=6, decimal_places=4)
    revision = models.PositiveSmallIntegerField(default=1)
    source = models.CharField(max_length=80)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Metered PUE")
        verbose_name_plural = _("Metered PUE")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(hub__isnull=False, pool__isnull=True)
                | models.Q(hub__isnull=True, pool__isnull=False),
                name="pue_of_one_place",
            ),
            models.CheckConstraint(
                condition=models.Q(pue__gte=1, pue__lte=10, ends_at__gt=models.F("starts_at")),
                name="pue_sane",
            ),
            ExclusionConstraint(
                name="pue_intervals_do_not_overlap",
                expressions=[
                    (Coalesce("hub_id", 0), RangeOperators.EQUAL),
                    (Coalesce("pool_id", 0), RangeOperators.EQUAL),
                    ("revision", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} {self.pue}"


class MatchingSlot(models.TextChoices):
    """How long supply and load are balanced."""

    HOUR = "hour", _("By the hour")
    MONTH = "month", _("By the month")
    YEAR = "year", _("By the year")


class MatchingPolicy(models.Model):
    """How an organisation matches certificates from a month on. Append-only; the newest counts."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    slot = models.CharField(max_length=6, choices=MatchingSlot.choices)
    from_month = models.DateField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Matching policy")
        verbose_name_plural = _("Matching policies")
        indexes = [models.Index(fields=["organisation", "-from_month"], name="matching_policy_of")]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.slot}"


class GranularSlice(models.Model):
    """Green energy of one hour: of certificates of a batch, or of a source. Append-only.

    The hours of a batch never hold more than its certificates (INV-12). An hour of a source is
    expected or metered; a correction is the next revision.
    """

    batch = models.ForeignKey(
        UnitBatch, on_delete=models.PROTECT, null=True, blank=True, related_name="slices"
    )
    source = models.ForeignKey(
        GreenSource, on_delete=models.PROTECT, null=True, blank=True, related_name="slices"
    )
    starts_at = models.DateTimeField()
    energy_wh = models.PositiveBigIntegerField()
    # What a storage took in the hour from the other sources of its data centre.
    charge_wh = models.PositiveBigIntegerField(default=0)
    reading = models.CharField(
        max_length=8, choices=SupplyReading.choices, default=SupplyReading.METERED
    )
    revision = models.PositiveSmallIntegerField(default=1)
    device = models.CharField(max_length=64, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Green energy of an hour")
        verbose_name_plural = _("Green energy by the hour")
        constraints = [
            models.UniqueConstraint(fields=["batch", "starts_at", "device"], name="slice_unique"),
            models.UniqueConstraint(
                fields=["source", "starts_at", "reading", "revision"],
                condition=models.Q(batch__isnull=True),
                name="slice_of_source_unique",
            ),
            models.CheckConstraint(
                condition=models.Q(batch__isnull=False) | models.Q(source__isnull=False),
                name="slice_of_something",
            ),
            models.CheckConstraint(
                condition=models.Q(batch__isnull=True)
                | models.Q(reading="metered", revision=1, charge_wh=0),
                name="slice_of_certificates_is_metered_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id or self.source_id} {self.starts_at:%Y-%m-%d %H:00}"
