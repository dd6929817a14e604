"""Loads the reference data that ships with the project; running it again changes only what differs.

Hubs, links, pairings, products, scenarios and hardware are facts or stated assumptions, each row
with its source and confidence. The first market rules are made only when there are none.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import models, transaction

from marketplace.domain.errors import gettext_noop
from marketplace.domain.reference import load_table
from marketplace.models import (
    HardwareModel,
    Hub,
    HubKind,
    HubPairing,
    Link,
    MarketRules,
    Product,
    ProductVatRate,
    WorkloadScenario,
)

RULES_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT_RULES = {
    "buyer_fee_rate": Decimal("0.005"),
    "seller_fee_rate": Decimal("0.005"),
    "fee_vat_rate": Decimal("0.06"),
    "max_order_notional_cny": Decimal("20000000.00"),
    "payment_term_days": 20,
    "payment_term_unit": "workdays",
    "note": gettext_noop(
        "Default of the software: fees and limits are assumptions until an operator sets them."
    ),
}


@transaction.atomic
def seed_reference() -> dict[str, int]:
    """Bring the reference data up to the shipped tables; return how many rows each kind has."""
    counts = {"hubs": _seed_hubs()}
    hubs = {hub.code: hub for hub in Hub.objects.all()}
    counts["links"] = _seed_links(hubs)
    counts["pairings"] = _seed_pairings(hubs)
    counts["products"] = _seed_products()
    counts["vat_rates"] = _seed_vat_rates()
    counts["scenarios"] = _seed_scenarios()
    counts["hardware"] = _seed_hardware()
    if not MarketRules.objects.exists():
        MarketRules.objects.create(valid_from=RULES_BEGIN, **DEFAULT_RULES)
    counts["market_rules"] = MarketRules.objects.count()
    return counts


def _seed_hubs() -> int:
    nodes = [
        Hub(
            code=row["code"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            short_zh=row["name_zh"].removesuffix("枢纽"),
            short_en=row["code"],
            kind=HubKind.NODE,
            side=row["side"],
            trades=False,
            source=row["source"],
            confidence=row["confidence"],
        )
        for row in load_table("hub_nodes")
    ]
    _upsert(Hub, nodes, ["code"])
    parents = dict(Hub.objects.filter(kind=HubKind.NODE).values_list("code", "pk"))
    rows = [*load_table("hubs"), *load_table("demand_cities")]
    _upsert(Hub, [_hub(row, parents) for row in rows], ["code"])
    return len(nodes) + len(rows)


def _hub(row: dict[str, str], parents: dict[str, int]) -> Hub:
    return Hub(
        code=row["code"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        short_zh=row["short_zh"],
        short_en=row["short_en"],
        kind=row["kind"],
        parent_id=parents.get(row.get("node_code", "")),
        side=row["side"],
        id4=row.get("id4", ""),
        has_supply=row["has_supply"] == "1",
        trades=True,
        latitude=_decimal(row["latitude"]),
        longitude=_decimal(row["longitude"]),
        schema_x=int(row["schema_x"]),
        schema_y=int(row["schema_y"]),
        pue_cap=_decimal(row.get("pue_cap", "")),
        grid_province=row["grid_province"],
        start_area_zh=row.get("start_area_zh", ""),
        source=row["source"],
        confidence=row["confidence"],
    )


def _seed_links(hubs: dict[str, Hub]) -> int:
    links = [
        Link(
            from_hub=hubs[row["from_code"]],
            to_hub=hubs[row["to_code"]],
            rtt_ms=Decimal(row["rtt_ms"]),
            tariff_cny_per_gbps_hour=Decimal(row["tariff_cny_per_gbps_hour"]),
            forward_gbps=Decimal(row["forward_gbps"]),
            reverse_gbps=Decimal(row["reverse_gbps"]),
            active=row["active"] == "1",
            source=row["source"],
        )
        for row in load_table("links")
    ]
    return _upsert(Link, links, ["from_hub", "to_hub"])


def _seed_pairings(hubs: dict[str, Hub]) -> int:
    known = {(p.hub_id, p.partner_zh, p.kind): p for p in HubPairing.objects.all()}
    for row in load_table("hub_pairings"):
        key = (hubs[row["hub_code"]].pk, row["partner_zh"], row["kind_zh"])
        pairing = known.get(key) or HubPairing(
            hub_id=key[0], partner_zh=row["partner_zh"], kind=row["kind_zh"]
        )
        pairing.partner_hub = hubs.get(row["partner_code"])
        pairing.partner_en = row["partner_en"]
        pairing.since_year = int(row["since_year"]) if row["since_year"] else None
        pairing.tariff_discount = Decimal(row["tariff_discount"])
        pairing.source, pairing.confidence = row["source"], row["confidence"]
        pairing.save()
    return len(load_table("hub_pairings"))


def _seed_products() -> int:
    return _upsert(Product, [_product(row) for row in load_table("products")], ["code"])


def _product(row: dict[str, str]) -> Product:
    return Product(
        code=row["code"],
        resource_class=row["resource_class"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        unit_zh=row["unit_zh"],
        unit_en=row["unit_en"],
        price_tick=Decimal(row["price_tick"]),
        clearing_price_tick=Decimal(row["clearing_price_tick"]),
        quantity_lot=Decimal(row["quantity_lot"]),
        price_min=Decimal(row["price_min"]),
        price_max=Decimal(row["price_max"]),
        bandwidth_gbps_per_unit=Decimal(row["bandwidth_gbps_per_unit"]),
        rtt_classes_ms=[Decimal(part) for part in row["rtt_classes_ms"].split(";") if part],
        carbon_classes_g=[Decimal(part) for part in row["carbon_classes_g"].split(";") if part],
        power_w_per_unit=Decimal(row["power_w_per_unit"]),
        pflops_bf16_per_unit=_decimal(row["pflops_bf16_per_unit"]),
        reference_price=Decimal(row["reference_price_cny"]),
        reference_price_currency="CNY",
        sort_order=int(row["sort_order"]),
        note="\n".join(part for part in (row["note_zh"], row["note_en"]) if part),
    )


def _seed_vat_rates() -> int:
    products = dict(Product.objects.values_list("code", "pk"))
    rates = [
        ProductVatRate(
            product_id=products[row["code"]],
            rate=Decimal(row["vat_rate"]),
            valid_from=date.fromisoformat(row["vat_valid_from"]),
            source="Default: modern services, general taxpayer; check with the tax office",
        )
        for row in load_table("products")
    ]
    # A rate that an operator has corrected stays as it is.
    ProductVatRate.objects.bulk_create(rates, ignore_conflicts=True)
    return ProductVatRate.objects.count()


def _seed_scenarios() -> int:
    scenarios = [
        WorkloadScenario(
            code=row["code"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            latency_class=row["latency_class"],
            max_rtt_ms=_decimal(row["max_rtt_ms"]),
            routing_zh=row["routing_zh"],
            routing_en=row["routing_en"],
            sort_order=int(row["sort_order"]),
        )
        for row in load_table("workload_scenarios")
    ]
    return _upsert(WorkloadScenario, scenarios, ["code"])


def _seed_hardware() -> int:
    hardware = [
        HardwareModel(
            **{name: row[name] for name in ("name", "vendor", "category", "source", "confidence")},
            **{name: _decimal(row[name]) for name in _HARDWARE_FIGURES},
            note=row["note"],
        )
        for row in load_table("accelerators")
    ]
    return _upsert(HardwareModel, hardware, ["name"])


_HARDWARE_FIGURES = (
    "fp16_tflops",
    "bf16_tflops",
    "fp32_tflops",
    "fp64_tflops",
    "memory_gib",
    "power_w",
)


def _upsert(model: type[models.Model], rows: Iterable[Any], unique: list[str]) -> int:
    """Insert or update rows by their unique fields, in one statement."""
    rows = list(rows)
    changing = [
        field.name
        for field in model._meta.concrete_fields
        if not field.primary_key and field.name not in unique
    ]
    model._default_manager.bulk_create(
        rows, update_conflicts=True, unique_fields=unique, update_fields=changing, batch_size=500
    )
    return len(rows)


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None
