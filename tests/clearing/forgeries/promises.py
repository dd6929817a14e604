"""Corruptions of rule 7: what orders are promised."""

from decimal import Decimal

from tests.clearing.books import block
from tests.clearing.forgeries import honest_books as books
from tests.clearing.forgeries.forgery import (
    Book,
    Forgery,
    Result,
    Tables,
    corrupts,
    imposture,
    pretend,
)

FEN = Decimal("0.01")

# --- Rule 7: what orders are promised ---


def _promise(book: Book, table: str, at: int, **terms: str) -> tuple[Book, Result]:
    """Pass off the result of a book in which one order has other terms."""
    return book, pretend(book, book.changed(lambda tables: tables[table][at].update(terms)))


@imposture("7")
def a_block_is_filled_below_its_minimum() -> tuple[Book, Result]:
    book = books.curtailed().changed(lambda t: t["block_orders"][0].update(min_acceptance="1"))
    return _promise(book, "block_orders", 0, min_acceptance="0.25")


@imposture("7")
def a_block_is_filled_a_hair_below_its_minimum() -> tuple[Book, Result]:
    other = books.curtailed()
    result = pretend(other, other)
    above = str(result.block_results[0].acceptance + Decimal("0.0001"))
    book = other.changed(lambda t: t["block_orders"][0].update(min_acceptance=above))
    return book, pretend(book, other)


@imposture("7")
def a_child_is_accepted_without_its_parent() -> tuple[Book, Result]:
    def orphan(tables: Tables) -> None:
        tables["block_orders"][1]["parent_order_id"] = "dear"

    book = books.family().changed(orphan)
    return _promise(book, "block_orders", 1, parent_order_id="")


@imposture("7")
def a_child_is_filled_beyond_its_parent() -> tuple[Book, Result]:
    child = block("child", "buy", "9", [("E", 1, 4)])
    other = books.curtailed()
    for name, rows in child.items():
        other.tables[name].extend(rows)
    book = other.changed(lambda t: t["block_orders"][1].update(parent_order_id="part"))
    return book, pretend(book, other)


@imposture("7")
def both_options_of_a_group_are_taken() -> tuple[Book, Result]:
    """The second substitute is cleared as an order of its own and then renamed."""

    def split(tables: Tables) -> None:
        tables["block_orders"].append({**tables["block_orders"][0], "order_id": "other"})
        tables["block_options"][1]["order_id"] = "other"
        tables["block_legs"][1]["order_id"] = "other"

    book = books.group()
    forgery = Forgery(book, pretend(book, book.changed(split)), 0)
    for table, column in (("block_results", "order_id"), ("assignments", "buy_order_id")):
        for row in [r for r in forgery.rows[table] if getattr(r, column) == "other"]:
            forgery.edit(table, row, **{column: "either"})
    return book, forgery.result()


@corrupts("7")
def a_placed_job_is_spread_over_two_listings(forgery: Forgery) -> None:
    """In each period one lot of the job comes from the listing that serves the crowd."""
    periods = {row.period for row in forgery.rows["assignments"] if row.buy_order_id == "train"}
    for period in sorted(periods) or [0]:
        _swap_listings(forgery, period, Decimal(1))


@corrupts("7")
def a_placed_job_hops_to_another_listing(forgery: Forgery) -> None:
    """In the first period all of the job comes from the listing that serves the crowd."""
    _swap_listings(forgery, 1, Decimal(1000))


def _swap_listings(forgery: Forgery, period: int, most: Decimal) -> None:
    job, crowd = forgery.pick(
        (one, other)
        for one in forgery.rows["assignments"]
        for other in forgery.rows["assignments"]
        if (one.buy_order_id, other.buy_order_id) == ("train", "crowd")
        and one.period == other.period == period
        and one.listing_id != other.listing_id
    )
    amount = min(job.quantity, crowd.quantity, most)
    for deal, other in ((job, crowd), (crowd, job)):
        forgery.edit("assignments", deal, quantity=deal.quantity - amount)
        taken = {"sell_order_id": other.sell_order_id, "listing_id": other.listing_id}
        forgery.rows["assignments"].append(deal._replace(quantity=amount, **taken))
    rows = forgery.rows["assignments"]
    forgery.rows["assignments"] = [row for row in rows if row.quantity > 0]


@imposture("7")
def a_placed_job_is_on_a_listing_it_does_not_accept() -> tuple[Book, Result]:
    def narrower(tables: Tables) -> None:
        tables["block_orders"][0]["eligible_listings"] = "L1"

    book = books.placed().changed(narrower)
    return book, pretend(book, books.placed())


@corrupts("7", "8")
def a_full_block_misses_one_lot_of_a_leg(forgery: Forgery) -> None:
    """The seller keeps the lot as well, so that everything but the profile adds up."""
    steps = {row.order_id: row for row in forgery.steps("sell") if row.accepted_quantity > 0}
    deal = forgery.pick(
        row
        for row in forgery.rows["assignments"]
        if row.option_id and row.sell_order_id in steps and not row.sell_option_id
    )
    lot = forgery.lot(deal.product)
    step = forgery.pick(
        row
        for row in forgery.steps("sell")
        if (row.order_id, row.product) == (deal.sell_order_id, deal.product)
        and row.period == deal.period
        and row.accepted_quantity > 0
    )
    forgery.accept(step, -lot)
    forgery.edit("assignments", deal, quantity=deal.quantity - lot)
    rows = forgery.rows["assignments"]
    forgery.rows["assignments"] = [row for row in rows if row.quantity > 0]


@corrupts("7", "8")
def a_block_is_told_another_acceptance_than_it_got(forgery: Forgery) -> None:
    row = forgery.pick(row for row in forgery.rows["block_results"] if row.acceptance)
    forgery.edit("block_results", row, acceptance=row.acceptance / 2, status="partly_accepted")


@corrupts("7", "5")
def a_rejected_block_is_called_accepted(forgery: Forgery) -> None:
    row = forgery.pick(row for row in forgery.rows["block_results"] if not row.acceptance)
    forgery.edit("block_results", row, status="accepted")
