"""Contracts behind allocations (合同): drawn up, sent for signature, signed, or void."""

import hashlib
from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import CounterpartyMode
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.selectors.rules import rules_at
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from orders.models import Allocation
from settlement.domain.banking.signing import EnvelopeState, SignatureService, Signer
from settlement.domain.numbering import DocumentSeries
from settlement.models import CONTRACT_TRANSITIONS, Contract, ContractSide, ContractState
from settlement.selectors.banking.contracts import contracts_for, parties_of
from settlement.services.banking.history import move_document, note_transition
from settlement.services.banking.signing import FileSignatures
from settlement.services.funds_requests import require_bookkeeper
from settlement.services.locks import lock_contracts
from settlement.services.numbering import take_numbers

Draw = Callable[[Contract], bytes]


class ContractNotSigned(RuleBroken):
    """The provider does not say that everybody has signed this very document."""

    code = "contract_not_signed"
    message = gettext_noop("Not everybody has signed this document yet.")
    status = 409


@transaction.atomic
def draw_up_contracts(*, actor: Actor, allocation: Allocation) -> list[Contract]:
    """Draw up what an allocation needs: two contracts with the market between, else a direct one.

    A repeated call returns those that stand.

    Raises:
        NotPermitted: the actor does not keep the market's books.
    """
    require_bookkeeper(actor)
    lock_contracts(allocation.pk)
    central = rules_at(allocation.auction.gate_closes_at).counterparty == CounterpartyMode.CENTRAL
    sides = [ContractSide.SALE, ContractSide.PURCHASE] if central else [ContractSide.DIRECT]
    standing = {
        one.side: one
        for one in Contract.objects.filter(allocation=allocation).exclude(state=ContractState.VOID)
    }
    today = market_date(market_now())
    for side in sides:
        if side in standing:
            continue
        standing[side] = Contract.objects.create(
            number=take_numbers(series=DocumentSeries.CONTRACT, day=today)[0],
            allocation=allocation,
            side=side,
            drawn_up_on=today,
        )
        note_transition(standing[side], "", actor=actor.user)
    return [standing[side] for side in sides]


@transaction.atomic
def send_contract(
    *, actor: Actor, public_id: UUID | str, draw: Draw, service: SignatureService | None = None
) -> Contract:
    """Hand a contract over for signature; what is to be signed has this hash from now on.

    Args:
        actor: of the market's finance.
        public_id: the contract.
        draw: makes the PDF.
        service: who has it signed; files by default.

    Raises:
        NotPermitted, NotFound, StateForbids: the actor may not, or it was sent before.
        PdfUnavailable: the document cannot be drawn here.
    """
    contract = _locked(actor, public_id)
    provider = service or FileSignatures()
    document = draw(contract)
    sha256 = hashlib.sha256(document).hexdigest()
    envelope = provider.send(
        number=contract.number,
        document=document,
        sha256=sha256,
        signers=[
            Signer(role, party.name_zh, party.credit_code) for role, party in parties_of(contract)
        ],
    )
    changes = {
        "content_sha256": sha256,
        "provider": provider.name,
        "envelope": envelope,
        "sent_at": timezone.now(),
    }
    return move_contract(contract, ContractState.SENT, actor, "", changes)


@transaction.atomic
def collect_signature(
    *, actor: Actor, public_id: UUID | str, service: SignatureService | None = None
) -> Contract:
    """Ask whether everybody has signed, and mark the contract as signed.

    Raises:
        NotPermitted, NotFound, StateForbids: the actor may not, or it was not sent.
        ContractNotSigned: not everybody has signed this very document.
    """
    contract = _locked(actor, public_id)
    provider = service or FileSignatures()
    state = provider.state(envelope=contract.envelope, sha256=contract.content_sha256)
    if contract.state == ContractState.SENT and state != EnvelopeState.SIGNED:
        raise ContractNotSigned
    return move_contract(contract, ContractState.SIGNED, actor, "", {"signed_at": timezone.now()})


@transaction.atomic
def void_contract(*, actor: Actor, public_id: UUID | str, reason: str) -> Contract:
    """Void a contract that is not signed; raises NotPermitted, NotFound, Missing, StateForbids."""
    why = check_text(reason, field="reason", max_length=200, required=True)
    return move_contract(_locked(actor, public_id), ContractState.VOID, actor, why, {})


def _locked(actor: Actor, public_id: UUID | str) -> Contract:
    require_bookkeeper(actor)
    return lock_contract(actor, public_id)


def lock_contract(actor: Actor, public_id: UUID | str) -> Contract:
    """Lock a contract that the actor may see; raises NotFound."""
    rows = contracts_for(actor).select_for_update(no_key=True, of=("self",))
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise NotFound
    return found


def move_contract(
    contract: Contract,
    target: ContractState,
    actor: Actor,
    note: str,
    changes: dict[str, object],
) -> Contract:
    """Put a locked contract into a state, and write that down; raises StateForbids."""
    move_document(
        contract, CONTRACT_TRANSITIONS, target, actor=actor.user, note=note, changes=changes
    )
    record_audit(
        action=f"contract.{target.value}",
        subject=contract,
        actor=actor.user,
        after={"number": contract.number, "sha256": contract.content_sha256},
        reason=note,
    )
    return contract
