"""Views that combine the apps: the health check."""

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.health import check_all


@require_safe
@never_cache
@transaction.non_atomic_requests
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when every part works, else 503; names parts, never addresses or passwords."""
    findings = check_all()
    works = all(finding.works for finding in findings)
    body = {
        "status": "ok" if works else "failing",
        "parts": {f.part: "ok" if f.works else f.detail or "failing" for f in findings},
    }
    return JsonResponse(body, status=200 if works else 503)
