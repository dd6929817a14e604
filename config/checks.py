"""System checks of a deployment."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.security, deploy=True)
def check_two_roles(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn when one role both owns the tables and serves requests: it could rewrite history."""
    if settings.DATABASE_OWNER_ROLE != settings.DATABASE_RUNTIME_ROLE:
        return []
    return [
        Warning(
            "The role that serves requests also owns the tables.",
            hint="Set OWNER_DATABASE_URL to another role; see docs/howto/production.md.",
            id="hengsuan.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_no_codes_shown(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a sign-in page that shows the codes it asks for: only the demonstration may."""
    if not settings.SHOW_SIGN_IN_CODES:
        return []
    return [
        Error(
            "The sign-in page shows the codes of the second factor.",
            hint="SHOW_SIGN_IN_CODES is for config.settings.demo alone.",
            id="hengsuan.E001",
        )
    ]
