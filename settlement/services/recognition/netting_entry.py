"""A netting cycle takes obligations: opened, filled, frozen by the platform's people."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from marketplace.domain.decimals import add_exactly
from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.domain.money import round_money
from marketplace.models import Organisation, OrganisationState
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_positive, check_range, check_text, check_transition
from settlement.domain.carbon.errors import InstrumentNotEligible, StatementClosed
from settlement.models import (
    NETTING_TRANSITIONS,
    EmissionStatement,
    InstrumentType,
    NettingCycle,
    NettingState,
    Obligation,
    Registry,
)
from settlement.services.funds_requests import require_bookkeeper
from settlement.services.locks import lock_netting
from settlement.services.recognition.terms import NEVER_TONNES, TooManyDecimals

_LARGEST_PRICE = Decimal(999_999)


class CycleCodeTaken(RuleBroken):
    """Another cycle has the code."""

    code = "cycle_code_taken"
    message = gettext_noop("This code is taken.")
    status = 409


class CycleFrozen(RuleBroken):
    """The cycle takes no more obligations."""

    code = "cycle_frozen"
    message = gettext_noop("The cycle is frozen: it takes no more obligations.")
    status = 409


class ObligationTaken(RuleBroken):
    """The reference stands for another obligation between the two."""

    code = "obligation_taken"
    message = gettext_noop("This reference stands for another obligation of the cycle already.")
    status = 409


class SameParty(RuleBroken):
    """Nobody owes himself."""

    code = "same_party"
    message = gettext_noop("Payer and payee must be two data centres.")


class StatementExceeded(RuleBroken):
    """The obligations that rest on a statement are more than it states."""

    code = "statement_exceeded"
    message = gettext_noop("The statement leaves %(left)s t for obligations.")
    status = 409


class NothingOwed(RuleBroken):
    """A cycle without obligations has nothing to net."""

    code = "nothing_owed"
    message = gettext_noop("The cycle has no obligations yet.")
    status = 409


@dataclass(frozen=True)
class CycleDraft:
    """A cycle of one fungibility class, with its cut-off and the price of fractions."""

    code: str
    registry: str
    instrument_type: str
    vintage_year: int
    cut_off_on: date
    reference_price_cny: Decimal


@dataclass(frozen=True)
class ObligationDraft:
    """What one data centre owes another; a statement of the payer may stand behind it."""

    payer: str
    payee: str
    quantity_t: Decimal
    reference: str
    statement_public_id: UUID | str | None = None


@transaction.atomic
def open_cycle(*, actor: Actor, draft: CycleDraft) -> NettingCycle:
    """Open a cycle; obligations may be added until it is frozen.

    Raises:
        NotPermitted: the actor is neither finance nor operator of the platform.
        NotFound, InstrumentNotEligible, CycleCodeTaken, OutOfRange, TooManyDecimals: with a field.
    """
    require_bookkeeper(actor, operator_too=True)
    registry = Registry.objects.filter(code=draft.registry, unit="tCO2e").first()
    if registry is None:
        raise NotFound(field="registry")
    if draft.instrument_type not in set(InstrumentType.values) - NEVER_TONNES:
        raise InstrumentNotEligible(field="instrument_type")
    year = Decimal(draft.vintage_year)
    check_range(year, least=Decimal(1990), most=Decimal(2100), field="vintage_year")
    price = _checked(draft.reference_price_cny, places=4, field="reference_price_cny")
    check_range(price, least=Decimal("0.0001"), most=_LARGEST_PRICE, field="reference_price_cny")
    try:
        with transaction.atomic():
            cycle = NettingCycle.objects.create(
                code=check_text(draft.code, field="code", max_length=30, required=True),
                registry=registry,
                instrument_type=draft.instrument_type,
                vintage_year=draft.vintage_year,
                cut_off_on=draft.cut_off_on,
                reference_price_cny=price,
                opened_by=actor.user,
            )
    except IntegrityError:
        raise CycleCodeTaken(field="code") from None
    _write(cycle, actor, "opened", {"price_cny": format(price, "f")})
    return cycle


@transaction.atomic
def add_obligation(
    *, actor: Actor, cycle_public_id: UUID | str, draft: ObligationDraft
) -> Obligation:
    """Add what one data centre owes another; the same reference again returns the first row.

    Raises:
        NotPermitted, NotFound, SameParty, NotPositive, TooManyDecimals: nothing was added.
        CycleFrozen: the cycle takes no more.
        ObligationTaken: the reference stands for another quantity.
        StatementClosed, StatementExceeded: the statement behind it does not carry it.
    """
    require_bookkeeper(actor, operator_too=True)
    cycle = locked_cycle(cycle_public_id)
    if cycle.state != NettingState.OPEN:
        raise CycleFrozen
    payer, payee = _party(draft.payer, "payer"), _party(draft.payee, "payee")
    if payer == payee:
        raise SameParty(field="payee")
    quantity = _checked(draft.quantity_t, places=6, field="quantity_t")
    reference = check_text(draft.reference, field="reference", max_length=60, required=True)
    known = cycle.obligations.filter(payer=payer, payee=payee, reference=reference).first()
    if known is not None:
        if known.quantity_t != quantity:
            raise ObligationTaken(field="reference")
        return known
    statement = _statement(draft, payer, cycle, quantity)
    obligation = Obligation.objects.create(
        cycle=cycle,
        payer=payer,
        payee=payee,
        quantity_t=quantity,
        reference=reference,
        statement=statement,
        entered_by=actor.user,
    )
    facts = {"payer": payer.code, "payee": payee.code, "t": format(quantity, "f")}
    _write(cycle, actor, "obligation", facts)
    return obligation


@transaction.atomic
def freeze_cycle(*, actor: Actor, cycle_public_id: UUID | str) -> NettingCycle:
    """Close a cycle for obligations; a repeated call changes nothing.

    Raises:
        NotPermitted, NotFound: the actor may not, or there is no such cycle.
        NothingOwed: it has no obligations.
    """
    require_bookkeeper(actor, operator_too=True)
    cycle = locked_cycle(cycle_public_id)
    if cycle.state != NettingState.OPEN:
        return cycle
    if not cycle.obligations.exists():
        raise NothingOwed
    cycle.state = check_transition(NETTING_TRANSITIONS, cycle.state, NettingState.FROZEN)
    cycle.frozen_at = timezone.now()
    cycle.save(update_fields=["state", "frozen_at"])
    _write(cycle, actor, "frozen", {})
    return cycle


def locked_cycle(public_id: UUID | str) -> NettingCycle:
    """Return a cycle as it stands once nobody else moves it on; raises NotFound."""
    key = NettingCycle.objects.filter(public_id=public_id).values_list("pk", flat=True).first()
    if key is None:
        raise NotFound
    lock_netting(key)
    return NettingCycle.objects.select_related("registry").get(pk=key)


def _checked(value: Decimal, *, places: int, field: str) -> Decimal:
    check_positive(value, field=field)
    if value != round_money(value, places):
        raise TooManyDecimals(field=field, places=places)
    return value


def _party(code: str, field: str) -> Organisation:
    found = Organisation.objects.filter(
        code=code, is_platform=False, state=OrganisationState.APPROVED
    ).first()
    if found is None:
        raise NotFound(field=field)
    return found


def _statement(
    draft: ObligationDraft, payer: Organisation, cycle: NettingCycle, quantity: Decimal
) -> EmissionStatement | None:
    """Return the payer's statement when it is the newest version and carries the quantity."""
    if not draft.statement_public_id:
        return None
    rows = EmissionStatement.objects.filter(organisation=payer, month__lte=cycle.cut_off_on)
    statement = rows.defer("inputs").filter(public_id=draft.statement_public_id).first()
    if statement is None:
        raise NotFound(field="statement")
    if EmissionStatement.objects.filter(supersedes=statement).exists():
        raise StatementClosed(field="statement")
    rests = Obligation.objects.filter(statement=statement).aggregate(t=Sum("quantity_t"))["t"]
    left = add_exactly([statement.market_based_t, -(rests or Decimal(0))])
    if quantity > left:
        raise StatementExceeded(field="quantity_t", left=left)
    return statement


def _write(cycle: NettingCycle, actor: Actor, step: str, facts: dict[str, str]) -> None:
    record_audit(
        action=f"netting.{step}",
        subject=cycle,
        actor=actor.user,
        organisation=actor.organisation,
        after={"cycle": cycle.code, "state": str(cycle.state), **facts},
    )
