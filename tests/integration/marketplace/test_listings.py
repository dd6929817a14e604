"""Listing, revising and withdrawing capacity; every refusal names its field and changes nothing."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from marketplace.domain.errors import NotAdmitted, NotFound, NotPermitted, RuleBroken, StateForbids
from marketplace.domain.resource_identifier import parse_resource_identifier
from marketplace.models import (
    AuditEvent,
    Hub,
    Listing,
    ListingAvailability,
    OrganisationState,
    Product,
    ResourcePool,
    Role,
)
from marketplace.permissions import Actor
from marketplace.ports.commitments import CapacityCommitted
from marketplace.services.listings import (
    add_maintenance,
    create_listing,
    pause_listing,
    remove_maintenance,
    resume_listing,
    revise_listing,
    withdraw_listing,
)
from marketplace.services.pools import (
    EvidenceMissing,
    HubTakesNoListings,
    ProductNotTraded,
    register_pool,
    set_trust_level,
)
from orders.models import CapacityCommitment
from tests.factories.market import MARKET_START, make_actor, make_listing, make_pool

START = MARKET_START.replace(minute=0) + timedelta(hours=1)
END = START + timedelta(days=3)


def _draft(pool: ResourcePool, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "pool": pool,
        "name": "夜间空闲",
        "quantity": Decimal(64),
        "price_steps": [(Decimal(32), Decimal("7.00")), (Decimal(32), Decimal("7.50"))],
        "windows": [(START, END, Decimal(64))],
    }
    return {**values, **changes}


def test_pools_get_consecutive_identifiers_of_their_supplier(seller: Actor) -> None:
    first = parse_resource_identifier(make_pool(actor=seller).identifier)
    second = parse_resource_identifier(make_pool(actor=seller, hub="GZ-GA").identifier)
    other = parse_resource_identifier(make_pool(actor=make_actor(Role.SUPPLIER)).identifier)
    assert (first.cluster, second.cluster) == ("NXZW", "GZGA")
    assert second.operator == first.operator
    assert (first.serial, second.serial, other.serial) == (1, 2, 1)
    assert other.operator == first.operator + 1


def test_pools_are_registered_only_where_and_for_what_is_traded(seller: Actor) -> None:
    with pytest.raises(HubTakesNoListings):
        make_pool(actor=seller, hub="BJ")
    Product.objects.filter(code="AI-H20").update(active=False)
    with pytest.raises(ProductNotTraded):
        make_pool(actor=seller, product="AI-H20")
    with pytest.raises(EvidenceMissing):
        make_pool(actor=seller, dengbao_level=3)
    for units in ("0", "-8", "NaN", "Infinity", "1E+12"):
        with pytest.raises(RuleBroken):
            make_pool(actor=seller, units=units)
    with pytest.raises(RuleBroken):
        make_pool(actor=seller, pue=Decimal("0.9"))
    assert not ResourcePool.objects.exists()


def test_power_and_pue_default_to_product_and_hub(seller: Actor) -> None:
    pool = make_pool(actor=seller)
    assert pool.power_w_per_unit == Decimal("500.00")
    assert pool.pue == Decimal("1.20")


def test_only_the_operator_sets_trust(seller: Actor, operator: Actor) -> None:
    pool = make_pool(actor=seller)
    with pytest.raises(NotPermitted):
        set_trust_level(actor=seller, identifier=pool.identifier, level=2, reason="x")
    with pytest.raises(NotFound):
        set_trust_level(actor=operator, identifier="CN", level=2, reason="x")
    set_trust_level(actor=operator, identifier=pool.identifier, level=2, reason="验收合格")
    pool.refresh_from_db()
    assert pool.trust_level == 2


def test_a_listing_is_stored_with_curve_calendar_and_audit(seller: Actor) -> None:
    listing = create_listing(actor=seller, **_draft(make_pool(actor=seller)))
    assert listing.state == "active"
    steps = [(step.quantity, step.price.amount) for step in listing.price_steps.order_by("step")]
    assert steps == [(Decimal(32), Decimal("7.00")), (Decimal(32), Decimal("7.50"))]
    assert listing.availability.get().ends_at == END
    event = AuditEvent.objects.get(action="listing.created")
    assert (event.actor, event.organisation) == (seller.user, seller.organisation)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"quantity": Decimal(60)}, "off_quantity_lot", "quantity"),
        ({"quantity": Decimal(-64)}, "not_positive", "quantity"),
        ({"quantity": Decimal(0)}, "not_positive", "quantity"),
        ({"quantity": Decimal("NaN")}, "not_a_number", "quantity"),
        ({"quantity": Decimal("Infinity")}, "not_a_number", "quantity"),
        ({"quantity": Decimal(10**9)}, "out_of_range", "quantity"),
        ({"quantity": Decimal(2048)}, "listing_exceeds_pool", "quantity"),
        ({"name": " "}, "missing", "name"),
        ({"name": "x" * 101}, "text_too_long", "name"),
        ({"min_run_hours": 0}, "out_of_range", "min_run_hours"),
        ({"price_steps": []}, "missing", "price_steps"),
        ({"price_steps": [(Decimal(64), Decimal("7.005"))]}, "off_price_tick", "price_steps"),
        ({"price_steps": [(Decimal(64), Decimal(-1))]}, "price_out_of_band", "price_steps"),
        ({"price_steps": [(Decimal(64), Decimal("NaN"))]}, "not_a_number", "price_steps"),
        ({"price_steps": [(Decimal(64), Decimal(101))]}, "price_out_of_band", "price_steps"),
        ({"price_steps": [(Decimal(56), Decimal(7))]}, "steps_do_not_add_up", "price_steps"),
        (
            {"price_steps": [(Decimal(32), Decimal(7)), (Decimal(32), Decimal(7))]},
            "prices_not_rising",
            "price_steps",
        ),
        ({"windows": []}, "missing", "windows"),
        ({"windows": [(END, START, Decimal(64))]}, "window_backwards", "windows"),
        (
            {"windows": [(START - timedelta(days=1), END, Decimal(64))]},
            "window_in_past",
            "windows",
        ),
        (
            {"windows": [(START, START + timedelta(days=900), Decimal(64))]},
            "window_too_far",
            "windows",
        ),
        (
            {"windows": [(START + timedelta(minutes=7), END, Decimal(64))]},
            "off_time_grid",
            "windows",
        ),
        (
            {"windows": [(START.replace(tzinfo=None), END, Decimal(64))]},
            "time_without_zone",
            "windows",
        ),
        ({"windows": [(START, END, Decimal(72))]}, "window_exceeds_listing", "windows"),
        ({"windows": [(START, END, Decimal(60))]}, "off_quantity_lot", "windows"),
        (
            {
                "windows": [
                    (START, END, Decimal(64)),
                    (END - timedelta(hours=1), END + timedelta(hours=1), Decimal(64)),
                ]
            },
            "windows_overlap",
            "windows",
        ),
    ],
)
def test_a_wrong_listing_leaves_nothing_behind(
    seller: Actor, changes: dict[str, Any], code: str, field: str
) -> None:
    pool = make_pool(actor=seller)
    with pytest.raises(RuleBroken) as caught:
        create_listing(actor=seller, **_draft(pool, **changes))
    assert (caught.value.code, caught.value.field) == (code, field)
    assert not Listing.objects.exists()
    assert not ListingAvailability.objects.exists()
    assert not AuditEvent.objects.filter(action="listing.created").exists()


def test_a_foreign_pool_is_not_found(seller: Actor) -> None:
    foreign = make_pool(actor=make_actor(Role.SUPPLIER))
    with pytest.raises(NotFound):
        create_listing(actor=seller, **_draft(foreign))


def test_buyers_and_suspended_members_list_nothing(buyer: Actor, seller: Actor) -> None:
    pool = make_pool(actor=seller)
    with pytest.raises(NotPermitted):
        create_listing(actor=buyer, **_draft(pool))
    assert seller.organisation is not None
    seller.organisation.state = OrganisationState.SUSPENDED
    with pytest.raises(NotAdmitted):
        create_listing(actor=seller, **_draft(pool))
    with pytest.raises(NotAdmitted):
        register_pool(
            actor=seller,
            hub=Hub.objects.get(code="NX-ZW"),
            product=Product.objects.get(code="AI-910B"),
            name="x",
            unit_count=Decimal(8),
        )


def test_a_pool_is_not_listed_twice_at_the_same_time(seller: Actor) -> None:
    pool = make_pool(actor=seller, units="64")
    make_listing(actor=seller, pool=pool, hours=24)
    with pytest.raises(RuleBroken) as caught:
        make_listing(actor=seller, pool=pool, hours=12)
    assert caught.value.code == "pool_oversold"
    later = START + timedelta(hours=24)
    make_listing(actor=seller, pool=pool, start=later, hours=12)
    assert Listing.objects.count() == 2


def test_a_revision_replaces_what_is_given_and_keeps_the_rest(seller: Actor) -> None:
    listing = make_listing(actor=seller, pool=make_pool(actor=seller))
    revised = revise_listing(
        actor=seller,
        public_id=listing.public_id,
        quantity=Decimal(96),
        price_steps=[(Decimal(96), Decimal("6.80"))],
    )
    assert revised.quantity == Decimal(96)
    assert revised.name == listing.name
    assert revised.availability.get().quantity == Decimal(64)
    assert revised.price_steps.get().price.amount == Decimal("6.80")
    event = AuditEvent.objects.get(action="listing.revised")
    assert event.before["quantity"] == "64.000"


def test_a_refused_revision_changes_nothing(seller: Actor) -> None:
    listing = make_listing(actor=seller, pool=make_pool(actor=seller))
    with pytest.raises(RuleBroken):
        revise_listing(actor=seller, public_id=listing.public_id, quantity=Decimal(32))
    other = make_actor(Role.SUPPLIER)
    for public_id, actor in ((listing.public_id, other), (uuid4(), seller)):
        with pytest.raises(NotFound):
            revise_listing(actor=actor, public_id=public_id, name="x")
    listing.refresh_from_db()
    assert listing.quantity == Decimal(64)
    assert not AuditEvent.objects.filter(action="listing.revised").exists()


def _commit(listing: Listing, units: int) -> CapacityCommitment:
    return CapacityCommitment.objects.create(
        listing=listing,
        slot_starts_at=START + timedelta(hours=2),
        available=listing.quantity,
        committed=Decimal(units),
    )


def test_a_calendar_is_not_cut_below_what_is_committed(seller: Actor) -> None:
    listing = make_listing(actor=seller, pool=make_pool(actor=seller))
    slot = _commit(listing, 40)
    with pytest.raises(CapacityCommitted) as caught:
        revise_listing(
            actor=seller, public_id=listing.public_id, windows=[(START, END, Decimal(32))]
        )
    assert caught.value.params["committed"] == "40.000"
    assert listing.availability.get().quantity == Decimal(64)
    revise_listing(actor=seller, public_id=listing.public_id, windows=[(START, END, Decimal(40))])
    slot.refresh_from_db()
    assert slot.available == Decimal(40)


def test_maintenance_keeps_clear_of_what_is_sold(seller: Actor) -> None:
    listing = make_listing(actor=seller, pool=make_pool(actor=seller))
    slot = _commit(listing, 8)
    with pytest.raises(CapacityCommitted):
        add_maintenance(
            actor=seller, public_id=listing.public_id, starts_at=START, ends_at=END, reason="检修"
        )
    assert not listing.maintenance.exists()
    CapacityCommitment.objects.update(committed=0)
    window = add_maintenance(
        actor=seller, public_id=listing.public_id, starts_at=START, ends_at=END
    )
    slot.refresh_from_db()
    assert slot.available == 0
    remove_maintenance(actor=seller, public_id=listing.public_id, maintenance_id=window.pk)
    slot.refresh_from_db()
    assert slot.available == Decimal(64)


def test_maintenance_lies_ahead_and_on_the_grid(seller: Actor) -> None:
    listing = make_listing(actor=seller, pool=make_pool(actor=seller))
    wrong = [
        (START - timedelta(days=1), END, "window_in_past"),
        (END, START, "window_backwards"),
        (START + timedelta(minutes=1), END, "off_time_grid"),
    ]
    for starts_at, ends_at, code in wrong:
        with pytest.raises(RuleBroken) as caught:
            add_maintenance(
                actor=seller, public_id=listing.public_id, starts_at=starts_at, ends_at=ends_at
            )
        assert caught.value.code == code


def test_the_states_of_a_listing_follow_their_table(seller: Actor) -> None:
    listing = make_listing(actor=seller, pool=make_pool(actor=seller), activate=False)
    with pytest.raises(StateForbids):
        pause_listing(actor=seller, public_id=listing.public_id)
    assert resume_listing(actor=seller, public_id=listing.public_id).state == "active"
    assert pause_listing(actor=seller, public_id=listing.public_id).state == "paused"
    assert withdraw_listing(actor=seller, public_id=listing.public_id).state == "withdrawn"
    with pytest.raises(StateForbids):
        resume_listing(actor=seller, public_id=listing.public_id)
    with pytest.raises(StateForbids):
        revise_listing(actor=seller, public_id=listing.public_id, name="x")
    with pytest.raises(NotFound):
        pause_listing(actor=make_actor(Role.SUPPLIER), public_id=listing.public_id)
