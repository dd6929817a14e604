"""Corruptions of rule 6: prices are consistent over the network."""

from decimal import Decimal
from typing import Any

from tests.clearing.forgeries.forgery import (
    Forgery,
    corrupts,
    number,
)

FEN = Decimal("0.01")

# --- Rule 6: prices are consistent over the network ---


def _served(forgery: Forgery, row: Any) -> bool:
    """Whether a curve order of exactly this delivered price row is served."""
    return any(
        row[:2] == (step.hub, step.product)
        and row.period == step.period
        and step.accepted_quantity > 0
        and row.max_rtt_ms == number(forgery.term(step.order_id, "max_rtt_ms"))
        and row.max_carbon == number(forgery.term(step.order_id, "max_carbon"))
        for step in forgery.steps("buy")
    )


def _bump_delivered(forgery: Forgery, ticks: int) -> None:
    rows = [row for row in forgery.rows["delivered_prices"] if _served(forgery, row)]
    row = forgery.pick(rows)
    price = row.price + ticks * forgery.fine_tick(row.product)
    forgery.edit("delivered_prices", row, price=price)


@corrupts("6")
def a_buyer_pays_three_clearing_ticks_more_than_the_way_costs(forgery: Forgery) -> None:
    _bump_delivered(forgery, 3)


@corrupts("6")
def a_buyer_pays_three_clearing_ticks_less_than_the_way_costs(forgery: Forgery) -> None:
    _bump_delivered(forgery, -3)


@corrupts("6")
def a_buyer_pays_one_order_tick_more_than_the_way_costs(forgery: Forgery) -> None:
    _bump_delivered(forgery, 100)


@corrupts("6")
def a_delivered_price_is_missing(forgery: Forgery) -> None:
    rows = [row for row in forgery.rows["delivered_prices"] if _served(forgery, row)]
    forgery.rows["delivered_prices"].remove(forgery.pick(rows))


@corrupts("6")
def a_free_link_earns_a_rent(forgery: Forgery) -> None:
    """The rent of a link with room is one order tick."""
    row = forgery.pick(_with_flow(forgery, full=False))
    forgery.edit("link_rents", row, rent=row.rent + FEN)


@corrupts("6")
def a_full_link_earns_one_order_tick_too_little(forgery: Forgery) -> None:
    row = forgery.pick(_with_flow(forgery, full=True))
    forgery.edit("link_rents", row, rent=row.rent - FEN)


@corrupts("6")
def a_full_link_earns_one_order_tick_too_much(forgery: Forgery) -> None:
    row = forgery.pick(_with_flow(forgery, full=True))
    forgery.edit("link_rents", row, rent=row.rent + FEN)


def _with_flow(forgery: Forgery, *, full: bool) -> list[Any]:
    """Return rents of link directions that carry something that needs bandwidth."""
    carried: dict[tuple[str, str, str, int], Decimal] = {}
    for flow in forgery.rows["flows"]:
        need = forgery.bandwidth(flow.product)
        for direction in ("forward", "reverse"):
            key = (flow.from_hub, flow.to_hub, direction, flow.period)
            amount = need * getattr(flow, f"{direction}_quantity")
            carried[key] = carried.get(key, Decimal(0)) + amount
    rows = forgery.rows["link_rents"]
    return [row for row in rows if carried.get(row[:4], 0) > 0 and (row.rent > 0) == full]


@corrupts("6")
def a_rent_is_below_zero(forgery: Forgery) -> None:
    row = forgery.pick(row for row in forgery.rows["link_rents"] if row.rent == 0)
    forgery.edit("link_rents", row, rent=-FEN)


@corrupts("6")
def green_supply_is_cheaper_than_any_supply(forgery: Forgery) -> None:
    """On an idle cell nobody pays it, and still a stricter class is never cheaper."""
    prices = {row[:4]: row for row in forgery.rows["prices"]}
    row = forgery.pick(
        row
        for key, row in prices.items()
        if row.carbon_class is not None
        and row.price is not None
        and prices[(key[0], key[1], None, key[3])].price is not None
    )
    plain = prices[(row.hub, row.product, None, row.period)].price
    forgery.edit("prices", row, price=plain - FEN)


@corrupts("6")
def hubs_differ_beyond_the_tariff_of_a_free_link(forgery: Forgery) -> None:
    """Delivered prices without any limit differ although the link between has room and no rent."""
    rows = {
        (row.hub, row.product, row.period): row
        for row in forgery.rows["delivered_prices"]
        if row.max_rtt_ms is None and row.max_carbon is None and row.price is not None
    }
    tariffs = [(r["from_hub"], r["to_hub"], Decimal(r["tariff"])) for r in _links(forgery)]
    row, price = forgery.pick(
        (rows[end, product, period], rows[start, product, period].price + tariff + FEN)
        for start, end, tariff in tariffs
        for hub, product, period in rows
        if hub == start
        and (end, product, period) in rows
        and rows[end, product, period].price < rows[start, product, period].price + tariff
    )
    forgery.edit("delivered_prices", row, price=price)


def _links(forgery: Forgery) -> list[dict[str, Any]]:
    wide = {
        (row["from_hub"], row["to_hub"])
        for row in forgery.book.tables["link_capacities"]
        if Decimal(row["forward_capacity"]) >= 100
    }
    return [r for r in forgery.book.tables["links"] if (r["from_hub"], r["to_hub"]) in wide]


@corrupts("6", "5", "8")
def a_placed_job_pays_one_fen_less_than_its_listing(forgery: Forgery) -> None:
    singles = {r["order_id"] for r in forgery.block_orders() if r.get("placement")}
    rows = [r for r in forgery.rows["block_results"] if r.order_id in singles and r.acceptance]
    row = forgery.pick(rows)
    forgery.edit("block_results", row, payment=row.payment - FEN, surplus=row.surplus + FEN)
