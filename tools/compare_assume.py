"""The same book by this engine and by ASSUME's complex clearing, side by side, by hand.

    python -m tools.compare_assume --draw BOOK.json          this engine clears, the book is written
    OTHER/bin/python tools/compare_assume.py BOOK.json       ASSUME clears it

OTHER is an environment of its own with `pip install assume-framework==0.6.0`. Links have no tariff
in this book, since that engine knows none; both count the welfare of what they accept.
"""

import argparse
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

START = datetime(2026, 12, 1, tzinfo=UTC)


def draw(path: Path, blocks: int) -> None:
    """Write the hard neutral book with so many blocks, and say how this engine clears it."""
    from orders.clearing import clear, verify  # noqa: PLC0415 - not known to the other environment
    from tools.instances import NeutralMarket  # noqa: PLC0415

    auction = NeutralMarket(1, blocks=blocks, share=1.0, near=0.03).build().auction()
    links = tuple(replace(link, tariff=Decimal(0)) for link in auction.links)
    auction = replace(auction, links=links)
    curves, product = auction.curves, auction.products[0]
    orders: list[dict[str, Any]] = []
    for row in range(len(curves)):
        volume = float(int(curves.quantity_lots[row]) * product.quantity_tick)
        orders.append(
            {
                "bid_id": f"s{row}",
                "bid_type": "SB",
                "node": auction.hubs[int(curves.hub[row])],
                "period": int(curves.period[row]),
                "price": float(int(curves.price_ticks[row]) * product.price_tick),
                "volume": -volume if curves.is_buy[row] else volume,
                "min_acceptance_ratio": None,
            }
        )
    for order in auction.blocks:
        option = order.options[0]
        sign = -1 if order.is_buy else 1
        orders.append(
            {
                "bid_id": order.order_id,
                "bid_type": "BB",
                "node": auction.hubs[option.legs[0].hub],
                "period": min(leg.period for leg in option.legs),
                "price": float(option.limit_price),
                "volume": {
                    str(leg.period): sign * float(leg.quantity_lots * product.quantity_tick)
                    for leg in option.legs
                },
                "min_acceptance_ratio": float(order.min_acceptance),
            }
        )
    lines = [
        (auction.hubs[link.from_hub], auction.hubs[link.to_hub], float(link.forward_capacity[0]))
        for link in links
    ]
    book = {"hubs": list(auction.hubs), "lines": lines, "orders": orders}
    path.write_text(json.dumps(book), encoding="utf-8")
    found: list[tuple[float, float]] = []
    started = time.process_time()
    result = clear(auction, lambda welfare: found.append((time.process_time() - started, welfare)))
    seconds = time.process_time() - started
    print(f"{len(orders)} orders; this engine: {seconds:.2f} s, {result.summary.welfare:.2f}")
    for at, welfare in found:
        print(f"  after {at:.2f} s {welfare:.2f}")
    print(f"violations: {len(verify(auction, result))}")


def clear_by_assume(path: Path) -> None:
    """Clear a book that was drawn with ASSUME's complex clearing."""
    import pandas as pd  # noqa: PLC0415 - only the other environment has these
    from assume.markets.clearing_algorithms.complex_clearing import (  # noqa: PLC0415
        ComplexClearingRole,
    )

    book = json.loads(path.read_text(encoding="utf-8"))
    at = [START + timedelta(hours=hour) for hour in range(25)]
    orders = book["orders"]
    for order in orders:
        order |= {
            "start_time": at[order["period"]],
            "end_time": at[order["period"] + 1],
            "only_hours": None,
            "agent_addr": order["bid_id"],
        }
        if order["bid_type"] == "BB":
            order["volume"] = {at[int(t)]: amount for t, amount in order["volume"].items()}
    names = [f"line{k}" for k in range(len(book["lines"]))]
    matrix = pd.DataFrame(0, index=book["hubs"], columns=names)
    for name, (start, end, _) in zip(names, book["lines"], strict=True):
        matrix.loc[start, name], matrix.loc[end, name] = -1, 1
    role = ComplexClearingRole.__new__(ComplexClearingRole)
    role.marketconfig = SimpleNamespace(
        market_id="comparison",
        additional_fields=["bid_type", "node", "min_acceptance_ratio"],
        param_dict={},
    )
    role.solver, role.solver_options = "appsi_highs", {"threads": 1}
    role.incidence_matrix, role.nodes = matrix, book["hubs"]
    role.lines = pd.DataFrame({"s_nom": [line[2] for line in book["lines"]]}, index=names)
    role.log_flows, role.pricing_mechanism = False, "pay_as_clear"
    products = [(at[hour], at[hour + 1], None) for hour in range(24)]
    started = time.process_time()
    accepted, _, _, _ = role.clear(orders, products)
    seconds = time.process_time() - started
    welfare = -sum(
        order["price"] * amount
        for order in accepted
        for amount in _amounts(order["accepted_volume"])
    )
    print(f"ASSUME complex clearing: {seconds:.2f} s, {welfare:.2f}")


def _amounts(volume: Any) -> list[float]:
    return list(volume.values()) if isinstance(volume, dict) else [volume]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("book", type=Path)
    parser.add_argument("--draw", action="store_true", help="draw the book and clear it here")
    parser.add_argument("--blocks", type=int, default=1000)
    chosen = parser.parse_args()
    if chosen.draw:
        draw(chosen.book, chosen.blocks)
    else:
        clear_by_assume(chosen.book)
