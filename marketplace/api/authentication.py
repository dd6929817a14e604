"""Who is calling: a token bound to one organisation, or a signed-in session with its CSRF token."""

import re
from typing import Any, cast

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from rest_framework.authentication import SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from marketplace.models import ApiToken, User
from marketplace.permissions import Actor, actor_for

# The organisation that the portal's visitor acts for; see marketplace.web.access.
SESSION_KEY = "organisation_id"
_TOKEN = re.compile(rb"[0-9A-Za-z_-]{20,128}")


class CsrfFailed(PermissionDenied):
    """A session wrote without the CSRF token."""

    default_detail = _("The CSRF token is missing or wrong.")
    default_code = "csrf_failed"


class InvalidToken(AuthenticationFailed):
    """The token is unknown, expired, revoked, or its user left the organisation."""

    default_detail = _("The token is not valid.")
    default_code = "invalid_token"


class OrganisationTokenAuthentication(TokenAuthentication):
    """`Authorization: Token …` with a token that acts for one organisation."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        """Return user and token, None without a token; raises InvalidToken."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.authenticate_header(request).lower().encode():
            return None
        if len(words) != 2 or not _TOKEN.fullmatch(words[1]):
            raise InvalidToken
        try:
            return self.authenticate_credentials(words[1])
        except AuthenticationFailed:
            raise InvalidToken from None


class PortalSessionAuthentication(SessionAuthentication):
    """The portal's session; writing needs the CSRF token."""

    def authenticate_header(self, request: Request) -> str:
        """Return what makes a missing session a 401 rather than a 403."""
        return "Session"

    def enforce_csrf(self, request: Request) -> None:
        """Raise CsrfFailed without a right CSRF token."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied:
            raise CsrfFailed from None


def request_actor(request: Request) -> Actor:
    """Return who acts in a request of an authenticated user.

    Raises:
        InvalidToken: the token's user does not belong to the token's organisation any more.
    """
    user = cast(User, request.user)
    if not isinstance(request.auth, ApiToken):
        return actor_for(user=user, organisation_id=request.session.get(SESSION_KEY))
    actor = actor_for(user=user, organisation_id=request.auth.organisation_id)
    # Without a membership there, the first organisation of the user would have been chosen.
    if actor.organisation is None or actor.organisation.pk != request.auth.organisation_id:
        raise InvalidToken
    return actor


class _TokenScheme(OpenApiAuthenticationExtension):
    target_class = "marketplace.api.authentication.OrganisationTokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return how the token is sent."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token …`: bound to one organisation, with scopes.",
        }


class _SessionScheme(OpenApiAuthenticationExtension):
    target_class = "marketplace.api.authentication.PortalSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return how the session is sent."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The portal's session; writing needs `X-CSRFToken` too.",
        }
