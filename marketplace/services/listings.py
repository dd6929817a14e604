"""Listings: idle slices of pools that are offered standing into the auctions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from marketplace.domain.availability import CapacityWindow
from marketplace.domain.errors import NotFound, gettext_noop
from marketplace.domain.periods import Period
from marketplace.models import (
    LISTING_TRANSITIONS,
    Listing,
    ListingAvailability,
    ListingPriceStep,
    ListingState,
    MaintenanceWindow,
    Organisation,
    ResourcePool,
)
from marketplace.permissions import Actor
from marketplace.ports.commitments import commitment_port
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import (
    StateForbids,
    check_instant,
    check_text,
    check_transition,
    require_seller,
)
from marketplace.services.listing_drafts import (
    ListingDraft,
    PriceStep,
    WindowBackwards,
    WindowInPast,
    check_draft,
    windows_from,
)
from marketplace.services.listing_rows import (
    describe_listing,
    insert_listings,
    is_offered,
    require_units,
)
from marketplace.services.outbox import announce_offers
from marketplace.services.pools import PoolNotFound


class ListingNotFound(NotFound):
    """The organisation has no such listing."""

    code = "not_found"
    message = gettext_noop("There is no such listing.")


def create_listing(
    *,
    actor: Actor,
    pool: ResourcePool,
    name: str,
    quantity: Decimal,
    price_steps: Sequence[PriceStep],
    windows: Sequence[tuple],
    min_run_hours: int = 1,
    is_standing: bool = True,
    activate: bool = True,
    note: str = "",
    source: str = "portal",
    name_en: str = "",
) -> Listing:
    """List a slice of a pool.

    Args:
        actor: somebody who sells for the pool's owner.
        pool: the machines.
        name: what members read.
        quantity: units, on the product's lot.
        price_steps: (units, CNY per unit and hour, 不含税), prices rising, units adding up.
        windows: (start, end, units) on quarter hours, from the running slot on, none overlapping.
        min_run_hours: shortest run sold.
        is_standing: whether every auction gets a copy, those that are open now too.
        activate: offer it at once; otherwise it stays a draft.
        note: free text for buyers.
        source: where it came from.
        name_en: what members read on English pages; the name when it is empty.

    Raises:
        NotAdmitted, NotPermitted, PoolNotFound, PoolOversold, and the refusals of `check_draft`:
            nothing was listed.
    """
    draft = ListingDraft(
        pool=pool,
        name=name,
        quantity=quantity,
        price_steps=tuple(price_steps),
        windows=windows_from(windows),
        min_run_hours=min_run_hours,
        is_standing=is_standing,
        activate=activate,
        note=note,
        source=source,
        name_en=name_en,
    )
    return create_listings(actor=actor, drafts=[draft])[0]


def check_new_listing(
    *, actor: Actor, pool: ResourcePool, listing: Listing | None = None, **values: Any
) -> None:
    """Look at a listing, or at a change of one, as `create_listing` would; nothing is stored.

    What depends on other listings and on sales is looked at when it is stored.

    Raises:
        NotAdmitted, NotPermitted, PoolNotFound, and the refusals of `check_draft`.
    """
    owner = require_seller(actor)
    if pool.organisation_id != owner.pk:
        raise PoolNotFound(field="pool")
    windows = windows_from(values.pop("windows"))
    steps = tuple(values.pop("price_steps"))
    draft = ListingDraft(pool=pool, price_steps=steps, windows=windows, **values)
    known = ListingDraft.of(listing).windows if listing else ()
    check_draft(draft, now=market_now(), known=known)


@transaction.atomic
def create_listings(*, actor: Actor, drafts: Sequence[ListingDraft]) -> list[Listing]:
    """List many slices at once, all or nothing; raises as `create_listing` does."""
    owner = require_seller(actor)
    now = market_now()
    for draft in drafts:
        if draft.pool.organisation_id != owner.pk:
            raise PoolNotFound(field="pool")
        check_draft(draft, now=now)
    lock_pools({draft.pool.pk for draft in drafts})
    listings = insert_listings(owner=owner, actor=actor, drafts=drafts)
    for pool_id in sorted({draft.pool.pk for draft in drafts}):
        require_units(pool_id)
    return listings


def lock_pools(pool_ids: set[int]) -> None:
    """Lock pools in the order of their keys, so that their units are not listed twice at once."""
    list(ResourcePool.objects.select_for_update().filter(pk__in=pool_ids).order_by("pk"))


@transaction.atomic
def revise_listing(
    *,
    actor: Actor,
    public_id: UUID,
    name: str | None = None,
    quantity: Decimal | None = None,
    price_steps: Sequence[PriceStep] | None = None,
    windows: Sequence[tuple] | None = None,
    min_run_hours: int | None = None,
    is_standing: bool | None = None,
    note: str | None = None,
    name_en: str | None = None,
) -> Listing:
    """Change a listing; what is left out stays. Auctions that have a copy keep it as it is.

    The calendar cannot be cut below what is committed: the commitments' book is fitted in the
    same transaction and refuses, and its check constraint is the guarantee behind it.

    Raises:
        ListingNotFound, StateForbids, CapacityCommitted, PoolOversold and the refusals of
            `check_draft`: nothing changed.
    """
    owner = require_seller(actor)
    listing = _locked(owner, public_id)
    if listing.state == ListingState.WITHDRAWN:
        raise StateForbids(state=listing.state)
    before = describe_listing(listing)
    present = ListingDraft.of(listing)
    changes = {
        "name": name,
        "quantity": quantity,
        "price_steps": None if price_steps is None else tuple(price_steps),
        "windows": None if windows is None else windows_from(windows),
        "min_run_hours": min_run_hours,
        "is_standing": is_standing,
        "note": note,
        "name_en": name_en,
    }
    draft = present.changed(**{k: v for k, v in changes.items() if v is not None})
    now = market_now()
    check_draft(draft, now=now, known=present.windows)
    _store(listing, draft)
    _fit_commitments(listing, draft.windows, now)
    require_units(listing.pool_id)
    _tell_auctions(listing)
    _audit(listing, actor, "listing.revised", before=before)
    return listing


def pause_listing(*, actor: Actor, public_id: UUID) -> Listing:
    """Take a listing out of coming auctions; raises ListingNotFound or StateForbids."""
    return _move(actor, public_id, ListingState.PAUSED)


def resume_listing(*, actor: Actor, public_id: UUID) -> Listing:
    """Offer a draft or paused listing; raises ListingNotFound, StateForbids or PoolOversold."""
    return _move(actor, public_id, ListingState.ACTIVE)


def withdraw_listing(*, actor: Actor, public_id: UUID) -> Listing:
    """End a listing for good; what is sold is still delivered. Raises as `pause_listing` does."""
    return _move(actor, public_id, ListingState.WITHDRAWN)


@transaction.atomic
def add_maintenance(
    *, actor: Actor, public_id: UUID, starts_at: datetime, ends_at: datetime, reason: str = ""
) -> MaintenanceWindow:
    """Keep a time free of sales.

    Raises:
        ListingNotFound, WindowInPast, WindowBackwards, OffTimeGrid: nothing changed.
        CapacityCommitted: units are sold in that time.
    """
    owner = require_seller(actor)
    listing = _locked(owner, public_id)
    check_instant(starts_at, field="starts_at")
    check_instant(ends_at, field="ends_at")
    if ends_at <= starts_at:
        raise WindowBackwards(field="ends_at")
    now = market_now()
    if starts_at < now:
        raise WindowInPast(field="starts_at")
    window = MaintenanceWindow.objects.create(
        listing=listing,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=check_text(reason, field="reason", max_length=200),
    )
    _fit_commitments(listing, ListingDraft.of(listing).windows, now)
    _audit(
        listing,
        actor,
        "listing.maintenance_added",
        after={"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()},
    )
    return window


@transaction.atomic
def remove_maintenance(*, actor: Actor, public_id: UUID, maintenance_id: int) -> None:
    """Offer a time again that was kept free; raises ListingNotFound or NotFound."""
    owner = require_seller(actor)
    listing = _locked(owner, public_id)
    window = listing.maintenance.filter(pk=maintenance_id).first()
    if window is None:
        raise NotFound
    before = {"starts_at": window.starts_at.isoformat(), "ends_at": window.ends_at.isoformat()}
    window.delete()
    _fit_commitments(listing, ListingDraft.of(listing).windows, market_now())
    _tell_auctions(listing)
    _audit(listing, actor, "listing.maintenance_removed", before=before)


@transaction.atomic
def _move(actor: Actor, public_id: UUID, target: ListingState) -> Listing:
    owner = require_seller(actor)
    listing = _locked(owner, public_id)
    before = listing.state
    listing.state = check_transition(LISTING_TRANSITIONS, before, target)
    if target != ListingState.ACTIVE:
        commitment_port().require_unbound(listing_id=listing.pk)
    listing.paused_with_pool = False
    listing.save(update_fields=["state", "paused_with_pool", "updated_at"])
    if target == ListingState.ACTIVE:
        require_units(listing.pool_id)
    _tell_auctions(listing)
    _audit(
        listing,
        actor,
        f"listing.{target.value}",
        before={"state": before},
        after={"state": listing.state},
    )
    return listing


def _locked(owner: Organisation, public_id: UUID) -> Listing:
    """Return the owner's listing; pool first, then listing, as every writer locks them."""
    pool_id = (
        Listing.objects.filter(organisation=owner, public_id=public_id)
        .values_list("pool_id", flat=True)
        .first()
    )
    if pool_id is None:
        raise ListingNotFound
    lock_pools({pool_id})
    return (
        Listing.objects.select_for_update(of=("self",))
        .select_related("pool__product", "organisation")
        .get(public_id=public_id)
    )


