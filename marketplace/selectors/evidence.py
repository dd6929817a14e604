"""Evidence that runs out: telecom licence, 等保 and 信创 certificates; and members' documents."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import QuerySet

from marketplace.domain.errors import NotFound
from marketplace.models import AuditEvent, Organisation, OrganisationDocument, ResourcePool

# So many days before evidence runs out its owner is told.
WARN_DAYS = 60


@dataclass(frozen=True, slots=True)
class Evidence:
    """One mark with the day on which its evidence runs out.

    Attributes:
        kind: ``telecom_licence``, ``dengbao`` or ``xinchuang``.
        pool: whose mark it is; None for the licence of the organisation.
        expires_on: None when no day was stated.
        days_left: whole days from the market's date; below zero when it has run out.
    """

    kind: str
    pool: ResourcePool | None
    expires_on: date | None
    days_left: int | None

    @property
    def state(self) -> str:
        """``undated``, ``expired``, ``soon`` or ``valid``."""
        if self.days_left is None:
            return "undated"
        if self.days_left < 0:
            return "expired"
        return "soon" if self.days_left <= WARN_DAYS else "valid"

    @property
    def needs_care(self) -> bool:
        """Whether its owner should act."""
        return self.state in {"expired", "soon"}


def evidence_of_pool(pool: ResourcePool, *, on: date) -> list[Evidence]:
    """Return the marks that a pool claims, with their days."""
    marks = []
    if pool.dengbao_level:
        marks.append(_evidence("dengbao", pool, pool.dengbao_expires_on, on))
    if pool.is_xinchuang:
        marks.append(_evidence("xinchuang", pool, pool.xinchuang_expires_on, on))
    return marks


def evidence_in_need(
    organisation: Organisation, pools: Iterable[ResourcePool], *, on: date
) -> list[Evidence]:
    """Return what has run out or soon will, the most urgent first."""
    found = [one for pool in pools for one in evidence_of_pool(pool, on=on)]
    if organisation.is_supplier:
        licence = organisation.telecom_licence_expires_on
        found.append(_evidence("telecom_licence", None, licence, on))
    urgent = [one for one in found if one.needs_care]
    return sorted(urgent, key=lambda one: one.days_left or 0)


def documents_of(organisation: Organisation) -> QuerySet[OrganisationDocument]:
    """Return a member's documents without their contents, the latest first."""
    rows = OrganisationDocument.objects.filter(organisation=organisation)
    return rows.defer("content").select_related("pool", "uploaded_by").order_by("-id")


def document_for(organisation: Organisation | None, public_id: UUID | str) -> OrganisationDocument:
    """Return a member's document with its content, or any to the operator (organisation None).

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    rows = OrganisationDocument.objects.select_related("organisation", "pool")
    if organisation is not None:
        rows = rows.filter(organisation=organisation)
    document = rows.filter(public_id=public_id).first()
    if document is None:
        raise NotFound
    return document


def history_of_pool(pool: ResourcePool, *, limit: int = 50) -> list[AuditEvent]:
    """Return what happened to a pool, the latest first."""
    rows = AuditEvent.objects.filter(object_type=ResourcePool._meta.label, object_id=str(pool.pk))
    return list(rows.select_related("actor").order_by("-id")[:limit])


def _evidence(kind: str, pool: ResourcePool | None, expires_on: date | None, on: date) -> Evidence:
    return Evidence(kind, pool, expires_on, (expires_on - on).days if expires_on else None)
