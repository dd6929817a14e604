"""Documents that members hand in: licences, certificates, test reports."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.domain.transitions import TransitionTable
from marketplace.models.organisations import Organisation
from marketplace.models.pools import ResourcePool


class DocumentKind(models.TextChoices):
    """What a document proves."""

    BUSINESS_LICENCE = "business_licence", _("Business licence")
    TELECOM_LICENCE = "telecom_licence", _("Telecom licence")
    DENGBAO = "dengbao", _("MLPS certificate")
    XINCHUANG = "xinchuang", _("Certificate of domestic hardware")
    TEST_REPORT = "test_report", _("Test report")
    OTHER = "other", _("Other document")


class DocumentState(models.TextChoices):
    """Whether the operator has looked at a document."""

    RECEIVED = "received", _("Received, not checked yet")
    ACCEPTED = "accepted", _("Checked and accepted")
    REFUSED = "refused", _("Refused")


DOCUMENT_TRANSITIONS = TransitionTable(
    DocumentState,
    {
        "received": {"accepted", "refused"},
        "accepted": {"refused"},
        "refused": {"accepted"},
    },
)


class OrganisationDocument(models.Model):
    """A file that a member handed in, kept in the database beside what it proves.

    Kept there and not in a folder: it is backed up with the row, every process sees it, and no
    name that a visitor chose ever becomes a path.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="documents"
    )
    pool = models.ForeignKey(
        ResourcePool, on_delete=models.PROTECT, null=True, blank=True, related_name="documents"
    )
    kind = models.CharField(_("Kind"), max_length=20, choices=DocumentKind.choices)
    name = models.CharField(_("File name"), max_length=120)
    media_type = models.CharField(_("Type"), max_length=40)
    size_bytes = models.PositiveIntegerField(_("Size"))
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    state = models.CharField(
        _("State"),
        max_length=10,
        choices=DocumentState.choices,
        default=DocumentState.RECEIVED,
    )
    state_reason = models.CharField(_("Reason"), max_length=300, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField(_("Uploaded at"), auto_now_add=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    checked_at = models.DateTimeField(_("Checked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("Document")
        verbose_name_plural = _("Documents")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "sha256"], name="document_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.kind} {self.name}"
