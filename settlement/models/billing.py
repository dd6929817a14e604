"""Settlement runs, rated lines, bills (结算单) and suppliers' tax invoices."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from djmoney.models.fields import MoneyField

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation, Product
from orders.models import AllocationPeriod, Auction
from settlement.models.deliveries import Delivery
from settlement.models.ledger import JournalEntry


class SettlementState(models.TextChoices):
    """Rated, billed and posted; each step happens once."""

    OPEN = "open", pgettext_lazy("settlement", "Open")
    RATED = "rated", _("Rated")
    POSTED = "posted", _("Billed and posted")


SETTLEMENT_TRANSITIONS = TransitionTable(
    SettlementState,
    {"open": {"rated"}, "rated": {"posted"}, "posted": set()},
)


class SettlementRun(models.Model):
    """Turning the deliveries of one auction into money; later sequences settle differences.

    Sums of a later sequence are differences to what all sequences before it came to. The newest
    reading it took into account is `last_reading_id`; `checked_reading_id` runs ahead of it when
    later readings changed nothing.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=40, unique=True)
    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="+")
    sequence = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(
        max_length=8, choices=SettlementState.choices, default=SettlementState.OPEN
    )
    settled_on = models.DateField()
    buyer_net_cny = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    seller_net_cny = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    tariffs_cny = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    congestion_rent_cny = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    fees_cny = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    penalties_cny = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    last_reading_id = models.BigIntegerField(null=True, blank=True)
    checked_reading_id = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    posted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("Settlement run")
        verbose_name_plural = _("Settlement runs")
        constraints = [
            models.UniqueConstraint(fields=["auction", "sequence"], name="settlement_run_unique"),
        ]

    def __str__(self) -> str:
        return self.number


