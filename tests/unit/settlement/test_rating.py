from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.money import round_money
from settlement.domain.rating import (
    BillLine,
    DeliveredPeriod,
    FeeRates,
    rate_delivery,
    total_bill,
)

prices = st.decimals(0, 50, places=5)
quantities = st.decimals(0, 4096, places=2)
periods = st.builds(
    DeliveredPeriod,
    sold_quantity=quantities,
    metered_quantity=quantities,
    buyer_price=prices,
    seller_price=prices,
    tariff_price=st.decimals(0, 1, places=5),
    period_minutes=st.sampled_from([15, 30, 60, 1440]),
)


def period(sold: str, metered: str, delivered: str, supply: str, tariff: str) -> DeliveredPeriod:
    return DeliveredPeriod(*map(Decimal, (sold, metered, delivered, supply, tariff)))


def test_the_worked_example_of_the_rounding_page() -> None:
    periods = [
        period("8", "8", "7.1255", "6.8123", "0.2505"),
        period("8", "6", "7.3005", "6.8123", "0.2505"),
        period("8", "9", "7.1255", "6.8123", "0.2505"),
    ]

    rated = rate_delivery(periods, fees=FeeRates(buyer=Decimal("0.005"), seller=Decimal("0.01")))

    assert rated.sold_unit_hours == Decimal(24)
    assert rated.metered_unit_hours == Decimal(23)
    assert rated.billed_unit_hours == Decimal(22)
    assert rated.buyer_net == Decimal("157.81")
    assert rated.seller_net == Decimal("149.87")
    assert rated.tariff == Decimal("5.51")
    assert rated.congestion_rent == Decimal("2.43")
    assert rated.rounding == Decimal("0.00")
    assert rated.buyer_fee == Decimal("0.79")
    assert rated.seller_fee == Decimal("1.50")


def test_what_is_billed_is_what_was_delivered_and_never_more_than_sold() -> None:
    assert period("8", "6", "7", "7", "0").billed_quantity == 6
    assert period("8", "6", "7", "7", "0").short_quantity == 2
    assert period("8", "9", "7", "7", "0").billed_quantity == 8
    assert period("8", "9", "7", "7", "0").excess_quantity == 1


def test_rounding_alone_can_make_the_remainder_negative_and_is_told_apart() -> None:
    rated = rate_delivery([period("1", "1", "2.010", "1.005", "1.005")])

    assert (rated.buyer_net, rated.seller_net, rated.tariff) == (
        Decimal("2.01"),
        Decimal("1.01"),
        Decimal("1.01"),
    )
    assert rated.congestion_rent == rated.rounding == Decimal("-0.01")


def test_nothing_delivered_costs_nothing() -> None:
    rated = rate_delivery([period("8", "0", "7", "6", "0.5")])

    assert rated.buyer_net == rated.seller_net == rated.transport == rated.buyer_fee == 0
    assert rate_delivery([]).buyer_net == 0


@pytest.mark.parametrize("field", [0, 1, 4])
def test_quantities_and_tariffs_below_zero_are_refused(field: int) -> None:
    figures = ["1", "1", "1", "1", "1"]
    figures[field] = "-1"

    with pytest.raises(ValueError, match="below zero"):
        period(*figures)


@given(st.lists(periods, max_size=24), st.sampled_from(["0", "0.005", "0.0123"]))
def test_the_four_sums_of_a_delivery_always_meet(
    delivered: list[DeliveredPeriod], fee_rate: str
) -> None:
    rated = rate_delivery(delivered, fees=FeeRates(Decimal(fee_rate), Decimal(fee_rate)))

    assert (
        rated.buyer_net - rated.seller_net
        == rated.tariff + rated.congestion_rent
        == rated.transport
    )
    assert abs(rated.rounding) <= Decimal("0.02")
    for amount in (
        rated.buyer_net,
        rated.seller_net,
        rated.tariff,
        rated.congestion_rent,
        rated.buyer_fee,
    ):
        assert amount == round_money(amount)


@given(st.lists(periods, min_size=1, max_size=24))
def test_a_shorter_delivery_never_costs_more(delivered: list[DeliveredPeriod]) -> None:
    full = [
        DeliveredPeriod(
            p.sold_quantity,
            p.sold_quantity,
            p.buyer_price,
            p.seller_price,
            period_minutes=p.period_minutes,
        )
        for p in delivered
    ]

    assert rate_delivery(delivered).buyer_net <= rate_delivery(full).buyer_net


def test_a_bill_of_two_rates_and_a_credit_adds_up() -> None:
    bill = total_bill(
        [
            BillLine("delivery-1", Decimal("157.81"), Decimal("0.06")),
            BillLine("fee", Decimal("0.79"), Decimal("0.06")),
            BillLine("rental", Decimal("99.99"), Decimal("0.13")),
            BillLine("penalty", Decimal("-10.00"), Decimal("0.06")),
        ]
    )

    assert [group.vat for group in bill.tax.groups] == [Decimal("8.92"), Decimal("13.00")]
    assert bill.tax.line_vats == tuple(map(Decimal, ("9.47", "0.05", "13.00", "-0.60")))
    assert (bill.net, bill.vat, bill.gross) == (
        Decimal("248.59"),
        Decimal("21.92"),
        Decimal("270.51"),
    )


def test_a_period_is_paid_for_its_share_of_the_hour() -> None:
    quarter = DeliveredPeriod(
        Decimal(8), Decimal(8), Decimal("7.50"), Decimal("7.50"), period_minutes=15
    )

    rated = rate_delivery([quarter])

    assert rated.buyer_net == Decimal("15.00")
    assert rated.billed_unit_hours == Decimal(2)
    with pytest.raises(ValueError, match="at least a minute"):
        DeliveredPeriod(Decimal(1), Decimal(1), Decimal(1), Decimal(1), period_minutes=0)
