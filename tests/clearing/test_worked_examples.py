"""The worked examples of docs/explanation/clearing.md, with the same numbers."""

from decimal import Decimal

from orders.clearing import Result, clear, verify
from orders.clearing.coupling import coupling_gain, without_links
from tests.clearing.books import block, buy, sell, small_auction

LINK = [("W", "E", "20", "0.5", "10")]


def supply_price(result: Result, hub: str, period: int = 1) -> Decimal | None:
    return next(row.price for row in result.prices if (row.hub, row.period) == (hub, period))


def accepted(result: Result) -> dict[str, Decimal]:
    return {row.order_id: row.accepted_quantity for row in result.curve_results}


def test_full_link_separates_two_hubs_by_tariff_and_rent() -> None:
    auction = small_auction(
        [sell("s1", "2", 30), sell("s2", "6", 30, "E"), buy("b1", "10", 25, "E")], links=LINK
    )

    result = clear(auction)

    assert (supply_price(result, "W"), supply_price(result, "E")) == (Decimal(2), Decimal(6))
    assert accepted(result) == {"s1": 10, "s2": 15, "b1": 25}
    rents = {row.direction: row.rent for row in result.link_rents}
    assert rents == {"forward": Decimal("3.5"), "reverse": 0}
    summary = result.summary
    assert summary.welfare == summary.upper_bound == 135
    assert (summary.buyer_payments, summary.seller_receipts) == (150, 110)
    assert (summary.congestion_rent, summary.tariffs) == (35, 5)
    assert verify(auction, result) == []


def test_latency_limit_keeps_an_order_local() -> None:
    auction = small_auction(
        [
            sell("s1", "2", 30),
            sell("s2", "6", 30, "E"),
            buy("far", "10", 5, "E"),
            buy("near", "10", 5, "E", max_rtt_ms="10"),
        ],
        links=LINK,
    )

    result = clear(auction)

    served = {row.buy_order_id: row.hub_of_supply for row in result.assignments}
    assert served == {"far": "W", "near": "E"}
    paid = {row.max_rtt_ms: row.price for row in result.delivered_prices if row.hub == "E"}
    assert paid == {None: Decimal("2.5"), Decimal(10): Decimal(6)}
    assert verify(auction, result) == []


def test_block_in_the_money_that_would_lose_is_paradoxically_rejected() -> None:
    auction = small_auction(
        [sell("s1", "2", 10), sell("s2", "8", 10), buy("b1", "10", 5)],
        block("job", "buy", "6", [("W", 1, 10)]),
    )

    result = clear(auction)

    assert result.block_results[0].status == "paradoxically_rejected"
    assert supply_price(result, "W") == 2
    assert result.summary.welfare == 40
    assert result.summary.upper_bound == 60
    assert result.summary.paradoxically_rejected == 1
    assert verify(auction, result) == []


def test_profile_block_is_accepted_on_its_average_price() -> None:
    auction = small_auction(
        [sell("s1", "2", 10), sell("s2", "5", 10, period=2)],
        block("job", "buy", "4", [("W", 1, 6), ("W", 2, 4)]),
        periods=2,
    )

    result = clear(auction)

    row = result.block_results[0]
    assert (row.status, row.payment, row.surplus) == ("accepted", 32, 8)
    assert verify(auction, result) == []


def test_margin_is_shared_pro_rata_by_largest_remainder() -> None:
    auction = small_auction(
        [sell("s", "5", 10), buy("a", "5", 4), buy("b", "5", 7), buy("c", "5", 3)]
    )

    result = clear(auction)

    assert accepted(result) == {"s": 10, "a": 3, "b": 5, "c": 2}
    assert supply_price(result, "W") == 5
    assert verify(auction, result) == []


def test_price_is_the_midpoint_of_what_orders_admit() -> None:
    auction = small_auction(
        [sell("s1", "2", 10), sell("s2", "8", 10), buy("b1", "10", 10), buy("b2", "4", 5)]
    )

    result = clear(auction)

    assert supply_price(result, "W") == 6
    assert accepted(result) == {"s1": 10, "s2": 0, "b1": 10, "b2": 0}


def test_green_buyer_pays_the_premium_of_scarce_green_supply() -> None:
    auction = small_auction(
        [
            sell("coal", "2", 20, carbon_intensity="500"),
            sell("wind", "3", 10, carbon_intensity="0"),
            buy("any", "9", 15),
            buy("green", "9", 10, max_carbon="0"),
        ],
        product={"carbon_classes": "0"},
    )

    result = clear(auction)

    by_class = {row.carbon_class: row.price for row in result.prices if row.hub == "W"}
    assert by_class == {None: Decimal(2), Decimal(0): Decimal(6)}
    served = {row.buy_order_id: row.sell_order_id for row in result.assignments}
    assert served == {"any": "coal", "green": "wind"}
    assert verify(auction, result) == []


def test_single_placement_takes_one_listing_for_the_whole_window() -> None:
    auction = small_auction(
        [
            *(sell("small", "2", 6, period=t, listing_id="L1") for t in (1, 2)),
            *(sell("large", "3", 20, period=t, listing_id="L2") for t in (1, 2)),
            *(buy("crowd", "5", 10, period=t) for t in (1, 2)),
        ],
        block("train", "buy", "9", [("W", 1, 10), ("W", 2, 10)], placement="single"),
        periods=2,
        listings=[{"listing_id": "L1", "hub": "W"}, {"listing_id": "L2", "hub": "W"}],
    )

    result = clear(auction)

    row = result.block_results[0]
    assert (row.status, row.payment, row.surplus) == ("accepted", 60, 120)
    served = [(r.listing_id, r.quantity) for r in result.assignments if r.buy_order_id == "train"]
    assert served == [("L2", 10), ("L2", 10)]
    assert verify(auction, result) == []


def test_single_placement_without_a_large_enough_listing_is_not_placeable() -> None:
    auction = small_auction(
        [sell("a", "2", 6), sell("b", "2", 6)],
        block("train", "buy", "9", [("W", 1, 10)], placement="single"),
    )

    result = clear(auction)

    row = result.block_results[0]
    assert (row.status, row.reason) == ("not_placeable", "no_listing_can_serve_it")
    assert verify(auction, result) == []


def test_coupling_dividend_of_the_full_link_is_its_rent() -> None:
    auction = small_auction(
        [sell("s1", "2", 30), sell("s2", "6", 30, "E"), buy("b1", "10", 25, "E")], links=LINK
    )

    gain = coupling_gain(auction, clear(auction), clear(without_links(auction)))

    assert gain.welfare == gain.congestion_rent == 35
    assert all(hub.buyers == hub.suppliers == 0 for hub in gain.hubs.values())
    assert gain.link_values == {("W", "E", "forward"): Decimal("3.5")}