class RatedLine(models.Model):
    """A delivery rated in a run, in fen; transport = buyer net − seller net. Append-only.

    Over all sequences the lines of a delivery add up to its newest rating: a later one holds the
    difference, with nothing sold. `rounding_cny` is part of the congestion rent.
    """

    run = models.ForeignKey(SettlementRun, on_delete=models.PROTECT, related_name="lines")
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="+")
    sold_unit_hours = models.DecimalField(max_digits=18, decimal_places=6)
    metered_unit_hours = models.DecimalField(max_digits=18, decimal_places=6)
    billed_unit_hours = models.DecimalField(max_digits=18, decimal_places=6)
    buyer_net_cny = models.DecimalField(max_digits=16, decimal_places=2)
    seller_net_cny = models.DecimalField(max_digits=16, decimal_places=2)
    tariff_cny = models.DecimalField(max_digits=16, decimal_places=2)
    congestion_rent_cny = models.DecimalField(max_digits=16, decimal_places=2)
    rounding_cny = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    buyer_fee_cny = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    seller_fee_cny = models.DecimalField(max_digits=16, decimal_places=2, default=0)

    class Meta:
        verbose_name = _("Rated line")
        verbose_name_plural = _("Rated lines")
        constraints = [
            models.UniqueConstraint(fields=["run", "delivery"], name="rated_once"),
            models.CheckConstraint(
                condition=models.Q(
                    buyer_net_cny=models.F("seller_net_cny")
                    + models.F("tariff_cny")
                    + models.F("congestion_rent_cny")
                ),
                name="rated_line_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.delivery_id}"


class RatedPeriod(models.Model):
    """One delivery period as a run found it: sold, metered, billed. Whole, never a difference."""

    line = models.ForeignKey(RatedLine, on_delete=models.PROTECT, related_name="periods")
    allocation_period = models.ForeignKey(
        AllocationPeriod, on_delete=models.PROTECT, related_name="+"
    )
    sold = models.DecimalField(max_digits=14, decimal_places=3)
    metered = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)
    billed = models.DecimalField(max_digits=14, decimal_places=3)

    class Meta:
        verbose_name = _("Rated period")
        verbose_name_plural = _("Rated periods")
        constraints = [
            models.UniqueConstraint(
                fields=["line", "allocation_period"], name="rated_period_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} {self.allocation_period_id}"


class InvoiceDirection(models.TextChoices):
    """Who owes whom."""

    RECEIVABLE = "receivable", _("Bill to a buyer")
    PAYABLE = "payable", _("Settlement statement of a supplier")


class InvoiceKind(models.TextChoices):
    """A first bill, or what corrects it."""

    BILL = "bill", _("Bill")
    CREDIT_NOTE = "credit_note", _("Credit note")
    ADDITIONAL = "additional", _("Additional bill")


class InvoiceState(models.TextChoices):
    """A document is issued once and never edited; payment moves its state only."""

    ISSUED = "issued", _("Issued")
    PAID = "paid", _("Paid")
    CREDITED = "credited", _("Reversed by a credit note")


INVOICE_TRANSITIONS = TransitionTable(
    InvoiceState,
    # A payment that the bank sends back leaves the document open again.
    {"issued": {"paid", "credited"}, "paid": {"issued", "credited"}, "credited": set()},
)


class Invoice(models.Model):
    """Our own immutable, gap-free numbered document (结算单, 冲减单); never called 发票.

    A credit note has sums below zero and refers, like an additional bill, to the member's bill of
    the first settlement of the auction.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=30, unique=True)
    direction = models.CharField(max_length=10, choices=InvoiceDirection.choices)
    kind = models.CharField(max_length=12, choices=InvoiceKind.choices, default=InvoiceKind.BILL)
    refers_to = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="corrections"
    )
    run = models.ForeignKey(SettlementRun, on_delete=models.PROTECT, related_name="invoices")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=10, choices=InvoiceState.choices, default=InvoiceState.ISSUED
    )
    issued_on = models.DateField()
    due_on = models.DateField()
    net = MoneyField(max_digits=16, decimal_places=2, default_currency="CNY")
    vat = MoneyField(max_digits=16, decimal_places=2, default_currency="CNY")
    gross = MoneyField(max_digits=16, decimal_places=2, default_currency="CNY")
    entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    issued_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Invoice")
        verbose_name_plural = _("Invoices")
        constraints = [
            models.UniqueConstraint(
                fields=["run", "organisation", "direction", "kind"],
                name="one_bill_per_member_and_run",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="bill", refers_to__isnull=True)
                | models.Q(kind="credit_note", refers_to__isnull=False, gross__lte=0)
                | models.Q(kind="additional", refers_to__isnull=False, gross__gte=0),
                name="invoice_kind_fits",
            ),
            models.CheckConstraint(
                condition=models.Q(gross=models.F("net") + models.F("vat")),
                name="invoice_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(gross__lt=1_000_000_000_000, gross__gt=-1_000_000_000_000),
                name="invoice_sane",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "-id"], name="invoice_member")]

    def __str__(self) -> str:
        return self.number


class InvoiceLineKind(models.TextChoices):
    """What a line bills."""

    COMPUTE = "compute", _("Compute delivered")
    FEE = "fee", _("Service fee")
    SLA_PENALTY = "sla_penalty", _("Penalty for short service")
    ADJUSTMENT = "adjustment", _("Adjustment")
    ROUNDING = "rounding", _("Rounding")


class InvoiceLine(models.Model):
    """A line of a bill; VAT of a rate group is split back to the lines exactly. Append-only."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=InvoiceLineKind.choices)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    unit_hours = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    net_cny = models.DecimalField(max_digits=16, decimal_places=2)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4)
    vat_cny = models.DecimalField(max_digits=16, decimal_places=2)

    class Meta:
        verbose_name = _("Invoice line")
        verbose_name_plural = _("Invoice lines")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "line"], name="invoice_line_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id}/{self.line}"


class SupplierInvoiceState(models.TextChoices):
    """The supplier's tax invoice must be checked before the payout."""

    RECEIVED = "received", _("Received")
    CHECKED = "checked", _("Checked")
    REFUSED = "refused", _("Refused")


SUPPLIER_INVOICE_TRANSITIONS = TransitionTable(
    SupplierInvoiceState,
    {"received": {"checked", "refused"}, "checked": set(), "refused": set()},
)


class SupplierInvoice(models.Model):
    """A supplier's tax invoice (进项发票) for one of our settlement statements; it gates payout."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="supplier_invoices")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    tax_number = models.CharField(_("Tax invoice number"), max_length=20, unique=True)
    issued_on = models.DateField()
    amount = MoneyField(max_digits=16, decimal_places=2, default_currency="CNY")
    vat = MoneyField(max_digits=16, decimal_places=2, default_currency="CNY")
    state = models.CharField(
        max_length=10,
        choices=SupplierInvoiceState.choices,
        default=SupplierInvoiceState.RECEIVED,
    )
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Supplier's tax invoice")
        verbose_name_plural = _("Suppliers' tax invoices")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("entered_by")),
                name="supplier_invoice_two_persons",
            ),
        ]

    def __str__(self) -> str:
        return self.tax_number
