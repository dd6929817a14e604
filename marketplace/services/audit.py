"""The audit trail: who did what, from where, before and after."""

from typing import Any

import structlog
from django.db import models

from marketplace.models import AuditEvent, Organisation, User


def record_audit(
    *,
    action: str,
    subject: models.Model,
    actor: User | None,
    organisation: Organisation | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Add a row to the audit trail, in the caller's transaction.

    The address and the request id come from the logging context of the request.
    """
    context = structlog.contextvars.get_contextvars()
    return AuditEvent.objects.create(
        action=action,
        object_type=subject._meta.label,
        object_id=str(subject.pk),
        actor=actor,
        organisation=organisation,
        before=before,
        after=after,
        reason=reason[:300],
        address=context.get("ip") or None,
        request_id=str(context.get("request_id") or "")[:64],
    )
