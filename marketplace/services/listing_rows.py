"""Writing listings in bulk, and the rule that a pool's units are offered once."""

from collections.abc import Sequence
from decimal import Decimal

import structlog

from marketplace.domain.availability import CapacityWindow, peak_quantity
from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.models import (
    AuditEvent,
    Listing,
    ListingAvailability,
    ListingPriceStep,
    ListingState,
    Organisation,
    ResourcePool,
)
from marketplace.permissions import Actor
from marketplace.services.listing_drafts import ListingDraft
from marketplace.services.outbox import announce_offers

_BATCH = 1000


class PoolOversold(RuleBroken):
    """The active listings of a pool offer more than its units at some time."""

    code = "pool_oversold"
    message = gettext_noop(
        "At some time the active listings of this pool offer %(offered)s of its %(units)s units."
    )
    status = 409


class PoolOffline(RuleBroken):
    """Nothing of a pool can be offered while it is offline."""

    code = "pool_offline"
    message = gettext_noop("The pool is offline; bring it online first.")
    status = 409


def insert_listings(
    *, owner: Organisation, actor: Actor, drafts: Sequence[ListingDraft]
) -> list[Listing]:
    """Store checked drafts with curves, calendars and audit rows, few statements for many.

    Auctions that are open already learn of what is offered standing.

    The caller holds the locks of the pools.
    """
    listings = [
        Listing(
            organisation=owner,
            pool=draft.pool,
            name=draft.name.strip(),
            name_en=draft.name_en.strip(),
            quantity=draft.quantity,
            min_run_hours=draft.min_run_hours,
            is_standing=draft.is_standing,
            state=ListingState.ACTIVE if draft.activate else ListingState.DRAFT,
            note=draft.note.strip(),
            source=draft.source,
            created_by=actor.user,
        )
        for draft in drafts
    ]
    Listing.objects.bulk_create(listings, batch_size=_BATCH)
    pairs = list(zip(listings, drafts, strict=True))
    ListingPriceStep.objects.bulk_create(
        [row for listing, draft in pairs for row in draft.step_rows(listing)], batch_size=_BATCH
    )
    ListingAvailability.objects.bulk_create(
        [row for listing, draft in pairs for row in draft.window_rows(listing)], batch_size=_BATCH
    )
    _audit_created(owner, actor, listings)
    announce_offers(listing.pk for listing in listings if is_offered(listing))
    return listings


def is_offered(listing: Listing) -> bool:
    """Tell whether auctions take a copy of a listing."""
    return listing.is_standing and listing.state == ListingState.ACTIVE


def require_units(pool_id: int) -> None:
    """Refuse when the active listings of a pool offer more than its units at any time.

    Raises:
        PoolOversold: with the peak and the pool's units.
        PoolOffline: it has active listings and is offline.
    """
    pool = ResourcePool.objects.get(pk=pool_id)
    if not pool.is_online and pool.listings.filter(state=ListingState.ACTIVE).exists():
        raise PoolOffline(field="pool")
    rows = ListingAvailability.objects.filter(
        listing__pool_id=pool_id, listing__state=ListingState.ACTIVE
    ).values_list("starts_at", "ends_at", "quantity")
    offered = peak_quantity(CapacityWindow(*row) for row in rows)
    if offered > pool.unit_count:
        raise PoolOversold(field="quantity", offered=offered, units=pool.unit_count)


def describe_listing(listing: Listing) -> dict[str, object]:
    """Return what the audit trail keeps of a listing."""
    return {
        "name": listing.name,
        "quantity": _text(listing.quantity),
        "state": listing.state,
        "price_steps": [
            [_text(step.quantity), _text(step.price.amount)]
            for step in listing.price_steps.order_by("step")
        ],
        "windows": [
            [row.starts_at.isoformat(), row.ends_at.isoformat(), _text(row.quantity)]
            for row in listing.availability.order_by("starts_at")
        ],
    }


def _text(value: Decimal) -> str:
    return format(value, "f")


def _audit_created(owner: Organisation, actor: Actor, listings: Sequence[Listing]) -> None:
    context = structlog.contextvars.get_contextvars()
    AuditEvent.objects.bulk_create(
        [
            AuditEvent(
                action="listing.created",
                object_type=Listing._meta.label,
                object_id=str(listing.pk),
                actor=actor.user,
                organisation=owner,
                after={
                    "name": listing.name,
                    "quantity": _text(listing.quantity),
                    "state": listing.state,
                    "source": listing.source,
                },
                address=context.get("ip") or None,
                request_id=str(context.get("request_id") or "")[:64],
            )
            for listing in listings
        ],
        batch_size=_BATCH,
    )
