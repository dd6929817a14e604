"""Views that combine the apps: the home page and the health check."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.health import check_all
from config.home import describe_home


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


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the market in one screen."""
    return render(request, "home.html", describe_home())
