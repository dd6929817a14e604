"""Asking once more who it is, before money moves or a key is made."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from marketplace.services.proofs import is_fresh
from marketplace.web.drafts import keep_draft

View = Callable[..., HttpResponseBase]


def require_confirmation(view: View) -> View:
    """Let in who has shown password or code lately; ask others, and keep what they sent."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not is_fresh(request.session):
            return ask_confirmation(request)
        return view(request, *args, **kwargs)

    return guarded


def ask_confirmation(request: HttpRequest) -> HttpResponseRedirect:
    """Lead to the page that asks, and back."""
    target = reverse("draft") if keep_draft(request) else request.get_full_path()
    return HttpResponseRedirect(f"{reverse('confirm-identity')}?{urlencode({'next': target})}")
