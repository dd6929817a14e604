"""Recognition agreements: proposed by one person, decided by another, changed by new versions.

A version counts from its approval on; what was recognised under an older one stays as it is.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition
from marketplace.services.outbox import emit_event
from settlement.models import (
    AGREEMENT_VERSION_TRANSITIONS,
    AgreementStatus,
    AgreementVersion,
    AgreementVersionState,
    RecognitionAgreement,
    Registry,
)
from settlement.services.funds_requests import SamePerson, require_bookkeeper
from settlement.services.locks import lock_agreement
from settlement.services.recognition.terms import TermsDraft, check_terms, terms_of


class AgreementCodeTaken(RuleBroken):
    """Another agreement has the code."""

    code = "agreement_code_taken"
    message = gettext_noop("This code is taken.")
    status = 409


class ProposalPending(RuleBroken):
    """A proposal for the agreement waits for a second person already."""

    code = "proposal_pending"
    message = gettext_noop("A change of this agreement waits for a second person already.")
    status = 409


class SameRegistry(RuleBroken):
    """An agreement leads from one registry to another scheme."""

    code = "same_registry"
    message = gettext_noop("Choose a scheme other than the registry itself.")


class NeverApproved(RuleBroken):
    """The agreement has no approved version whose status could change."""

    code = "never_approved"
    message = gettext_noop("The agreement has no approved version yet.")
    status = 409


@dataclass(frozen=True)
class AgreementDraft:
    """A new agreement: its code, names and direction."""

    code: str
    name_zh: str
    name_en: str
    from_registry: str
    to_scheme: str


@transaction.atomic
def propose_agreement(
    *, actor: Actor, draft: AgreementDraft, terms: TermsDraft, reason: str
) -> AgreementVersion:
    """Propose a new agreement with its first version; another person decides it.

    Raises:
        NotPermitted: the actor is neither operator nor finance of the platform.
        SameRegistry, AgreementCodeTaken, NotFound: the direction or the code cannot be.
        RuleBroken: the terms break a rule (see `check_terms`).
    """
    require_bookkeeper(actor, operator_too=True)
    source = _registry(draft.from_registry, "from_registry")
    scheme = _registry(draft.to_scheme, "to_scheme")
    if source == scheme:
        raise SameRegistry(field="to_scheme")
    code = check_text(draft.code, field="code", max_length=24, required=True)
    try:
        with transaction.atomic():
            agreement = RecognitionAgreement.objects.create(
                code=code,
                name_zh=check_text(draft.name_zh, field="name_zh", max_length=120, required=True),
                name_en=check_text(draft.name_en, field="name_en", max_length=160, required=True),
                from_registry=source,
                to_scheme=scheme,
                created_by=actor.user,
            )
    except IntegrityError:
        raise AgreementCodeTaken(field="code") from None
    return _propose(agreement, terms, AgreementStatus.ACTIVE, actor, reason)


@transaction.atomic
def propose_version(
    *,
    actor: Actor,
    agreement_public_id: UUID | str,
    terms: TermsDraft,
    reason: str,
    status: AgreementStatus = AgreementStatus.ACTIVE,
) -> AgreementVersion:
    """Propose changed terms; the present version counts until another person approves them.

    Raises:
        NotPermitted, NotFound, ProposalPending: nothing was proposed.
        RuleBroken: the terms break a rule (see `check_terms`).
    """
    require_bookkeeper(actor, operator_too=True)
    agreement = _locked_agreement(agreement_public_id)
    return _propose(agreement, terms, status, actor, reason)


@transaction.atomic
def propose_status(
    *, actor: Actor, agreement_public_id: UUID | str, status: AgreementStatus, reason: str
) -> AgreementVersion:
    """Propose to suspend an agreement, or to take it up again, with unchanged terms.

    Raises:
        NotPermitted, NotFound, ProposalPending, NeverApproved: nothing was proposed.
    """
    require_bookkeeper(actor, operator_too=True)
    agreement = _locked_agreement(agreement_public_id)
    newest = newest_version(agreement)
    if newest is None:
        raise NeverApproved
    return _propose(agreement, terms_of(newest), status, actor, reason)


@transaction.atomic
def decide_version(
    *, actor: Actor, version_public_id: UUID | str, approve: bool, reason: str = ""
) -> AgreementVersion:
    """Approve or refuse a proposal of somebody else; an approved version counts at once.

    Raises:
        NotPermitted, NotFound, SamePerson: the actor may not decide it.
        StateForbids: it was decided before.
        Missing: a refusal without a reason.
    """
    require_bookkeeper(actor, operator_too=True)
    versions = AgreementVersion.objects.select_related("agreement__to_scheme")
    version = versions.filter(public_id=version_public_id).first()
    if version is None:
        raise NotFound
    lock_agreement(version.agreement_id)
    version.refresh_from_db(fields=["state"])
    target = AgreementVersionState.APPROVED if approve else AgreementVersionState.REFUSED
    version.state = check_transition(AGREEMENT_VERSION_TRANSITIONS, version.state, target)
    if version.proposed_by_id == actor.user.pk:
        raise SamePerson
    version.decided_by, version.decided_at = actor.user, timezone.now()
    version.decision_reason = check_text(
        reason, field="reason", max_length=300, required=not approve
    )
    version.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
    _write(version, actor, version.state)
    if approve:
        emit_event(
            topic="recognition.agreement_changed",
            aggregate=f"agreement:{version.agreement_id}",
            payload={"agreement_id": version.agreement_id, "version_id": version.pk},
        )
    return version


def newest_version(agreement: RecognitionAgreement) -> AgreementVersion | None:
    """Return the approved version that counts now, or nothing."""
    approved = agreement.versions.filter(state=AgreementVersionState.APPROVED)
    return approved.order_by("-number").first()


def _propose(
    agreement: RecognitionAgreement,
    terms: TermsDraft,
    status: AgreementStatus,
    actor: Actor,
    reason: str,
) -> AgreementVersion:
    check_terms(terms, from_registry=agreement.from_registry, to_scheme=agreement.to_scheme)
    why = check_text(reason, field="reason", max_length=300, required=True)
    if agreement.versions.filter(state=AgreementVersionState.PROPOSED).exists():
        raise ProposalPending
    version = AgreementVersion.objects.create(
        agreement=agreement,
        number=agreement.versions.count() + 1,
        status=status,
        reason=why,
        proposed_by=actor.user,
        **terms.fields(),
    )
    _write(version, actor, "proposed")
    return version


def _write(version: AgreementVersion, actor: Actor, step: str) -> None:
    record_audit(
        action=f"recognition_agreement.{step}",
        subject=version,
        actor=actor.user,
        organisation=actor.organisation,
        after={
            "agreement": version.agreement.code,
            "version": version.number,
            "status": str(version.status),
        },
        reason=version.decision_reason or version.reason,
    )


def _registry(code: str, field: str) -> Registry:
    registry = Registry.objects.filter(code=code).first()
    if registry is None:
        raise NotFound(field=field)
    return registry


def _locked_agreement(public_id: UUID | str) -> RecognitionAgreement:
    """Return the agreement, locked so that its versions are numbered one after another."""
    rows = RecognitionAgreement.objects.select_related("from_registry", "to_scheme")
    agreement = rows.filter(public_id=public_id).first()
    if agreement is None:
        raise NotFound
    lock_agreement(agreement.pk)
    return agreement
