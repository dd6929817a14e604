"""Voucher programmes: a public body's money, entered by one person, in force by another."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.provinces import find_province
from marketplace.models import Hub, Organisation, ResourceClass
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition
from settlement.models import (
    VOUCHER_PROGRAMME_TRANSITIONS,
    VoucherProgramme,
    VoucherProgrammeState,
)
from settlement.services.accounts import open_voucher_account
from settlement.services.cases.vouchers import (
    DatesInvalid,
    VoucherCapReached,
    locked_programme,
    write_decision,
)
from settlement.services.funds_requests import checked_amount, require_bookkeeper


class ProgrammeCodeUsed(RuleBroken):
    """The code of a programme is unique."""

    code = "programme_code_used"
    message = gettext_noop("A programme with this code exists.")
    status = 409


class ProvinceUnknown(RuleBroken):
    """A programme is for provinces in which compute can be delivered."""

    code = "province_unknown"
    message = gettext_noop("There is no province %(province)s.")


class ShareInvalid(RuleBroken):
    """A share of the bill lies above 0 and at most at 1."""

    code = "share_invalid"
    message = gettext_noop("A share lies above 0 % and at most at 100 %.")


@dataclass(frozen=True)
class ProgrammeDraft:
    """What is entered for a programme; empty lists admit everything.

    Attributes:
        code: short, unique, also the account's.
        name_zh, name_en: its name.
        issuer_zh, issuer_en: the public body that pays.
        budget_cny: what it pays at most.
        share_of_bill: of the eligible part of a bill, above 0, at most 1.
        member_cap_cny: what one member gets at most.
        valid_from, valid_until: days of the bills.
        member_codes: members that may have it.
        regions: provinces of delivery, in Chinese or English.
        resource_classes: classes of products.
    """

    code: str
    name_zh: str
    name_en: str
    issuer_zh: str
    issuer_en: str
    budget_cny: Decimal
    share_of_bill: Decimal
    member_cap_cny: Decimal
    valid_from: date
    valid_until: date
    member_codes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    resource_classes: tuple[str, ...] = ()


@transaction.atomic
def enter_programme(*, actor: Actor, draft: ProgrammeDraft) -> VoucherProgramme:
    """Enter a programme; it is in force once another person approves it.

    Raises:
        NotPermitted: the actor neither runs the market nor keeps its books.
        ProgrammeCodeUsed, AmountInvalid, ShareInvalid, DatesInvalid, VoucherCapReached,
            ProvinceUnknown, Missing, TextTooLong: with the field.
    """
    require_bookkeeper(actor, operator_too=True)
    code = check_text(draft.code, field="code", max_length=15, required=True).upper()
    if VoucherProgramme.objects.filter(code=code).exists():
        raise ProgrammeCodeUsed(field="code")
    if not (draft.share_of_bill.is_finite() and 0 < draft.share_of_bill <= 1):
        raise ShareInvalid(field="share_of_bill")
    if draft.valid_until < draft.valid_from:
        raise DatesInvalid(field="valid_until")
    budget = checked_amount(draft.budget_cny)
    cap = checked_amount(draft.member_cap_cny)
    if cap > budget:
        raise VoucherCapReached(field="member_cap", left=budget)
    programme = VoucherProgramme.objects.create(
        code=code,
        **{
            name: check_text(getattr(draft, name), field=name, max_length=80, required=True)
            for name in ("name_zh", "name_en", "issuer_zh", "issuer_en")
        },
        budget_cny=budget,
        share_of_bill=draft.share_of_bill,
        member_cap_cny=cap,
        valid_from=draft.valid_from,
        valid_until=draft.valid_until,
        regions=_provinces(draft.regions),
        resource_classes=[c for c in ResourceClass.values if c in draft.resource_classes],
        entered_by=actor.user,
    )
    programme.organisations.set(_members(draft.member_codes))
    _audit_programme("voucher_programme.entered", programme, actor)
    return programme


@transaction.atomic
def decide_programme(
    *, actor: Actor, public_id: UUID | str, approve: bool, reason: str = ""
) -> VoucherProgramme:
    """Put a programme into force, or reject it; raises NotFound, SamePerson, StateForbids."""
    require_bookkeeper(actor, operator_too=True)
    programme = locked_programme(public_id=public_id)
    target = VoucherProgrammeState.ACTIVE if approve else VoucherProgrammeState.REJECTED
    programme.state = check_transition(VOUCHER_PROGRAMME_TRANSITIONS, programme.state, target)
    write_decision(programme, actor, reason)
    if approve:
        open_voucher_account(
            code=programme.code, name_zh=programme.issuer_zh, name_en=programme.issuer_en
        )
    _audit_programme(f"voucher_programme.{target.value}", programme, actor, reason)
    return programme


@transaction.atomic
def end_programme(*, actor: Actor, public_id: UUID | str, reason: str) -> VoucherProgramme:
    """Issue no more vouchers of a programme; those issued stay usable until they run out."""
    require_bookkeeper(actor, operator_too=True)
    programme = locked_programme(public_id=public_id)
    text = check_text(reason, field="reason", max_length=200, required=True)
    programme.state = check_transition(
        VOUCHER_PROGRAMME_TRANSITIONS, programme.state, VoucherProgrammeState.ENDED
    )
    programme.save(update_fields=["state"])
    _audit_programme("voucher_programme.ended", programme, actor, text)
    return programme


def _provinces(names: tuple[str, ...]) -> list[str]:
    """Return the provinces as hubs name them: one that no hub could have would pay nothing."""
    own = set(Hub.objects.exclude(grid_province="").values_list("grid_province", flat=True))
    found = {name: name if name in own else find_province(name) for name in names}
    for name, province in found.items():
        if province is None:
            raise ProvinceUnknown(field="regions", province=name)
    return sorted({province for province in found.values() if province})


def _members(codes: tuple[str, ...]) -> list[Organisation]:
    found = list(Organisation.objects.filter(code__in=codes, is_platform=False))
    if len(found) != len(set(codes)):
        raise RuleBroken(
            "member_unknown", gettext_noop("There is no member with this code."), field="members"
        )
    return found


def _audit_programme(
    action: str, programme: VoucherProgramme, actor: Actor, reason: str = ""
) -> None:
    record_audit(
        action=action,
        subject=programme,
        actor=actor.user,
        organisation=actor.organisation,
        after={
            "code": programme.code,
            "budget_cny": format(programme.budget_cny, "f"),
            "state": programme.state,
        },
        reason=reason,
    )
