"""The network: hubs, pairings and links."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class HubKind(models.TextChoices):
    """What a hub is; only clusters and operator-made sites hold supply."""

    NODE = "node", _("National hub node")
    CLUSTER = "cluster", _("Cluster")
    CITY = "city", _("Demand city")
    PROVINCE = "province", _("Province")
    MUNICIPAL = "municipal", _("Municipal site")


class Side(models.TextChoices):
    """The policy tag of a place (东 / 中 / 西), which names the flow types."""

    EAST = "east", _("East")
    CENTRAL = "central", _("Centre")
    WEST = "west", _("West")


class Hub(models.Model):
    """A place where capacity is delivered, and where consumption is stated."""

    code = models.CharField(_("Code"), max_length=16, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=120)
    short_zh = models.CharField(_("Short Chinese name"), max_length=20)
    short_en = models.CharField(_("Short English name"), max_length=30)
    kind = models.CharField(_("Kind"), max_length=12, choices=HubKind.choices)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("Parent"),
    )
    side = models.CharField(_("East or west"), max_length=8, choices=Side.choices)
    id4 = models.CharField(_("Identifier letters"), max_length=4, blank=True)
    has_supply = models.BooleanField(_("Takes listings"), default=False)
    trades = models.BooleanField(_("Part of the auctions"), default=True)
    latitude = models.DecimalField(
        _("Latitude"), max_digits=7, decimal_places=4, null=True, blank=True
    )
    longitude = models.DecimalField(
        _("Longitude"), max_digits=7, decimal_places=4, null=True, blank=True
    )
    schema_x = models.PositiveSmallIntegerField(_("Place in the drawing, x"), default=50)
    schema_y = models.PositiveSmallIntegerField(_("Place in the drawing, y"), default=50)
    pue_cap = models.DecimalField(
        _("PUE cap"), max_digits=4, decimal_places=2, null=True, blank=True
    )
    grid_province = models.CharField(_("Province of the grid"), max_length=40, blank=True)
    start_area_zh = models.CharField(_("Start area"), max_length=120, blank=True)
    source = models.TextField(_("Source"), blank=True)
    confidence = models.CharField(_("Confidence"), max_length=8, blank=True)

    class Meta:
        verbose_name = _("Hub")
        verbose_name_plural = _("Hubs")

    def __str__(self) -> str:
        return self.code


class HubPairing(models.Model):
    """A dated pairing (结对子) of a hub with a partner city."""

    hub = models.ForeignKey(
        Hub, on_delete=models.PROTECT, related_name="pairings", verbose_name=_("Hub")
    )
    partner_hub = models.ForeignKey(
        Hub,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Partner hub"),
    )
    partner_zh = models.CharField(_("Partner, Chinese"), max_length=60)
    partner_en = models.CharField(_("Partner, English"), max_length=80)
    kind = models.CharField(_("Kind"), max_length=120)
    since_year = models.PositiveSmallIntegerField(_("Since"), null=True, blank=True)
    tariff_discount = models.DecimalField(
        _("Discount on the tariff"), max_digits=4, decimal_places=3, default=0
    )
    source = models.TextField(_("Source"), blank=True)
    confidence = models.CharField(_("Confidence"), max_length=8, blank=True)

    class Meta:
        verbose_name = _("Pairing")
        verbose_name_plural = _("Pairings")

    def __str__(self) -> str:
        return f"{self.hub_id} – {self.partner_zh}"


class Link(models.Model):
    """A network link; each direction has its own capacity. Tariff is CNY per Gbit/s and hour."""

    from_hub = models.ForeignKey(
        Hub, on_delete=models.PROTECT, related_name="links_out", verbose_name=_("From hub")
    )
    to_hub = models.ForeignKey(
        Hub, on_delete=models.PROTECT, related_name="links_in", verbose_name=_("To hub")
    )
    rtt_ms = models.DecimalField(_("RTT, ms"), max_digits=8, decimal_places=3)
    tariff_cny_per_gbps_hour = models.DecimalField(
        _("Tariff, CNY per Gbit/s and hour"),
        max_digits=14,
        decimal_places=6,
        validators=[MinValueValidator(0)],
    )
    forward_gbps = models.DecimalField(
        _("Capacity forward, Gbit/s"), max_digits=12, decimal_places=3
    )
    reverse_gbps = models.DecimalField(
        _("Capacity reverse, Gbit/s"), max_digits=12, decimal_places=3
    )
    measured_at = models.DateTimeField(_("Measured at"), null=True, blank=True)
    active = models.BooleanField(_("Active"), default=True)
    source = models.TextField(_("Source"), blank=True)

    class Meta:
        verbose_name = _("Link")
        verbose_name_plural = _("Links")
        constraints = [
            models.UniqueConstraint(fields=["from_hub", "to_hub"], name="link_unique"),
            models.CheckConstraint(
                condition=~models.Q(from_hub=models.F("to_hub")), name="link_joins_two_hubs"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    forward_gbps__gte=0,
                    forward_gbps__lt=1_000_000,
                    reverse_gbps__gte=0,
                    reverse_gbps__lt=1_000_000,
                    tariff_cny_per_gbps_hour__gte=0,
                    tariff_cny_per_gbps_hour__lt=1_000_000,
                    rtt_ms__gte=0,
                    rtt_ms__lt=10_000,
                ),
                name="link_figures_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_hub_id}–{self.to_hub_id}"
