"""The demonstration's cast: who acts for which member, and what the members are after."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from config.demo.appetite import Buyer, Scenario, TradedProduct
from marketplace.domain.reference import load_table
from marketplace.models import Listing, ListingState, Membership, Product, Role, WorkloadScenario
from marketplace.permissions import Actor, actor_for


@dataclass(frozen=True)
class Cast:
    """Members by code, with one actor for each side they trade on."""

    buyers: tuple[Buyer, ...]
    buying: dict[str, Actor]
    supplying: dict[int, Actor]
    products: tuple[TradedProduct, ...]
    scenarios: tuple[Scenario, ...]


def gather_cast() -> Cast:
    """Read the demonstration's members, products and scenarios."""
    buying = {_code(actor): actor for actor in _actors(Role.BUYER)}
    supplying = {
        actor.organisation.pk: actor for actor in _actors(Role.SUPPLIER) if actor.organisation
    }
    return Cast(
        buyers=tuple(_buyers(buying)),
        buying=buying,
        supplying=supplying,
        products=tuple(_products()),
        scenarios=tuple(_scenarios()),
    )


def platform_actor(role: Role, *, number: int = 0) -> Actor:
    """Return the platform's actor in a role; ``number`` picks a second person."""
    memberships = (
        Membership.objects.filter(organisation__is_platform=True, role=role)
        .select_related("user")
        .order_by("id")
    )
    membership = memberships[number]
    return actor_for(user=membership.user, organisation_id=membership.organisation_id)


def _actors(role: Role) -> list[Actor]:
    seen: dict[int, Actor] = {}
    memberships = (
        Membership.objects.filter(role=role, organisation__is_demo_bot=True)
        .select_related("user", "organisation")
        .order_by("id")
    )
    for membership in memberships:
        if membership.organisation_id not in seen:
            seen[membership.organisation_id] = Actor(
                user=membership.user,
                organisation=membership.organisation,
                roles=frozenset({role.value}),
            )
    return list(seen.values())


def _code(actor: Actor) -> str:
    return actor.organisation.code if actor.organisation else ""


def _buyers(buying: dict[str, Actor]) -> list[Buyer]:
    return [
        Buyer(
            organisation_code=row["code"],
            home_hub=row["home_code"],
            scenarios=tuple(row["scenarios"].split(";")),
        )
        for row in load_table("members")
        if row["code"] in buying and row["scenarios"]
    ]


def _products() -> list[TradedProduct]:
    listed = dict(
        Listing.objects.filter(state=ListingState.ACTIVE)
        .values_list("pool__product__code")
        .annotate(Sum("quantity"))
    )
    return [
        TradedProduct(
            code=product.code,
            resource_class=product.resource_class,
            reference_price=product.reference_price.amount,
            price_tick=product.price_tick,
            quantity_lot=product.quantity_lot,
            price_max=product.price_max,
            listed=listed[product.code],
            green_class_g=min((g for g in product.carbon_classes_g if g), default=None),
        )
        for product in Product.objects.filter(active=True).order_by("sort_order")
        if listed.get(product.code)
    ]


def _scenarios() -> list[Scenario]:
    classes = {row["code"]: row["resource_classes"] for row in load_table("workload_scenarios")}
    return [
        Scenario(
            code=scenario.code,
            latency_class=scenario.latency_class,
            max_rtt_ms=_limit(scenario.max_rtt_ms),
            resource_classes=frozenset(classes.get(scenario.code, "").split(";")),
        )
        for scenario in WorkloadScenario.objects.order_by("sort_order")
    ]


def _limit(value: Decimal | None) -> Decimal | None:
    return value
