"""Sessions in the database, with whose they are; keys are looked up only if they can be keys."""

from datetime import datetime
from typing import Any

from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.sessions.backends import db

from marketplace.web.presence import ADDRESS_KEY, AGENT_KEY, SIGNED_IN_KEY


class SessionStore(db.SessionStore):
    """Keeps user, address and browser beside each session.

    Takes a cookie that no session was ever given for no session.

    A quoted cookie can carry NUL, which the database refuses to compare: an error page for
    everybody who sends one.
    """

    def _validate_session_key(self, key: str | None) -> bool:
        is_key = bool(super()._validate_session_key(key))  # type: ignore[misc]
        return is_key and str(key).isascii() and str(key).isalnum()

    @classmethod
    def get_model_class(cls) -> Any:
        """Return the table of sessions; asked for late, when the apps are loaded."""
        from marketplace.models import UserSession  # noqa: PLC0415

        return UserSession

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """Return the row of this session, with the columns that people read."""
        row: Any = super().create_model_instance(data)
        row.user_id = int(data[USER_KEY]) if data.get(USER_KEY) else None
        row.address = data.get(ADDRESS_KEY)
        row.agent = data.get(AGENT_KEY, "")
        if SIGNED_IN_KEY in data:
            row.signed_in_at = datetime.fromisoformat(data[SIGNED_IN_KEY])
        return row
