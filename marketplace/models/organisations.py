"""Organisations that trade, and the people who act for them."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable


class OrganisationState(models.TextChoices):
    """Where an organisation stands on its way into the market."""

    PENDING = "pending", _("Waiting for approval")
    APPROVED = "approved", pgettext_lazy("organisation", "Approved")
    REJECTED = "rejected", _("Rejected")
    SUSPENDED = "suspended", _("Suspended")


ORGANISATION_TRANSITIONS = TransitionTable(
    OrganisationState,
    {
        "pending": {"approved", "rejected"},
        "approved": {"suspended"},
        "rejected": {"pending"},
        "suspended": {"approved"},
    },
)


class Organisation(models.Model):
    """A legal entity that trades; one organisation can sell and buy."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(_("Member code"), max_length=12, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=120)
    name_en = models.CharField(_("English name"), max_length=160, blank=True)
    credit_code = models.CharField(_("Unified social credit code"), max_length=18, unique=True)
    city = models.CharField(_("City"), max_length=60, blank=True)
    is_supplier = models.BooleanField(_("Sells"), default=False)
    is_buyer = models.BooleanField(_("Buys"), default=False)
    is_platform = models.BooleanField(_("Market operator"), default=False)
    is_demo_bot = models.BooleanField(_("Traded by the demonstration"), default=False)
    state = models.CharField(
        _("State"),
        max_length=12,
        choices=OrganisationState.choices,
        default=OrganisationState.PENDING,
    )
    state_reason = models.CharField(_("Reason"), max_length=300, blank=True)
    telecom_licence_kind = models.CharField(_("Telecom licence kind"), max_length=60, blank=True)
    telecom_licence_number = models.CharField(
        _("Telecom licence number"), max_length=60, blank=True
    )
    telecom_licence_expires_on = models.DateField(
        _("Telecom licence expires on"), null=True, blank=True
    )
    invoice_title = models.CharField(_("Invoice title"), max_length=120, blank=True)
    tax_id = models.CharField(_("Tax id"), max_length=20, blank=True)
    invoice_address = models.CharField(_("Registered address"), max_length=200, blank=True)
    invoice_phone = models.CharField(_("Registered phone"), max_length=30, blank=True)
    bank_name = models.CharField(_("Bank"), max_length=120, blank=True)
    bank_account = models.CharField(_("Bank account"), max_length=40, blank=True)
    contact_name = models.CharField(_("Contact"), max_length=60, blank=True)
    contact_phone = models.CharField(_("Contact phone"), max_length=30, blank=True)
    created_at = models.DateTimeField(_("Registered at"), auto_now_add=True)
    decided_at = models.DateTimeField(_("Decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Decided by"),
    )

    class Meta:
        verbose_name = _("Organisation")
        verbose_name_plural = _("Organisations")
        constraints = [
            models.UniqueConstraint(
                fields=["is_platform"], condition=models.Q(is_platform=True), name="one_platform"
            ),
        ]

    def __str__(self) -> str:
        return self.name_zh


class Role(models.TextChoices):
    """What a member of an organisation may do there."""

    SUPPLIER = "supplier", _("Supplier")
    BUYER = "buyer", _("Buyer")
    FINANCE = "finance", _("Finance")
    OPERATOR = "operator", _("Market operator")
    AUDITOR = "auditor", _("Auditor")


class Membership(models.Model):
    """A user's role in an organisation; one row a role."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("User"),
    )
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("Organisation"),
    )
    role = models.CharField(_("Role"), max_length=12, choices=Role.choices)
    created_at = models.DateTimeField(_("Since"), auto_now_add=True)

    class Meta:
        verbose_name = _("Membership")
        verbose_name_plural = _("Memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation", "role"], name="membership_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}:{self.organisation_id}:{self.role}"
