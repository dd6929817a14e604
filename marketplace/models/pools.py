"""Resource pools: the machines behind listings, with what is proved about them."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.models.hubs import Hub
from marketplace.models.organisations import Organisation
from marketplace.models.products import HardwareModel, Product


class TrustLevel(models.IntegerChoices):
    """How far the operator has checked a pool."""

    DECLARED = 0, _("Declared by the supplier")
    DOCUMENTED = 1, _("Documents checked")
    TESTED = 2, _("Acceptance test passed")


class ResourcePool(models.Model):
    """Machines of one kind of one supplier at one hub."""

    identifier = models.CharField(_("Resource identifier"), max_length=22, unique=True)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="pools", verbose_name=_("Organisation")
    )
    hub = models.ForeignKey(
        Hub, on_delete=models.PROTECT, related_name="pools", verbose_name=_("Hub")
    )
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="pools", verbose_name=_("Product")
    )
    hardware = models.ForeignKey(
        HardwareModel,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Hardware"),
    )
    name = models.CharField(_("Name"), max_length=100)
    name_en = models.CharField(_("English name"), max_length=120, blank=True)
    unit_count = models.DecimalField(_("Units"), max_digits=14, decimal_places=3)
    memory_gib_per_unit = models.DecimalField(
        _("Memory per unit, GiB"), max_digits=8, decimal_places=1, null=True, blank=True
    )
    interconnect = models.CharField(_("Interconnect"), max_length=80, blank=True)
    benchmark_name = models.CharField(_("Benchmark"), max_length=80, blank=True)
    benchmark_efficiency = models.DecimalField(
        _("Benchmark efficiency"), max_digits=5, decimal_places=4, null=True, blank=True
    )
    trust_level = models.PositiveSmallIntegerField(
        _("Trust level"), choices=TrustLevel.choices, default=0
    )
    dengbao_level = models.PositiveSmallIntegerField(_("MLPS level"), default=0)
    dengbao_evidence = models.CharField(_("MLPS evidence"), max_length=200, blank=True)
    dengbao_expires_on = models.DateField(_("MLPS expires on"), null=True, blank=True)
    is_xinchuang = models.BooleanField(_("Domestic hardware"), default=False)
    xinchuang_evidence = models.CharField(
        _("Evidence of domestic hardware"), max_length=200, blank=True
    )
    xinchuang_expires_on = models.DateField(
        _("Domestic hardware expires on"), null=True, blank=True
    )
    power_w_per_unit = models.DecimalField(_("Watts per unit"), max_digits=10, decimal_places=2)
    pue = models.DecimalField(_("PUE"), max_digits=6, decimal_places=4)
    green_share = models.DecimalField(_("Green share"), max_digits=5, decimal_places=4, default=0)
    carbon_g_per_unit_hour = models.DecimalField(
        _("Carbon, g per unit-hour"), max_digits=12, decimal_places=3, null=True, blank=True
    )
    # Declared carbon of each hour of the day (market time), 24 figures or none; the same evidence.
    carbon_profile_g = ArrayField(
        models.DecimalField(max_digits=12, decimal_places=3),
        default=list,
        blank=True,
        verbose_name=_("Carbon by hour of the day, g per unit-hour"),
    )
    carbon_evidence = models.CharField(_("Evidence of green power"), max_length=200, blank=True)
    offline_since = models.DateTimeField(_("Offline since"), null=True, blank=True)
    offline_reason = models.CharField(_("Reason"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("Registered at"), auto_now_add=True)

    class Meta:
        verbose_name = _("Resource pool")
        verbose_name_plural = _("Resource pools")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    unit_count__gt=0,
                    unit_count__lt=1_000_000_000,
                    pue__gte=1,
                    pue__lt=4,
                    power_w_per_unit__gte=0,
                    power_w_per_unit__lt=1_000_000,
                    green_share__gte=0,
                    green_share__lte=1,
                ),
                name="pool_figures_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(carbon_profile_g__len__in=[0, 24]),
                name="pool_carbon_profile_is_a_day",
            ),
        ]

    def __str__(self) -> str:
        return self.identifier

    @property
    def name_zh(self) -> str:
        """The name as it was given first; ``name_en`` is the other language's, if there is one."""
        return self.name

    @property
    def declared_carbon_g(self) -> Decimal | None:
        """Declared carbon that holds in every hour, g per unit-hour; None without evidence.

        Of a profile it is the dirtiest hour.
        """
        if not self.carbon_evidence:
            return None
        return max(self.carbon_profile_g, default=self.carbon_g_per_unit_hour)

    @property
    def is_online(self) -> bool:
        """Whether its listings may be offered."""
        return self.offline_since is None


class ResourceAlias(models.Model):
    """Another scheme's name for a pool, such as a national identifier."""

    pool = models.ForeignKey(ResourcePool, on_delete=models.CASCADE, related_name="aliases")
    scheme = models.CharField(max_length=40)
    value = models.CharField(max_length=128)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("Resource alias")
        verbose_name_plural = _("Resource aliases")
        constraints = [
            models.UniqueConstraint(fields=["scheme", "value"], name="resource_alias_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"
