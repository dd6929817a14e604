"""The project's own app: management commands and checks that combine the three apps."""

from django.apps import AppConfig, apps
from django.db.models.signals import pre_migrate


class ConfigConfig(AppConfig):
    """Registers deployment checks and the grants that every migration run begins with."""

    name = "config"
    verbose_name = "Hengsuan"

    def ready(self) -> None:
        """Import what needs loaded models."""
        from config import checks  # noqa: F401, PLC0415 - registers the system checks
        from config.database_roles import grant_runtime_rights  # noqa: PLC0415

        # The signal comes once per app with models; one of them is enough.
        pre_migrate.connect(grant_runtime_rights, sender=apps.get_app_config("contenttypes"))
