"""Valid objects of the marketplace app."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import factory
from factory.django import DjangoModelFactory

from marketplace.models import (
    Hub,
    HubKind,
    Link,
    Listing,
    ListingAvailability,
    ListingPriceStep,
    ListingState,
    MarketRules,
    Membership,
    Organisation,
    OrganisationState,
    Product,
    ProductVatRate,
    ResourceClass,
    ResourcePool,
    Role,
    Side,
    User,
    WorkloadScenario,
)
from marketplace.permissions import Actor, actor_for

_numbers = count(1)


class UserFactory(DjangoModelFactory):
    """A person who may sign in with the password ``a long password``."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    display_name = factory.Sequence(lambda n: f"Person {n}")
    password = factory.django.Password("a long password")


class OrganisationFactory(DjangoModelFactory):
    """An admitted organisation that buys and sells."""

    class Meta:
        model = Organisation

    code = factory.Sequence(lambda n: f"T{n:05d}")
    name_zh = factory.Sequence(lambda n: f"测试公司{n}")
    name_en = factory.Sequence(lambda n: f"Test company {n}")
    credit_code = factory.Sequence(lambda n: f"91110000{n:010d}")
    is_supplier = True
    is_buyer = True
    state = OrganisationState.APPROVED


class HubFactory(DjangoModelFactory):
    """A cluster in the west that takes listings."""

    class Meta:
        model = Hub

    code = factory.Sequence(lambda n: f"HUB{n}")
    name_zh = factory.LazyAttribute(lambda hub: f"{hub.code}集群")
    name_en = factory.LazyAttribute(lambda hub: f"{hub.code} cluster")
    short_zh = factory.LazyAttribute(lambda hub: hub.code)
    short_en = factory.LazyAttribute(lambda hub: hub.code)
    kind = HubKind.CLUSTER
    side = Side.WEST
    has_supply = True
    trades = True


class LinkFactory(DjangoModelFactory):
    """A link of 100 Gbit/s each way, 20 ms, 0.02 CNY per Gbit/s and hour."""

    class Meta:
        model = Link

    from_hub = factory.SubFactory(HubFactory)
    to_hub = factory.SubFactory(HubFactory)
    rtt_ms = Decimal("20.000")
    tariff_cny_per_gbps_hour = Decimal("0.020000")
    forward_gbps = Decimal("100.000")
    reverse_gbps = Decimal("100.000")


class ProductFactory(DjangoModelFactory):
    """Cards at a tick of 0.01 and a lot of 1, with latency classes of 10, 30 and 100 ms."""

    class Meta:
        model = Product
        django_get_or_create = ("code",)
        skip_postgeneration_save = True

    code = factory.Sequence(lambda n: f"AI-{n}")
    resource_class = ResourceClass.AI
    name_zh = factory.LazyAttribute(lambda product: f"{product.code}卡")
    name_en = factory.LazyAttribute(lambda product: f"{product.code} cards")
    unit_zh = "卡时"
    unit_en = "card·h"
    price_tick = Decimal("0.01")
    clearing_price_tick = Decimal("0.0001")
    quantity_lot = Decimal(1)
    price_min = Decimal(0)
    price_max = Decimal(100)
    bandwidth_gbps_per_unit = Decimal("0.1")
    rtt_classes_ms = [Decimal(10), Decimal(30), Decimal(100)]
    power_w_per_unit = Decimal(500)
    reference_price = Decimal(8)

    @factory.post_generation
    def vat_rate(self: Product, create: bool, extracted: Any, **_: Any) -> None:
        """Give it a VAT rate of 6 % from 2020 on."""
        if create:
            ProductVatRate.objects.get_or_create(
                product=self, valid_from=date(2020, 1, 1), defaults={"rate": Decimal("0.06")}
            )


class ScenarioFactory(DjangoModelFactory):
    """Inference near its users: 30 ms."""

    class Meta:
        model = WorkloadScenario

    code = factory.Sequence(lambda n: f"scenario-{n}")
    name_zh = "近线推理"
    name_en = "Near-line inference"
    latency_class = "L2"
    max_rtt_ms = Decimal(30)


class PoolFactory(DjangoModelFactory):
    """1,000 units at one hub."""

    class Meta:
        model = ResourcePool

    identifier = factory.Sequence(lambda n: f"TEST{n:018d}")
    organisation = factory.SubFactory(OrganisationFactory)
    hub = factory.SubFactory(HubFactory)
    product = factory.SubFactory(ProductFactory)
    name = factory.Sequence(lambda n: f"Pool {n}")
    unit_count = Decimal(1000)
    power_w_per_unit = Decimal(500)
    pue = Decimal("1.20")


class ListingFactory(DjangoModelFactory):
    """An active standing listing of 100 units at 5 CNY, available from 2026 to 2028."""

    class Meta:
        model = Listing
        skip_postgeneration_save = True

    pool = factory.SubFactory(PoolFactory)
    organisation = factory.LazyAttribute(lambda listing: listing.pool.organisation)
    name = factory.Sequence(lambda n: f"Listing {n}")
    quantity = Decimal(100)
    state = ListingState.ACTIVE
    is_standing = True

    @factory.post_generation
    def steps(self: Listing, create: bool, extracted: Any, **_: Any) -> None:
        """Price steps as (quantity, price); by default all units at 5 CNY."""
        for number, (quantity, price) in enumerate(extracted or [(self.quantity, Decimal(5))], 1):
            ListingPriceStep.objects.create(
                listing=self, step=number, quantity=quantity, price=price
            )

    @factory.post_generation
    def windows(self: Listing, create: bool, extracted: Any, **_: Any) -> None:
        """Availability as (start, end, quantity); by default whole years."""
        whole = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC), self.quantity)
        for starts_at, ends_at, quantity in [whole] if extracted is None else extracted:
            ListingAvailability.objects.create(
                listing=self, starts_at=starts_at, ends_at=ends_at, quantity=quantity
            )


class MarketRulesFactory(DjangoModelFactory):
    """A fee of 1 % on each side with 6 % VAT, and orders of up to ten million CNY."""

    class Meta:
        model = MarketRules
        django_get_or_create = ("valid_from",)

    valid_from = datetime(2020, 1, 1, tzinfo=UTC)
    buyer_fee_rate = Decimal("0.01")
    seller_fee_rate = Decimal("0.01")
    fee_vat_rate = Decimal("0.06")
    max_order_notional_cny = Decimal(10_000_000)


def member(organisation: Organisation | None = None, *roles: Role) -> Actor:
    """Return a person acting for an organisation, in all trading roles unless told."""
    organisation = organisation or OrganisationFactory()
    user = UserFactory()
    for role in roles or (Role.BUYER, Role.SUPPLIER, Role.FINANCE):
        Membership.objects.create(user=user, organisation=organisation, role=role)
    return actor_for(user=user, organisation_id=organisation.pk)


def platform() -> Organisation:
    """Return the market operator's organisation."""
    found = Organisation.objects.filter(is_platform=True).first()
    return found or OrganisationFactory(
        code="PLATFORM", is_platform=True, is_supplier=False, is_buyer=False
    )


def operator(*roles: Role) -> Actor:
    """Return a person who runs the market."""
    return member(platform(), *(roles or (Role.OPERATOR,)))
