"""Documents of the monthly cycle: statement of account, tax invoices we issue, contracts."""

import uuid

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation
from orders.models import Allocation
from settlement.models.billing import Invoice
from settlement.models.ledger import AMOUNT_LIMIT


class MonthlyStatementState(models.TextChoices):
    """The counterparty confirms, objects, or lets the deadline pass."""

    SENT = "sent", _("Waiting for confirmation")
    CONFIRMED = "confirmed", _("Confirmed")
    OBJECTED = "objected", _("Objected to")
    DEEMED = "deemed", _("Confirmed by silence")
    SUPERSEDED = "superseded", _("Replaced by a later version")


MONTHLY_STATEMENT_TRANSITIONS = TransitionTable(
    MonthlyStatementState,
    {
        "sent": {"confirmed", "objected", "deemed", "superseded"},
        "confirmed": {"superseded"},
        "objected": {"confirmed", "superseded"},
        "deemed": {"superseded"},
        "superseded": set(),
    },
)


class MonthlyStatement(models.Model):
    """A member's statement of account for a month (月度对账单); a later version replaces it."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=30, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    month = models.DateField()
    version = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(
        max_length=10, choices=MonthlyStatementState.choices, default=MonthlyStatementState.SENT
    )
    opening_cny = models.DecimalField(max_digits=18, decimal_places=2)
    closing_cny = models.DecimalField(max_digits=18, decimal_places=2)
    content = models.JSONField(default=dict)
    content_sha256 = models.CharField(max_length=64)
    last_entry_id = models.BigIntegerField(default=0)
    issued_on = models.DateField()
    answer_by = models.DateField()
    issued_at = models.DateTimeField(auto_now_add=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    objection = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("Monthly statement")
        verbose_name_plural = _("Monthly statements")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "month", "version"], name="monthly_statement_version"
            ),
            models.UniqueConstraint(
                fields=["organisation", "month"],
                condition=~models.Q(state="superseded"),
                name="one_monthly_statement_counts",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="objected") | ~models.Q(objection=""),
                name="objection_says_what",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class TaxInvoiceKind(models.TextChoices):
    """Which of the two fully digital invoices the customer wants."""

    SPECIAL = "special", _("Special VAT invoice (deductible)")
    ORDINARY = "ordinary", _("Ordinary VAT invoice")


class TaxInvoiceState(models.TextChoices):
    """Requested, issued on the tax authority's platform, reversed in red; failing is normal."""

    REQUESTED = "requested", _("Requested")
    FAILED = "failed", _("Refused by the tax platform")
    ISSUED = "issued", pgettext_lazy("tax invoice", "Issued")
    RED_REQUESTED = "red_requested", _("Reversal requested")
    RED_LETTERED = "red_lettered", _("Reversed in red")
    WITHDRAWN = "withdrawn", pgettext_lazy("tax invoice", "Withdrawn")


TAX_INVOICE_TRANSITIONS = TransitionTable(
    TaxInvoiceState,
    {
        "requested": {"issued", "failed", "withdrawn"},
        "failed": {"requested", "issued", "withdrawn"},
        "issued": {"red_requested"},
        "red_requested": {"issued", "red_lettered"},
        "red_lettered": set(),
        "withdrawn": set(),
    },
)

twenty_digits = RegexValidator(r"\A[0-9]{20}\Z")


