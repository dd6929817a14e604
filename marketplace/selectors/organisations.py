"""Members, and what is theirs. Every query starts from the organisation that asks."""

from uuid import UUID

from django.db.models import Min, QuerySet

from marketplace.domain.errors import NotFound
from marketplace.models import (
    AuditEvent,
    Listing,
    Membership,
    Organisation,
    OrganisationState,
    ResourcePool,
    User,
)


def platform() -> Organisation:
    """Return the organisation that runs the market; raises NotFound before it is seeded."""
    organisation = Organisation.objects.filter(is_platform=True).first()
    if organisation is None:
        raise NotFound
    return organisation


def pending_organisations() -> QuerySet[Organisation]:
    """Return who waits for admission, longest first."""
    return Organisation.objects.filter(state=OrganisationState.PENDING).order_by("id")


def members() -> QuerySet[Organisation]:
    """Return every organisation but the platform, by code."""
    return Organisation.objects.filter(is_platform=False).order_by("code")


def organisation_by_public_id(public_id: UUID | str) -> Organisation:
    """Return an organisation; raises NotFound."""
    organisation = Organisation.objects.filter(public_id=public_id).first()
    if organisation is None:
        raise NotFound
    return organisation


def organisations_of(user: User) -> list[Organisation]:
    """Return the organisations a user belongs to, in the order of joining."""
    rows = Membership.objects.filter(user=user).select_related("organisation").order_by("id")
    return list({row.organisation_id: row.organisation for row in rows}.values())


def memberships_in(organisation: Organisation) -> QuerySet[Membership]:
    """Return who holds which role in an organisation."""
    return organisation.memberships.select_related("user").order_by("user__email", "role")


def pools_of(organisation: Organisation) -> QuerySet[ResourcePool]:
    """Return a supplier's pools, by identifier."""
    return organisation.pools.select_related("hub", "product", "hardware").order_by("identifier")


def pool_of(organisation: Organisation, identifier: str) -> ResourcePool:
    """Return a supplier's pool; raises NotFound, also for a pool of somebody else."""
    pool = pools_of(organisation).filter(identifier=identifier).first()
    if pool is None:
        raise NotFound(field="pool")
    return pool


def listings_of(organisation: Organisation) -> QuerySet[Listing]:
    """Return a supplier's listings, newest first, each with `best_price` (CNY/unit·h, 不含税)."""
    return (
        organisation.listings.select_related("pool__hub", "pool__product", "pool__hardware")
        .prefetch_related("price_steps", "availability")
        .annotate(best_price=Min("price_steps__price"))
        .order_by("-id")
    )


def listing_of(organisation: Organisation, public_id: UUID | str) -> Listing:
    """Return a supplier's listing; raises NotFound, also for a listing of somebody else."""
    listing = listings_of(organisation).filter(public_id=public_id).first()
    if listing is None:
        raise NotFound(field="listing")
    return listing


def audit_of(organisation: Organisation, *, limit: int = 100) -> list[AuditEvent]:
    """Return the latest audit rows of an organisation."""
    rows = AuditEvent.objects.filter(organisation=organisation).select_related("actor")
    return list(rows.order_by("-id")[:limit])
