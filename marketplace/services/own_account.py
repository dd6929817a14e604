"""What people change about themselves: name, number, language, password, sessions."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.models import ApiToken, User, UserSession
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from marketplace.services.users import MobileTaken, PasswordTooWeak, checked_mobile


class WrongPassword(RuleBroken):
    """The present password was not right."""

    code = "wrong_password"
    message = gettext_noop("This password is not right.")


@transaction.atomic
def update_profile(*, user: User, display_name: str, mobile: str, language: str) -> User:
    """Change name, mobile number and language.

    Raises:
        Missing, TextTooLong, WrongMobile, MobileTaken: nothing was changed.
    """
    before = {"display_name": user.display_name, "mobile": user.mobile}
    name = check_text(display_name, field="display_name", max_length=80, required=True)
    number = user.mobile if mobile.strip() == user.mobile else checked_mobile(mobile)
    if number and User.objects.filter(mobile=number).exclude(pk=user.pk).exists():
        raise MobileTaken(field="mobile")
    user.display_name, user.mobile, user.language = name, number, language
    user.save(update_fields=["display_name", "mobile", "language"])
    after = {"display_name": name, "mobile": number}
    record_audit(action="user.changed", subject=user, actor=user, before=before, after=after)
    return user


@transaction.atomic
def change_password(*, user: User, present: str, wanted: str) -> None:
    """Change one's own password; every other session of the person ends by that.

    Raises:
        WrongPassword, PasswordTooWeak: it stays as it was.
    """
    if not user.check_password(present):
        raise WrongPassword(field="present")
    _set_password(user, wanted)


@transaction.atomic
def reset_password(*, user: User, wanted: str) -> None:
    """Set a password after the link of an e-mail was followed; every session ends.

    Raises:
        PasswordTooWeak: it stays as it was.
    """
    _set_password(user, wanted)
    UserSession.objects.filter(user=user).delete()


def _set_password(user: User, wanted: str) -> None:
    try:
        validate_password(wanted, user)
    except ValidationError as error:
        raise PasswordTooWeak(field="wanted", messages=list(error.messages)) from None
    user.set_password(wanted)
    user.save(update_fields=["password"])
    record_audit(action="user.password_changed", subject=user, actor=user)


def sessions_of(user: User) -> QuerySet[UserSession]:
    """Return where a person is signed in now, the last seen first."""
    rows = UserSession.objects.filter(user=user, expire_date__gt=timezone.now())
    return rows.order_by("-seen_at", "session_key")


@transaction.atomic
def end_other_sessions(*, user: User, except_key: str) -> int:
    """Sign a person out everywhere but here; return how many sessions ended."""
    ended, _by_table = UserSession.objects.filter(user=user).exclude(pk=except_key).delete()
    record_audit(action="sessions.ended", subject=user, actor=user, after={"count": ended})
    return ended


def valid_tokens(user: User) -> int:
    """Return how many programs can act for a person."""
    return ApiToken.objects.filter(user=user, expiry__gt=timezone.now()).count()
