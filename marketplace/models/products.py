"""What is traded: products, workload scenarios, hardware."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField


class ResourceClass(models.TextChoices):
    """The three kinds of compute, and storage later."""

    GENERAL = "GP", _("General compute")
    AI = "AI", _("AI compute")
    HPC = "HP", _("Supercomputing")
    STORAGE = "ST", _("Storage")


class Product(models.Model):
    """A standardised contract. Prices are CNY per unit and hour, VAT excluded (不含税)."""

    code = models.CharField(_("Code"), max_length=20, unique=True)
    resource_class = models.CharField(
        _("Resource class"), max_length=2, choices=ResourceClass.choices
    )
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=120)
    unit_zh = models.CharField(_("Unit, Chinese"), max_length=20)
    unit_en = models.CharField(_("Unit, English"), max_length=30)
    price_tick = models.DecimalField(_("Price tick"), max_digits=12, decimal_places=6)
    clearing_price_tick = models.DecimalField(
        _("Clearing price tick"), max_digits=12, decimal_places=6
    )
    quantity_lot = models.DecimalField(_("Quantity lot"), max_digits=12, decimal_places=3)
    price_min = models.DecimalField(_("Lowest price"), max_digits=14, decimal_places=6, default=0)
    price_max = models.DecimalField(_("Highest price"), max_digits=14, decimal_places=6)
    bandwidth_gbps_per_unit = models.DecimalField(
        _("Gbit/s per unit"), max_digits=12, decimal_places=6
    )
    rtt_classes_ms = ArrayField(
        models.DecimalField(max_digits=8, decimal_places=3),
        default=list,
        verbose_name=_("Latency classes, ms"),
    )
    carbon_classes_g = ArrayField(
        models.DecimalField(max_digits=10, decimal_places=3),
        default=list,
        blank=True,
        verbose_name=_("Carbon classes, g"),
    )
    power_w_per_unit = models.DecimalField(_("Watts per unit"), max_digits=10, decimal_places=2)
    pflops_bf16_per_unit = models.DecimalField(
        _("PFLOP/s (dense BF16) per unit"), max_digits=12, decimal_places=6, null=True, blank=True
    )
    reference_price = MoneyField(
        _("Reference price (example)"), max_digits=14, decimal_places=6, default_currency="CNY"
    )
    active = models.BooleanField(_("Active"), default=True)
    sort_order = models.PositiveSmallIntegerField(_("Sort order"), default=100)
    note = models.TextField(_("Note"), blank=True)

    class Meta:
        verbose_name = _("Product")
        verbose_name_plural = _("Products")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    price_tick__gt=0,
                    clearing_price_tick__gt=0,
                    quantity_lot__gt=0,
                    price_min__gte=0,
                    price_max__gt=models.F("price_min"),
                    price_max__lt=1_000_000,
                ),
                name="product_figures_sane",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class ProductVatRate(models.Model):
    """The VAT rate of a product from a date on."""

    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="vat_rates", verbose_name=_("Product")
    )
    rate = models.DecimalField(_("Rate"), max_digits=5, decimal_places=4)
    valid_from = models.DateField(_("Valid from"))
    source = models.CharField(_("Source"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("VAT rate")
        verbose_name_plural = _("VAT rates")
        constraints = [
            models.UniqueConstraint(fields=["product", "valid_from"], name="vat_rate_unique"),
            models.CheckConstraint(
                condition=models.Q(rate__gte=0, rate__lt=1), name="vat_rate_sane"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.rate} {self.valid_from}"


class WorkloadScenario(models.Model):
    """What the work is; it fills in the latency class."""

    code = models.CharField(_("Code"), max_length=30, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=60)
    name_en = models.CharField(_("English name"), max_length=80)
    latency_class = models.CharField(_("Latency class"), max_length=2)
    max_rtt_ms = models.DecimalField(
        _("Longest RTT, ms"), max_digits=8, decimal_places=3, null=True, blank=True
    )
    routing_zh = models.CharField(_("Routing, Chinese"), max_length=40, blank=True)
    routing_en = models.CharField(_("Routing, English"), max_length=80, blank=True)
    sort_order = models.PositiveSmallIntegerField(_("Sort order"), default=100)

    class Meta:
        verbose_name = _("Workload scenario")
        verbose_name_plural = _("Workload scenarios")

    def __str__(self) -> str:
        return self.code


class HardwareModel(models.Model):
    """A card or processor of the catalogue, with nominal dense figures."""

    name = models.CharField(_("Name"), max_length=100, unique=True)
    vendor = models.CharField(_("Vendor"), max_length=60)
    category = models.CharField(_("Category"), max_length=30)
    fp16_tflops = models.DecimalField(
        _("FP16, TFLOP/s"), max_digits=10, decimal_places=2, null=True, blank=True
    )
    bf16_tflops = models.DecimalField(
        _("BF16, TFLOP/s"), max_digits=10, decimal_places=2, null=True, blank=True
    )
    fp32_tflops = models.DecimalField(
        _("FP32, TFLOP/s"), max_digits=10, decimal_places=2, null=True, blank=True
    )
    fp64_tflops = models.DecimalField(
        _("FP64, TFLOP/s"), max_digits=10, decimal_places=2, null=True, blank=True
    )
    memory_gib = models.DecimalField(
        _("Memory, GiB"), max_digits=8, decimal_places=1, null=True, blank=True
    )
    power_w = models.DecimalField(
        _("Power, W"), max_digits=8, decimal_places=1, null=True, blank=True
    )
    source = models.TextField(_("Source"), blank=True)
    confidence = models.CharField(_("Confidence"), max_length=8, blank=True)
    note = models.TextField(_("Note"), blank=True)

    class Meta:
        verbose_name = _("Hardware model")
        verbose_name_plural = _("Hardware models")

    def __str__(self) -> str:
        return self.name
