"""The second factor: an authenticator app, and recovery codes for the day it is lost."""

import secrets
import time
from base64 import b32decode, b32encode
from datetime import datetime
from urllib.parse import quote, urlencode

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django_otp.oath import TOTP

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.models import Authenticator, Membership, Organisation, RecoveryCode, User
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.sealing import seal_text, unseal_text

ISSUER = "Hengsuan"
SECRET_BYTES = 20
# Codes of the step before and after count too: clocks differ, and people type slowly.
TOLERANCE_STEPS = 1
RECOVERY_CODES = 10
# Ten letters and digits of 31 are 49 bits: beyond guessing behind the throttle and the lock-out.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUP = 5


class WrongCode(RuleBroken):
    """The code is neither the authenticator's nor an unused recovery code."""

    code = "wrong_code"
    message = gettext_noop("This code is not right, or it was used before. Wait for the next one.")


class CodeTooSoon(RuleBroken):
    """After wrong codes each next one has to wait, twice as long each time."""

    code = "code_too_soon"
    message = gettext_noop("Too many wrong codes. Wait %(seconds)s seconds, then try again.")
    status = 429


@transaction.atomic
def begin_authenticator(*, user: User) -> Authenticator:
    """Return a new app to be confirmed; one that was begun and not confirmed is replaced."""
    Authenticator.objects.filter(user=user, confirmed=False).delete()
    ciphertext, key = seal_text(b32encode(secrets.token_bytes(SECRET_BYTES)).decode())
    return Authenticator.objects.create(
        user=user, name=ISSUER, confirmed=False, ciphertext=ciphertext, key_id=key
    )


def secret_of(authenticator: Authenticator) -> str:
    """Return the secret in base 32, as a person types it into an app."""
    return unseal_text(authenticator.ciphertext, stored_key_id=authenticator.key_id)


def address_of(authenticator: Authenticator) -> str:
    """Return the otpauth address that the QR code shows."""
    label = quote(f"{ISSUER}:{authenticator.user.get_username()}")
    query = urlencode({"secret": secret_of(authenticator), "issuer": ISSUER, "digits": 6})
    return f"otpauth://totp/{label}?{query}"


@transaction.atomic
def confirm_authenticator(*, user: User, code: str) -> list[str]:
    """Switch the second factor on with a code of the new app; return fresh recovery codes.

    An app confirmed earlier is replaced.

    Raises:
        NotFound: no app was begun.
        WrongCode, CodeTooSoon: nothing was switched on.
    """
    fresh = _locked(user, confirmed=False)
    if fresh is None:
        raise NotFound
    _check_app(fresh, code)
    Authenticator.objects.filter(user=user, confirmed=True).delete()
    fresh.confirmed = True
    fresh.save(update_fields=["confirmed"])
    record_audit(action="second_factor.enabled", subject=user, actor=user)
    return _renew_codes(user)


def check_second_factor(*, user: User, code: str) -> None:
    """Accept a code of the user's app, or an unused recovery code, once.

    A wrong code is written down in a transaction of its own, so that the refusal keeps it.

    Raises:
        WrongCode, CodeTooSoon: the person has not shown the second factor.
    """
    with transaction.atomic():
        app = _locked(user, confirmed=True)
        is_right = app is not None and _spend(app, user, code)
    if not is_right:
        raise WrongCode(field="code")


def _check_app(app: Authenticator, code: str) -> None:
    _check_pace(app)
    if not _fits(app, code):
        raise WrongCode(field="code")


def _spend(app: Authenticator, user: User, code: str) -> bool:
    """Tell whether a code is right; a right one is spent, a wrong one slows the next."""
    _check_pace(app)
    if _fits(app, code) or _use_recovery_code(user, code):
        app.throttle_reset(commit=True)
        return True
    app.throttle_increment(commit=True)
    return False


def _fits(app: Authenticator, code: str) -> bool:
    text = "".join(code.split())
    if not (text.isascii() and text.isdecimal() and len(text) == 6):
        return False
    clock = TOTP(b32decode(secret_of(app)))
    clock.time = time.time()
    if not clock.verify(int(text), TOLERANCE_STEPS, app.last_step + 1):
        return False
    app.last_step = clock.t()
    app.save(update_fields=["last_step"])
    return True


def _check_pace(app: Authenticator) -> None:
    allowed, details = app.verify_is_allowed()
    if not allowed:
        until: datetime = (details or {})["locked_until"]
        seconds = max(1, round((until - timezone.now()).total_seconds()))
        raise CodeTooSoon(field="code", seconds=seconds)


def _use_recovery_code(user: User, code: str) -> bool:
    digest = _digest(code)
    used = RecoveryCode.objects.filter(user=user, digest=digest, used_at=None).update(
        used_at=timezone.now()
    )
    if used:
        record_audit(action="recovery_code.used", subject=user, actor=user)
    return bool(used)


@transaction.atomic
def renew_recovery_codes(*, user: User) -> list[str]:
    """Return ten fresh codes, shown this once; the old ones are void. Raises NotFound."""
    if _locked(user, confirmed=True) is None:
        raise NotFound
    return _renew_codes(user)


def _renew_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    record_audit(action="recovery_codes.renewed", subject=user, actor=user)
    return [_issue_code(user) for _number in range(RECOVERY_CODES)]


def _issue_code(user: User) -> str:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(2 * _GROUP))
    code = f"{letters[:_GROUP]}-{letters[_GROUP:]}"
    RecoveryCode.objects.create(user=user, digest=_digest(code))
    return code


def issue_shown_code(*, user: User) -> str:
    """Return a fresh single-use code; for the demonstration, which shows it on the page."""
    return _issue_code(user)


@transaction.atomic
def remove_authenticator(*, user: User) -> None:
    """Switch one's own second factor off."""
    _remove(user, by=user)


@transaction.atomic
def reset_second_factor(*, actor: Actor, user_id: int) -> None:
    """Switch off a member's second factor and end their sessions: the person lost the phone.

    Raises:
        NotPermitted: the actor does not run the market, or means themself.
        NotFound: the person acts for no organisation.
    """
    if not actor.is_operator or actor.user.pk == user_id:
        raise NotPermitted
    membership = Membership.objects.filter(user_id=user_id).select_related("user").first()
    if membership is None:
        raise NotFound
    _remove(membership.user, by=actor.user)
    membership.user.portal_sessions.all().delete()


def _remove(user: User, *, by: User) -> None:
    Authenticator.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    record_audit(action="second_factor.disabled", subject=user, actor=by)


def has_second_factor(user: User) -> bool:
    """Tell whether the person signs in with a second factor."""
    return Authenticator.objects.filter(user=user, confirmed=True).exists()


def people_with_second_factor(organisation: Organisation) -> set[int]:
    """Return the keys of the organisation's people who sign in with a second factor."""
    rows = Authenticator.objects.filter(
        confirmed=True, user__memberships__organisation=organisation
    )
    return set(rows.values_list("user_id", flat=True))


def unused_recovery_codes(user: User) -> int:
    """Return how many recovery codes are left."""
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def _locked(user: User, *, confirmed: bool) -> Authenticator | None:
    rows = Authenticator.objects.select_for_update().filter(user=user, confirmed=confirmed)
    return rows.order_by("-id").first()


def _digest(code: str) -> str:
    # Keyed: who reads the table alone cannot try all codes against it.
    text = "".join(code.split()).lower()
    return salted_hmac("recovery code", text, algorithm="sha256").hexdigest()
