"""Django's entry for the marketplace app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MarketplaceConfig(AppConfig):
    """Configuration of the marketplace app."""

    name = "marketplace"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Marketplace")
