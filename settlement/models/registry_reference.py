"""Registries, programmes, projects and the dated rules between registries."""

import uuid
from datetime import date

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation
from settlement.models.ledger import Asset


class RegistryKind(models.TextChoices):
    """What a registry keeps."""

    ENERGY_ATTRIBUTE = "energy_attribute", _("Energy attributes")
    GRANULAR = "granular", _("Hourly energy attributes")
    CREDIT = "credit", _("Carbon credits")
    ALLOWANCE = "allowance", _("Emission allowances")
    PLATFORM = "platform", _("Recognition on this platform")


class RegistryUnit(models.TextChoices):
    """What one unit stands for."""

    MWH = "MWh", "MWh"
    WH = "Wh", "Wh"
    TCO2E = "tCO2e", "tCO2e"


class Registry(models.Model):
    """A register of certificates or credits; its units are an asset of the ledger."""

    code = models.CharField(max_length=12, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    jurisdiction = models.CharField(max_length=80)
    kind = models.CharField(max_length=16, choices=RegistryKind.choices)
    unit = models.CharField(max_length=6, choices=RegistryUnit.choices)
    asset = models.OneToOneField(Asset, on_delete=models.PROTECT, related_name="+")
    serial_pattern = models.CharField(max_length=160)
    # Where the running number stands in a serial of fixed form; 0 digits: at its end.
    sequence_start = models.PositiveSmallIntegerField(default=0)
    sequence_digits = models.PositiveSmallIntegerField(default=0)
    time_zone = models.CharField(max_length=40, default="Asia/Shanghai")
    transfers_allowed = models.PositiveSmallIntegerField(null=True, blank=True)
    life_months = models.PositiveSmallIntegerField(null=True, blank=True)
    is_example = models.BooleanField(default=False)
    source = models.TextField(blank=True)

    class Meta:
        verbose_name = _("Registry")
        verbose_name_plural = _("Registries")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="energy_attribute", unit="MWh")
                | models.Q(kind="granular", unit="Wh")
                | models.Q(kind__in=["credit", "allowance"], unit="tCO2e")
                | models.Q(kind="platform"),
                name="registry_unit_fits_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class InstrumentType(models.TextChoices):
    """What a unit is; energy attributes and allowances never become tonnes avoided."""

    SINK_REMOVAL = "sink_removal", _("Removal by a sink")
    REDUCTION = "reduction", _("Reduction")
    AVOIDANCE = "avoidance", _("Avoidance")
    ENERGY_ATTRIBUTE = "energy_attribute", _("Energy attribute")
    ALLOWANCE = "allowance", _("Allowance")


class Programme(models.Model):
    """A methodology of a registry; its instrument type decides where its units count."""

    registry = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="programmes")
    code = models.CharField(max_length=40)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160)
    methodology = models.CharField(max_length=80, blank=True)
    instrument_type = models.CharField(max_length=16, choices=InstrumentType.choices)
    non_permanence_share = models.DecimalField(max_digits=5, decimal_places=4, default=0)

    class Meta:
        verbose_name = _("Programme")
        verbose_name_plural = _("Programmes")
        constraints = [
            models.UniqueConstraint(fields=["registry", "code"], name="programme_unique"),
            models.CheckConstraint(
                condition=models.Q(non_permanence_share__gte=0, non_permanence_share__lt=1),
                name="non_permanence_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.registry_id} {self.code}"


class CcerState(models.TextChoices):
    """How far a project has come with the CCER register."""

    NONE = "none", _("Not in CCER")
    REGISTERED = "registered", _("CCER project registered")
    CREDITED = "credited", _("CCER issued")


CCER_TRANSITIONS = TransitionTable(
    CcerState,
    {"none": {"registered"}, "registered": {"credited"}, "credited": set()},
)


class Project(models.Model):
    """A plant or a sink: where its energy or its tonnes come from."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    registry = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="projects")
    native_id = models.CharField(max_length=64)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160)
    province = models.CharField(max_length=40)
    technology = models.CharField(max_length=40)
    grid = models.CharField(max_length=40, blank=True)
    # ISO 3166-1 and the sectoral scope (1 to 16) of projects of international registries.
    country = models.CharField(max_length=2, blank=True)
    sector = models.PositiveSmallIntegerField(null=True, blank=True)
    owner = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    ccer_state = models.CharField(max_length=10, choices=CcerState.choices, default=CcerState.NONE)
    ccer_registered_on = models.DateField(null=True, blank=True)
    is_example = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("Project")
        verbose_name_plural = _("Projects")
        constraints = [
            models.UniqueConstraint(fields=["registry", "native_id"], name="project_unique"),
            models.CheckConstraint(
                condition=models.Q(ccer_state="none", ccer_registered_on__isnull=True)
                | (~models.Q(ccer_state="none") & models.Q(ccer_registered_on__isnull=False)),
                name="ccer_project_has_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.registry_id} {self.native_id}"


class CreditingPeriod(models.Model):
    """Days of a project for which credits may be asked; periods of one project never overlap."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="crediting_periods")
    days = DateRangeField()

    class Meta:
        verbose_name = _("Crediting period")
        verbose_name_plural = _("Crediting periods")
        constraints = [
            ExclusionConstraint(
                name="crediting_periods_do_not_overlap",
                expressions=[
                    ("project", RangeOperators.EQUAL),
                    ("days", RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} {self.days}"

    @property
    def last_day(self) -> date:
        """The last day, included."""
        return date.fromordinal(self.days.upper.toordinal() - 1)


class ProjectMonth(models.Model):
    """Metered energy of a project in a month: certificates and credits share it (R20)."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="months")
    month = models.DateField()
    metered_mwh = models.PositiveBigIntegerField()
    credited_mwh = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("Metered month of a project")
        verbose_name_plural = _("Metered months of projects")
        constraints = [
            models.UniqueConstraint(fields=["project", "month"], name="project_month_unique"),
            models.CheckConstraint(
                condition=models.Q(month__day=1), name="project_month_starts_on_first"
            ),
            models.CheckConstraint(
                condition=models.Q(credited_mwh__lte=models.F("metered_mwh")),
                name="credited_within_metered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} {self.month:%Y-%m}"


class RegistryRuleSet(models.Model):
    """Dated rules between certificates and credits; a change is a new version. Append-only."""

    code = models.CharField(max_length=30)
    version = models.PositiveSmallIntegerField(default=1)
    title_zh = models.CharField(max_length=160)
    title_en = models.CharField(max_length=200)
    announcement = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_to = models.DateField()
    # The notice lapses on its last day unless somebody has seen that it was renewed.
    renewal_verified = models.BooleanField(default=False)
    certificates_from = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="+")
    credits_from = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="+")
    technologies = models.JSONField(default=list)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Rule set of registries")
        verbose_name_plural = _("Rule sets of registries")
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="rule_set_version_unique"),
            models.CheckConstraint(
                condition=models.Q(valid_to__gte=models.F("valid_from")),
                name="rule_set_days_in_order",
            ),
            models.CheckConstraint(
                condition=models.Q(approved_by__isnull=True)
                | ~models.Q(approved_by=models.F("proposed_by")),
                name="rule_set_two_persons",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"
