"""Members: signing up, admission, suspension."""

from datetime import date
from typing import TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone

from marketplace.domain.credit_code import CreditCodeRefused, validate_credit_code
from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import (
    ORGANISATION_TRANSITIONS,
    Membership,
    Organisation,
    OrganisationState,
    Role,
    User,
)
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import (
    Missing,
    check_text,
    check_transition,
    require_operator,
)
from marketplace.services.locks import member_code_lock
from marketplace.services.outbox import ORGANISATION_REINSTATED, emit_event


class WrongCreditCode(RuleBroken):
    """The unified social credit code does not exist: form or check character."""

    code = "wrong_credit_code"
    message = gettext_noop("This is not a valid unified social credit code.")


class CreditCodeTaken(RuleBroken):
    """An organisation with this code has registered already."""

    code = "credit_code_taken"
    message = gettext_noop("An organisation with this unified social credit code is registered.")
    status = 409


class NoTradingRole(RuleBroken):
    """A member sells, buys, or both."""

    code = "no_trading_role"
    message = gettext_noop("Choose whether the organisation sells, buys, or both.")


class LicenceMissing(RuleBroken):
    """A supplier states its telecom licence."""

    code = "licence_missing"
    message = gettext_noop("A supplier states kind and number of its telecom licence.")


class LicenceExpired(RuleBroken):
    """The telecom licence has run out."""

    code = "licence_expired"
    message = gettext_noop("The telecom licence has expired.")


class ReasonMissing(RuleBroken):
    """A decision against a member is given a reason."""

    code = "reason_missing"
    message = gettext_noop("Please give a reason.")


class OrganisationDetails(TypedDict, total=False):
    """What an organisation says about itself beside its identity."""

    city: str
    telecom_licence_kind: str
    telecom_licence_number: str
    telecom_licence_expires_on: date | None
    invoice_title: str
    tax_id: str
    invoice_address: str
    invoice_phone: str
    bank_name: str
    bank_account: str
    contact_name: str
    contact_phone: str


_TEXT_DETAILS = sorted(
    set(OrganisationDetails.__annotations__) - {"telecom_licence_expires_on"},
)


@transaction.atomic
def register_organisation(
    *,
    user: User,
    name_zh: str,
    credit_code: str,
    is_supplier: bool,
    is_buyer: bool,
    name_en: str = "",
    **details: Unpack[OrganisationDetails],
) -> Organisation:
    """Register an organisation that waits for approval; the user gets its roles.

    Tax id and invoice title default to the credit code and the Chinese name.

    Raises:
        WrongCreditCode, CreditCodeTaken, NoTradingRole, LicenceMissing, LicenceExpired,
        Missing, TextTooLong: nothing was registered.
    """
    if not (is_supplier or is_buyer):
        raise NoTradingRole(field="is_supplier")
    organisation = Organisation(
        name_zh=check_text(name_zh, field="name_zh", max_length=120, required=True),
        name_en=check_text(name_en, field="name_en", max_length=160),
        credit_code=_checked_credit_code(credit_code),
        is_supplier=is_supplier,
        is_buyer=is_buyer,
        **_checked_details(details),
    )
    organisation.invoice_title = organisation.invoice_title or organisation.name_zh
    organisation.tax_id = organisation.tax_id or organisation.credit_code
    _require_licence(organisation)
    _save_new(organisation)
    grant_all_roles(user=user, organisation=organisation)
    record_audit(
        action="organisation.registered",
        subject=organisation,
        actor=user,
        organisation=organisation,
        after={"code": organisation.code, "credit_code": organisation.credit_code},
    )
    return organisation


def approve_organisation(
    *, actor: Actor, organisation: Organisation, reason: str = ""
) -> Organisation:
    """Admit an organisation, or readmit a suspended one; settlement opens its accounts.

    Raises:
        NotPermitted: the actor does not run the market.
        StateForbids: the organisation is not waiting or suspended.
    """
    return _decide(actor, organisation, OrganisationState.APPROVED, reason)


def reject_organisation(*, actor: Actor, organisation: Organisation, reason: str) -> Organisation:
    """Refuse admission, with a reason; raises NotPermitted, StateForbids or ReasonMissing."""
    return _decide(actor, organisation, OrganisationState.REJECTED, reason)


