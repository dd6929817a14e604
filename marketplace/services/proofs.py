"""What a session has proved: a second factor, and how lately password or code were shown."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from marketplace.permissions import Actor

# Keys in the session: when password or code were last shown; whether a second factor was.
CONFIRMED_KEY = "confirmed_at"
VERIFIED_KEY = "second_factor"


def lacks_second_factor(actor: Actor, session: Any) -> bool:
    """Tell whether the actor's role needs a second factor that the session has not shown."""
    return actor.needs_second_factor and not session.get(VERIFIED_KEY)


def note_confirmation(session: Any) -> None:
    """Write down that the person has just shown a password or a code."""
    session[CONFIRMED_KEY] = timezone.now().isoformat()


def is_fresh(session: Any) -> bool:
    """Tell whether password or code were shown within the last SECURITY_CONFIRMATION_S seconds."""
    text = session.get(CONFIRMED_KEY)
    if not text:
        return False
    age = timezone.now() - datetime.fromisoformat(text)
    return age <= timedelta(seconds=settings.SECURITY_CONFIRMATION_S)
