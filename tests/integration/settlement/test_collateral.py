"""The collateral port on the real ledger."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from marketplace.models import MarketRules, Product, ProductVatRate
from orders.ports.collateral import HoldChange, InsufficientCollateral, collateral_port
from settlement.models import AccountBalance, Hold
from settlement.services.accounts import account_for
from settlement.services.collateral import HoldAmountInvalid, LedgerCollateral
from settlement.services.ledger import HoldNotOpen
from tests.factories.ledger import make_member

pytestmark = pytest.mark.django_db


def _product(rate: str = "0.06") -> Product:
    product = Product.objects.create(
        code="T1",
        resource_class="AI",
        name_zh="测试卡",
        name_en="Test card",
        unit_zh="卡",
        unit_en="card",
        price_tick="0.01",
        clearing_price_tick="0.0001",
        quantity_lot=1,
        price_max=1000,
        bandwidth_gbps_per_unit="0.1",
        power_w_per_unit=350,
        reference_price=10,
    )
    ProductVatRate.objects.create(product=product, rate=rate, valid_from=date(2020, 1, 1))
    MarketRules.objects.create(
        valid_from=datetime(2020, 1, 1, tzinfo=UTC),
        buyer_fee_rate="0.005",
        seller_fee_rate="0.01",
        fee_vat_rate="0.06",
        max_order_notional_cny=1_000_000,
    )
    return product


def test_the_port_is_the_ledger() -> None:
    assert isinstance(collateral_port(), LedgerCollateral)


def test_worst_case_is_net_fee_and_tax_each_rounded_up() -> None:
    case = LedgerCollateral().worst_case(product_id=_product().pk, net_cny=Decimal("100.001"))

    assert case.net_cny == Decimal("100.01")
    assert case.fee_cny == Decimal("0.51")  # 0.500005
    assert case.vat_cny == Decimal("6.04")  # 6.00006 + 0.0300003
    assert case.total_cny == Decimal("106.56")


def test_a_hold_takes_from_what_is_free_and_is_found_again() -> None:
    member, port = make_member(funds="100"), LedgerCollateral()
    arguments = {"organisation_id": member.pk, "source_type": "order", "source_id": "1"}

    first = port.place_hold(amount_cny=Decimal(60), **arguments)
    again = port.place_hold(amount_cny=Decimal(60), **arguments)

    assert first == again
    assert port.available_cny(organisation_id=member.pk) == Decimal("40.00")
    assert Hold.objects.count() == 1


def test_too_little_money_names_what_is_missing_and_holds_nothing() -> None:
    member = make_member(funds="100")

    with pytest.raises(InsufficientCollateral) as caught:
        LedgerCollateral().place_hold(
            organisation_id=member.pk,
            amount_cny=Decimal("100.01"),
            source_type="order",
            source_id="1",
        )

    assert caught.value.available_cny == Decimal("100.00")
    assert caught.value.missing_cny == Decimal("0.01")
    assert not Hold.objects.exists()


def test_a_member_without_account_has_nothing() -> None:
    port = LedgerCollateral()

    assert port.available_cny(organisation_id=0) == 0
    with pytest.raises(InsufficientCollateral):
        port.place_hold(
            organisation_id=0, amount_cny=Decimal(1), source_type="order", source_id="1"
        )


@pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
def test_a_hold_is_above_zero_and_in_fen(amount: str) -> None:
    member = make_member(funds="100")

    with pytest.raises(HoldAmountInvalid):
        LedgerCollateral().place_hold(
            organisation_id=member.pk,
            amount_cny=Decimal(amount),
            source_type="order",
            source_id="1",
        )


def test_many_holds_are_reduced_once_however_often_it_is_asked() -> None:
    port, members = LedgerCollateral(), [make_member(funds="100") for _ in range(3)]
    references = [
        port.place_hold(
            organisation_id=member.pk,
            amount_cny=Decimal(10 * number),
            source_type="order",
            source_id=f"{member.pk}-{number}",
        )
        for member in members
        for number in (1, 2, 3)
    ]
    changes = [
        HoldChange(reference=reference, keep_cny=Decimal(index % 2), event_key=f"run:{index}")
        for index, reference in enumerate(references)
    ]

    port.change_holds(changes)
    port.change_holds(changes)

    remaining = list(Hold.objects.order_by("id").values_list("remaining", flat=True))
    assert remaining == [Decimal(index % 2) for index in range(9)]
    pending = AccountBalance.objects.order_by("id").values_list("pending", flat=True)
    assert list(pending) == [1, 2, 1]


def test_a_released_hold_stays_released() -> None:
    member, port = make_member(funds="100"), LedgerCollateral()
    reference = port.place_hold(
        organisation_id=member.pk, amount_cny=Decimal(5), source_type="order", source_id="1"
    )

    port.release_hold(reference=reference, event_key="r1")
    port.release_hold(reference=reference, event_key="r1")
    port.release_hold(reference=reference, event_key="r2")

    assert Hold.objects.get().state == "released"
    assert port.available_cny(organisation_id=member.pk) == 100
    assert AccountBalance.objects.get(
        account=account_for("member_funds", organisation=member)
    ).pending == Decimal(0)


def test_an_unknown_hold_is_refused() -> None:
    with pytest.raises(HoldNotOpen):
        LedgerCollateral().release_hold(reference=uuid4(), event_key="x")
