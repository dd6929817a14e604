"""Django's entry for the settlement app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SettlementConfig(AppConfig):
    """Configuration of the settlement app."""

    name = "settlement"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Settlement")
