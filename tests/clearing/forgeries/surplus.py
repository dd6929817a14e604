"""Corruptions of rule 5: nobody indivisible loses."""

from decimal import Decimal

from tests.clearing.books import block, buy, sell
from tests.clearing.forgeries import honest_books as books
from tests.clearing.forgeries.forgery import (
    Book,
    Forgery,
    NotHere,
    Result,
    Tables,
    corrupts,
    imposture,
    pretend,
)

FEN = Decimal("0.01")

# --- Rule 5: nobody indivisible loses ---


def _limits(side: str, honest: str, claimed: str, minimum: str = "1") -> tuple[Book, Result]:
    """Pass off what a block with another limit would get; its surplus is told as it is."""

    def job(limit: str) -> Book:
        return books.book(
            "limit",
            [sell("s", "5", 20), buy("b", "9", 3), buy("low", "5", 40)],
            block("job", side, limit, [("W", 1, 10)], min_acceptance=minimum),
        )

    result = pretend(job(honest), job(claimed))
    row = result.block_results[0]
    if not row.acceptance:
        raise NotHere
    value = Decimal(honest) * 10 * row.acceptance
    surplus = value - row.payment if side == "buy" else row.payment - value
    forgery = Forgery(job(honest), result, 0)
    forgery.edit("block_results", row, surplus=surplus)
    return job(honest), forgery.result()


@imposture("5")
def a_bought_block_loses_one_tick() -> tuple[Book, Result]:
    return _limits("buy", "4.99", "5.01")


@imposture("5")
def a_sold_block_loses_one_tick() -> tuple[Book, Result]:
    return _limits("sell", "5.01", "4.99")


@imposture("5")
def a_losing_block_claims_to_gain() -> tuple[Book, Result]:
    book, result = _limits("buy", "4.99", "5.01")
    forgery = Forgery(book, result, 0)
    forgery.edit("block_results", forgery.rows["block_results"][0], surplus=FEN)
    return book, forgery.result()


@imposture("5")
def a_block_in_the_money_is_accepted_in_part() -> tuple[Book, Result]:
    """Half filled is right at its limit of 6; one tick above the limit it is not."""

    def limited(limit: str) -> Book:
        return books.curtailed().changed(
            lambda tables: tables["block_options"][0].update(limit_price=limit)
        )

    result = pretend(limited("6.01"), limited("6"))
    row = result.block_results[0]
    if not 0 < row.acceptance < 1:
        raise NotHere
    forgery = Forgery(limited("6.01"), result, 0)
    gain = FEN * sum(deal.quantity for deal in forgery.rows["assignments"] if deal.option_id)
    forgery.edit("block_results", row, surplus=row.surplus + gain)
    return limited("6.01"), forgery.result()


@imposture("5")
def a_child_loses_and_its_parent_gains() -> tuple[Book, Result]:
    """Descendants carry their ancestors, never the other way."""

    def limited(limit: str) -> Book:
        return books.family().changed(
            lambda tables: tables["block_options"][1].update(limit_price=limit)
        )

    result = pretend(limited("4.99"), limited("6"))
    row = next(row for row in result.block_results if row.order_id == "child")
    forgery = Forgery(limited("4.99"), result, 0)
    forgery.edit("block_results", row, surplus=Decimal("4.99") * 3 - row.payment)
    return limited("4.99"), forgery.result()


@imposture("5")
def a_parent_loses_one_fen_more_than_its_child_gains() -> tuple[Book, Result]:
    """The child gains 3 at most; nine units of the parent lose more."""

    def limited(limit: str) -> Book:
        return books.family().changed(
            lambda tables: tables["block_options"][0].update(limit_price=limit)
        )

    result = pretend(limited("4.66"), limited("7"))
    row = next(row for row in result.block_results if row.order_id == "mother")
    forgery = Forgery(limited("4.66"), result, 0)
    forgery.edit("block_results", row, surplus=Decimal("4.66") * 9 - row.payment)
    return limited("4.66"), forgery.result()


@imposture("5")
def a_group_takes_an_option_one_tick_too_dear() -> tuple[Book, Result]:
    def limited(limit: str) -> Book:
        def change(tables: Tables) -> None:
            tables["block_options"][0]["limit_price"] = limit
            tables["block_options"][1]["limit_price"] = "1"

        return books.group().changed(change)

    result = pretend(limited("1.99"), limited("9"))
    row = next(row for row in result.block_results if row.acceptance)
    forgery = Forgery(limited("1.99"), result, 0)
    forgery.edit("block_results", row, surplus=Decimal("1.99") * 4 - row.payment)
    return limited("1.99"), forgery.result()


@corrupts("5", "8")
def a_surplus_is_one_fen_too_large(forgery: Forgery) -> None:
    row = forgery.pick(row for row in forgery.rows["block_results"] if row.acceptance)
    forgery.edit("block_results", row, surplus=row.surplus + FEN)


@corrupts("5")
def a_paradox_is_not_reported(forgery: Forgery) -> None:
    rows = forgery.rows["block_results"]
    row = forgery.pick(row for row in rows if row.status == "paradoxically_rejected")
    forgery.edit("block_results", row, status="rejected", reason="out_of_the_money")


@corrupts("5")
def a_poor_block_is_called_a_paradox(forgery: Forgery) -> None:
    rows = forgery.rows["block_results"]
    row = forgery.pick(row for row in rows if row.reason == "out_of_the_money")
    forgery.edit(
        "block_results",
        row,
        status="paradoxically_rejected",
        reason="in_the_money_but_not_accepted",
    )


@corrupts("5")
def a_poor_block_is_called_a_paradox_and_counted(forgery: Forgery) -> None:
    a_poor_block_is_called_a_paradox(forgery)
    count = forgery.summary.paradoxically_rejected + 1
    forgery.summary = forgery.summary._replace(paradoxically_rejected=count)


@corrupts("4")
def a_lot_goes_to_a_buyer_who_pays_more_than_the_limit(forgery: Forgery) -> None:
    """One lot of a trade passes to a rejected buy of the same place; all sums stay."""
    losers = [s for s in forgery.steps("buy") if (forgery.margin(s) or 0) < 0]
    deal, bought, loser = forgery.pick(
        [
            (deal, bought, loser)
            for deal, bought, _ in forgery.local_deals()
            for loser in losers
            if (loser.hub, loser.product, loser.period) == (deal.hub, deal.product, deal.period)
            and loser.accepted_quantity == 0
        ]
    )
    lot = forgery.lot(deal.product)
    forgery.accept(bought, -lot)
    forgery.accept(loser, lot)
    forgery.edit("assignments", deal, quantity=deal.quantity - lot)
    rows = forgery.rows["assignments"]
    rows.append(deal._replace(buy_order_id=loser.order_id, quantity=lot))
    forgery.rows["assignments"] = [row for row in rows if row.quantity > 0]
