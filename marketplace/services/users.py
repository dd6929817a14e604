"""People: signing up, and their roles in an organisation."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.models import Membership, Role, User
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text


class EmailTaken(RuleBroken):
    """Somebody has signed up with this e-mail."""

    code = "email_taken"
    message = gettext_noop("This e-mail address has an account already.")
    status = 409


class MobileTaken(RuleBroken):
    """Somebody has signed up with this mobile number."""

    code = "mobile_taken"
    message = gettext_noop("This mobile number has an account already.")
    status = 409


class WrongEmail(RuleBroken):
    """The e-mail address cannot exist."""

    code = "wrong_email"
    message = gettext_noop("Enter a valid e-mail address.")


class WrongMobile(RuleBroken):
    """The mobile number cannot exist."""

    code = "wrong_mobile"
    message = gettext_noop("A mobile number has 6 to 15 digits, with an optional + before them.")


class PasswordTooWeak(RuleBroken):
    """The password does not meet the rules; `messages` says which, in the user's language."""

    code = "password_too_weak"
    message = gettext_noop("The password is too weak.")

    @property
    def messages(self) -> list[str]:
        """The rules that were not met."""
        return list(self.params.get("messages", []))  # type: ignore[call-overload]


class LastHolder(RuleBroken):
    """A role must keep at least one holder."""

    code = "last_holder"
    message = gettext_noop("Somebody else must hold this role first.")
    status = 409


@transaction.atomic
def register_user(
    *, email: str, password: str, display_name: str, mobile: str = "", language: str = ""
) -> User:
    """Create a user who can sign in.

    Raises:
        WrongEmail, EmailTaken, WrongMobile, MobileTaken, PasswordTooWeak, Missing, TextTooLong:
            nothing was created.
    """
    user = User(
        email=_checked_email(email),
        mobile=checked_mobile(mobile),
        display_name=check_text(display_name, field="display_name", max_length=80, required=True),
        language=language,
    )
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PasswordTooWeak(field="password", messages=list(error.messages)) from None
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise EmailTaken(field="email") from None
    record_audit(action="user.registered", subject=user, actor=user, after={"email": user.email})
    return user


@transaction.atomic
def grant_role(*, actor: Actor, email: str, role: Role) -> Membership:
    """Give a registered user a role in the actor's organisation.

    Nobody can give a role they do not hold.

    Raises:
        NotPermitted: the actor does not hold the role.
        NotFound: no user has this e-mail.
    """
    if actor.organisation is None or not actor.has(role):
        raise NotPermitted
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        raise NotFound(field="email")
    membership, created = Membership.objects.get_or_create(
        user=user, organisation=actor.organisation, role=role
    )
    if created:
        record_audit(
            action="membership.granted",
            subject=membership,
            actor=actor.user,
            organisation=actor.organisation,
            after={"user": user.pk, "role": role.value},
        )
    return membership


@transaction.atomic
def revoke_role(*, actor: Actor, membership_id: int) -> None:
    """Take a role from a member of the actor's organisation.

    Raises:
        NotFound: there is no such membership in the actor's organisation.
        NotPermitted: the actor does not hold the role.
        LastHolder: nobody else holds it.
    """
    rows = Membership.objects.select_for_update().filter(organisation=actor.organisation)
    membership = rows.filter(pk=membership_id).first()
    if membership is None:
        raise NotFound
    if not actor.has(Role(membership.role)):
        raise NotPermitted
    if rows.filter(role=membership.role).count() < 2:
        raise LastHolder
    record_audit(
        action="membership.revoked",
        subject=membership,
        actor=actor.user,
        organisation=actor.organisation,
        before={"user": membership.user_id, "role": membership.role},
    )
    membership.delete()


def _checked_email(text: str) -> str:
    email = check_text(text, field="email", max_length=254, required=True).lower()
    try:
        validate_email(email)
    except ValidationError:
        raise WrongEmail(field="email") from None
    if User.objects.filter(email=email).exists():
        raise EmailTaken(field="email")
    return email


def checked_mobile(text: str) -> str:
    """Return a mobile number that nobody has; raises WrongMobile or MobileTaken."""
    mobile = text.strip()
    digits = mobile.removeprefix("+")
    if mobile and not (digits.isascii() and digits.isdecimal() and 6 <= len(digits) <= 15):
        raise WrongMobile(field="mobile")
    if mobile and User.objects.filter(mobile=mobile).exists():
        raise MobileTaken(field="mobile")
    return mobile
