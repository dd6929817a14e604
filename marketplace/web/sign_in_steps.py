"""Between password and code: who waits for the second step, for a few minutes."""

import time
from dataclasses import dataclass

from django.http import HttpRequest

from marketplace.models import User

WAITING_KEY = "waiting_for_code"
WAITING_S = 600


@dataclass(frozen=True)
class Waiting:
    """Somebody whose password was right."""

    user: User
    backend: str
    following: str


def wait_for_code(request: HttpRequest, *, user: User, backend: str, following: str) -> None:
    """Remember in the session whose password was right; nobody is signed in by that."""
    request.session[WAITING_KEY] = {
        "user": user.pk,
        "backend": backend,
        "following": following,
        "since": int(time.time()),
        # A password changed meanwhile ends the wait.
        "hash": user.get_session_auth_hash(),
    }


def waiting_user(request: HttpRequest) -> Waiting | None:
    """Return who waits in this session, unless it took too long."""
    kept = request.session.get(WAITING_KEY)
    if kept is None or time.time() - kept["since"] > WAITING_S:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != kept["hash"]:
        return None
    return Waiting(user=user, backend=kept["backend"], following=kept["following"])


def forget_waiting(request: HttpRequest) -> None:
    """Nobody waits any more."""
    request.session.pop(WAITING_KEY, None)
