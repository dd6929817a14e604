"""The view that every endpoint is made of: who may call it, and with which scope of a token.

Services check roles again. What belongs to somebody else is not found, so querysets start from the
actor's organisation.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from marketplace.api.authentication import PortalSessionAuthentication, request_actor
from marketplace.models import ApiToken, Organisation
from marketplace.permissions import Actor
from marketplace.services.proofs import lacks_second_factor

Condition = Callable[[Actor], bool]


class ScopeMissing(PermissionDenied):
    """The token does not carry the scope."""

    default_detail = _("The token does not have the scope that this needs.")
    default_code = "scope_missing"


def is_member(actor: Actor) -> bool:
    """Tell whether the actor acts for any organisation."""
    return actor.organisation is not None


def buys(actor: Actor) -> bool:
    """Tell whether the actor may bid."""
    return actor.can_buy


def sells(actor: Actor) -> bool:
    """Tell whether the actor may list and deliver."""
    return actor.can_sell


def trades(actor: Actor) -> bool:
    """Tell whether the actor may bid or ask."""
    return actor.can_buy or actor.can_sell


def sees_trades(actor: Actor) -> bool:
    """Tell whether the actor may see what its own organisation ordered, bought and sold."""
    return is_trading(actor) and actor.can_see_own_money


def is_trading(actor: Actor) -> bool:
    """Tell whether the actor's organisation is a member and not the platform."""
    return actor.organisation is not None and not actor.organisation.is_platform


def operates(actor: Actor) -> bool:
    """Tell whether the actor runs the market."""
    return actor.is_operator


class SecondFactorMissing(PermissionDenied):
    """The session's role needs a second factor that was not shown."""

    default_detail = _("Your role needs a second factor. Sign in with it.")
    default_code = "second_factor_missing"


class ConfirmationMissing(PermissionDenied):
    """Password or code were shown too long ago for this."""

    default_detail = _("Confirm on the account page that it is you, then try again.")
    default_code = "confirmation_missing"


class RightsPermission(BasePermission):
    """Asks the view's scope and condition for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the caller may.

        Raises:
            ScopeMissing: a token without the scope.
            SecondFactorMissing: a session whose role needs more than a password.
        """
        is_read = request.method in SAFE_METHODS
        scope = view.read_scope if is_read else view.write_scope
        if isinstance(request.auth, ApiToken) and scope not in request.auth.scopes:
            raise ScopeMissing
        if request.auth is None and lacks_second_factor(view.actor, request.session):
            raise SecondFactorMissing
        condition = view.readers if is_read else view.writers
        return condition(view.actor)


class PublicView(APIView):
    """An endpoint for everybody; it knows nobody, so its answers cannot depend on the caller."""

    authentication_classes = []
    permission_classes = [AllowAny]


class MemberView(APIView):
    """An endpoint for people who act for an organisation.

    Attributes:
        readers: who may read; writers: who may write.
        read_scope: the scope that a token needs to read; write_scope: to write.
    """

    permission_classes = [IsAuthenticated, RightsPermission]
    readers: ClassVar[Any] = staticmethod(is_member)
    writers: ClassVar[Any] = staticmethod(is_member)
    read_scope = "read"
    write_scope = "none"

    @cached_property
    def actor(self) -> Actor:
        """Who acts, for which organisation."""
        return request_actor(self.request)

    @property
    def organisation(self) -> Organisation:
        """The organisation acted for."""
        if self.actor.organisation is None:
            raise NotFound
        return self.actor.organisation


class SessionView(MemberView):
    """An endpoint for signed-in people only: no token can be used, whatever its scopes."""

    authentication_classes = [PortalSessionAuthentication]
