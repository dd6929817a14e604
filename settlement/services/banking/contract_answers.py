"""The parties' word on a contract, given in the portal and passed on to who has it signed."""

import hashlib
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.domain.errors import NotPermitted, RuleBroken, StateForbids, gettext_noop
from marketplace.models import Role
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from settlement.domain.banking.signing import EnvelopeState, SignatureService, SignerAnswer
from settlement.models import Contract, ContractState
from settlement.selectors.banking.contracts import parties_of
from settlement.services.banking.contracts import lock_contract, move_contract
from settlement.services.banking.signing import FileSignatures

TRADING_ROLE = {"buyer": Role.BUYER, "supplier": Role.SUPPLIER}


class SignedElsewhere(RuleBroken):
    """The provider takes signatures only on its own site."""

    code = "signed_elsewhere"
    message = gettext_noop("This contract is signed at the signature service, not here.")
    status = 409


class AlreadySigned(RuleBroken):
    """A party signs once."""

    code = "already_signed"
    message = gettext_noop("Your organisation has signed this contract already.")
    status = 409


class DocumentMissing(RuleBroken):
    """The provider has not, or no longer, the document that was sent."""

    code = "document_missing"
    message = gettext_noop("The signature service does not have the document that was sent.")
    status = 404


def sent_document(contract: Contract, service: SignatureService | None = None) -> bytes:
    """Return the very document that was sent for signature; raises DocumentMissing."""
    document = (service or FileSignatures()).document(envelope=contract.envelope)
    if document is None or hashlib.sha256(document).hexdigest() != contract.content_sha256:
        raise DocumentMissing
    return document


def role_of_signer(actor: Actor, contract: Contract) -> str:
    """Return the part for which the actor may sign a contract, empty for none.

    A member's finance signs, and who trades on its side; for the market its finance.
    """
    for role, party in parties_of(contract):
        trading = TRADING_ROLE.get(role)
        signs = actor.has(Role.FINANCE) or (trading is not None and actor.has(trading))
        if party == actor.organisation and signs:
            return role
    return ""


def answers_on(
    contract: Contract, service: SignatureService | None = None
) -> dict[str, SignerAnswer]:
    """Return what the parties of a contract said so far, by role."""
    if not contract.envelope:
        return {}
    provider = service or FileSignatures()
    return dict(provider.answers(envelope=contract.envelope, sha256=contract.content_sha256))


def may_answer(actor: Actor, contract: Contract, service: SignatureService | None = None) -> bool:
    """Tell whether the actor can sign or decline a contract here and now."""
    provider = service or FileSignatures()
    role = role_of_signer(actor, contract)
    if contract.state != ContractState.SENT or not provider.takes_answers or not role:
        return False
    return role not in answers_on(contract, provider)


@transaction.atomic
def sign_contract(
    *, actor: Actor, public_id: UUID | str, service: SignatureService | None = None
) -> Contract:
    """Sign for a party; the contract is signed once every party has.

    Args:
        actor: of a party, in its finance or trading on its side.
        public_id: the contract.
        service: who has it signed; files by default.

    Raises:
        NotFound, NotPermitted: the actor's organisation is no party, or the role does not sign.
        StateForbids: it is not out for signature.
        SignedElsewhere, AlreadySigned: not here, or not again.
    """
    provider = service or FileSignatures()
    contract, role = _open_contract(actor, public_id, provider)
    _pass_on(contract, role, EnvelopeState.SIGNED, actor, provider)
    _audit(contract, "contract.party_signed", role, actor)
    state = provider.state(envelope=contract.envelope, sha256=contract.content_sha256)
    if state == EnvelopeState.SIGNED:
        changes: dict[str, object] = {"signed_at": timezone.now()}
        return move_contract(contract, ContractState.SIGNED, actor, "", changes)
    return contract


@transaction.atomic
def decline_contract(
    *, actor: Actor, public_id: UUID | str, reason: str, service: SignatureService | None = None
) -> Contract:
    """Decline for a party and say why; the contract is void, and another may be drawn up.

    Raises:
        Missing: no reason.
        NotFound, NotPermitted, StateForbids, SignedElsewhere, AlreadySigned: as for signing.
    """
    why = check_text(reason, field="reason", max_length=200, required=True)
    provider = service or FileSignatures()
    contract, role = _open_contract(actor, public_id, provider)
    _pass_on(contract, role, EnvelopeState.REFUSED, actor, provider)
    _audit(contract, "contract.party_declined", role, actor, reason=why)
    return move_contract(contract, ContractState.VOID, actor, why, {})


def _open_contract(
    actor: Actor, public_id: UUID | str, provider: SignatureService
) -> tuple[Contract, str]:
    contract = lock_contract(actor, public_id)
    role = role_of_signer(actor, contract)
    if not role:
        raise NotPermitted
    if contract.state != ContractState.SENT:
        raise StateForbids(state=contract.state)
    if not provider.takes_answers:
        raise SignedElsewhere
    if role in answers_on(contract, provider):
        raise AlreadySigned
    return contract, role


def _pass_on(
    contract: Contract,
    role: str,
    state: EnvelopeState,
    actor: Actor,
    provider: SignatureService,
) -> None:
    answer = SignerAnswer(state, str(actor.user), timezone.now())
    provider.answer(
        envelope=contract.envelope, sha256=contract.content_sha256, role=role, answer=answer
    )


def _audit(contract: Contract, action: str, role: str, actor: Actor, reason: str = "") -> None:
    record_audit(
        action=action,
        subject=contract,
        actor=actor.user,
        organisation=actor.organisation,
        after={"number": contract.number, "role": role, "sha256": contract.content_sha256},
        reason=reason,
    )
