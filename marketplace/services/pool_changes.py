"""Changing a pool after it was registered, and taking it out of the market for a while."""

from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import transaction

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.models import HardwareModel, Listing, ListingState, ResourcePool, TrustLevel
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import (
    StateForbids,
    check_positive,
    check_text,
    require_seller,
)
from marketplace.services.listing_rows import require_units
from marketplace.services.outbox import announce_offers
from marketplace.services.pools import PoolNotFound, apply_details

# What the operator looked at when it gave a trust level.
_CHECKED = (
    "hardware_id",
    "memory_gib_per_unit",
    "interconnect",
    "dengbao_level",
    "dengbao_evidence",
    "dengbao_expires_on",
    "is_xinchuang",
    "xinchuang_evidence",
    "xinchuang_expires_on",
    "carbon_g_per_unit_hour",
    "carbon_profile_g",
    "carbon_evidence",
)
_AUDITED = (
    "name",
    "name_en",
    "unit_count",
    "power_w_per_unit",
    "pue",
    "green_share",
    *_CHECKED,
)


class ListingLargerThanPool(RuleBroken):
    """A pool may not become smaller than a listing of it."""

    code = "listing_larger_than_pool"
    message = gettext_noop(
        "The listing %(listing)s offers %(quantity)s units; make it smaller first."
    )
    status = 409


class PoolChanges(TypedDict, total=False):
    """What may change; hub, product and identifier are for good."""

    name: str
    name_en: str
    unit_count: Decimal
    hardware: HardwareModel | None
    memory_gib_per_unit: Decimal | None
    interconnect: str
    dengbao_level: int
    dengbao_evidence: str
    dengbao_expires_on: date | None
    is_xinchuang: bool
    xinchuang_evidence: str
    xinchuang_expires_on: date | None
    power_w_per_unit: Decimal | None
    pue: Decimal | None
    green_share: Decimal
    carbon_g_per_unit_hour: Decimal | None
    carbon_profile_g: list[Decimal]
    carbon_evidence: str


@transaction.atomic
def revise_pool(*, actor: Actor, identifier: str, **changes: Unpack[PoolChanges]) -> ResourcePool:
    """Change a pool; what is left out stays. The audit trail keeps both versions.

    When something changes that the operator had checked (hardware, memory, interconnect, 等保,
    信创 or declared carbon), the trust level is "declared" again until it looks anew. What is
    sold stays as sold.

    Raises:
        NotAdmitted, NotPermitted, PoolNotFound, EvidenceMissing, ListingLargerThanPool,
        PoolOversold, and the refusals of single values: nothing changed.
    """
    pool = _locked(actor, identifier)
    before = describe_pool(pool)
    checked_before = [getattr(pool, name) for name in _CHECKED]
    details: dict[str, Any] = {**changes}
    if "name" in details:
        pool.name = check_text(details.pop("name"), field="name", max_length=100, required=True)
    if "name_en" in details:
        pool.name_en = check_text(details.pop("name_en"), field="name_en", max_length=120)
    if "unit_count" in details:
        pool.unit_count = check_positive(details.pop("unit_count"), field="unit_count")
    if "hardware" in details:
        pool.hardware = details.pop("hardware")
    apply_details(pool, details)  # type: ignore[arg-type]
    if [getattr(pool, name) for name in _CHECKED] != checked_before:
        pool.trust_level = TrustLevel.DECLARED
    pool.save()
    _require_room(pool)
    after = describe_pool(pool)
    if after != before:
        record_audit(
            action="pool.revised",
            subject=pool,
            actor=actor.user,
            organisation=pool.organisation,
            before={name: before[name] for name in before if before[name] != after[name]},
            after={name: after[name] for name in after if before[name] != after[name]},
        )
    return pool


@transaction.atomic
def take_pool_offline(*, actor: Actor, identifier: str, reason: str) -> int:
    """Keep a pool out of coming auctions; return how many listings were paused with it.

    What is sold is still delivered, and an auction that has its copy keeps it.

    Raises:
        NotAdmitted, NotPermitted, PoolNotFound; StateForbids: it is offline already.
        Missing, TextTooLong: the reason.
    """
    pool = _locked(actor, identifier)
    if not pool.is_online:
        raise StateForbids
    pool.offline_reason = check_text(reason, field="reason", max_length=200, required=True)
    pool.offline_since = market_now()
    pool.save(update_fields=["offline_since", "offline_reason"])
    active = Listing.objects.filter(pool=pool, state=ListingState.ACTIVE)
    count = active.update(state=ListingState.PAUSED, paused_with_pool=True)
    _audit_move(pool, actor, "pool.taken_offline", count)
    return count


@transaction.atomic
def bring_pool_online(*, actor: Actor, identifier: str) -> int:
    """Offer a pool again, with the listings that were paused with it; return how many.

    Raises:
        NotAdmitted, NotPermitted, PoolNotFound, PoolOversold; StateForbids: it is not offline.
    """
    pool = _locked(actor, identifier)
    if pool.is_online:
        raise StateForbids
    pool.offline_since, pool.offline_reason = None, ""
    pool.save(update_fields=["offline_since", "offline_reason"])
    paused = Listing.objects.filter(pool=pool, paused_with_pool=True)
    back = dict(paused.filter(state=ListingState.PAUSED).values_list("pk", "is_standing"))
    Listing.objects.filter(pk__in=back).update(state=ListingState.ACTIVE)
    paused.update(paused_with_pool=False)
    require_units(pool.pk)
    announce_offers(listing_id for listing_id, is_standing in back.items() if is_standing)
    _audit_move(pool, actor, "pool.brought_online", len(back))
    return len(back)


def describe_pool(pool: ResourcePool) -> dict[str, object]:
    """Return what the audit trail keeps of a pool."""
    values = {name: getattr(pool, name) for name in _AUDITED}
    values["hardware_id"] = pool.hardware.name if pool.hardware else None
    plain = {name: _plain(value) for name, value in values.items()}
    return {**plain, "trust_level": int(pool.trust_level)}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, list):
        return ", ".join(str(_plain(one)) for one in value)
    return value.isoformat() if isinstance(value, date) else value


def _locked(actor: Actor, identifier: str) -> ResourcePool:
    owner = require_seller(actor)
    pool = (
        ResourcePool.objects.select_for_update(of=("self",))
        .select_related("organisation", "product", "hub", "hardware")
        .filter(organisation=owner, identifier=identifier)
        .first()
    )
    if pool is None:
        raise PoolNotFound(field="pool")
    return pool


def _require_room(pool: ResourcePool) -> None:
    larger = (
        Listing.objects.filter(pool=pool, quantity__gt=pool.unit_count)
        .exclude(state=ListingState.WITHDRAWN)
        .order_by("id")
        .first()
    )
    if larger is not None:
        raise ListingLargerThanPool(
            field="unit_count", listing=larger.name, quantity=larger.quantity.normalize()
        )
    require_units(pool.pk)


def _audit_move(pool: ResourcePool, actor: Actor, action: str, listings: int) -> None:
    record_audit(
        action=action,
        subject=pool,
        actor=actor.user,
        organisation=pool.organisation,
        after={"listings": listings},
        reason=pool.offline_reason,
    )
