"""What stands behind a member besides its funds: security deposits, and the bank of a guarantee."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.domain.transitions import TransitionTable
from settlement.models.funds import CreditLimit, FundsRequest
from settlement.models.ledger import JournalEntry


class SecurityDepositState(models.TextChoices):
    """Asked for, lodged, and given back or taken."""

    ENTERED = "entered", _("Waiting for a second person")
    REJECTED = "rejected", _("Rejected")
    LODGED = "lodged", _("Lodged")
    RELEASE_ASKED = "release_asked", _("Return asked for")
    RELEASED = "released", _("Returned")
    TAKEN = "taken", _("Taken for a default")


SECURITY_DEPOSIT_TRANSITIONS = TransitionTable(
    SecurityDepositState,
    {
        "entered": {"lodged", "rejected"},
        "rejected": set(),
        "lodged": {"release_asked", "released", "taken"},
        "release_asked": {"lodged", "released", "taken"},
        "released": set(),
        "taken": set(),
    },
)


class SecurityDeposit(FundsRequest):
    """Money of a member set apart as security (保证金); it does not back orders.

    It is moved out of the member's own funds, stays lodged until two persons return it or its term
    ends, and is the second source of a default.
    """

    state = models.CharField(
        max_length=14,
        choices=SecurityDepositState.choices,
        default=SecurityDepositState.ENTERED,
    )
    remaining_cny = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    expires_on = models.DateField(_("Lodged until"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta(FundsRequest.Meta):
        verbose_name = _("Security deposit")
        verbose_name_plural = _("Security deposits")


class GuaranteeCall(models.Model):
    """Money called from the bank behind a guarantee (保函). Append-only."""

    limit = models.ForeignKey(CreditLimit, on_delete=models.PROTECT, related_name="calls")
    amount_cny = models.DecimalField(max_digits=16, decimal_places=2)
    entry = models.OneToOneField(JournalEntry, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Call on a guarantee")
        verbose_name_plural = _("Calls on guarantees")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount_cny__gt=0, amount_cny__lt=1_000_000_000_000),
                name="guarantee_call_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.limit_id} {self.amount_cny}"