def _store(listing: Listing, draft: ListingDraft) -> None:
    listing.name, listing.quantity = draft.name.strip(), draft.quantity
    listing.min_run_hours, listing.is_standing = draft.min_run_hours, draft.is_standing
    listing.note, listing.name_en = draft.note.strip(), draft.name_en.strip()
    listing.save()
    listing.price_steps.all().delete()
    ListingPriceStep.objects.bulk_create(draft.step_rows(listing))
    listing.availability.all().delete()
    ListingAvailability.objects.bulk_create(draft.window_rows(listing), batch_size=500)


def _tell_auctions(listing: Listing) -> None:
    if is_offered(listing):
        announce_offers([listing.pk])


def _fit_commitments(listing: Listing, windows: Sequence[CapacityWindow], now: datetime) -> None:
    pauses = [Period(m.starts_at, m.ends_at) for m in listing.maintenance.all()]
    commitment_port().fit_commitments(
        listing_id=listing.pk, windows=windows, maintenance=pauses, since=now
    )


def _audit(
    listing: Listing,
    actor: Actor,
    action: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    record_audit(
        action=action,
        subject=listing,
        actor=actor.user,
        organisation=listing.organisation,
        before=None if before is None else dict(before),
        after=describe_listing(listing) if after is None else dict(after),
    )
