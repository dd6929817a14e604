"""Tokens by which programs act for a person in one organisation."""

from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace.domain.errors import NotAdmitted, NotFound, RuleBroken, gettext_noop
from marketplace.models import ApiToken, User
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import OutOfRange, check_text

SCOPES = ("read", "orders", "listings", "deliveries", "finance", "webhooks")
"""Read the market and one's own trades; write orders, listings, deliveries; read one's money;
keep webhooks."""

MOST_TOKENS = 20
LONGEST_DAYS = 366


class ScopeUnknown(RuleBroken):
    """There is no such scope, or none was chosen."""

    code = "scope_unknown"
    message = gettext_noop("Choose at least one of these scopes: %(scopes)s.")


class TooManyTokens(RuleBroken):
    """One user keeps a limited number of tokens."""

    code = "too_many_tokens"
    message = gettext_noop("You have %(limit)s tokens; revoke one first.")


@transaction.atomic
def issue_token(
    *, actor: Actor, name: str, scopes: Collection[str], days: int
) -> tuple[ApiToken, str]:
    """Make a token for the actor's organisation; its text is returned here and stored nowhere.

    Locks the user's row, so that the limit holds.

    Args:
        actor: the person, in the organisation that the token will act for.
        name: what the person calls it.
        scopes: some of `SCOPES`; roles still decide what may be done.
        days: how long it is valid, 1 to 366.

    Raises:
        NotAdmitted, ScopeUnknown, OutOfRange, TooManyTokens, Missing, TextTooLong: none was made.
    """
    if actor.organisation is None:
        raise NotAdmitted
    if not scopes or not set(scopes) <= set(SCOPES):
        raise ScopeUnknown(field="scopes", scopes=", ".join(SCOPES))
    if not 1 <= days <= LONGEST_DAYS:
        raise OutOfRange(field="days", least=1, most=LONGEST_DAYS)
    label = check_text(name, field="name", max_length=80, required=True)
    User.objects.select_for_update().get(pk=actor.user.pk)
    valid = ApiToken.objects.filter(user=actor.user, expiry__gt=timezone.now())
    if valid.count() >= MOST_TOKENS:
        raise TooManyTokens(limit=MOST_TOKENS)
    token, text = ApiToken.objects.create(
        user=actor.user,
        expiry=timedelta(days=days),
        organisation=actor.organisation,
        name=label,
        scopes=[scope for scope in SCOPES if scope in scopes],
    )
    _audit(actor, token, "token.issued")
    return token, text


@transaction.atomic
def revoke_token(*, actor: Actor, token_key: str) -> None:
    """End a token of the actor's in this organisation; raises NotFound."""
    token = tokens_of(actor).filter(token_key=token_key).first()
    if token is None:
        raise NotFound
    _audit(actor, token, "token.revoked")
    token.delete()


def tokens_of(actor: Actor) -> QuerySet[ApiToken]:
    """Return the actor's tokens for the organisation, the newest first."""
    mine = ApiToken.objects.filter(user=actor.user, organisation=actor.organisation)
    return mine.order_by("-created", "token_key")


def _audit(actor: Actor, token: ApiToken, action: str) -> None:
    # The primary key of a token is its hash; the trail names it by its public beginning.
    record_audit(
        action=action,
        subject=actor.user,
        actor=actor.user,
        organisation=actor.organisation,
        after={"token": token.token_key, "name": token.name, "scopes": token.scopes},
    )
