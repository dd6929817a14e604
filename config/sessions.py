"""Sessions in the database, whose keys are looked up only if they can be keys."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """Takes a cookie that no session was ever given for no session.

    A quoted cookie can carry NUL, which the database refuses to compare: an error page for
    everybody who sends one.
    """

    def _validate_session_key(self, key: str | None) -> bool:
        is_key = bool(super()._validate_session_key(key))  # type: ignore[misc]
        return is_key and str(key).isascii() and str(key).isalnum()
