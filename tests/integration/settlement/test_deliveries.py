"""From allocation to completed delivery: who may do what, when silence counts."""

from datetime import timedelta
from decimal import Decimal

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings

from marketplace.domain.errors import NotFound, NotPermitted, StateForbids
from marketplace.models import AuditEvent, InboxReceipt, Organisation
from marketplace.services.outbox import emit_event
from orders.models import Auction
from settlement.models import Account, Delivery, DeliveryAccess, DeliveryState, SettlementRun
from settlement.services.access import AccessKeyMissing
from settlement.services.deliveries import (
    METERING_GRACE,
    AccessInvalid,
    AccessNotGiven,
    DeliveryOver,
    accept_delivery,
    complete_due_deliveries,
    create_deliveries,
    fail_delivery,
    hand_over,
    reveal_access,
    time_out_acceptances,
)
from settlement.services.inbox import consume_pending
from settlement.services.metering import record_reading
from settlement.tasks import consume_outbox, run_deliveries, settle_due, sweep_invariants
from tests.factories.marketplace import OrganisationFactory, operator
from tests.factories.settlement import (
    DELIVERY_STARTS,
    GATE_CLOSES,
    Market,
    Trade,
    as_buyer,
    as_seller,
    deliver,
    funded,
    move_clock,
    published_auction,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
SECRET = "ssh -p 2222 user@192.0.2.7\n密码 见短信"


@pytest.fixture
def auction() -> Auction:
    return published_auction(Market(), [Trade(funded("100"), funded(), ["2", "2"], "5", "5")])


@pytest.fixture
def delivery(auction: Auction) -> Delivery:
    return Delivery.objects.select_related("allocation__buyer", "allocation__seller").get()


def _hand_over(delivery: Delivery, text: str = SECRET) -> Delivery:
    return hand_over(
        actor=as_seller(delivery.allocation.seller),
        delivery_public_id=delivery.public_id,
        access_text=text,
    )


def test_deliveries_are_made_once(auction: Auction, delivery: Delivery) -> None:
    assert create_deliveries(auction.pk) == 0
    assert [t.to_state for t in delivery.transitions.all()] == ["scheduled"]


def test_access_is_encrypted_and_only_the_buyer_reads_it(delivery: Delivery) -> None:
    _hand_over(delivery)
    stored = DeliveryAccess.objects.get()
    buyer = as_buyer(delivery.allocation.buyer)

    assert "192.0.2.7" not in bytes(stored.ciphertext).decode()
    assert reveal_access(actor=buyer, delivery_public_id=delivery.public_id) == SECRET
    with pytest.raises(NotFound):
        reveal_access(actor=as_buyer(funded()), delivery_public_id=delivery.public_id)
    with pytest.raises(NotPermitted):
        reveal_access(
            actor=as_seller(delivery.allocation.seller), delivery_public_id=delivery.public_id
        )
    assert [e.action for e in AuditEvent.objects.order_by("id")] == [
        "delivery.handed_over",
        "delivery.access_revealed",
    ]


def test_new_details_replace_the_old_and_keys_can_be_rotated(
    delivery: Delivery, settings: LazySettings
) -> None:
    buyer = as_buyer(delivery.allocation.buyer)
    _hand_over(delivery, "old")
    settings.FIELD_ENCRYPTION_KEYS = [
        Fernet.generate_key().decode(),
        *settings.FIELD_ENCRYPTION_KEYS,
    ]
    assert reveal_access(actor=buyer, delivery_public_id=delivery.public_id) == "old"

    _hand_over(delivery, "new")

    assert reveal_access(actor=buyer, delivery_public_id=delivery.public_id) == "new"
    assert DeliveryAccess.objects.count() == 2
    settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS[1:]
    with pytest.raises(AccessKeyMissing):
        reveal_access(actor=buyer, delivery_public_id=delivery.public_id)


@pytest.mark.parametrize("text", ["", "  ", "x" * 10_001, "a\0b"])
def test_access_details_are_a_text(delivery: Delivery, text: str) -> None:
    with pytest.raises(AccessInvalid):
        _hand_over(delivery, text)

    assert not DeliveryAccess.objects.exists()


def test_nothing_is_read_or_accepted_before_the_hand_over(delivery: Delivery) -> None:
    buyer = as_buyer(delivery.allocation.buyer)

    with pytest.raises(AccessNotGiven):
        reveal_access(actor=buyer, delivery_public_id=delivery.public_id)
    with pytest.raises(StateForbids):
        accept_delivery(actor=buyer, delivery_public_id=delivery.public_id)


def test_a_stranger_finds_no_delivery(delivery: Delivery) -> None:
    with pytest.raises(NotFound):
        hand_over(actor=as_seller(funded()), delivery_public_id=delivery.public_id, access_text="x")
    with pytest.raises(NotPermitted):
        hand_over(
            actor=as_buyer(delivery.allocation.seller),
            delivery_public_id=delivery.public_id,
            access_text="x",
        )


def test_silence_is_consent_after_the_hours_of_the_rules(delivery: Delivery) -> None:
    _hand_over(delivery)

    assert time_out_acceptances(GATE_CLOSES + 23 * HOUR) == 0
    assert time_out_acceptances(GATE_CLOSES + 24 * HOUR) == 1

    delivery.refresh_from_db()
    assert (delivery.state, delivery.acceptance_timed_out) == (DeliveryState.ACCEPTED, True)


def test_a_delivery_never_handed_over_has_failed_at_its_end(delivery: Delivery) -> None:
    assert complete_due_deliveries(DELIVERY_STARTS + HOUR) == 0
    assert complete_due_deliveries(DELIVERY_STARTS + 2 * HOUR) == 1

    delivery.refresh_from_db()
    assert (delivery.state, delivery.failure_reason) == ("failed", "not_handed_over")
    move_clock(DELIVERY_STARTS + 2 * HOUR)
    with pytest.raises(StateForbids):
        _hand_over(delivery)


def test_a_delivery_that_is_over_cannot_be_handed_over(delivery: Delivery) -> None:
    move_clock(DELIVERY_STARTS + 2 * HOUR)

    with pytest.raises(DeliveryOver):
        _hand_over(delivery)


def test_completion_waits_for_readings_but_not_for_ever(auction: Auction) -> None:
    delivery = deliver(auction)[0]
    ends_at = DELIVERY_STARTS + 2 * HOUR

    assert complete_due_deliveries(ends_at) == 0
    assert complete_due_deliveries(ends_at + METERING_GRACE) == 1

    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.COMPLETED


def test_a_fully_metered_delivery_is_completed_at_its_end(auction: Auction) -> None:
    delivery = deliver(auction)[0]
    move_clock(DELIVERY_STARTS + 2 * HOUR)
    record_reading(
        actor=as_seller(delivery.allocation.seller),
        delivery_public_id=delivery.public_id,
        starts_at=DELIVERY_STARTS,
        ends_at=DELIVERY_STARTS + 2 * HOUR,
        quantity=Decimal(2),
    )

    assert complete_due_deliveries(DELIVERY_STARTS + 2 * HOUR) == 1


def test_the_operator_alone_declares_a_delivery_failed(delivery: Delivery) -> None:
    _hand_over(delivery)
    with pytest.raises(NotPermitted):
        fail_delivery(
            actor=as_buyer(delivery.allocation.buyer),
            delivery_public_id=delivery.public_id,
            reason="no",
        )

    failed = fail_delivery(
        actor=operator(), delivery_public_id=delivery.public_id, reason="machines down"
    )

    assert (failed.state, failed.failure_reason) == ("failed", "machines down")


def test_events_are_applied_once(auction: Auction) -> None:
    member = OrganisationFactory()
    emit_event(
        topic="organisation.approved",
        aggregate=f"organisation:{member.pk}",
        payload={"organisation_id": member.pk},
    )

    assert consume_pending() == 1
    assert consume_outbox() == 0

    assert Account.objects.filter(organisation=member).count() == 4
    assert InboxReceipt.objects.filter(consumer="settlement").count() == 1


def test_the_tasks_bring_an_auction_from_hand_over_to_settlement(auction: Auction) -> None:
    deliver(auction)
    move_clock(DELIVERY_STARTS + 2 * HOUR)
    run_deliveries()
    assert settle_due() == 0

    move_clock(DELIVERY_STARTS + 2 * HOUR + METERING_GRACE)
    run_deliveries()

    assert settle_due() == 1
    assert settle_due() == 0
    assert SettlementRun.objects.get().state == "posted"
    assert sweep_invariants() is True
    assert not Organisation.objects.filter(is_platform=True).exists()
