"""Django's entry for the orders app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    """Configuration of the orders app."""

    name = "orders"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Orders")
