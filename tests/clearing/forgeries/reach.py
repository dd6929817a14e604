"""Corruptions of rules 3 and 4: who may serve whom, and what the price decides."""

from typing import Any

from tests.clearing.books import block, buy, sell
from tests.clearing.forgeries import honest_books as books
from tests.clearing.forgeries.forgery import (
    Book,
    Forgery,
    Result,
    corrupts,
    imposture,
    pretend,
    swap_suppliers,
)

# --- Rule 3: nobody is served from beyond his latency ---


@corrupts("3")
def a_limited_buyer_swaps_suppliers_with_a_tolerant_one(forgery: Forgery) -> None:
    deals = forgery.rows["assignments"]
    near, far = forgery.pick(
        (first, second)
        for first in deals
        for second in deals
        if (first.hub, first.product, first.period) == (second.hub, second.product, second.period)
        and forgery.is_curve(first.buy_order_id)
        and forgery.is_curve(second.buy_order_id)
        and forgery.term(first.buy_order_id, "max_rtt_ms")
        and not forgery.term(second.buy_order_id, "max_rtt_ms")
        and first.hub == first.hub_of_supply
        and _rtt(forgery, second) > int(forgery.term(first.buy_order_id, "max_rtt_ms"))
    )
    swap_suppliers(forgery, near, far)


def _rtt(forgery: Forgery, deal: Any) -> int:
    """Return a round-trip time no route between the hubs can undercut."""
    if deal.hub == deal.hub_of_supply:
        return 0
    links = forgery.book.tables["links"]
    into = [int(row["rtt_ms"]) for row in links if deal.hub in (row["from_hub"], row["to_hub"])]
    out = [
        int(row["rtt_ms"])
        for row in links
        if deal.hub_of_supply in (row["from_hub"], row["to_hub"])
    ]
    return max(min(into), min(out))


@imposture("3")
def a_curve_order_is_served_beyond_its_latency() -> tuple[Book, Result]:
    return _looser("curve_orders", 3, "")


@imposture("3")
def a_curve_order_is_served_a_tenth_of_a_millisecond_too_far() -> tuple[Book, Result]:
    book = books.wide_link().changed(lambda t: t["curve_orders"][3].update(max_rtt_ms="20"))
    slow = book.changed(lambda tables: tables["links"][0].update(rtt_ms="20.1"))
    return slow, pretend(slow, book)


def _looser(table: str, at: int, limit: str) -> tuple[Book, Result]:
    book = books.wide_link()
    return book, pretend(book, book.changed(lambda t: t[table][at].update(max_rtt_ms=limit)))


def _block_far(**terms: str) -> Book:
    job = block("job", "buy", "9", [("E", 1, 5)], max_rtt_ms="10", **terms)
    curves = [
        sell("s1", "2", 30, listing_id="L1"),
        sell("s2", "6", 30, "E", listing_id="L2"),
        buy("b1", "10", 3, "E"),
    ]
    return books.book(
        "block far away",
        curves,
        job,
        links=[("W", "E", "20", "0.5", "100")],
        listings=[{"listing_id": "L1", "hub": "W"}, {"listing_id": "L2", "hub": "E"}],
    )


@imposture("3")
def a_block_is_served_beyond_its_latency() -> tuple[Book, Result]:
    book = _block_far()
    return book, pretend(book, book.changed(lambda t: t["block_orders"][0].update(max_rtt_ms="20")))


@imposture("3")
def a_job_is_placed_beyond_its_latency() -> tuple[Book, Result]:
    book = _block_far(placement="single")
    return book, pretend(book, book.changed(lambda t: t["block_orders"][0].update(max_rtt_ms="20")))


@imposture("3")
def a_limited_buyer_is_served_by_another_way_than_the_shortest() -> tuple[Book, Result]:
    """The least time leads through M; the result sends the order over the direct link."""
    book = books.book(
        "triangle",
        [sell("s", "2", 30), buy("near", "10", 5, "E", max_rtt_ms="30")],
        hubs="W M E",
        links=[
            ("W", "E", "20", "0", "100"),
            ("W", "M", "8", "1", "100"),
            ("M", "E", "9", "1", "100"),
        ],
    )
    return book, pretend(book, book.changed(lambda t: t["links"][0].update(rtt_ms="16")))


@imposture("3")
def a_tie_of_ways_goes_to_the_longer_chain() -> tuple[Book, Result]:
    """Two ways of 17 ms: the one of fewest links counts, however dear."""
    book = books.book(
        "tied ways",
        [sell("s", "2", 30), buy("near", "10", 5, "E", max_rtt_ms="30")],
        hubs="W M E",
        links=[
            ("W", "E", "17", "2", "100"),
            ("W", "M", "8", "0", "100"),
            ("M", "E", "9", "0", "100"),
        ],
    )
    return book, pretend(book, book.changed(lambda t: t["links"][0].update(rtt_ms="17.1")))


# --- Rule 4: curve orders follow the price ---


@corrupts("4")
def a_buy_in_the_money_misses_a_lot(forgery: Forgery) -> None:
    forgery.trade(*forgery.pick(_deals(forgery, bought=1)), -1)


@corrupts("4")
def a_sell_in_the_money_misses_a_lot(forgery: Forgery) -> None:
    forgery.trade(*forgery.pick(_deals(forgery, sold=1)), -1)


@corrupts("4")
def a_buy_in_the_money_misses_all_of_a_delivery(forgery: Forgery) -> None:
    """Whether or not a link is full, this is beyond what whole lots explain."""
    deal, bought, sold = forgery.pick(
        (deal, buyer, seller)
        for deal, buyer, seller in forgery.local_deals()
        if (forgery.margin(buyer) or 0) > 0
        and deal.quantity >= 8
        and min(buyer.accepted_quantity, seller.accepted_quantity) >= deal.quantity
    )
    forgery.trade(deal, bought, sold, 1 - int(deal.quantity))


