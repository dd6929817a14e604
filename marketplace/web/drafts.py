"""What somebody sent after their session had ended, kept until they have signed in again.

The door in front of a page (`marketplace.web.access.require`) keeps the entry in the new session
and asks to sign in; the page after that offers it, and one press sends it on. No form has to know
of this. A signed cookie remembers who signed in last in this browser, so that an entry is kept
only for people known here and offered to nobody else.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

DRAFT_KEY = "kept_entry"
PERSON_COOKIE = "last_person"
PERSON_COOKIE_S = 30 * 24 * 3600
MOST_BYTES = 64 * 1024
# The next send needs a token of its own, asks its question again, and passwords are typed anew.
NEVER_KEPT = {"csrfmiddlewaretoken", "confirmed", "password", "password_again", "code"}


@dataclass(frozen=True)
class Draft:
    """An entry: where it was sent, what was in it, when."""

    path: str
    fields: list[tuple[str, str]]
    kept_at: datetime


def keep_draft(request: HttpRequest) -> bool:
    """Keep what was sent in this browser's session; tell whether there was something to keep.

    Files, fragments and people who have never signed in here are left out.
    """
    person = _person_of(request)
    if request.method != "POST" or person is None or request.headers.get("HX-Request"):
        return False
    pairs = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in NEVER_KEPT
        for value in values
        if isinstance(value, str)
    ]
    size = sum(len(name) + len(value.encode()) for name, value in pairs)
    if not pairs or size > MOST_BYTES:
        return False
    request.session[DRAFT_KEY] = {
        "person": person,
        "path": request.get_full_path(),
        "fields": pairs,
        "kept_at": timezone.now().isoformat(),
    }
    return True


def kept_draft(request: HttpRequest) -> Draft | None:
    """Return the entry that waits for the signed-in person, if there is one."""
    kept: dict[str, Any] | None = request.session.get(DRAFT_KEY)
    if kept is None or kept["person"] != request.user.pk:
        return None
    return Draft(
        path=kept["path"],
        fields=[(name, value) for name, value in kept["fields"]],
        kept_at=datetime.fromisoformat(kept["kept_at"]),
    )


def draft_data(request: HttpRequest, *, path: str) -> QueryDict | None:
    """Take the entry that was sent to a path, for a form that shows it at once; else None."""
    draft = kept_draft(request)
    if draft is None or draft.path.partition("?")[0] != path:
        return None
    drop_draft(request)
    data = QueryDict(mutable=True)
    for name, value in draft.fields:
        data.appendlist(name, value)
    return data


def drop_draft(request: HttpRequest) -> None:
    """Forget the entry."""
    request.session.pop(DRAFT_KEY, None)


def remember_person(request: HttpRequest, response: HttpResponse) -> None:
    """Write down in the browser who has signed in, for the next expired session."""
    response.set_signed_cookie(
        PERSON_COOKIE,
        str(request.user.pk),
        salt=PERSON_COOKIE,
        max_age=PERSON_COOKIE_S,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _person_of(request: HttpRequest) -> int | None:
    if request.user.is_authenticated:
        return request.user.pk
    try:
        text = request.get_signed_cookie(PERSON_COOKIE, salt=PERSON_COOKIE, max_age=PERSON_COOKIE_S)
    except (KeyError, BadSignature):
        return None
    return int(text or 0)
