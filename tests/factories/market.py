"""A small market for tests: hubs, products, members, pools and listings that meet every rule."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from marketplace.domain.credit_code import complete_credit_code
from marketplace.models import (
    Hub,
    Listing,
    Membership,
    Organisation,
    OrganisationState,
    Product,
    ResourcePool,
    Role,
    User,
)
from marketplace.permissions import Actor
from marketplace.services.clock import set_clock
from marketplace.services.listings import create_listing
from marketplace.services.pools import register_pool
from marketplace.services.reference_seed import seed_reference

MARKET_START = datetime(2026, 11, 30, 1, 20, tzinfo=UTC)
"""Market time of tests that ask for `market_with_reference`: 09:20 in Shanghai, standing still."""

_numbers = count(1)


def market_with_reference(*, at: datetime = MARKET_START) -> None:
    """Load the reference data and stop the market's clock at an instant."""
    seed_reference()
    set_clock(market_at=at, speed=Decimal(0), is_demo=True)


def make_credit_code() -> str:
    """Return a credit code with a right check character that no other test has."""
    return complete_credit_code(f"91110108XXT{next(_numbers):06}")


def make_user(**fields: Any) -> User:
    """Make a user without a password."""
    number = next(_numbers)
    fields.setdefault("email", f"user{number}@example.test")
    fields.setdefault("display_name", f"User {number}")
    return User.objects.create(**fields)


def make_organisation(*, roles: Sequence[Role] = (), **fields: Any) -> Organisation:
    """Make an approved member that sells or buys as its roles say."""
    number = next(_numbers)
    fields.setdefault("code", f"T{number:05}")
    fields.setdefault("name_zh", f"示例机构{number}")
    fields.setdefault("name_en", f"Example {number}")
    fields.setdefault("credit_code", make_credit_code())
    fields.setdefault("is_supplier", Role.SUPPLIER in roles)
    fields.setdefault("is_buyer", Role.BUYER in roles)
    fields.setdefault("state", OrganisationState.APPROVED)
    return Organisation.objects.create(**fields)


def make_actor(*roles: Role, organisation: Organisation | None = None, **fields: Any) -> Actor:
    """Make a person who holds roles in an organisation, a new one unless given."""
    organisation = organisation or make_organisation(roles=roles, **fields)
    user = make_user()
    for role in roles:
        Membership.objects.create(user=user, organisation=organisation, role=role)
    return Actor(user=user, organisation=organisation, roles=frozenset(r.value for r in roles))


def make_operator() -> Actor:
    """Make a person who runs the market, and the platform when there is none."""
    platform = Organisation.objects.filter(is_platform=True).first()
    if platform is None:
        platform = make_organisation(code="PLATFORM", is_platform=True)
    return make_actor(Role.OPERATOR, organisation=platform)


def make_pool(
    *,
    actor: Actor,
    hub: str = "NX-ZW",
    product: str = "AI-910B",
    units: str = "1024",
    **details: Any,
) -> ResourcePool:
    """Register a pool through the service."""
    return register_pool(
        actor=actor,
        hub=Hub.objects.get(code=hub),
        product=Product.objects.get(code=product),
        name=details.pop("name", "示例资源池"),
        unit_count=Decimal(units),
        **details,
    )


def make_listing(
    *,
    actor: Actor,
    pool: ResourcePool,
    steps: Sequence[tuple[str, str]] = (("64", "7.50"),),
    start: datetime | None = None,
    hours: int = 240,
    **fields: Any,
) -> Listing:
    """List a pool through the service: one window from the start of today's market hour."""
    start = start or MARKET_START.replace(minute=0) + timedelta(hours=1)
    curve = [(Decimal(quantity), Decimal(price)) for quantity, price in steps]
    quantity = sum((units for units, _ in curve), Decimal(0))
    return create_listing(
        actor=actor,
        pool=pool,
        name=fields.pop("name", "示例供给"),
        quantity=quantity,
        price_steps=curve,
        windows=[(start, start + timedelta(hours=hours), quantity)],
        **fields,
    )
