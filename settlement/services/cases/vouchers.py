"""Compute vouchers (算力券): issued to members by two persons; expiry and recall.

The programme's row is locked by everything that moves its budget, always before vouchers.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Organisation, OrganisationState
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition
from marketplace.services.outbox import emit_event
from settlement.domain.numbering import DocumentSeries
from settlement.models import (
    VOUCHER_TRANSITIONS,
    Invoice,
    JournalEntry,
    Voucher,
    VoucherMove,
    VoucherMoveKind,
    VoucherProgramme,
    VoucherProgrammeState,
    VoucherState,
)
from settlement.services.funds_requests import SamePerson, checked_amount, require_bookkeeper
from settlement.services.numbering import take_numbers

_ZERO = Decimal("0.00")


class VoucherBudgetSpent(RuleBroken):
    """The programme has less left than the voucher's face."""

    code = "voucher_budget_spent"
    message = gettext_noop("The programme has %(left)s CNY left.")
    status = 409


class VoucherCapReached(RuleBroken):
    """The member would hold more of the programme than its cap."""

    code = "voucher_cap_reached"
    message = gettext_noop("The member may have %(left)s CNY more of this programme.")
    status = 409


class VoucherNotEligible(RuleBroken):
    """The programme is not for this member, or not now."""

    code = "voucher_not_eligible"
    message = gettext_noop("The programme is not open to this member now.")
    status = 409


class DatesInvalid(RuleBroken):
    """A term ends after it begins."""

    code = "dates_invalid"
    message = gettext_noop("The last day is before the first.")


@transaction.atomic
def enter_voucher(
    *,
    actor: Actor,
    programme_public_id: UUID | str,
    organisation: Organisation,
    face_cny: Decimal,
    valid_until: date | None = None,
) -> Voucher:
    """Propose a voucher for a member; budget and cap are taken when it is approved.

    Raises:
        NotPermitted, NotFound: the actor may not.
        VoucherNotEligible, AmountInvalid, DatesInvalid: with the field.
    """
    require_bookkeeper(actor, operator_too=True)
    programme = locked_programme(public_id=programme_public_id)
    today = market_date(market_now())
    _require_eligible(programme, organisation, today)
    until = valid_until or programme.valid_until
    if not today <= until <= programme.valid_until:
        raise DatesInvalid(field="valid_until")
    face = checked_amount(face_cny)
    voucher = Voucher.objects.create(
        number=take_numbers(series=DocumentSeries.VOUCHER, day=today)[0],
        programme=programme,
        organisation=organisation,
        face_cny=face,
        remaining_cny=face,
        valid_until=until,
        entered_by=actor.user,
    )
    audit_voucher("voucher.entered", voucher, actor)
    return voucher


@transaction.atomic
def decide_voucher(
    *, actor: Actor, public_id: UUID | str, approve: bool, reason: str = ""
) -> Voucher:
    """Issue a proposed voucher, which commits its face, or reject it.

    Raises:
        NotPermitted, NotFound, SamePerson, StateForbids: the actor may not decide it.
        VoucherBudgetSpent, VoucherCapReached, VoucherNotEligible: it cannot be issued.
    """
    require_bookkeeper(actor, operator_too=True)
    voucher, programme = locked_voucher(public_id=public_id)
    target = VoucherState.ACTIVE if approve else VoucherState.REJECTED
    voucher.state = check_transition(VOUCHER_TRANSITIONS, voucher.state, target)
    if approve:
        _require_eligible(programme, voucher.organisation, market_date(market_now()))
        _commit(programme, voucher)
    write_decision(voucher, actor, reason)
    if approve:
        record_move(voucher, VoucherMoveKind.ISSUE, voucher.face_cny, key="issue", actor=actor)
        emit_event(
            topic="voucher.issued",
            aggregate=f"voucher:{voucher.pk}",
            payload={"voucher_id": voucher.pk},
        )
    audit_voucher(f"voucher.{target.value}", voucher, actor, reason)
    return voucher


@transaction.atomic
def recall_voucher(*, actor: Actor, public_id: UUID | str, reason: str) -> Voucher:
    """Take back what is left of a voucher; what it paid stays paid.

    Raises:
        NotPermitted, NotFound, StateForbids, Missing: nothing changed.
    """
    require_bookkeeper(actor, operator_too=True)
    text = check_text(reason, field="reason", max_length=200, required=True)
    voucher, programme = locked_voucher(public_id=public_id)
    _close(voucher, programme, VoucherState.RECALLED, actor=actor, reason=text)
    audit_voucher("voucher.recalled", voucher, actor, text)
    return voucher


