"""Multilateral netting between data centres: cycles, obligations, positions, instructions, cash.

A computation is never changed: when a party fails, its obligations are left out and the next
computation of the same cycle starts from scratch.
"""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation
from settlement.models.ledger import JournalEntry
from settlement.models.recognition_agreements import TONNES_LIMIT


class NettingState(models.TextChoices):
    """A cycle takes obligations, freezes them, computes and settles; the last step is final."""

    OPEN = "open", pgettext_lazy("netting", "Open")
    FROZEN = "frozen", pgettext_lazy("netting", "Frozen")
    COMPUTED = "computed", pgettext_lazy("netting", "Computed")
    SETTLED = "settled", pgettext_lazy("netting", "Settled")


NETTING_TRANSITIONS = TransitionTable(
    NettingState,
    {"open": {"frozen"}, "frozen": {"computed"}, "computed": {"settled"}, "settled": set()},
)


class NettingCycle(models.Model):
    """One cycle over one fungibility class: registry, instrument type and vintage year."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(_("Code"), max_length=30, unique=True)
    registry = models.ForeignKey("settlement.Registry", on_delete=models.PROTECT, related_name="+")
    instrument_type = models.CharField(max_length=20)
    vintage_year = models.PositiveSmallIntegerField()
    cut_off_on = models.DateField()
    reference_price_cny = models.DecimalField(max_digits=14, decimal_places=4)
    state = models.CharField(max_length=10, choices=NettingState.choices, default=NettingState.OPEN)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    opened_at = models.DateTimeField(auto_now_add=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("Netting cycle")
        verbose_name_plural = _("Netting cycles")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reference_price_cny__gt=0, reference_price_cny__lt=1_000_000),
                name="netting_price_sane",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Obligation(models.Model):
    """A data centre owes another tonnes of the cycle's class. Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    cycle = models.ForeignKey(NettingCycle, on_delete=models.PROTECT, related_name="obligations")
    payer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    payee = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    quantity_t = models.DecimalField(max_digits=18, decimal_places=6)
    statement = models.ForeignKey(
        "settlement.EmissionStatement",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    reference = models.CharField(max_length=60)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Obligation")
        verbose_name_plural = _("Obligations")
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "payer", "payee", "reference"], name="obligation_once"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity_t__gt=0, quantity_t__lt=TONNES_LIMIT),
                name="obligation_sane",
            ),
            models.CheckConstraint(
                condition=~models.Q(payer=models.F("payee")), name="obligation_of_two_parties"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cycle_id} {self.payer_id}>{self.payee_id} {self.quantity_t}"


class NettingFailure(models.Model):
    """A party that could not deliver or pay: it leaves the cycle with all it owes. Append-only."""

    cycle = models.ForeignKey(NettingCycle, on_delete=models.PROTECT, related_name="failures")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Failure in a netting cycle")
        verbose_name_plural = _("Failures in netting cycles")
        constraints = [
            models.UniqueConstraint(fields=["cycle", "organisation"], name="netting_failure_once"),
        ]

    def __str__(self) -> str:
        return f"{self.cycle_id} {self.organisation_id}"


class NettingComputation(models.Model):
    """The netting of a cycle's obligations, computed from scratch; the newest counts. Append-only.

    `input_sha256` stands for the obligations that went in, in a fixed order.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    cycle = models.ForeignKey(NettingCycle, on_delete=models.PROTECT, related_name="computations")
    number = models.PositiveSmallIntegerField()
    obligation_count = models.PositiveIntegerField()
    gross_t = models.DecimalField(max_digits=18, decimal_places=6)
    net_t = models.DecimalField(max_digits=18, decimal_places=6)
    ratio = models.DecimalField(max_digits=5, decimal_places=4)
    delivered_units = models.PositiveIntegerField()
    rounding_cny = models.DecimalField(max_digits=10, decimal_places=2)
    input_sha256 = models.CharField(max_length=64)
    computed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Netting computation")
        verbose_name_plural = _("Netting computations")
        constraints = [
            models.UniqueConstraint(fields=["cycle", "number"], name="netting_computation_once"),
            models.CheckConstraint(
                condition=models.Q(
                    net_t__lte=models.F("gross_t"), net_t__gte=0, ratio__gte=0, ratio__lte=1
                ),
                name="netting_never_adds",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cycle_id}/{self.number}"


class NetPosition(models.Model):
    """What a party nets to in a computation, in tonnes, units and cash. Append-only."""

    computation = models.ForeignKey(
        NettingComputation, on_delete=models.PROTECT, related_name="positions"
    )
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    receivable_t = models.DecimalField(max_digits=18, decimal_places=6)
    payable_t = models.DecimalField(max_digits=18, decimal_places=6)
    net_t = models.DecimalField(max_digits=18, decimal_places=6)
    delivers_units = models.PositiveIntegerField(default=0)
    receives_units = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("Net position")
        verbose_name_plural = _("Net positions")
        constraints = [
            models.UniqueConstraint(
                fields=["computation", "organisation"], name="net_position_once"
            ),
            models.CheckConstraint(
                condition=models.Q(net_t=models.F("receivable_t") - models.F("payable_t")),
                name="net_position_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.computation_id} {self.organisation_id} {self.net_t}"


class InstructionState(models.TextChoices):
    """An instruction is carried out once, with the whole cycle."""

    PENDING = "pending", pgettext_lazy("instruction", "To be carried out")
    DONE = "done", pgettext_lazy("instruction", "Carried out")


INSTRUCTION_TRANSITIONS = TransitionTable(InstructionState, {"pending": {"done"}, "done": set()})


class DeliveryInstruction(models.Model):
    """Whole units that a net debtor delivers to a net creditor; only carrying out is added."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    computation = models.ForeignKey(
        NettingComputation, on_delete=models.PROTECT, related_name="instructions"
    )
    from_organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    to_organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    units = models.PositiveIntegerField()
    state = models.CharField(
        max_length=8, choices=InstructionState.choices, default=InstructionState.PENDING
    )
    serials = models.JSONField(default=list, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("Delivery instruction")
        verbose_name_plural = _("Delivery instructions")
        constraints = [
            models.UniqueConstraint(
                fields=["computation", "from_organisation", "to_organisation"],
                name="instruction_once",
            ),
            models.CheckConstraint(
                condition=models.Q(units__gt=0)
                & ~models.Q(from_organisation=models.F("to_organisation")),
                name="instruction_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_organisation_id}>{self.to_organisation_id} {self.units}"


class CashAdjustment(models.Model):
    """CNY for the fraction of a tonne that whole units leave; above zero is received."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    computation = models.ForeignKey(
        NettingComputation, on_delete=models.PROTECT, related_name="cash"
    )
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    amount_cny = models.DecimalField(max_digits=16, decimal_places=2)
    state = models.CharField(
        max_length=8, choices=InstructionState.choices, default=InstructionState.PENDING
    )
    entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("Cash adjustment")
        verbose_name_plural = _("Cash adjustments")
        constraints = [
            models.UniqueConstraint(
                fields=["computation", "organisation"], name="cash_adjustment_once"
            ),
            models.CheckConstraint(
                condition=models.Q(amount_cny__lt=TONNES_LIMIT, amount_cny__gt=-TONNES_LIMIT)
                & ~models.Q(amount_cny=0),
                name="cash_adjustment_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.computation_id} {self.organisation_id} {self.amount_cny}"
