"""What a session knows of its browser: where it signed in, when it was last seen and confirmed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from axes.helpers import get_client_ip_address
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from marketplace.services.proofs import note_confirmation

ADDRESS_KEY = "address"
AGENT_KEY = "agent"
SIGNED_IN_KEY = "signed_in_at"
SEEN_KEY = "seen_at"
SEEN_EVERY = timedelta(minutes=5)


@receiver(user_logged_in, dispatch_uid="marketplace.presence")
def note_sign_in(sender: object, request: HttpRequest, **more: Any) -> None:
    """Write down where and when the session began."""
    now = timezone.now().isoformat()
    request.session[ADDRESS_KEY] = get_client_ip_address(request) or None
    request.session[AGENT_KEY] = request.headers.get("User-Agent", "")[:200]
    request.session[SIGNED_IN_KEY] = request.session[SEEN_KEY] = now
    note_confirmation(request.session)


class PresenceMiddleware:
    """Keeps `seen_at` of sessions, and ends those that are too old, however busy they are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            self._look(request)
        return self.get_response(request)

    def _look(self, request: HttpRequest) -> None:
        age = _age(request, SIGNED_IN_KEY)
        if age is not None and age > timedelta(seconds=settings.SESSION_LONGEST_S):
            logout(request)
            return
        unseen = _age(request, SEEN_KEY)
        if unseen is not None and unseen > SEEN_EVERY:
            request.session[SEEN_KEY] = timezone.now().isoformat()


def _age(request: HttpRequest, key: str) -> timedelta | None:
    text = request.session.get(key)
    return timezone.now() - datetime.fromisoformat(text) if text else None
