"""Readings by form and by file: corrected by revision, refused with a reason, all or nothing."""

import base64
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import IntegrityError, transaction

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken
from marketplace.domain.tables import ImportRefused
from marketplace.services.checks import Missing
from settlement.models import CounterReset, Delivery, MeteringRules, MeterReading
from settlement.services.counters import announce_reset, decide_reset
from settlement.services.meter_keys import (
    MeterKeyInvalid,
    SignatureWrong,
    end_meter_key,
    register_meter_key,
)
from settlement.services.metering import (
    DeliveryTakesNoReadings,
    import_readings,
    record_reading,
)
from settlement.services.metering_rules import CorrectionTooLate, CounterWentBack
from tests.factories.marketplace import operator
from tests.factories.settlement import (
    DELIVERY_STARTS,
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


@pytest.fixture
def delivery() -> Delivery:
    auction = published_auction(Market(), [Trade(funded("100"), funded(), ["4", "4"], "5", "5")])
    deliveries = deliver(auction)
    move_clock(DELIVERY_STARTS + HOUR)
    return deliveries[0]


def _record(delivery: Delivery, quantity: str = "4", **fields: object) -> MeterReading:
    return record_reading(
        **{
            "actor": as_seller(delivery.allocation.seller),
            "delivery_public_id": delivery.public_id,
            "starts_at": DELIVERY_STARTS,
            "ends_at": DELIVERY_STARTS + HOUR,
            "quantity": Decimal(quantity),
            **fields,
        }
    )


def test_the_same_interval_again_is_a_correction(delivery: Delivery) -> None:
    first, second = _record(delivery, "4"), _record(delivery, "3.5")

    assert (first.revision, first.quality) == (1, "measured")
    assert (second.revision, second.quality) == (2, "corrected")


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"ends_at": DELIVERY_STARTS + 2 * HOUR}, "reading_in_future", "ends_at"),
        ({"starts_at": DELIVERY_STARTS - HOUR}, "reading_outside_delivery", "starts_at"),
        ({"ends_at": DELIVERY_STARTS + timedelta(minutes=7)}, "off_time_grid", "ends_at"),
        ({"starts_at": datetime(2026, 11, 23, 0)}, "time_without_zone", "starts_at"),
        ({"ends_at": DELIVERY_STARTS}, "interval_empty", "ends_at"),
        ({"quantity": Decimal("NaN")}, "not_a_number", "quantity"),
        ({"quantity": Decimal("Infinity")}, "not_a_number", "quantity"),
        ({"quantity": Decimal(-1)}, "out_of_range", "quantity"),
        ({"quantity": Decimal("1e9")}, "out_of_range", "quantity"),
        ({"quantity": Decimal("0.0001")}, "too_precise", "quantity"),
        ({"energy_wh": -1}, "out_of_range", "energy_wh"),
    ],
)
def test_a_wrong_reading_is_refused_with_its_field(
    delivery: Delivery, fields: dict[str, object], code: str, field: str
) -> None:
    """S-20, S-22: naive and future times, and bad figures, are refused."""
    with pytest.raises(RuleBroken) as caught:
        _record(delivery, **fields)

    assert (caught.value.code, caught.value.field) == (code, field)
    assert not MeterReading.objects.exists()


def test_a_part_of_a_read_interval_is_refused(delivery: Delivery) -> None:
    """S-22: an overlapping interval is refused."""
    _record(delivery)

    with pytest.raises(RuleBroken) as caught:
        _record(delivery, ends_at=DELIVERY_STARTS + timedelta(minutes=30))

    assert caught.value.code == "interval_overlaps"


def test_a_revision_without_its_first_reading_is_refused_by_the_database(
    delivery: Delivery,
) -> None:
    with pytest.raises(IntegrityError, match="revision 2"):
        MeterReading.objects.create(
            delivery=delivery,
            starts_at=DELIVERY_STARTS,
            ends_at=DELIVERY_STARTS + HOUR,
            revision=2,
            quantity=1,
            source="test",
        )


def test_only_the_supplier_or_the_operator_reads_the_meter(delivery: Delivery) -> None:
    with pytest.raises(NotPermitted):
        _record(delivery, actor=as_buyer(delivery.allocation.buyer))
    with pytest.raises(NotFound):
        _record(delivery, actor=as_seller(funded()))


def test_a_settled_delivery_takes_readings_with_a_reason_and_marks_them(
    delivery: Delivery,
) -> None:
    Delivery.objects.update(state="settled")

    with pytest.raises(Missing):
        _record(delivery)
    reading = _record(delivery, reason="the meter was read again")

    assert (reading.is_late, reading.reason) == (True, "the meter was read again")


def test_after_the_window_of_the_metering_rules_no_reading_is_taken(delivery: Delivery) -> None:
    """S-22: forty days late is taken while the rules allow it."""
    Delivery.objects.update(state="settled")
    MeteringRules.objects.create(valid_from="2026-01-01", correction_days=40)
    move_clock(delivery.ends_at + timedelta(days=40))
    assert _record(delivery, reason="forty days late").is_late
    move_clock(delivery.ends_at + timedelta(days=40, seconds=1))

    with pytest.raises(CorrectionTooLate):
        _record(delivery, reason="a second more")


