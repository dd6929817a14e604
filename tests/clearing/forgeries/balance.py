"""Corruptions of rules 1 and 2: supply and consumption, and what there is of them."""

from decimal import Decimal

from tests.clearing.books import buy, sell
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
    swap_suppliers,
)

# --- Rule 1: supply and imports are exports and consumption ---


@corrupts("1")
def a_delivery_is_lost(forgery: Forgery) -> None:
    forgery.rows["assignments"].remove(forgery.pick(forgery.rows["assignments"]))


@corrupts("1")
def a_delivery_is_counted_twice(forgery: Forgery) -> None:
    forgery.rows["assignments"].append(forgery.pick(forgery.rows["assignments"]))


@corrupts("1")
def a_delivery_has_one_lot_more(forgery: Forgery) -> None:
    deal = forgery.pick(forgery.rows["assignments"])
    forgery.edit("assignments", deal, quantity=deal.quantity + forgery.lot(deal.product))


@corrupts("1")
def a_delivery_has_one_lot_less(forgery: Forgery) -> None:
    lots = [r for r in forgery.rows["assignments"] if r.quantity > forgery.lot(r.product)]
    deal = forgery.pick(lots)
    forgery.edit("assignments", deal, quantity=deal.quantity - forgery.lot(deal.product))


@corrupts("1")
def a_delivery_ends_at_another_hub(forgery: Forgery) -> None:
    deal = forgery.pick(forgery.rows["assignments"])
    other = forgery.pick(hub for hub in forgery.auction.hubs if hub != deal.hub)
    forgery.edit("assignments", deal, hub=other)


@corrupts("1")
def a_delivery_starts_at_another_hub(forgery: Forgery) -> None:
    deal = forgery.pick(forgery.rows["assignments"])
    other = forgery.pick(hub for hub in forgery.auction.hubs if hub != deal.hub_of_supply)
    forgery.edit("assignments", deal, hub_of_supply=other)


@corrupts("1")
def a_delivery_is_in_another_period(forgery: Forgery) -> None:
    if forgery.auction.terms.periods == 1:
        raise NotHere
    deal = forgery.pick(forgery.rows["assignments"])
    forgery.edit("assignments", deal, period=deal.period % forgery.auction.terms.periods + 1)


@corrupts("1")
def a_delivery_comes_from_nobody(forgery: Forgery) -> None:
    deal = forgery.pick(forgery.rows["assignments"])
    forgery.edit("assignments", deal, sell_order_id="nobody", listing_id="nobody")


@corrupts("1")
def a_flow_has_one_lot_more(forgery: Forgery) -> None:
    flow = forgery.pick(forgery.rows["flows"])
    more = flow.forward_quantity + forgery.lot(flow.product)
    forgery.edit("flows", flow, forward_quantity=more)


@corrupts("1", "2")
def a_flow_runs_in_a_circle(forgery: Forgery) -> None:
    """Without carbon classes; with them green and other supply may pass each other."""
    classes = {product.name: product.carbon_classes for product in forgery.auction.products}
    flow = forgery.pick(row for row in forgery.rows["flows"] if not classes[row.product])
    lot = forgery.lot(flow.product)
    forgery.edit(
        "flows",
        flow,
        forward_quantity=flow.forward_quantity + lot,
        reverse_quantity=flow.reverse_quantity + lot,
    )


@corrupts("1")
def a_sell_gives_a_lot_to_nobody(forgery: Forgery) -> None:
    spare = [row for row in forgery.steps("sell") if row.accepted_quantity < row.quantity]
    step = forgery.pick(spare)
    forgery.accept(step, forgery.lot(step.product))


@corrupts("1")
def a_buy_gets_a_lot_from_nobody(forgery: Forgery) -> None:
    step = forgery.pick(row for row in forgery.steps("buy") if row.accepted_quantity < row.quantity)
    forgery.accept(step, forgery.lot(step.product))


@corrupts("1", "7")
def a_green_buyer_is_served_by_coal(forgery: Forgery) -> None:
    """Two buyers at one place swap one lot of their suppliers; all sums stay."""
    deals = forgery.local_deals()
    clean, dirty = forgery.pick(
        (first, second)
        for first, bought, sold in deals
        for second, other, coal in deals
        if (first.hub, first.product, first.period) == (second.hub, second.product, second.period)
        and forgery.term(bought.order_id, "max_carbon")
        and not forgery.term(other.order_id, "max_carbon")
        and forgery.supply_class(sold.order_id, first.product) is not None
        and forgery.supply_class(coal.order_id, first.product) is None
    )
    swap_suppliers(forgery, clean, dirty)


