"""Answers for the parts of a page that ask again every few seconds."""

import hashlib

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified

STOP_POLLING = 286  # htmx swaps such an answer in and asks no more


def fingerprint(*parts: object) -> str:
    """Return a short name for a state; equal states have equal names."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def unchanged(request: HttpRequest, state: str) -> HttpResponse | None:
    """Return an empty answer when the asker already shows this state, else nothing.

    A browser script names the state it shows as ``seen`` (204: nothing is swapped, so that no
    countdown jumps); any other client may send If-None-Match (304).
    """
    if request.GET.get("seen") == state:
        return _mark(HttpResponse(status=204), state)
    if f'"{state}"' in request.headers.get("If-None-Match", ""):
        return _mark(HttpResponseNotModified(), state)
    return None


def polled(response: HttpResponse, *, state: str, over: bool = False) -> HttpResponse:
    """Mark a fragment with its state; with ``over`` it is the last one."""
    if over:
        response.status_code = STOP_POLLING
    return _mark(response, state)


def _mark(response: HttpResponse, state: str) -> HttpResponse:
    response.headers["ETag"] = f'"{state}"'
    response.headers["Cache-Control"] = "no-cache, private"
    response.headers["Vary"] = "Cookie, Accept-Language, HX-Request"
    return response
