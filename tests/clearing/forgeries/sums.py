"""Corruptions of rule 8 and of the bound: ticks, lots and sums."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.clearing.forgeries.forgery import (
    Forgery,
    NotHere,
    corrupts,
)

FEN = Decimal("0.01")

# --- Rule 8: bounds, ticks, lots, and sums ---


def _shift_price(forgery: Forgery, table: str, price: Callable[[Any], Decimal]) -> None:
    row = forgery.pick(row for row in forgery.rows[table] if row.price is not None)
    forgery.edit(table, row, price=price(row))


@corrupts("8")
def a_supply_price_is_off_its_tick(forgery: Forgery) -> None:
    _shift_price(forgery, "prices", lambda row: row.price + forgery.fine_tick(row.product) / 10)


@corrupts("8")
def a_delivered_price_is_off_its_tick(forgery: Forgery) -> None:
    tenth = Decimal(10)
    _shift_price(
        forgery,
        "delivered_prices",
        lambda row: row.price - forgery.fine_tick(row.product) / tenth,
    )


@corrupts("8")
def a_supply_price_is_one_tick_above_the_band(forgery: Forgery) -> None:
    top = forgery.auction.terms.price_max
    _shift_price(forgery, "prices", lambda row: top + forgery.fine_tick(row.product))


@corrupts("8")
def a_supply_price_is_one_tick_below_the_band(forgery: Forgery) -> None:
    low = forgery.auction.terms.price_min
    _shift_price(forgery, "prices", lambda row: low - forgery.fine_tick(row.product))


@corrupts("8")
def a_delivered_price_is_one_tick_above_the_band(forgery: Forgery) -> None:
    top = forgery.auction.terms.price_max
    _shift_price(forgery, "delivered_prices", lambda row: top + forgery.fine_tick(row.product))


@corrupts("8")
def a_trade_is_off_the_lot(forgery: Forgery) -> None:
    deal, bought, sold = forgery.pick(forgery.local_deals())
    half = forgery.lot(deal.product) / 2
    forgery.accept(bought, -half)
    forgery.accept(sold, -half)
    forgery.edit("assignments", deal, quantity=deal.quantity - half)


@corrupts("7", "8")
def a_leg_is_rounded_up(forgery: Forgery) -> None:
    """A curtailed profile is the floor of ratio times quantity; here it gets one lot more."""
    curtailed = {(row.order_id, row.option_id) for row in _curtailed(forgery)}
    deal = forgery.pick(
        row
        for row in forgery.rows["assignments"]
        if (row.buy_order_id, row.option_id) in curtailed and not row.sell_option_id
    )
    seller = forgery.pick(
        row
        for row in forgery.steps("sell")
        if (row.order_id, row.product) == (deal.sell_order_id, deal.product)
        and row.period == deal.period
    )
    forgery.accept(seller, forgery.lot(deal.product))
    forgery.edit("assignments", deal, quantity=deal.quantity + forgery.lot(deal.product))


def _curtailed(forgery: Forgery) -> list[Any]:
    return [row for row in forgery.rows["block_results"] if 0 < row.acceptance < 1]


SMALLEST = Decimal("0.0001")


def _change_sum(forgery: Forgery, column: str, by: Decimal) -> None:
    value = getattr(forgery.summary, column)
    forgery.summary = forgery.summary._replace(**{column: value + by})


@corrupts("8")
def buyers_pay_a_hundredth_fen_more(forgery: Forgery) -> None:
    _change_sum(forgery, "buyer_payments", SMALLEST)


@corrupts("8")
def sellers_get_a_hundredth_fen_less(forgery: Forgery) -> None:
    _change_sum(forgery, "seller_receipts", -SMALLEST)


@corrupts("8")
def the_tariffs_are_a_hundredth_fen_more(forgery: Forgery) -> None:
    _change_sum(forgery, "tariffs", SMALLEST)


@corrupts("8")
def buyers_and_sellers_are_a_hundredth_fen_more(forgery: Forgery) -> None:
    """The identity of the sums still holds; neither is what the prices say."""
    _change_sum(forgery, "buyer_payments", SMALLEST)
    _change_sum(forgery, "seller_receipts", SMALLEST)


@corrupts("8")
def rent_is_booked_as_tariff(forgery: Forgery) -> None:
    _change_sum(forgery, "congestion_rent", -FEN)
    _change_sum(forgery, "tariffs", FEN)


@corrupts("8")
def a_seller_is_paid_a_fen_more_and_the_rent_is_less(forgery: Forgery) -> None:
    rows = forgery.rows["block_results"]
    sells = {r["order_id"] for r in forgery.block_orders() if r["side"] == "sell"}
    row = forgery.pick(row for row in rows if row.acceptance and row.order_id in sells)
    forgery.edit("block_results", row, payment=row.payment + FEN, surplus=row.surplus + FEN)
    _change_sum(forgery, "seller_receipts", FEN)
    _change_sum(forgery, "congestion_rent", -FEN)


# --- The bound and the other figures of the summary ---


@corrupts("bound")
def the_bound_is_one_fen_too_low(forgery: Forgery) -> None:
    lower = forgery.summary.upper_bound - FEN
    forgery.summary = forgery.summary._replace(upper_bound=lower)
    forgery.bound = forgery.bound._replace(upper_bound=lower)


@corrupts("bound")
def the_bound_is_the_welfare(forgery: Forgery) -> None:
    if forgery.summary.gap < Decimal("0.0001"):
        raise NotHere
    value = forgery.summary.welfare
    forgery.summary = forgery.summary._replace(upper_bound=value, gap=Decimal(0))
    forgery.bound = forgery.bound._replace(upper_bound=value)


@corrupts("bound")
def the_bound_is_of_other_prices(forgery: Forgery) -> None:
    """All prices of the vector move up by a tenth; the figure stays."""
    prices = tuple(
        row if row.price is None else row._replace(price=row.price * Decimal("1.1"))
        for row in forgery.bound.prices
    )
    forgery.bound = forgery.bound._replace(prices=prices)


@corrupts("bound", "8")
def the_welfare_is_one_fen_too_high(forgery: Forgery) -> None:
    _change_sum(forgery, "welfare", FEN)


@corrupts("bound", "8")
def the_gap_is_told_too_small(forgery: Forgery) -> None:
    if forgery.summary.gap < Decimal("0.001"):
        raise NotHere
    _change_sum(forgery, "gap", -forgery.summary.gap / 2)


@corrupts("bound", "8")
def the_digest_is_of_another_bundle(forgery: Forgery) -> None:
    digest = forgery.summary.bundle_sha256
    forgery.summary = forgery.summary._replace(bundle_sha256=digest[::-1])


@corrupts("5", "8")
def a_paradox_is_not_counted(forgery: Forgery) -> None:
    if not forgery.summary.paradoxically_rejected:
        raise NotHere
    _change_sum(forgery, "paradoxically_rejected", Decimal(-1))


@corrupts("bound")
def the_bound_leaves_out_a_seller(forgery: Forgery) -> None:
    """Without its price, what a seller could gain at the vector would not be counted."""
    sold = {
        (row.hub, row.product, forgery.supply_class(row.order_id, row.product), row.period)
        for row in forgery.steps("sell")
        if row.accepted_quantity > 0
    }
    row = forgery.pick(row for row in forgery.bound.prices if row[:4] in sold)
    prices = tuple(other for other in forgery.bound.prices if other is not row)
    forgery.bound = forgery.bound._replace(prices=prices)
