"""Who is asking: the actor of a request, and the doors in front of the pages.

A page that needs a role answers a visitor with the sign-in page and a member without the role
with 403. What belongs to somebody else is *not found*: querysets start from the actor's
organisation, so there is nothing to refuse.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from marketplace.models import Organisation, Role
from marketplace.permissions import Actor, actor_for
from marketplace.services.proofs import lacks_second_factor
from marketplace.web.drafts import keep_draft

SESSION_KEY = "organisation_id"
NOBODY = Actor(user=AnonymousUser(), organisation=None, roles=frozenset())  # type: ignore[arg-type]

View = Callable[..., HttpResponseBase]
Condition = Callable[[Actor], bool]


def current_actor(request: HttpRequest) -> Actor:
    """Return who acts in this request, for which organisation; asked once a request."""
    actor = getattr(request, "_actor", None)
    if actor is None:
        actor = _find_actor(request)
        request._actor = actor  # type: ignore[attr-defined]
    return actor


def acting_organisation(request: HttpRequest) -> Organisation:
    """Return the organisation that the visitor acts for; 403 when there is none."""
    organisation = current_actor(request).organisation
    if organisation is None:
        raise PermissionDenied
    return organisation


def _find_actor(request: HttpRequest) -> Actor:
    if not request.user.is_authenticated:
        return NOBODY
    return actor_for(user=request.user, organisation_id=request.session.get(SESSION_KEY))


def organisations_of(request: HttpRequest) -> list[Organisation]:
    """Return the organisations that the signed-in user may act for."""
    if not request.user.is_authenticated:
        return []
    memberships = request.user.memberships.select_related("organisation").order_by("id")
    found = {row.organisation_id: row.organisation for row in memberships}
    return list(found.values())


class OrganisationMiddleware:
    """Gives every request `organisation` and `organisations`, both read on first use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.organisation = SimpleLazyObject(  # type: ignore[attr-defined]
            lambda: current_actor(request).organisation
        )
        request.organisations = SimpleLazyObject(  # type: ignore[attr-defined]
            lambda: organisations_of(request)
        )
        return self.get_response(request)


def require(condition: Condition) -> Callable[[View], View]:
    """Make a decorator that lets in the actors for whom the condition holds."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return ask_to_sign_in(request)
            if not condition(current_actor(request)):
                raise PermissionDenied
            if demands_second_factor(request):
                return redirect("second-factor-set-up")
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the sign-in page and back; what was sent is kept and offered afterwards.

    A part of a page that is asked for by script sends the whole page there, not its own place.
    """
    if request.headers.get("HX-Request"):
        page = urlsplit(request.headers.get("HX-Current-URL", "")).path or "/"
        answer = redirect_to_login(page)
        return HttpResponse(status=204, headers={"HX-Redirect": answer.headers["Location"]})
    is_kept = keep_draft(request)
    return redirect_to_login(reverse("draft") if is_kept else request.get_full_path())


def demands_second_factor(request: HttpRequest) -> bool:
    """Tell whether the actor's role needs a second factor that this session has not shown."""
    return lacks_second_factor(current_actor(request), request.session)


def is_member(actor: Actor) -> bool:
    """Tell whether the actor acts for any organisation, the market operator's included."""
    return actor.organisation is not None


def trades(actor: Actor) -> bool:
    """Tell whether the actor may see its organisation's orders: it trades or keeps the books."""
    return (
        actor.organisation is not None
        and not actor.organisation.is_platform
        and actor.has(Role.BUYER, Role.SUPPLIER, Role.FINANCE, Role.AUDITOR)
    )


require_member = require(is_member)
require_trader = require(trades)
require_buyer = require(lambda actor: actor.can_buy)
require_supplier = require(lambda actor: actor.can_sell)
require_own_money = require(lambda actor: actor.can_see_own_money)
require_finance = require(lambda actor: actor.is_platform_finance or actor.is_platform_auditor)
require_operator = require(lambda actor: actor.is_operator)
