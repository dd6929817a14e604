"""Agreements of mutual recognition (互认协议): one row per direction, every change a new version.

The agreement itself never changes; its versions are added, signed by two persons, and an event
keeps the version it was made under. `docs/explanation/mutual-recognition.md` tells the rules.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models import Organisation

TONNES_LIMIT = 1_000_000_000_000


class SchemeMembership(models.Model):
    """The scheme in which a data centre's organisation reports, from a day on. Append-only."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    scheme = models.ForeignKey("settlement.Registry", on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Scheme of an organisation")
        verbose_name_plural = _("Schemes of organisations")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "valid_from"], name="scheme_once_per_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.scheme_id} {self.valid_from}"


class RecognitionAgreement(models.Model):
    """One direction of recognition: units of a registry, counted in a scheme. Append-only."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(_("Code"), max_length=24, unique=True)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160)
    from_registry = models.ForeignKey(
        "settlement.Registry", on_delete=models.PROTECT, related_name="+"
    )
    to_scheme = models.ForeignKey("settlement.Registry", on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Recognition agreement")
        verbose_name_plural = _("Recognition agreements")

    def __str__(self) -> str:
        return self.code


class AgreementStatus(models.TextChoices):
    """What a version says about the agreement: it is used, or it rests."""

    ACTIVE = "active", pgettext_lazy("agreement", "Active")
    SUSPENDED = "suspended", pgettext_lazy("agreement", "Suspended")


class AgreementVersionState(models.TextChoices):
    """A version is proposed by one person and decided once by another."""

    PROPOSED = "proposed", _("Waiting for a second person")
    APPROVED = "approved", _("Approved")
    REFUSED = "refused", pgettext_lazy("agreement", "Refused")


AGREEMENT_VERSION_TRANSITIONS = TransitionTable(
    AgreementVersionState,
    {"proposed": {"approved", "refused"}, "approved": set(), "refused": set()},
)


class CapPeriod(models.TextChoices):
    """The span over which absolute caps count, in market dates (UTC+8)."""

    YEAR = "year", _("Calendar year")
    MONTH = "month", _("Calendar month")
    TERM = "term", _("Whole term of the agreement")


class AgreementVersion(models.Model):
    """The terms of an agreement from its approval on; only the decision is added to it.

    Caps are tonnes; an empty cap does not limit. An empty list of programmes means every programme
    of the registry.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    agreement = models.ForeignKey(
        RecognitionAgreement, on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField()
    status = models.CharField(
        max_length=10, choices=AgreementStatus.choices, default=AgreementStatus.ACTIVE
    )
    instrument_types = ArrayField(models.CharField(max_length=20))
    programmes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    vintage_min = models.PositiveSmallIntegerField()
    vintage_max = models.PositiveSmallIntegerField()
    factor_k = models.DecimalField(max_digits=5, decimal_places=4)
    discount_d = models.DecimalField(max_digits=5, decimal_places=4)
    relative_cap = models.DecimalField(max_digits=5, decimal_places=4, null=True, blank=True)
    absolute_cap_t = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    party_cap_t = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    cap_period = models.CharField(max_length=5, choices=CapPeriod.choices, default=CapPeriod.YEAR)
    valid_from = models.DateField()
    valid_to = models.DateField()
    adjustment_required = models.BooleanField(default=False)
    priority = models.PositiveSmallIntegerField(default=100)
    state = models.CharField(
        max_length=10,
        choices=AgreementVersionState.choices,
        default=AgreementVersionState.PROPOSED,
    )
    reason = models.CharField(max_length=300)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("Version of a recognition agreement")
        verbose_name_plural = _("Versions of recognition agreements")
        constraints = [
            models.UniqueConstraint(fields=["agreement", "number"], name="agreement_version_once"),
            models.UniqueConstraint(
                fields=["agreement"],
                condition=models.Q(state="proposed"),
                name="one_proposal_per_agreement",
            ),
            models.CheckConstraint(
                condition=models.Q(factor_k__gt=0, factor_k__lte=1)
                & models.Q(discount_d__gte=0, discount_d__lt=1),
                name="agreement_factor_sane",
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(relative_cap__isnull=True)
                    | models.Q(relative_cap__gte=0, relative_cap__lte=1)
                )
                & (
                    models.Q(absolute_cap_t__isnull=True)
                    | models.Q(absolute_cap_t__gte=0, absolute_cap_t__lt=TONNES_LIMIT)
                )
                & (
                    models.Q(party_cap_t__isnull=True)
                    | models.Q(party_cap_t__gte=0, party_cap_t__lt=TONNES_LIMIT)
                ),
                name="agreement_caps_sane",
            ),
            models.CheckConstraint(
                condition=~models.Q(instrument_types__contains=["energy_attribute"]),
                name="certificates_never_become_tonnes",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    vintage_min__lte=models.F("vintage_max"), valid_from__lte=models.F("valid_to")
                ),
                name="agreement_windows_forward",
            ),
            models.CheckConstraint(
                condition=models.Q(state="proposed", decided_by__isnull=True)
                | (
                    ~models.Q(state="proposed")
                    & models.Q(decided_by__isnull=False)
                    & ~models.Q(decided_by=models.F("proposed_by"))
                ),
                name="agreement_two_persons",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agreement_id}/{self.number}"


class CorrespondingAdjustment(models.Model):
    """A batch whose host country made the corresponding adjustment, with its proof. Append-only."""

    batch = models.OneToOneField("settlement.UnitBatch", on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=120)
    adjusted_on = models.DateField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Corresponding adjustment")
        verbose_name_plural = _("Corresponding adjustments")

    def __str__(self) -> str:
        return f"{self.batch_id} {self.reference}"
