"""Resource pools: the machines behind listings."""

from datetime import date
from decimal import Decimal
from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import IntegerField, Max
from django.db.models.functions import Cast, Substr

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.domain.resource_identifier import ResourceIdentifier, parse_resource_identifier
from marketplace.domain.units import ResourceClass
from marketplace.models import HardwareModel, Hub, Organisation, Product, ResourcePool, TrustLevel
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import (
    check_positive,
    check_range,
    check_text,
    require_operator,
    require_seller,
)
from marketplace.services.locks import member_code_lock

# Power usage effectiveness when neither the supplier nor the hub's rule says one.
_USUAL_PUE = Decimal("1.25")
HOURS_OF_DAY = 24


class HubTakesNoListings(RuleBroken):
    """The place is not one where capacity is delivered."""

    code = "hub_takes_no_listings"
    message = gettext_noop("Capacity cannot be listed at this hub.")


class ProductNotTraded(RuleBroken):
    """The product is not traded now."""

    code = "product_not_traded"
    message = gettext_noop("This product is not traded at present.")


class PoolNotFound(NotFound):
    """The organisation has no such pool."""

    code = "not_found"
    message = gettext_noop("There is no such resource pool.")


class EvidenceMissing(RuleBroken):
    """A mark that buyers can require names its evidence."""

    code = "evidence_missing"
    message = gettext_noop("Please name the evidence.")


class PoolDetails(TypedDict, total=False):
    """What a supplier may declare about a pool; all optional."""

    name_en: str
    memory_gib_per_unit: Decimal | None
    interconnect: str
    benchmark_name: str
    benchmark_efficiency: Decimal | None
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


_RANGES = {
    "memory_gib_per_unit": (Decimal(0), Decimal(100_000)),
    "benchmark_efficiency": (Decimal(0), Decimal(1)),
    "power_w_per_unit": (Decimal(0), Decimal(999_999)),
    "pue": (Decimal(1), Decimal("3.9999")),
    "green_share": (Decimal(0), Decimal(1)),
    "carbon_g_per_unit_hour": (Decimal(0), Decimal(99_999_999)),
    "dengbao_level": (Decimal(0), Decimal(5)),
}
_TEXTS = {
    "name_en": 120,
    "interconnect": 80,
    "benchmark_name": 80,
    "dengbao_evidence": 200,
    "xinchuang_evidence": 200,
    "carbon_evidence": 200,
}


class CarbonProfileIncomplete(RuleBroken):
    """A profile has a figure for every hour of the day, or there is none."""

    code = "carbon_profile_incomplete"
    message = gettext_noop("A carbon profile has 24 figures, one for each hour of the day.")


@transaction.atomic
def register_pool(
    *,
    actor: Actor,
    hub: Hub,
    product: Product,
    name: str,
    unit_count: Decimal,
    hardware: HardwareModel | None = None,
    **details: Unpack[PoolDetails],
) -> ResourcePool:
    """Register machines at a hub; they get the next 22-character identifier of the supplier.

    Power per unit defaults to the product's, PUE to the hub's cap.

    Raises:
        NotAdmitted, NotPermitted, HubTakesNoListings, ProductNotTraded, EvidenceMissing and the
        refusals of single values: nothing was registered.
    """
    owner = require_seller(actor)
    if not (hub.has_supply and hub.trades and len(hub.id4) == 4):
        raise HubTakesNoListings(field="hub")
    if not product.active:
        raise ProductNotTraded(field="product")
    pool = ResourcePool(
        organisation=owner,
        hub=hub,
        product=product,
        hardware=hardware,
        name=check_text(name, field="name", max_length=100, required=True),
        unit_count=check_positive(unit_count, field="unit_count"),
    )
    apply_details(pool, details)
    pool.identifier = str(next_identifiers(owner=owner, hub=hub, product=product, count=1)[0])
    pool.save()
    record_audit(
        action="pool.registered",
        subject=pool,
        actor=actor.user,
        organisation=owner,
        after={"identifier": pool.identifier, "unit_count": str(pool.unit_count)},
    )
    return pool


