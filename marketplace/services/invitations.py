"""Inviting people by e-mail to act for an organisation."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.models import Invitation, Membership, Organisation, Role, User
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.background import enqueue_on_commit
from marketplace.services.checks import check_text
from marketplace.services.users import WrongEmail, register_user

VALID_FOR = timedelta(days=7)
MOST_OPEN = 50


class RolesMissing(RuleBroken):
    """An invitation offers at least one role."""

    code = "roles_missing"
    message = gettext_noop("Choose at least one role.")


class TooManyInvitations(RuleBroken):
    """An organisation has a limited number of open invitations."""

    code = "too_many_invitations"
    message = gettext_noop("%(limit)s invitations are open; withdraw one first.")


class InvitedSomebodyElse(RuleBroken):
    """The invitation is for another e-mail address."""

    code = "invited_somebody_else"
    message = gettext_noop("The invitation is for another e-mail address. Sign in as that person.")
    status = 403


@transaction.atomic
def invite_member(*, actor: Actor, email: str, roles: Collection[Role]) -> tuple[Invitation, str]:
    """Invite a person; an open invitation of the same address is replaced.

    The mail is sent after commit. Returns the invitation and the secret of its link, which is
    stored nowhere.

    Raises:
        NotPermitted: the actor does not hold one of the roles.
        RolesMissing, WrongEmail, TextTooLong, TooManyInvitations: nobody was invited.
    """
    organisation = _own(actor)
    address = _checked_address(email)
    if not roles:
        raise RolesMissing(field="roles")
    if not all(actor.has(Role(role)) for role in roles):
        raise NotPermitted(field="roles")
    Organisation.objects.select_for_update().get(pk=organisation.pk)
    now = timezone.now()
    open_ones = Invitation.objects.filter(
        organisation=organisation, accepted_at=None, withdrawn_at=None
    )
    open_ones.filter(email=address).update(withdrawn_at=now)
    if open_ones.filter(expires_at__gt=now).count() >= MOST_OPEN:
        raise TooManyInvitations(limit=MOST_OPEN)
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organisation=organisation,
        email=address,
        roles=sorted(Role(role).value for role in roles),
        digest=_digest(secret),
        invited_by=actor.user,
        expires_at=now + VALID_FOR,
    )
    _audit(actor.user, invitation, "invitation.sent")
    enqueue_on_commit(
        "marketplace.tasks.mail_invitation", invitation_id=invitation.pk, secret=secret
    )
    return invitation, secret


@transaction.atomic
def withdraw_invitation(*, actor: Actor, public_id: UUID | str) -> None:
    """Make an open invitation void; raises NotFound."""
    invitation = open_invitations(_own(actor)).filter(public_id=public_id).first()
    if invitation is None:
        raise NotFound
    invitation.withdrawn_at = timezone.now()
    invitation.save(update_fields=["withdrawn_at"])
    _audit(actor.user, invitation, "invitation.withdrawn")


def find_invitation(secret: str) -> Invitation:
    """Return the open invitation of a link; raises NotFound when it is void, used or too old."""
    rows = Invitation.objects.select_related("organisation", "invited_by")
    invitation = rows.filter(
        digest=_digest(secret),
        accepted_at=None,
        withdrawn_at=None,
        expires_at__gt=timezone.now(),
    ).first()
    if invitation is None:
        raise NotFound
    return invitation


@transaction.atomic
def accept_invitation(*, user: User, secret: str) -> Organisation:
    """Take the roles of an invitation.

    Raises:
        NotFound: it is void, used or too old, or its sender left.
        InvitedSomebodyElse: it was sent to another address.
    """
    invitation = find_invitation(secret)
    Invitation.objects.select_for_update().get(pk=invitation.pk)
    invitation = find_invitation(secret)
    if invitation.email != user.email:
        raise InvitedSomebodyElse
    for role in _roles_still_given(invitation):
        Membership.objects.get_or_create(user=user, organisation=invitation.organisation, role=role)
    invitation.accepted_at, invitation.accepted_by = timezone.now(), user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    _audit(user, invitation, "invitation.accepted")
    return invitation.organisation


@transaction.atomic
def join_by_invitation(
    *, secret: str, password: str, display_name: str, language: str = ""
) -> tuple[User, Organisation]:
    """Register the invited person and take the roles.

    Raises:
        NotFound: the invitation is void, used or too old.
        EmailTaken, PasswordTooWeak, Missing, TextTooLong: nobody was registered.
    """
    invitation = find_invitation(secret)
    user = register_user(
        email=invitation.email, password=password, display_name=display_name, language=language
    )
    return user, accept_invitation(user=user, secret=secret)


def open_invitations(organisation: Organisation) -> QuerySet[Invitation]:
    """Return the invitations that wait for an answer, the newest first."""
    rows = organisation.invitations.filter(
        accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now()
    )
    return rows.select_related("invited_by").order_by("-id")


def _roles_still_given(invitation: Invitation) -> list[str]:
    # Who lost a role meanwhile cannot have given it.
    held = Membership.objects.filter(
        user=invitation.invited_by, organisation=invitation.organisation
    ).values_list("role", flat=True)
    roles = sorted(set(invitation.roles) & set(held))
    if not roles:
        raise NotFound
    return roles


def _own(actor: Actor) -> Organisation:
    if actor.organisation is None:
        raise NotPermitted
    return actor.organisation


def _checked_address(text: str) -> str:
    email = check_text(text, field="email", max_length=254, required=True).lower()
    try:
        validate_email(email)
    except ValidationError:
        raise WrongEmail(field="email") from None
    return email


def _audit(user: User, invitation: Invitation, action: str) -> None:
    record_audit(
        action=action,
        subject=invitation,
        actor=user,
        organisation=invitation.organisation,
        after={"email": invitation.email, "roles": invitation.roles},
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