def test_a_failed_delivery_takes_no_readings(delivery: Delivery) -> None:
    Delivery.objects.update(state="settled", failure_reason="not_handed_over")

    with pytest.raises(DeliveryTakesNoReadings):
        _record(delivery, reason="it ran after all")


def test_a_counter_never_goes_back_without_an_approved_reset(delivery: Delivery) -> None:
    """S-22: a counter reset needs approval."""
    move_clock(DELIVERY_STARTS + 2 * HOUR)
    second = {"starts_at": DELIVERY_STARTS + HOUR, "ends_at": DELIVERY_STARTS + 2 * HOUR}
    _record(delivery, counter=Decimal(1000))
    with pytest.raises(CounterWentBack):
        _record(delivery, counter=Decimal("3.5"), **second)
    reset = announce_reset(
        actor=as_seller(delivery.allocation.seller),
        delivery_public_id=delivery.public_id,
        reset_at=DELIVERY_STARTS + HOUR,
        reason="new meter",
    )
    with pytest.raises(CounterWentBack):
        _record(delivery, counter=Decimal("3.5"), **second)

    decide_reset(actor=operator(), reset_public_id=reset.public_id, approve=True)

    assert _record(delivery, counter=Decimal("3.5"), **second).counter == Decimal("3.5")
    with pytest.raises(IntegrityError, match="decided once"), transaction.atomic():
        CounterReset.objects.update(state="refused")


def test_a_signed_file_is_verified_and_a_wrong_signature_stores_nothing(
    delivery: Delivery,
) -> None:
    """S-11: of a wrongly signed message nothing is stored."""
    private = Ed25519PrivateKey.generate()
    seller = as_seller(delivery.allocation.seller)
    key = register_meter_key(
        actor=seller, name="hall 3", public_key=private.public_key().public_bytes_raw().hex()
    )
    data = (HEADER + _row(delivery.allocation.number, 0)).encode()
    signature = base64.b64encode(private.sign(data)).decode()
    signed = {"key_fingerprint": key.fingerprint, "signature": signature}

    with pytest.raises(SignatureWrong):
        import_readings(actor=seller, data=data + b"\n", **signed)
    assert not MeterReading.objects.exists()
    stored = import_readings(actor=seller, data=data, **signed)
    unsigned = import_readings(
        actor=seller, data=(HEADER + _row(delivery.allocation.number, 15)).encode()
    )

    assert stored[0].batch.signed == "verified"
    assert stored[0].batch.key == key
    assert unsigned[0].batch.signed == "unsigned"
    end_meter_key(actor=seller, key_public_id=key.public_id)
    with pytest.raises(SignatureWrong):
        import_readings(actor=seller, data=data, **signed)
    with pytest.raises(MeterKeyInvalid):
        register_meter_key(actor=seller, name="x", public_key="deadbeef")


HEADER = "delivery,starts_at,ends_at,quantity,energy_wh\n"


def _row(number: str, minute: int, quantity: str = "4", energy: str = "500") -> str:
    starts = f"2026-11-23T00:{minute:02}+08:00"
    return f"{number},{starts},2026-11-23T00:{minute + 15:02}+08:00,{quantity},{energy}\n"


def test_a_file_of_readings_is_stored(delivery: Delivery) -> None:
    number = delivery.allocation.number
    data = HEADER + _row(number, 0) + _row(str(delivery.public_id), 15, "3.5", "")

    stored = import_readings(
        actor=as_seller(delivery.allocation.seller), data=data.encode("utf-8-sig")
    )

    assert [(r.quantity, r.energy_wh) for r in stored] == [(4, 500), (Decimal("3.5"), None)]
    assert stored[0].starts_at == DELIVERY_STARTS


def test_a_wrong_file_names_line_column_and_reason_and_stores_nothing(
    delivery: Delivery,
) -> None:
    number = delivery.allocation.number
    data = (
        HEADER
        + _row(number, 0)
        + _row(number, 15, "1_000")
        + _row("CJ-20261122-999999", 15)
        + _row(number, 0)
        + _row(number, 30, "4", "0.5")
        + f"{number},23.11.2026,2026-11-23T00:30+08:00,4,\n"
        + f"{number},2026-11-23T00:30,2026-11-23T00:45+08:00,4,\n"
    )

    with pytest.raises(ImportRefused) as caught:
        import_readings(actor=as_seller(delivery.allocation.seller), data=data.encode())

    assert [(row.line, row.field, row.code) for row in caught.value.rows] == [
        (3, "quantity", "not_a_number"),
        (4, "delivery", "not_found"),
        (5, "starts_at", "interval_overlaps"),
        (6, "energy_wh", "not_a_number"),
        (7, "starts_at", "not_an_instant"),
        (8, "starts_at", "time_without_zone"),
    ]
    assert not MeterReading.objects.exists()


def test_a_file_that_overlaps_stored_readings_names_the_lines(delivery: Delivery) -> None:
    _record(delivery, ends_at=DELIVERY_STARTS + timedelta(minutes=45))
    number = delivery.allocation.number

    with pytest.raises(ImportRefused) as caught:
        import_readings(
            actor=as_seller(delivery.allocation.seller),
            data=(HEADER + _row(number, 30) + _row(number, 0)).encode(),
        )

    assert [row.line for row in caught.value.rows] == [2, 3]
    assert MeterReading.objects.count() == 1