@transaction.atomic
def set_trust_level(
    *, actor: Actor, identifier: str, level: TrustLevel, reason: str
) -> ResourcePool:
    """Record how far the operator has checked a pool; raises NotPermitted or PoolNotFound."""
    platform = require_operator(actor)
    pool = ResourcePool.objects.select_for_update().filter(identifier=identifier).first()
    if pool is None:
        raise PoolNotFound(field="pool")
    before = pool.trust_level
    pool.trust_level = level
    pool.save(update_fields=["trust_level"])
    record_audit(
        action="pool.trust_level_set",
        subject=pool,
        actor=actor.user,
        organisation=platform,
        before={"trust_level": before},
        after={"trust_level": int(level)},
        reason=reason,
    )
    return pool


def next_identifiers(
    *, owner: Organisation, hub: Hub, product: Product, count: int
) -> list[ResourceIdentifier]:
    """Return the next free identifiers of a supplier; held until the transaction ends.

    A supplier keeps the operator number of its first pool; a new one gets the next free number.
    """
    member_code_lock()
    taken = [
        parse_resource_identifier(text)
        for text in ResourcePool.objects.filter(organisation=owner).values_list(
            "identifier", flat=True
        )
    ]
    operator = taken[0].operator if taken else _next_operator_number()
    kind = ResourceClass(product.resource_class)
    first = max((one.serial for one in taken if one.resource_class is kind), default=0) + 1
    return [
        ResourceIdentifier(
            cluster=hub.id4, operator=operator, resource_class=kind, serial=first + offset
        )
        for offset in range(count)
    ]


def _next_operator_number() -> int:
    # Number 1 stays with the platform.
    latest = ResourcePool.objects.aggregate(
        number=Max(Cast(Substr("identifier", 7, 4), IntegerField()))
    )
    return max(latest["number"] or 1, 1) + 1


def apply_details(pool: ResourcePool, details: PoolDetails) -> None:
    """Set checked details on a pool that is not saved yet; the caller saves it.

    Raises:
        OutOfRange, NotANumber, TextTooLong, EvidenceMissing, CarbonProfileIncomplete: with the
            field.
    """
    if "carbon_profile_g" in details:
        _check_profile(details["carbon_profile_g"])
    for name, value in details.items():
        if name in _RANGES and value is not None:
            least, most = _RANGES[name]
            check_range(Decimal(value), least=least, most=most, field=name)  # type: ignore[arg-type]
        if name in _TEXTS:
            value = check_text(str(value or ""), field=name, max_length=_TEXTS[name])
        setattr(pool, name, value)
    if pool.dengbao_level and not pool.dengbao_evidence:
        raise EvidenceMissing(field="dengbao_evidence")
    if pool.is_xinchuang and not pool.xinchuang_evidence:
        raise EvidenceMissing(field="xinchuang_evidence")
    is_claimed = {"carbon_g_per_unit_hour", "carbon_profile_g", "carbon_evidence"} & details.keys()
    has_claim = pool.carbon_g_per_unit_hour is not None or pool.carbon_profile_g
    if is_claimed and has_claim and not pool.carbon_evidence:
        raise EvidenceMissing(field="carbon_evidence")
    if pool.power_w_per_unit is None:
        pool.power_w_per_unit = pool.product.power_w_per_unit
    if pool.pue is None or ("pue" in details and details["pue"] is None):
        pool.pue = pool.hub.pue_cap or _USUAL_PUE


def _check_profile(profile: list[Decimal]) -> None:
    if len(profile) not in (0, HOURS_OF_DAY):
        raise CarbonProfileIncomplete(field="carbon_profile_g")
    least, most = _RANGES["carbon_g_per_unit_hour"]
    for grams in profile:
        check_range(grams, least=least, most=most, field="carbon_profile_g")