class TaxInvoice(models.Model):
    """A 数电票 that we owe a customer for bills; title and tax id are those of the request."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=30, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=TaxInvoiceKind.choices)
    state = models.CharField(
        max_length=13, choices=TaxInvoiceState.choices, default=TaxInvoiceState.REQUESTED
    )
    title = models.CharField(max_length=120)
    tax_id = models.CharField(max_length=20)
    address = models.CharField(max_length=240, blank=True)
    bank = models.CharField(max_length=170, blank=True)
    net_cny = models.DecimalField(max_digits=16, decimal_places=2)
    vat_cny = models.DecimalField(max_digits=16, decimal_places=2)
    gross_cny = models.DecimalField(max_digits=16, decimal_places=2)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(auto_now_add=True)
    failure_code = models.CharField(max_length=30, blank=True)
    failure_text = models.CharField(max_length=200, blank=True)
    tax_number = models.CharField(
        max_length=20, null=True, blank=True, unique=True, validators=[twenty_digits]
    )
    issued_on = models.DateField(null=True, blank=True)
    red_reason = models.CharField(max_length=200, blank=True)
    red_confirmation = models.CharField(max_length=30, blank=True)
    red_number = models.CharField(
        max_length=20, null=True, blank=True, unique=True, validators=[twenty_digits]
    )
    red_issued_on = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("Tax invoice to a member")
        verbose_name_plural = _("Tax invoices to members")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(gross_cny=models.F("net_cny") + models.F("vat_cny")),
                name="tax_invoice_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(gross_cny__gt=0, gross_cny__lt=AMOUNT_LIMIT),
                name="tax_invoice_sane",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["issued", "red_requested", "red_lettered"])
                | models.Q(tax_number__regex=r"^[0-9]{20}$", issued_on__isnull=False),
                name="issued_tax_invoice_has_a_number",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="red_lettered")
                | (
                    models.Q(red_number__regex=r"^[0-9]{20}$", red_issued_on__isnull=False)
                    & ~models.Q(red_confirmation="")
                ),
                name="red_letter_has_a_confirmation",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class TaxInvoiceItem(models.Model):
    """A bill on a tax invoice; it stands on one that counts at a time."""

    tax_invoice = models.ForeignKey(TaxInvoice, on_delete=models.PROTECT, related_name="items")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="tax_items")
    gross_cny = models.DecimalField(max_digits=16, decimal_places=2)
    counts = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("Bill on a tax invoice")
        verbose_name_plural = _("Bills on tax invoices")
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"],
                condition=models.Q(counts=True),
                name="bill_on_one_tax_invoice",
            ),
            models.UniqueConstraint(fields=["tax_invoice", "invoice"], name="tax_item_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.tax_invoice_id} {self.invoice_id}"


class TaxInvoiceLine(models.Model):
    """A line of a tax invoice: the bills' lines summed by goods and rate. Append-only."""

    tax_invoice = models.ForeignKey(TaxInvoice, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveSmallIntegerField()
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160)
    unit = models.CharField(max_length=20, blank=True)
    quantity = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    net_cny = models.DecimalField(max_digits=16, decimal_places=2)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4)
    vat_cny = models.DecimalField(max_digits=16, decimal_places=2)

    class Meta:
        verbose_name = _("Line of a tax invoice")
        verbose_name_plural = _("Lines of tax invoices")
        constraints = [
            models.UniqueConstraint(fields=["tax_invoice", "line"], name="tax_line_unique"),
            models.CheckConstraint(
                condition=models.Q(line__gte=1, line__lte=2000), name="tax_invoice_at_most_2000"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tax_invoice_id}/{self.line}"


class ContractSide(models.TextChoices):
    """Between whom a contract is."""

    SALE = "sale", _("Market and buyer")
    PURCHASE = "purchase", _("Supplier and market")
    DIRECT = "direct", _("Supplier and buyer")


class ContractState(models.TextChoices):
    """Drawn up, sent for signature, signed by all; or void."""

    DRAFT = "draft", pgettext_lazy("contract", "Drawn up")
    SENT = "sent", _("Sent for signature")
    SIGNED = "signed", _("Signed")
    VOID = "void", pgettext_lazy("contract", "Void")


CONTRACT_TRANSITIONS = TransitionTable(
    ContractState,
    {"draft": {"sent", "void"}, "sent": {"signed", "void"}, "signed": set(), "void": set()},
)


class Contract(models.Model):
    """The contract behind an allocation (合同); what is signed is the PDF with this hash."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=30, unique=True)
    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=8, choices=ContractSide.choices)
    state = models.CharField(
        max_length=6, choices=ContractState.choices, default=ContractState.DRAFT
    )
    content_sha256 = models.CharField(max_length=64, blank=True)
    provider = models.CharField(max_length=30, blank=True)
    envelope = models.CharField(max_length=80, blank=True)
    drawn_up_on = models.DateField()
    sent_at = models.DateTimeField(null=True, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Contract")
        verbose_name_plural = _("Contracts")
        constraints = [
            models.UniqueConstraint(
                fields=["allocation", "side"],
                condition=~models.Q(state="void"),
                name="one_contract_counts",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "void"])
                | (~models.Q(content_sha256="") & ~models.Q(envelope="")),
                name="sent_contract_has_an_envelope",
            ),
        ]

    def __str__(self) -> str:
        return self.number
