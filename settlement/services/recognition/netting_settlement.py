"""Carrying a computation out: whole units through the registry, fractions in cash, one entry."""

from decimal import Decimal

from django.utils import timezone

from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from settlement.domain.registry.blocks import UnitBlock, choose_lowest, count_units
from settlement.models import (
    AccountBalance,
    CashAdjustment,
    DeliveryInstruction,
    InstructionState,
    JournalEntry,
    NettingComputation,
    NettingCycle,
)
from settlement.selectors.registry.blocks import available_blocks
from settlement.services.accounts import account_for, open_member_accounts
from settlement.services.ledger import PostingLine, post_entry
from settlement.services.locks import lock_balances
from settlement.services.registry.holdings import transfer_units

# Reasons are kept with the cycle, not shown as they are: pages have words for them.
UNITS_MISSING = "units_missing"
CASH_MISSING = "cash_missing"


def unable_parties(computation: NettingComputation) -> dict[Organisation, str]:
    """Return the parties that cannot deliver or pay now, with the reason; nothing is changed."""
    unable: dict[Organisation, str] = {}
    for position in computation.positions.select_related("organisation"):
        free = count_units(_free_units(computation.cycle, position.organisation))
        if free < position.delivers_units:
            unable[position.organisation] = UNITS_MISSING
    for cash in computation.cash.filter(amount_cny__lt=0).select_related("organisation"):
        if _free_cash(cash.organisation) < -cash.amount_cny:
            unable.setdefault(cash.organisation, CASH_MISSING)
    return unable


def carry_out(computation: NettingComputation, *, actor: Actor) -> None:
    """Move every unit and post the cash of a computation; each step is keyed and happens once.

    Call it in one transaction with the cycle locked: units and cash settle together or not at all.
    """
    pending = computation.instructions.filter(state=InstructionState.PENDING)
    rows = pending.select_related("from_organisation", "to_organisation")
    for instruction in rows.order_by("from_organisation__code", "to_organisation__code"):
        _deliver(computation.cycle, instruction, actor)
    _pay(computation, actor)


def _deliver(cycle: NettingCycle, instruction: DeliveryInstruction, actor: Actor) -> None:
    chosen = choose_lowest(_free_units(cycle, instruction.from_organisation), instruction.units)
    transfer_units(
        actor=actor,
        on_behalf_of=instruction.from_organisation,
        ranges=chosen,
        to_organisation=instruction.to_organisation,
        reason=cycle.code,
        source_type="netting_instruction",
        source_id=str(instruction.public_id),
        idempotency_key=f"netting:{instruction.public_id}",
    )
    instruction.state = InstructionState.DONE
    instruction.serials = [[block.batch_id, block.first, block.last] for block in chosen]
    instruction.done_at = timezone.now()
    instruction.save(update_fields=["state", "serials", "done_at"])


def _pay(computation: NettingComputation, actor: Actor) -> None:
    rows = list(computation.cash.select_related("organisation").order_by("organisation__code"))
    if not rows:
        return
    entry = _post(computation, rows, actor)
    for row in rows:
        row.state, row.entry, row.done_at = InstructionState.DONE, entry, timezone.now()
        row.save(update_fields=["state", "entry", "done_at"])


def _post(
    computation: NettingComputation, rows: list[CashAdjustment], actor: Actor
) -> JournalEntry:
    """Post what each party receives; the platform's rounding account takes what fen leave."""
    cycle = computation.cycle
    for row in rows:
        open_member_accounts(row.organisation)
    accounts = {row.pk: account_for("member_funds", organisation=row.organisation) for row in rows}
    lock_balances(account.pk for account in accounts.values())
    lines = [PostingLine(accounts[row.pk].pk, -row.amount_cny, cycle.code) for row in rows]
    lines.append(PostingLine(account_for("rounding").pk, -computation.rounding_cny, cycle.code))
    return post_entry(
        kind="netting_cash",
        effective_on=market_date(market_now()),
        source_type="netting_cycle",
        source_id=str(cycle.public_id),
        idempotency_key=f"netting:{computation.public_id}",
        postings=lines,
        reason=cycle.code,
        actor=actor.user,
    )


def _free_units(cycle: NettingCycle, organisation: Organisation) -> list[UnitBlock]:
    return [
        found.block
        for found in available_blocks(
            organisation,
            instrument_type=cycle.instrument_type,
            registry=cycle.registry,
            vintages=[cycle.vintage_year],
        )
    ]


def _free_cash(organisation: Organisation) -> Decimal:
    balance = AccountBalance.objects.filter(
        account__purpose="member_funds", account__organisation=organisation
    ).first()
    if balance is None:
        return Decimal(0)
    return balance.credit - balance.debit + balance.credit_limit - balance.pending