def suspend_organisation(*, actor: Actor, organisation: Organisation, reason: str) -> Organisation:
    """Keep a member out of the market; what it sold and bought is still delivered and settled.

    Raises:
        NotPermitted, StateForbids, ReasonMissing: nothing changed.
    """
    return _decide(actor, organisation, OrganisationState.SUSPENDED, reason)


@transaction.atomic
def resubmit_organisation(*, actor: Actor) -> Organisation:
    """Ask again after a rejection; raises StateForbids or NotFound."""
    if actor.organisation is None:
        raise NotFound
    locked = Organisation.objects.select_for_update().get(pk=actor.organisation.pk)
    return _enter(locked, OrganisationState.PENDING, actor, "", organisation=locked)


def grant_all_roles(*, user: User, organisation: Organisation) -> list[Membership]:
    """Give the founding user every role the organisation has use for."""
    roles = [Role.FINANCE]
    if organisation.is_supplier:
        roles.append(Role.SUPPLIER)
    if organisation.is_buyer:
        roles.append(Role.BUYER)
    return Membership.objects.bulk_create(
        [Membership(user=user, organisation=organisation, role=role) for role in roles],
        ignore_conflicts=True,
    )


def next_member_code() -> str:
    """Return the next free member code, `M0001` on; held until the transaction ends."""
    member_code_lock()
    codes = Organisation.objects.filter(code__regex=r"^M[0-9]{4,}$").values_list("code", flat=True)
    return f"M{max((int(code[1:]) for code in codes), default=0) + 1:04}"


@transaction.atomic
def _decide(
    actor: Actor, organisation: Organisation, target: OrganisationState, reason: str
) -> Organisation:
    platform = require_operator(actor)
    if target != OrganisationState.APPROVED and not reason.strip():
        raise ReasonMissing(field="reason")
    locked = Organisation.objects.select_for_update().filter(pk=organisation.pk).first()
    if locked is None or locked.is_platform:
        raise NotFound
    first_time = locked.state == OrganisationState.PENDING
    _enter(locked, target, actor, reason, organisation=platform)
    if target == OrganisationState.APPROVED:
        emit_event(
            topic="organisation.approved" if first_time else ORGANISATION_REINSTATED,
            aggregate=f"organisation:{locked.pk}",
            payload={"organisation_id": locked.pk},
        )
    return locked


def _enter(
    locked: Organisation,
    target: OrganisationState,
    actor: Actor,
    reason: str,
    *,
    organisation: Organisation,
) -> Organisation:
    before = locked.state
    locked.state = check_transition(ORGANISATION_TRANSITIONS, before, target)
    locked.state_reason = check_text(reason, field="reason", max_length=300)
    locked.decided_at = timezone.now()
    locked.decided_by = actor.user
    locked.save()
    record_audit(
        action=f"organisation.{target.value}",
        subject=locked,
        actor=actor.user,
        organisation=organisation,
        before={"state": before},
        after={"state": locked.state},
        reason=reason,
    )
    return locked


def _checked_credit_code(text: str) -> str:
    if not text.strip():
        raise Missing(field="credit_code")
    try:
        return validate_credit_code(text.strip())
    except CreditCodeRefused as refusal:
        raise WrongCreditCode(field="credit_code", why=refusal.code) from None


def _checked_details(details: OrganisationDetails) -> dict[str, object]:
    checked: dict[str, object] = {
        "telecom_licence_expires_on": details.get("telecom_licence_expires_on")
    }
    for name in _TEXT_DETAILS:
        longest = int(getattr(Organisation._meta.get_field(name), "max_length", 0))
        checked[name] = check_text(str(details.get(name) or ""), field=name, max_length=longest)
    return checked


def _require_licence(organisation: Organisation) -> None:
    if not organisation.is_supplier:
        return
    if not (organisation.telecom_licence_kind and organisation.telecom_licence_number):
        raise LicenceMissing(field="telecom_licence_number")
    expires_on = organisation.telecom_licence_expires_on
    if expires_on is not None and expires_on < market_date(market_now()):
        raise LicenceExpired(field="telecom_licence_expires_on")


def _save_new(organisation: Organisation) -> None:
    if Organisation.objects.filter(credit_code=organisation.credit_code).exists():
        raise CreditCodeTaken(field="credit_code")
    organisation.code = next_member_code()
    try:
        with transaction.atomic():
            organisation.save()
    except IntegrityError:
        # Two people registered the same organisation at the same moment.
        raise CreditCodeTaken(field="credit_code") from None
