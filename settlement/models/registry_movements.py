"""What happened to units: movements and their lines, retirements, allocations, duties, imports."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import BigIntegerRangeField
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation
from settlement.models.ledger import JournalEntry
from settlement.models.registry_reference import Registry
from settlement.models.registry_units import Reservation, UnitBatch, UnitState

WH_PER_CERTIFICATE = 1_000_000


class MovementKind(models.TextChoices):
    """Why units moved."""

    ISSUE = "issue", pgettext_lazy("units", "Issue")
    TRANSFER = "transfer", pgettext_lazy("units", "Transfer")
    RESERVE = "reserve", pgettext_lazy("units", "Reservation")
    RELEASE = "release", pgettext_lazy("units", "Release")
    LOCK = "lock", pgettext_lazy("units", "Lock")
    UNLOCK = "unlock", pgettext_lazy("units", "Unlock")
    FREEZE = "freeze", pgettext_lazy("units", "Freeze")
    CANCEL = "cancel", pgettext_lazy("units", "Cancellation")
    EXPIRE = "expire", pgettext_lazy("units", "Expiry")
    RETIRE = "retire", pgettext_lazy("units", "Retirement")
    INVALIDATE = "invalidate", pgettext_lazy("units", "Invalidation")


class UnitMovement(models.Model):
    """One business act on units of one registry, with its entry in the ledger. Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=MovementKind.choices)
    registry = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="+")
    effective_on = models.DateField()
    source_type = models.CharField(max_length=30)
    source_id = models.CharField(max_length=64)
    idempotency_key = models.CharField(max_length=120, unique=True)
    entry = models.OneToOneField(JournalEntry, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Movement of units")
        verbose_name_plural = _("Movements of units")
        indexes = [
            models.Index(fields=["source_type", "source_id"], name="movement_source"),
            models.Index(fields=["registry", "-id"], name="movement_registry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class UnitMovementLine(models.Model):
    """Serials that a movement takes from one holder and state to another. Append-only.

    Adding a line moves the serials, or fails when they are not where the line takes them from.
    """

    movement = models.ForeignKey(UnitMovement, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveIntegerField()
    batch = models.ForeignKey(UnitBatch, on_delete=models.PROTECT, related_name="movements")
    serials = BigIntegerRangeField()
    from_state = models.CharField(max_length=12, choices=UnitState.choices)
    to_state = models.CharField(max_length=12, choices=UnitState.choices)
    from_organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    to_organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    from_reservation = models.ForeignKey(
        Reservation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    to_reservation = models.ForeignKey(
        Reservation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("Line of a movement")
        verbose_name_plural = _("Lines of movements")
        constraints = [
            models.UniqueConstraint(fields=["movement", "line"], name="movement_line_unique"),
            models.CheckConstraint(
                condition=models.Q(serials__isempty=False)
                & models.Q(serials__lower_inf=False, serials__upper_inf=False),
                name="movement_of_something",
            ),
            models.CheckConstraint(
                condition=models.Q(from_state="issued", from_organisation__isnull=True)
                | (~models.Q(from_state="issued") & models.Q(from_organisation__isnull=False)),
                name="only_issue_comes_from_nobody",
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "id"], name="movement_line_batch"),
            models.Index(fields=["from_organisation", "-id"], name="movement_line_from"),
            models.Index(fields=["to_organisation", "-id"], name="movement_line_to"),
            GistIndex(fields=["serials"], name="movement_line_serials"),
        ]

    def __str__(self) -> str:
        return f"{self.movement_id}/{self.line}"

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


class RetirementPurpose(models.TextChoices):
    """What a unit was used up for; one purpose only."""

    VOLUNTARY = "voluntary", _("Voluntary claim")
    GREEN_POWER = "green_power", _("Green power consumption")
    RECOGNITION = "recognition", _("Mutual recognition")
    COMPLIANCE = "compliance", _("Compliance in an emissions trading scheme")
    REPLACEMENT = "replacement", _("Replacement of invalidated units")
    GRANULAR = "granular", _("Issue of granular certificates")


class Retirement(models.Model):
    """The final use of units for one named beneficiary (注销 / 核销). Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=30, unique=True)
    registry = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="retirements")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    beneficiary = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    beneficiary_name = models.CharField(max_length=160)
    purpose = models.CharField(max_length=16, choices=RetirementPurpose.choices)
    claim_month = models.DateField()
    # Granular certificates are cancelled for one hour of delivery, which they were produced in.
    claim_hour = models.DateTimeField(null=True, blank=True)
    units = models.PositiveBigIntegerField()
    retired_on = models.DateField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    movement = models.OneToOneField(UnitMovement, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("Retirement")
        verbose_name_plural = _("Retirements")
        constraints = [
            models.CheckConstraint(condition=models.Q(units__gt=0), name="retirement_of_something"),
            models.CheckConstraint(
                condition=models.Q(claim_month__day=1), name="claim_month_starts_on_first"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-id"], name="retirement_holder"),
            models.Index(fields=["beneficiary", "claim_month"], name="retirement_claim"),
        ]

    def __str__(self) -> str:
        return self.number


class RetirementLine(models.Model):
    """Serials of one batch that a retirement used up. Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    retirement = models.ForeignKey(Retirement, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveIntegerField()
    batch = models.ForeignKey(UnitBatch, on_delete=models.PROTECT, related_name="retirement_lines")
    serials = BigIntegerRangeField()
    units = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = _("Line of a retirement")
        verbose_name_plural = _("Lines of retirements")
        constraints = [
            models.UniqueConstraint(fields=["retirement", "line"], name="retirement_line_unique"),
            models.CheckConstraint(
                condition=models.Q(serials__isempty=False), name="retirement_line_of_something"
            ),
        ]
        indexes = [GistIndex(fields=["batch", "serials"], name="retirement_line_serials")]

    def __str__(self) -> str:
        return f"{self.retirement_id}/{self.line}"

    @property
    def first_serial(self) -> int:
        """The lowest serial."""
        return int(self.serials.lower)

    @property
    def last_serial(self) -> int:
        """The highest serial, included."""
        return int(self.serials.upper) - 1


class ClaimAllocation(models.Model):
    """Energy of retired certificates that is counted for one load. Append-only.

    Retire once, allocate many: the allocated Wh of a line never exceed its certificates.
    """

    line = models.ForeignKey(RetirementLine, on_delete=models.PROTECT, related_name="allocations")
    subject_type = models.CharField(max_length=30)
    subject_id = models.CharField(max_length=64)
    claim_month = models.DateField()
    energy_wh = models.PositiveBigIntegerField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Allocation of certificates")
        verbose_name_plural = _("Allocations of certificates")
        constraints = [
            models.UniqueConstraint(
                fields=["line", "subject_type", "subject_id"], name="claim_allocation_unique"
            ),
            models.CheckConstraint(condition=models.Q(energy_wh__gt=0), name="claim_of_something"),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} {self.subject_type} {self.subject_id}"


class DutyState(models.TextChoices):
    """A duty to replace invalidated units is open until it is met."""

    OPEN = "open", pgettext_lazy("duty", "Open")
    MET = "met", pgettext_lazy("duty", "Met")


DUTY_TRANSITIONS = TransitionTable(DutyState, {"open": {"met"}, "met": set()})


class ReplacementDuty(models.Model):
    """Retired units that the registry invalidated: they have to be replaced."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    line = models.ForeignKey(RetirementLine, on_delete=models.PROTECT, related_name="duties")
    movement = models.ForeignKey(UnitMovement, on_delete=models.PROTECT, related_name="duties")
    serials = BigIntegerRangeField()
    units = models.PositiveBigIntegerField()
    state = models.CharField(max_length=6, choices=DutyState.choices, default=DutyState.OPEN)
    replaced_by = models.ForeignKey(
        Retirement, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Duty of replacement")
        verbose_name_plural = _("Duties of replacement")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="open", replaced_by__isnull=True)
                | models.Q(state="met", replaced_by__isnull=False),
                name="duty_met_by_a_retirement",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} {self.units}"


class ImportState(models.TextChoices):
    """A registry file is read first and taken over on a second word."""

    PREVIEWED = "previewed", pgettext_lazy("import", "Read, waiting for confirmation")
    CONFIRMED = "confirmed", pgettext_lazy("import", "Taken over")
    REFUSED = "refused", pgettext_lazy("import", "Refused")
    DISCARDED = "discarded", pgettext_lazy("import", "Discarded")


IMPORT_TRANSITIONS = TransitionTable(
    ImportState,
    {
        "previewed": {"confirmed", "refused", "discarded"},
        "confirmed": set(),
        "refused": set(),
        "discarded": set(),
    },
)


class ImportFormat(models.TextChoices):
    """How a registry's file is written."""

    TABLE = "table", _("Table of batches (CSV)")
    VCS = "vcs", _("VCS units by their serials (CSV)")
    CAD_TRUST = "cad_trust", _("Projects and units as in CAD Trust (JSON)")
    HOURS = "hours", _("Metered hours for granular certificates (CSV)")


class RegistryImport(models.Model):
    """A file of a registry: read as a whole, taken over as a whole, once."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    registry = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="imports")
    file_format = models.CharField(
        _("Format"), max_length=10, choices=ImportFormat.choices, default=ImportFormat.TABLE
    )
    file_name = models.CharField(max_length=120)
    file_sha256 = models.CharField(max_length=64)
    content = models.BinaryField(null=True, blank=True)  # files read before it was kept have none
    state = models.CharField(
        max_length=10, choices=ImportState.choices, default=ImportState.PREVIEWED
    )
    rows = models.JSONField(default=list)
    findings = models.JSONField(default=list)
    warnings = models.JSONField(default=list)
    units = models.PositiveBigIntegerField(default=0)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("File of a registry")
        verbose_name_plural = _("Files of registries")
        constraints = [
            models.UniqueConstraint(
                fields=["registry", "file_sha256"],
                condition=models.Q(state__in=["previewed", "confirmed"]),
                name="registry_file_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.registry_id} {self.file_name}"
