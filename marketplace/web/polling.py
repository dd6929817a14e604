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


def unchanged_list(request: HttpRequest, state: str) -> HttpResponse | None:
    """Return an empty answer to a shown list that asks whether it still looks like this.

    Only the page's own script is answered so: a link that carries the state leads to the page. The
    name of the state is taken out of the query, so that no link of the page carries it.
    """
    answer = unchanged(request, state) if request.headers.get("HX-Request") else None
    query = request.GET.copy()
    query.pop("seen", None)
    request.GET = query  # type: ignore[assignment]
    return answer


def live_address(request: HttpRequest, state: str) -> str:
    """Return the address by which a shown list asks whether it still looks like this."""
    query = request.GET.copy()
    query["seen"] = state
    return f"{request.path}?{query.urlencode()}"


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