# --- Rule 2: nothing beyond its capacity ---


@corrupts("2")
def a_buy_gets_a_lot_beyond_its_quantity(forgery: Forgery) -> None:
    deal, bought, sold = forgery.pick(
        (deal, bought, sold)
        for deal, bought, sold in forgery.local_deals()
        if bought.accepted_quantity == bought.quantity and sold.accepted_quantity < sold.quantity
    )
    forgery.trade(deal, bought, sold, 1)


@corrupts("2")
def a_sell_gives_a_lot_beyond_its_quantity(forgery: Forgery) -> None:
    deal, bought, sold = forgery.pick(
        (deal, bought, sold)
        for deal, bought, sold in forgery.local_deals()
        if sold.accepted_quantity == sold.quantity
    )
    forgery.trade(deal, bought, sold, 1)


@corrupts("2")
def a_listing_gives_a_lot_beyond_its_offer(forgery: Forgery) -> None:
    full = [row for row in forgery.steps("sell") if row.reason == "listing_full"]
    deal, old, new = forgery.pick(
        (deal, sold, step)
        for step in full
        for deal, _, sold in forgery.local_deals()
        if (deal.hub, deal.product, deal.period) == (step.hub, step.product, step.period)
        and forgery.term(sold.order_id, "listing_id") != forgery.term(step.order_id, "listing_id")
        and forgery.supply_class(sold.order_id, deal.product)
        == forgery.supply_class(step.order_id, deal.product)
    )
    forgery.reassign(deal, old, new)


@corrupts("2")
def a_quantity_is_below_zero(forgery: Forgery) -> None:
    """A rejected step sells a negative lot and another of its cell makes it up."""
    deal, old, new = forgery.pick(
        (deal, step, sold)
        for deal, _, sold in forgery.local_deals()
        for step in forgery.steps("sell")
        if (deal.hub, deal.product, deal.period) == (step.hub, step.product, step.period)
        and step.accepted_quantity == 0
        and sold.accepted_quantity < sold.quantity
        and step.order_id != sold.order_id
    )
    forgery.reassign(deal, old, new)


@corrupts("2", "7")
def a_block_is_accepted_beyond_all_of_it(forgery: Forgery) -> None:
    row = forgery.pick(row for row in forgery.rows["block_results"] if row.acceptance == 1)
    forgery.edit("block_results", row, acceptance=row.acceptance + Decimal("0.01"))


@imposture("2")
def a_link_carries_a_lot_beyond_its_capacity() -> tuple[Book, Result]:
    return _widened("link_capacities", "forward_capacity", "11", books.scarce_link())


@imposture("2")
def a_link_carries_against_a_closed_direction() -> tuple[Book, Result]:
    def close(tables: Tables) -> None:
        tables["link_capacities"][0]["forward_capacity"] = "0"

    book = books.wide_link()
    return book.changed(close), pretend(book.changed(close), book)


@imposture("2")
def a_listing_is_taken_for_larger_by_a_lot() -> tuple[Book, Result]:
    return _widened("listing_capacities", "capacity", "7", books.listings())


@imposture("2")
def a_sell_is_taken_for_larger_by_a_lot() -> tuple[Book, Result]:
    def less(tables: Tables) -> None:
        tables["curve_orders"][0]["quantity"] = 9

    book = books.ties()
    return book.changed(less), pretend(book.changed(less), book)


@imposture("2")
def a_link_of_two_products_is_taken_for_larger() -> tuple[Book, Result]:
    """The link is shared: 8 of one product and 4 x 0.5 of the other fill ten exactly."""
    cpu = {"product": "cpu"}
    curves = [
        sell("s1", "2", 30),
        buy("b1", "10", 8, "E"),
        sell("s2", "2", 30, **cpu),
        buy("b2", "10", 5, "E", **cpu),
    ]

    def shared(tables: Tables) -> None:
        tables["products"].append({"product": "cpu", "bandwidth_per_unit": "0.5"})

    book = books.book("shared link", curves, links=books.LINK).changed(shared)
    wide = book.changed(lambda tables: tables["link_capacities"][0].update(forward_capacity="10.5"))
    return book, pretend(book, wide)


def _widened(table: str, column: str, value: str, book: Book) -> tuple[Book, Result]:
    def widen(tables: Tables) -> None:
        tables[table][0][column] = value

    return book, pretend(book, book.changed(widen))