def _deals(forgery: Forgery, *, bought: int = 0, sold: int = 0) -> list[tuple[Any, Any, Any]]:
    """Return local deals whose buy or sell is strictly in the money."""
    return [
        (deal, buyer, seller)
        for deal, buyer, seller in _exact_deals(forgery)
        if (not bought or (forgery.margin(buyer) or 0) > 0)
        and (not sold or (forgery.margin(seller) or 0) > 0)
    ]


def _exact_deals(forgery: Forgery) -> list[tuple[Any, Any, Any]]:
    """Return local deals of periods without a full link: whole lots leave no remainder there."""
    full = {row.period for row in forgery.rows["link_rents"] if row.rent > 0}
    return [found for found in forgery.local_deals() if found[0].period not in full]


@corrupts("4")
def a_buy_out_of_the_money_gets_a_lot(forgery: Forgery) -> None:
    """A poor buyer takes one lot of a rich one."""
    deal, old, new = forgery.pick(
        (deal, bought, step)
        for deal, bought, _ in _exact_deals(forgery)
        for step in forgery.steps("buy")
        if (deal.hub, deal.product, deal.period) == (step.hub, step.product, step.period)
        and (forgery.margin(step) or 0) < 0
        and forgery.term(step.order_id, "max_rtt_ms") == ""
        and forgery.term(step.order_id, "max_carbon") == ""
    )
    lot = forgery.lot(deal.product)
    forgery.accept(old, -lot)
    forgery.accept(new, lot)
    forgery.edit("assignments", deal, quantity=deal.quantity - lot)
    forgery.rows["assignments"].append(deal._replace(buy_order_id=new.order_id, quantity=lot))
    rows = forgery.rows["assignments"]
    forgery.rows["assignments"] = [row for row in rows if row.quantity > 0]


@corrupts("4")
def a_dear_sell_replaces_a_cheap_one(forgery: Forgery) -> None:
    deal, old, new = forgery.pick(
        (deal, sold, step)
        for deal, _, sold in _exact_deals(forgery)
        for step in forgery.steps("sell")
        if (deal.hub, deal.product, deal.period) == (step.hub, step.product, step.period)
        and (forgery.margin(step) or 0) < 0
        and forgery.supply_class(sold.order_id, deal.product)
        == forgery.supply_class(step.order_id, deal.product)
    )
    forgery.reassign(deal, old, new)


@corrupts("4")
def a_lot_at_the_margin_goes_to_another_buy(forgery: Forgery) -> None:
    _move_share(forgery, "buy")


@corrupts("4")
def a_lot_at_the_margin_goes_to_another_sell(forgery: Forgery) -> None:
    _move_share(forgery, "sell")


def _move_share(forgery: Forgery, side: str) -> None:
    """Move a lot between two orders that tie at the money; all sums stay."""
    column = f"{side}_order_id"
    same = ("hub", "product", "period", "price")
    terms = ("max_rtt_ms", "max_carbon", "listing_id", "carbon_intensity")
    first, second = forgery.pick(
        (one, other)
        for one in forgery.steps(side)
        for other in forgery.steps(side)
        if one.order_id != other.order_id
        and all(getattr(one, name) == getattr(other, name) for name in same)
        and all(forgery.term(one.order_id, n) == forgery.term(other.order_id, n) for n in terms)
        and one.accepted_quantity > 0
        and other.accepted_quantity < other.quantity
    )
    lot = forgery.lot(first.product)
    deal = forgery.pick(
        row
        for row in forgery.rows["assignments"]
        if getattr(row, column) == first.order_id
        and (row.product, row.period) == (first.product, first.period)
    )
    forgery.accept(first, -lot)
    forgery.accept(second, lot)
    forgery.edit("assignments", deal, quantity=deal.quantity - lot)
    changed = {column: second.order_id}
    if side == "sell":
        changed["listing_id"] = second.order_id
    forgery.rows["assignments"].append(deal._replace(quantity=lot, **changed))
    rows = forgery.rows["assignments"]
    forgery.rows["assignments"] = [row for row in rows if row.quantity > 0]


@corrupts("4")
def a_trade_at_the_money_is_left_out(forgery: Forgery) -> None:
    """Both sides are at the money: welfare is the same, the volume is not the largest."""
    deal, bought, sold = forgery.pick(
        found
        for found in _exact_deals(forgery)
        if forgery.margin(found[1]) == 0 and forgery.margin(found[2]) == 0
    )
    forgery.trade(deal, bought, sold, -1)


@corrupts("4")
def a_word_for_a_step_is_wrong(forgery: Forgery) -> None:
    step = forgery.pick(forgery.rows["curve_results"])
    wrong = "rejected" if step.accepted_quantity else "accepted"
    forgery.edit("curve_results", step, status=wrong)


def _edge(price: str) -> Book:
    return books.book(
        "edge", [sell("s", "5", 30), buy("edge", price, 5), buy("b", "9", 5), sell("t", "6", 9)]
    )


@imposture("4")
def a_buy_one_tick_out_of_the_money_is_accepted() -> tuple[Book, Result]:
    return _edge("4.99"), pretend(_edge("4.99"), _edge("5.01"))


@imposture("4")
def a_buy_one_tick_in_the_money_is_rejected() -> tuple[Book, Result]:
    return _edge("5.01"), pretend(_edge("5.01"), _edge("4.99"))
