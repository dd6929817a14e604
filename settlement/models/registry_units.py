"""Batches of certificates and credits, and who holds which serials of them in which state.

Serials of a batch are whole numbers; a range is inclusive on paper and half-open in the database.
What the number looks like in its registry is the batch's `serial_text`.
"""

import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation
from settlement.models.registry_reference import Programme, Project, Registry

# Energy that one unit of a batch stands for.
WH_PER_UNIT = {"certificate": 1_000_000, "granular": 1, "credit": 0}


class BatchKind(models.TextChoices):
    """Certificates count energy, credits count tonnes; neither becomes the other."""

    CERTIFICATE = "certificate", _("Green certificates")
    GRANULAR = "granular", _("Granular certificates")
    CREDIT = "credit", _("Carbon credits")


class UnitBatch(models.Model):
    """What a registry issued at once: a run of serials of one project and time. Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=BatchKind.choices)
    registry = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="batches")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="batches")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="batches")
    issuance_id = models.CharField(max_length=64)
    vintage_year = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    serials = BigIntegerRangeField()
    serial_prefix = models.CharField(max_length=100, blank=True)
    serial_digits = models.PositiveSmallIntegerField(default=0)
    serial_suffix = models.CharField(max_length=30, blank=True)
    class_codes = models.CharField(max_length=30, blank=True)
    issued_to = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    issued_on = models.DateField()
    expires_on = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Batch of units")
        verbose_name_plural = _("Batches of units")
        constraints = [
            models.UniqueConstraint(
                fields=["registry", "issuance_id"], name="issuance_once_per_registry"
            ),
            ExclusionConstraint(
                name="batches_share_no_serial",
                expressions=[
                    ("registry", RangeOperators.EQUAL),
                    ("serial_prefix", RangeOperators.EQUAL),
                    ("serial_suffix", RangeOperators.EQUAL),
                    ("serials", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=models.Q(serials__isempty=False)
                & models.Q(serials__lower_inf=False, serials__upper_inf=False),
                name="batch_has_serials",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")), name="batch_period_in_order"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="credit") | models.Q(expires_on__isnull=False),
                name="certificate_has_last_day",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "starts_on"], name="batch_project_month"),
            models.Index(fields=["registry", "vintage_year"], name="batch_vintage"),
        ]

    def __str__(self) -> str:
        return f"{self.registry_id} {self.issuance_id}"

    @property
    def first_serial(self) -> int:
        """The lowest serial."""
        return int(self.serials.lower)

    @property
    def last_serial(self) -> int:
        """The highest serial, included."""
        return int(self.serials.upper) - 1

    @property
    def units(self) -> int:
        """How many units were issued."""
        return int(self.serials.upper) - int(self.serials.lower)

    @property
    def wh_per_unit(self) -> int:
        """Energy that one unit stands for; none for credits."""
        return WH_PER_UNIT[self.kind]

    def serial_text(self, number: int) -> str:
        """Return a serial as its registry writes it."""
        return f"{self.serial_prefix}{number:0{self.serial_digits}}{self.serial_suffix}"


class CertificateBatches(models.Manager["CertificateBatch"]):
    """Batches of green certificates only."""

    def get_queryset(self) -> models.QuerySet["CertificateBatch"]:
        """Return the certificates."""
        return super().get_queryset().filter(kind=BatchKind.CERTIFICATE)


class CertificateBatch(UnitBatch):
    """A batch of green certificates: one month's production, one certificate a MWh."""

    objects = CertificateBatches()  # type: ignore[misc]

    class Meta:
        proxy = True
        verbose_name = _("Batch of certificates")
        verbose_name_plural = _("Batches of certificates")


class CreditBatches(models.Manager["CreditBatch"]):
    """Batches of carbon credits only."""

    def get_queryset(self) -> models.QuerySet["CreditBatch"]:
        """Return the credits."""
        return super().get_queryset().filter(kind=BatchKind.CREDIT)


class CreditBatch(UnitBatch):
    """A batch of carbon credits: one vintage, one credit a tonne."""

    objects = CreditBatches()  # type: ignore[misc]

    class Meta:
        proxy = True
        verbose_name = _("Batch of credits")
        verbose_name_plural = _("Batches of credits")