def expire_vouchers(now: datetime) -> int:
    """End vouchers whose last day is over and give their rest back to the budget."""
    today = market_date(now)
    due = Voucher.objects.filter(state=VoucherState.ACTIVE, valid_until__lt=today).order_by("pk")
    expired = 0
    for public_id in due.values_list("public_id", flat=True):
        with transaction.atomic():
            voucher, programme = locked_voucher(public_id=public_id)
            if voucher.state == VoucherState.ACTIVE:
                _close(voucher, programme, VoucherState.EXPIRED)
                expired += 1
    return expired


def locked_voucher(*, public_id: UUID | str) -> tuple[Voucher, VoucherProgramme]:
    """Return a voucher and its programme, both rows locked, the programme's first."""
    known = Voucher.objects.filter(public_id=public_id).values_list("programme_id", flat=True)
    programme_id = known.first()
    if programme_id is None:
        raise NotFound
    programme = VoucherProgramme.objects.select_for_update(no_key=True).get(pk=programme_id)
    voucher = (
        Voucher.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organisation")
        .get(public_id=public_id)
    )
    voucher.programme = programme
    return voucher, programme


def record_move(
    voucher: Voucher,
    kind: VoucherMoveKind,
    amount: Decimal,
    *,
    key: str,
    actor: Actor | None = None,
    reason: str = "",
    invoice: Invoice | None = None,
    credit_note: Invoice | None = None,
    entry: JournalEntry | None = None,
) -> VoucherMove:
    """Add a row to a voucher's trail; `key` is unique within the voucher."""
    return VoucherMove.objects.create(
        voucher=voucher,
        kind=kind,
        amount_cny=amount,
        event_key=f"{voucher.number}:{key}",
        invoice=invoice,
        credit_note=credit_note,
        entry=entry,
        actor=actor.user if actor else None,
        reason=reason,
        market_at=market_now(),
    )


def audit_voucher(action: str, voucher: Voucher, actor: Actor | None, reason: str = "") -> None:
    """Write down who moved a voucher."""
    record_audit(
        action=action,
        subject=voucher,
        actor=actor.user if actor else None,
        organisation=voucher.organisation,
        after={
            "number": voucher.number,
            "state": voucher.state,
            "remaining_cny": format(voucher.remaining_cny, "f"),
        },
        reason=reason,
    )


def _close(
    voucher: Voucher,
    programme: VoucherProgramme,
    target: VoucherState,
    *,
    actor: Actor | None = None,
    reason: str = "",
) -> None:
    rest = voucher.remaining_cny
    voucher.state = check_transition(VOUCHER_TRANSITIONS, voucher.state, target)
    voucher.remaining_cny = _ZERO
    voucher.save(update_fields=["state", "remaining_cny"])
    VoucherProgramme.objects.filter(pk=programme.pk).update(committed_cny=F("committed_cny") - rest)
    kind = VoucherMoveKind.RECALL if target == VoucherState.RECALLED else VoucherMoveKind.EXPIRE
    record_move(voucher, kind, rest, key=kind.value, actor=actor, reason=reason)


def _commit(programme: VoucherProgramme, voucher: Voucher) -> None:
    left = programme.budget_cny - programme.committed_cny
    if voucher.face_cny > left:
        raise VoucherBudgetSpent(field="amount", left=left)
    held = Voucher.objects.filter(programme=programme, organisation=voucher.organisation).exclude(
        state__in=(VoucherState.ENTERED, VoucherState.REJECTED)
    )
    faces = held.aggregate(total=Sum("face_cny"))["total"] or _ZERO
    if faces + voucher.face_cny > programme.member_cap_cny:
        raise VoucherCapReached(field="amount", left=programme.member_cap_cny - faces)
    programme.committed_cny += voucher.face_cny
    programme.save(update_fields=["committed_cny"])


def _require_eligible(programme: VoucherProgramme, member: Organisation, today: date) -> None:
    chosen = programme.organisations.all()
    if (
        programme.state != VoucherProgrammeState.ACTIVE
        or today > programme.valid_until
        or member.state != OrganisationState.APPROVED
        or not member.is_buyer
        or (chosen.exists() and not chosen.filter(pk=member.pk).exists())
    ):
        raise VoucherNotEligible(field="organisation")


def locked_programme(*, public_id: UUID | str) -> VoucherProgramme:
    """Return a programme, its row locked; raises NotFound."""
    rows = VoucherProgramme.objects.select_for_update(no_key=True)
    programme = rows.filter(public_id=public_id).first()
    if programme is None:
        raise NotFound
    return programme


def write_decision(row: VoucherProgramme | Voucher, actor: Actor, reason: str) -> None:
    """Write the second person's decision on a locked row; raises SamePerson."""
    if row.entered_by_id == actor.user.pk:
        raise SamePerson
    row.decided_by, row.decided_at = actor.user, timezone.now()
    row.decision_reason = check_text(reason, field="reason", max_length=200)
    row.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
