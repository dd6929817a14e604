"""Documents of members: handed in, read, checked by the operator."""

from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.domain.document_files import check_file
from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.models import (
    DOCUMENT_TRANSITIONS,
    DocumentKind,
    DocumentState,
    Organisation,
    OrganisationDocument,
    ResourcePool,
    Role,
)
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import (
    Missing,
    check_text,
    check_transition,
    require_operator,
)
from marketplace.services.pools import PoolNotFound

MOST_DOCUMENTS = 40


class DocumentTwice(RuleBroken):
    """The very same file was handed in for the same purpose before."""

    code = "document_twice"
    message = gettext_noop("This very file is there already.")
    status = 409


class TooManyDocuments(RuleBroken):
    """A member keeps a moderate number of documents."""

    code = "too_many_documents"
    message = gettext_noop("At most %(most)s documents can be kept.")


@transaction.atomic
def hand_in_document(
    *, actor: Actor, kind: str, name: str, data: bytes, pool_identifier: str = ""
) -> OrganisationDocument:
    """Store a document of the actor's organisation; the operator checks it.

    Args:
        actor: a person of a member or of an applicant.
        kind: one of `DocumentKind`.
        name: the file's name; only its ending matters.
        data: the file.
        pool_identifier: the pool that it proves something about, if any.

    Raises:
        NotPermitted: the actor acts for no organisation, or only reads.
        PoolNotFound, DocumentTwice, TooManyDocuments, and the refusals of `check_file`.
    """
    owner = _owner(actor)
    if kind not in DocumentKind.values:
        raise Missing(field="kind")
    checked = check_file(name=name, data=data)
    pool = _pool(owner, pool_identifier)
    # The row's lock keeps two uploads at once from passing the limit together.
    Organisation.objects.select_for_update().get(pk=owner.pk)
    kept = OrganisationDocument.objects.filter(organisation=owner)
    if kept.count() >= MOST_DOCUMENTS:
        raise TooManyDocuments(field="file", most=MOST_DOCUMENTS)
    digest = sha256(data).hexdigest()
    if kept.filter(kind=kind, sha256=digest).exists():
        raise DocumentTwice(field="file")
    document = OrganisationDocument.objects.create(
        organisation=owner,
        pool=pool,
        kind=kind,
        name=checked.name,
        media_type=checked.media_type,
        size_bytes=len(data),
        sha256=digest,
        content=data,
        uploaded_by=actor.user,
    )
    record_audit(
        action="document.handed_in",
        subject=document,
        actor=actor.user,
        organisation=owner,
        after={"kind": kind, "name": checked.name, "sha256": digest},
    )
    return document


@transaction.atomic
def decide_document(
    *, actor: Actor, public_id: UUID, accept: bool, reason: str = ""
) -> OrganisationDocument:
    """Accept or refuse a document.

    Raises:
        NotPermitted: the actor does not run the market.
        NotFound, StateForbids; Missing: a refusal without a reason.
    """
    platform = require_operator(actor)
    document = (
        OrganisationDocument.objects.select_for_update()
        .defer("content")
        .filter(public_id=public_id)
        .first()
    )
    if document is None:
        raise NotFound
    text = check_text(reason, field="reason", max_length=300, required=not accept)
    before = document.state
    target = DocumentState.ACCEPTED if accept else DocumentState.REFUSED
    document.state = check_transition(DOCUMENT_TRANSITIONS, before, target)
    document.state_reason = text
    document.checked_by, document.checked_at = actor.user, timezone.now()
    document.save(update_fields=["state", "state_reason", "checked_by", "checked_at"])
    record_audit(
        action=f"document.{target.value}",
        subject=document,
        actor=actor.user,
        organisation=platform,
        before={"state": before},
        after={"state": target.value},
        reason=text,
    )
    return document


def _owner(actor: Actor) -> Organisation:
    writes = actor.has(Role.SUPPLIER, Role.BUYER, Role.FINANCE)
    if actor.organisation is None or actor.organisation.is_platform or not writes:
        raise NotPermitted
    return actor.organisation


def _pool(owner: Organisation, identifier: str) -> ResourcePool | None:
    if not identifier:
        return None
    pool = ResourcePool.objects.filter(organisation=owner, identifier=identifier).first()
    if pool is None:
        raise PoolNotFound(field="pool")
    return pool