class UnitState(models.TextChoices):
    """What may still be done with a serial; the last four states are never left."""

    ISSUED = "issued", pgettext_lazy("units", "Issued")
    HELD = "held", pgettext_lazy("units", "Held")
    RESERVED = "reserved", pgettext_lazy("units", "Reserved")
    LOCKED = "locked", pgettext_lazy("units", "Locked by a dispute")
    FROZEN = "frozen", pgettext_lazy("units", "Frozen")
    RETIRED = "retired", pgettext_lazy("units", "Retired")
    CANCELLED = "cancelled", pgettext_lazy("units", "Cancelled")
    EXPIRED = "expired", pgettext_lazy("units", "Expired")
    INVALIDATED = "invalidated", pgettext_lazy("units", "Invalidated")


UNIT_TRANSITIONS = TransitionTable(
    UnitState,
    {
        "issued": {"held"},
        "held": {"reserved", "locked", "frozen", "retired", "expired", "invalidated"},
        "reserved": {"held", "retired"},
        "locked": {"held"},
        "frozen": {"cancelled"},
        # Only by the registry: a sink that burned down, an order of the authority.
        "retired": {"invalidated"},
        "cancelled": set(),
        "expired": set(),
        "invalidated": set(),
    },
)
TERMINAL_UNIT_STATES = frozenset(
    {UnitState.RETIRED, UnitState.CANCELLED, UnitState.EXPIRED, UnitState.INVALIDATED}
)


class ReservationState(models.TextChoices):
    """A reservation ends once."""

    OPEN = "open", pgettext_lazy("reservation", "Open")
    USED = "used", pgettext_lazy("reservation", "Used")
    RELEASED = "released", pgettext_lazy("reservation", "Released")
    EXPIRED = "expired", pgettext_lazy("reservation", "Expired")


RESERVATION_TRANSITIONS = TransitionTable(
    ReservationState,
    {
        "open": {"used", "released", "expired"},
        "used": set(),
        "released": set(),
        "expired": set(),
    },
)


class Reservation(models.Model):
    """Units set aside for an order or an instruction until a time; they lapse back to held."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    registry = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="+")
    source_type = models.CharField(max_length=30)
    source_id = models.CharField(max_length=64)
    units = models.PositiveBigIntegerField()
    expires_at = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=ReservationState.choices, default=ReservationState.OPEN
    )
    recorded_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("Reservation of units")
        verbose_name_plural = _("Reservations of units")
        constraints = [
            models.UniqueConstraint(
                fields=["source_type", "source_id"], name="one_reservation_per_source"
            ),
            models.CheckConstraint(
                condition=models.Q(units__gt=0), name="reservation_of_something"
            ),
            models.CheckConstraint(
                condition=models.Q(state="open", ended_at__isnull=True)
                | (~models.Q(state="open") & models.Q(ended_at__isnull=False)),
                name="reservation_ends_once",
            ),
        ]
        indexes = [models.Index(fields=["state", "expires_at"], name="reservation_due")]

    def __str__(self) -> str:
        return str(self.public_id)


class SerialRange(models.Model):
    """Serials of one batch with one holder in one state; the sum of all movements so far.

    Written by the database's own function when a line of a movement is added, never by hand.
    Rows split and merge, so nothing points at them: point at a batch and its serials.
    """

    batch = models.ForeignKey(UnitBatch, on_delete=models.PROTECT, related_name="ranges")
    serials = BigIntegerRangeField()
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=UnitState.choices)
    reservation = models.ForeignKey(
        Reservation, on_delete=models.PROTECT, null=True, blank=True, related_name="ranges"
    )
    # How often the units changed hands; zero is what the certificate rules call unsold.
    times_sold = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("Range of serials")
        verbose_name_plural = _("Ranges of serials")
        constraints = [
            ExclusionConstraint(
                name="serials_in_one_range",
                expressions=[
                    ("batch", RangeOperators.EQUAL),
                    ("serials", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=models.Q(state="reserved", reservation__isnull=False)
                | (~models.Q(state="reserved") & models.Q(reservation__isnull=True)),
                name="reserved_for_a_reservation",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[s for s in UnitState.values if s != "issued"]),
                name="range_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "state"], name="range_holder_state"),
            models.Index(fields=["batch", "state"], name="range_batch_state"),
            GistIndex(fields=["serials"], name="range_serials"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.serials} {self.state}"

    @property
    def first_serial(self) -> int:
        """The lowest serial."""
        return int(self.serials.lower)

    @property
    def last_serial(self) -> int:
        """The highest serial, included."""
        return int(self.serials.upper) - 1

    @property
    def units(self) -> int:
        """How many units."""
        return int(self.serials.upper) - int(self.serials.lower)
