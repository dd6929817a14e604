"""What the sides say and hand in: messages and evidence, added and never changed."""

from hashlib import sha256
from uuid import UUID

from django.db import transaction

from marketplace.domain.document_files import check_file
from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, StateForbids, gettext_noop
from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import Missing, TextHasControlCharacters, TextTooLong
from settlement.models import Dispute, DisputeEvidence, DisputeMessage, DisputeVisibility
from settlement.selectors.cases.holds import OPEN_STATES

MOST_FILES = 20
MOST_MESSAGES = 200
LONG_TEXT = 2000


class EvidenceTwice(RuleBroken):
    """The very same file is in the dispute already."""

    code = "evidence_twice"
    message = gettext_noop("This very file is there already.")
    status = 409


class TooMuchEvidence(RuleBroken):
    """A side hands in a moderate number of files and messages."""

    code = "too_much_evidence"
    message = gettext_noop("Each side can hand in at most %(most)s.")
    status = 409


@transaction.atomic
def add_message(
    *, actor: Actor, public_id: UUID | str, text: str, visibility: str = "parties"
) -> DisputeMessage:
    """Say something in an open dispute, as one of the sides or as the market.

    Raises:
        NotFound, NotPermitted, StateForbids: the actor may not speak here, or no longer.
        Missing, TextTooLong, TooMuchEvidence: with the field.
    """
    dispute = _open_dispute(actor, public_id)
    return say(actor=actor, dispute=dispute, text=text, visibility=visibility)


def say(
    *,
    actor: Actor,
    dispute: Dispute,
    text: str,
    visibility: str = "parties",
    is_answer: bool = False,
) -> DisputeMessage:
    """Add a message to a dispute whose row the caller has locked."""
    if actor.organisation is None:
        raise NotPermitted
    own = DisputeMessage.objects.filter(dispute=dispute, organisation=actor.organisation)
    if own.count() >= MOST_MESSAGES:
        raise TooMuchEvidence(field="text", most=MOST_MESSAGES)
    return DisputeMessage.objects.create(
        dispute=dispute,
        organisation=actor.organisation,
        author=actor.user,
        visibility=_checked_visibility(visibility),
        is_answer=is_answer,
        text=check_long_text(text, field="text", required=True),
        market_at=market_now(),
    )


@transaction.atomic
def add_evidence(
    *,
    actor: Actor,
    public_id: UUID | str,
    name: str,
    data: bytes,
    visibility: str = "parties",
) -> DisputeEvidence:
    """Hand in a file as evidence: PDF, PNG or JPEG by its bytes, at most 5 MB.

    Raises:
        NotFound, NotPermitted, StateForbids: the actor may not add here, or no longer.
        EvidenceTwice, TooMuchEvidence, and the refusals of `check_file`: with the field.
    """
    dispute = _open_dispute(actor, public_id)
    checked = check_file(name=name, data=data)
    digest = sha256(data).hexdigest()
    own = DisputeEvidence.objects.filter(dispute=dispute, organisation=actor.organisation)
    if own.count() >= MOST_FILES:
        raise TooMuchEvidence(field="file", most=MOST_FILES)
    if own.filter(sha256=digest).exists():
        raise EvidenceTwice(field="file")
    evidence = DisputeEvidence.objects.create(
        dispute=dispute,
        organisation=_speaker(actor),
        uploaded_by=actor.user,
        visibility=_checked_visibility(visibility),
        name=checked.name,
        media_type=checked.media_type,
        size_bytes=len(data),
        sha256=digest,
        content=data,
        market_at=market_now(),
    )
    record_audit(
        action="dispute.evidence",
        subject=evidence,
        actor=actor.user,
        organisation=actor.organisation,
        after={"dispute": dispute.number, "name": checked.name, "sha256": digest},
    )
    return evidence


def check_long_text(value: str, *, field: str, required: bool = False) -> str:
    """Return a text of several lines, its line ends made plain; raises the named refusals."""
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if required and not text:
        raise Missing(field=field)
    if len(text) > LONG_TEXT:
        raise TextTooLong(field=field, max_length=LONG_TEXT)
    if any((ord(c) < 32 and c not in "\n\t") or ord(c) == 127 for c in text):
        raise TextHasControlCharacters(field=field)
    return text


def _open_dispute(actor: Actor, public_id: UUID | str) -> Dispute:
    dispute = Dispute.objects.select_for_update(no_key=True).filter(public_id=public_id).first()
    speaker = _speaker(actor)
    if dispute is None or not (
        actor.is_operator or speaker.pk in (dispute.organisation_id, dispute.respondent_id)
    ):
        raise NotFound
    if dispute.state not in OPEN_STATES:
        raise StateForbids(state=dispute.state)
    return dispute


def _speaker(actor: Actor) -> Organisation:
    speaks = actor.is_operator or actor.has(Role.BUYER, Role.SUPPLIER, Role.FINANCE)
    if actor.organisation is None or not speaks:
        raise NotPermitted
    return actor.organisation


def _checked_visibility(value: str) -> str:
    return value if value in DisputeVisibility.values else DisputeVisibility.PRIVATE.value
