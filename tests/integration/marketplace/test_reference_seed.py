"""The reference data loads, and loading it twice changes nothing."""

from decimal import Decimal

import pytest

from marketplace.domain.reference import load_table
from marketplace.models import Hub, HubPairing, Link, MarketRules, Product, ProductVatRate
from marketplace.selectors.rules import rules_at, vat_rate_for
from marketplace.services.reference_seed import RULES_BEGIN, seed_reference

pytestmark = pytest.mark.django_db


def test_every_cluster_has_its_national_hub_node_as_parent() -> None:
    seed_reference()
    clusters = Hub.objects.filter(kind="cluster")
    assert clusters.count() == 10
    assert all(hub.parent is not None and hub.parent.kind == "node" for hub in clusters)
    assert all(hub.has_supply and len(hub.id4) == 4 for hub in clusters)


def test_seeding_twice_changes_nothing() -> None:
    first = seed_reference()
    rows = {model: list(model.objects.order_by("pk").values()) for model in _MODELS}
    assert seed_reference() == first
    assert {model: list(model.objects.order_by("pk").values()) for model in _MODELS} == rows


def test_what_an_operator_changed_in_rules_and_tax_stays() -> None:
    seed_reference()
    MarketRules.objects.update(buyer_fee_rate=Decimal("0.01"))
    ProductVatRate.objects.update(rate=Decimal("0.09"))
    seed_reference()
    assert rules_at(RULES_BEGIN).buyer_fee_rate == Decimal("0.01")
    product = Product.objects.get(code="AI-910B")
    assert vat_rate_for(product, RULES_BEGIN.date()) == Decimal("0.09")


def test_a_paired_link_is_cheaper_than_its_list_tariff() -> None:
    seed_reference()
    pairing = HubPairing.objects.get(hub__code="NX-ZW", partner_hub__code="BJ")
    link = Link.objects.get(from_hub__code="NX-ZW", to_hub__code="BJ")
    assert pairing.tariff_discount == Decimal("0.200")
    listed = next(
        Decimal(row["list_tariff_cny_per_gbps_hour"])
        for row in load_table("links")
        if (row["from_code"], row["to_code"]) == ("NX-ZW", "BJ")
    )
    assert link.tariff_cny_per_gbps_hour == round(listed * (1 - pairing.tariff_discount), 2)


_MODELS = (Hub, HubPairing, Link, MarketRules, Product, ProductVatRate)
