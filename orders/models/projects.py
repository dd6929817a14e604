"""A buyer's projects: what bids are for, and how much they may cost together."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.models import Organisation


class Project(models.Model):
    """Work of a member that orders are booked to; the budget is CNY with fee and VAT (含税)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("Name"), max_length=80)
    budget_cny = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    refuses_beyond_budget = models.BooleanField(default=True)
    note = models.CharField(max_length=200, blank=True)
    is_open = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Project")
        verbose_name_plural = _("Projects")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="project_name_unique"),
            models.CheckConstraint(
                condition=models.Q(budget_cny__isnull=True) | models.Q(budget_cny__gt=0),
                name="project_budget_sane",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BudgetAlert(models.Model):
    """A project reached a share of its budget. Append-only; one a share and budget."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="alerts")
    percent = models.PositiveSmallIntegerField()
    budget_cny = models.DecimalField(max_digits=14, decimal_places=2)
    used_cny = models.DecimalField(max_digits=14, decimal_places=2)
    raised_at = models.DateTimeField(_("Raised at (market time)"))

    class Meta:
        verbose_name = _("Budget alert")
        verbose_name_plural = _("Budget alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["project", "percent", "budget_cny"], name="budget_alert_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} {self.percent} %"
