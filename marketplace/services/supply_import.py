"""Stores the asks of a foreign price list: one example supplier a provider, its pools, listings.

Everything is an example and is named so (示例): prices are published list prices at a stated
exchange rate, places and quantities are assumptions (docs/reference/import-mapping.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from django.db import transaction

from marketplace.domain.availability import CapacityWindow
from marketplace.domain.credit_code import complete_credit_code
from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.domain.imports.asks import AskCurve, ProductGrid, asks_from
from marketplace.domain.imports.mapping import Maps, load_maps
from marketplace.domain.imports.price_lists import Record, read_price_list
from marketplace.models import (
    Hub,
    Listing,
    ListingState,
    Membership,
    Organisation,
    OrganisationState,
    Product,
    ResourcePool,
    Role,
    User,
)
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.listing_drafts import ListingDraft, running_slot
from marketplace.services.listing_rows import insert_listings
from marketplace.services.organisations import next_member_code
from marketplace.services.outbox import emit_event
from marketplace.services.pools import next_identifiers

_TFLOPS_A_PFLOPS = 1000


class HubUnknown(RuleBroken):
    """The hub map names a hub that is not here or takes no listings."""

    code = "hub_unknown"
    message = gettext_noop("The hub map names %(hubs)s, where capacity cannot be listed.")


@dataclass(frozen=True)
class SupplyImport:
    """What an import made, and what it left out and why."""

    format: str
    organisations: int
    pools: int
    asks: int
    steps: int
    rows: int
    left_out: dict[str, int]


def import_supply(
    *,
    path: Path,
    on: date | None = None,
    maps: Maps | None = None,
    specs: Mapping[tuple[str, str], Record] | None = None,
    seed: int = 1,
    days: int = 45,
    limit: int | None = None,
) -> SupplyImport:
    """List everything a price list asks for, or nothing.

    Listings of an earlier import of the same kind of list and provider are withdrawn first.

    Args:
        path: the list, plain or gzipped.
        on: date of the prices where the list has none.
        maps: region → hub, exchange rates, card → product; the shipped ones by default.
        specs: sizes of machine types by (provider, name), for names that do not tell.
        seed: of the assumed quantities.
        days: availability from market time on.
        limit: most asks; each provider and region keeps its share.

    Raises:
        ImportRefused: with line and reason of everything that is wrong; nothing was stored.
        HubUnknown: the map names a place without supply.
    """
    found = read_price_list(path, on=on, specs=specs)
    grids = {product.code: _grid(product) for product in Product.objects.filter(active=True)}
    asks = asks_from(found.rows, maps=maps or load_maps(), products=grids, seed=seed)
    curves = _evenly(asks.curves, limit)
    _require_hubs(curves)
    with transaction.atomic():
        made = [
            _store_provider(provider, f"import:{found.format}", of_provider, days)
            for provider, of_provider in _by_provider(curves).items()
        ]
    return SupplyImport(
        format=found.format,
        organisations=len(made),
        pools=sum(pools for pools, _ in made),
        asks=sum(listings for _, listings in made),
        steps=sum(len(curve.steps) for curve in curves),
        rows=len(found.rows),
        left_out=dict(found.left_out + asks.left_out),
    )


def _grid(product: Product) -> ProductGrid:
    peak = product.pflops_bf16_per_unit
    return ProductGrid(
        price_tick=product.price_tick,
        price_min=product.price_min,
        price_max=product.price_max,
        quantity_lot=product.quantity_lot,
        bf16_tflops=None if peak is None else peak * _TFLOPS_A_PFLOPS,
    )


def _evenly(curves: Sequence[AskCurve], limit: int | None) -> Sequence[AskCurve]:
    """Return at most `limit` asks, evenly spaced over the sorted list."""
    if limit is None or len(curves) <= limit:
        return curves
    return [curves[index * len(curves) // limit] for index in range(limit)]


def _by_provider(curves: Iterable[AskCurve]) -> dict[str, list[AskCurve]]:
    grouped: dict[str, list[AskCurve]] = defaultdict(list)
    for curve in curves:
        grouped[curve.provider].append(curve)
    return grouped


def _require_hubs(curves: Iterable[AskCurve]) -> None:
    places = Hub.objects.filter(has_supply=True, trades=True).exclude(id4="")
    known = set(places.values_list("code", flat=True))
    unknown = sorted({curve.hub for curve in curves} - known)
    if unknown:
        raise HubUnknown(hubs=", ".join(unknown))


def _store_provider(
    provider: str, source: str, curves: Sequence[AskCurve], days: int
) -> tuple[int, int]:
    actor = _supplier(provider)
    owner = actor.organisation
    if owner is None:
        raise NotFound
    Listing.objects.filter(organisation=owner, source=source).exclude(
        state=ListingState.WITHDRAWN
    ).update(state=ListingState.WITHDRAWN)
    pools = _pools(owner, source, curves)
    now = market_now()
    starts_at = running_slot(now)
    ends_at = running_slot(now + timedelta(days=days))
    drafts = [
        ListingDraft(
            pool=pools[curve.hub, curve.product, pool_name(curve.region, source)],
            name=f"{curve.region} · {curve.family} 示例"[:100],
            name_en=f"{curve.region} · {curve.family} (example)"[:120],
            quantity=curve.quantity,
            price_steps=curve.steps,
            windows=(CapacityWindow(starts_at, ends_at, curve.quantity),),
            source=source,
            note="Example made from a published price list; quantity and place are assumptions.",
        )
        for curve in curves
    ]
    insert_listings(owner=owner, actor=actor, drafts=drafts)
    return len(pools), len(drafts)


def _supplier(provider: str) -> Actor:
    """Return somebody who acts for the example supplier of a provider; make both when new."""
    name_zh = f"进口价格表 · {provider.upper()} 示例"
    organisation = Organisation.objects.filter(name_zh=name_zh).first()
    email = f"{provider.replace(' ', '-')}@imports.hengsuan.example"
    if organisation is None:
        organisation = _new_supplier(provider, name_zh)
    user, _ = User.objects.get_or_create(
        email=email, defaults={"display_name": name_zh[:80], "password": "!"}
    )
    Membership.objects.bulk_create(
        [
            Membership(user=user, organisation=organisation, role=role)
            for role in (Role.SUPPLIER, Role.FINANCE)
        ],
        ignore_conflicts=True,
    )
    return Actor(user=user, organisation=organisation, roles=frozenset({Role.SUPPLIER.value}))


def _new_supplier(provider: str, name_zh: str) -> Organisation:
    number = Organisation.objects.filter(credit_code__startswith="91110108XXMPR").count() + 1
    credit_code = complete_credit_code(f"91110108XXMPR{number:04}")
    organisation = Organisation.objects.create(
        code=next_member_code(),
        name_zh=name_zh,
        name_en=f"Imported price list · {provider.upper()} (example)",
        credit_code=credit_code,
        tax_id=credit_code,
        invoice_title=name_zh,
        is_supplier=True,
        is_demo_bot=True,
        state=OrganisationState.APPROVED,
    )
    record_audit(
        action="organisation.imported",
        subject=organisation,
        actor=None,
        organisation=organisation,
        after={"code": organisation.code, "provider": provider},
    )
    emit_event(
        topic="organisation.approved",
        aggregate=f"organisation:{organisation.pk}",
        payload={"organisation_id": organisation.pk},
    )
    return organisation


def _pools(
    owner: Organisation, source: str, curves: Sequence[AskCurve]
) -> dict[tuple[str, str, str], ResourcePool]:
    """Return one pool a hub, product and name, as large as all that is asked from it."""
    units: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for curve in curves:
        units[curve.hub, curve.product, pool_name(curve.region, source)] += curve.quantity
    known = {
        (pool.hub.code, pool.product.code, pool.name): pool
        for pool in ResourcePool.objects.filter(organisation=owner).select_related("hub", "product")
    }
    hubs = {hub.code: hub for hub in Hub.objects.all()}
    products = {product.code: product for product in Product.objects.all()}
    pools = {key: known.get(key) for key in units}
    _make_pools(owner, [key for key, pool in pools.items() if pool is None], known, hubs, products)
    for key, total in units.items():
        known[key].unit_count = total
    ResourcePool.objects.bulk_update([known[key] for key in units], ["unit_count"], batch_size=500)
    return {key: known[key] for key in units}


def pool_name(region: str, source: str) -> str:
    """Return the name of the pool of a region: lists of different kinds do not share one."""
    return f"{region} ({source.removeprefix('import:')})"[:100]


def _make_pools(
    owner: Organisation,
    missing: Sequence[tuple[str, str, str]],
    known: dict[tuple[str, str, str], ResourcePool],
    hubs: Mapping[str, Hub],
    products: Mapping[str, Product],
) -> None:
    by_class: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for key in missing:
        by_class[products[key[1]].resource_class].append(key)
    for keys in by_class.values():
        first = keys[0]
        numbered = next_identifiers(
            owner=owner, hub=hubs[first[0]], product=products[first[1]], count=len(keys)
        )
        rows = [
            ResourcePool(
                organisation=owner,
                hub=hubs[hub],
                product=products[product],
                name=name,
                unit_count=1,
                identifier=str(replace(one, cluster=hubs[hub].id4)),
                power_w_per_unit=products[product].power_w_per_unit,
                pue=hubs[hub].pue_cap or Decimal("1.25"),
            )
            for (hub, product, name), one in zip(keys, numbered, strict=True)
        ]
        ResourcePool.objects.bulk_create(rows)
        known.update(dict(zip(keys, rows, strict=True)))
