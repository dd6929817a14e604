"""The page of examples, made from the same table that the tests read.

`python -m tests.clearing.examples.page` writes docs/explanation/clearing-examples.md.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.clearing.books import Row
from tests.clearing.examples.by_hand import BY_HAND
from tests.clearing.examples.example import Example
from tests.clearing.examples.published_blocks import PUBLISHED_BLOCKS
from tests.clearing.examples.published_coupling import PUBLISHED_COUPLING

PAGE = Path(__file__).resolve().parents[3] / "docs" / "explanation" / "clearing-examples.md"
PUBLISHED = (*PUBLISHED_COUPLING, *PUBLISHED_BLOCKS)
_HEAD = """# Examples with known answers

Made from the table that the tests read (`tests/clearing/examples`), so these are the tests'
numbers; `python -m tests.clearing.examples.page` writes it again. How the engine gets there is in
[How an auction is cleared](clearing.md).

A price is a supply price; "delivered" is what a buyer pays. "in 2" is period 2. Unless a link says
otherwise, a unit needs 1 Gbit/s and links cost nothing.

"""


def render() -> str:
    """Return the page."""
    parts = [_HEAD, "## Worked by hand\n\n"]
    parts += [_section(example, 3) for example in BY_HAND]
    parts.append(
        "## Published elsewhere\n\nNumbers of others, each with its source. Where several prices "
        "fit and the source takes another one than the midpoint, the answer is the interval.\n\n"
    )
    parts += [_section(example, 3) for example in PUBLISHED]
    return "".join(parts).rstrip() + "\n"


def _section(example: Example, level: int) -> str:
    lines = [f"{'#' * level} {example.title}", "", example.text, ""]
    lines += ["| order | where | what |", "|---|---|---|"]
    lines += [f"| {name} | {place} | {what} |" for name, place, what in _orders(example)]
    lines += ["", f"Answer: {_answer(example)}."]
    if links := _links(example.book):
        lines += ["", f"Links: {links}."]
    if example.source:
        lines += ["", f"Source: {example.source}."]
    return "\n".join(lines) + "\n\n"


def _links(book: dict[str, list[Row]]) -> str:
    rooms = book["link_capacities"]
    return "; ".join(
        f"{row['from_hub']}–{row['to_hub']} {room['forward_capacity']} Gbit/s each way"
        + (f", tariff {row['tariff']}" if row["tariff"] != "0" else "")
        + f", {row['rtt_ms']} ms"
        for row, room in zip(book["links"], rooms, strict=True)
    )


def _orders(example: Example) -> Iterable[tuple[str, str, str]]:
    yield from _curves(example)
    yield from _blocks(example)
    for row in example.book.get("flexible_orders", []):
        kind = "in any periods" if row["interruptible"] == "1" else "in a row"
        window = f"{row['earliest_period']} to {row['latest_period']}"
        what = f"buys {row['quantity']} for {row['duration']} periods {kind} of {window}"
        yield row["order_id"], row["hub"], f"{what} at {row['limit_price']}"


def _curves(example: Example) -> Iterable[tuple[str, str, str]]:
    orders: dict[str, list[Row]] = {}
    for row in example.book["curve_orders"]:
        orders.setdefault(row["order_id"], []).append(row)
    for name, rows in orders.items():
        steps = {f"{row['quantity']} at {row['price']}" for row in rows}
        if len(rows) > 1 and len(steps) == 1:
            what = f"{steps.pop()} in each period"
        else:
            what = ", ".join(_step(row, example.periods) for row in rows)
        yield name, rows[0]["hub"], f"{rows[0]['side']}s {what}{_terms(rows[0])}"


def _step(row: Row, periods: int) -> str:
    when = f" in {row['period']}" if periods > 1 else ""
    return f"{row['quantity']} at {row['price']}{when}"


def _terms(row: Row) -> str:
    found = []
    if row.get("max_rtt_ms"):
        found.append(f"within {row['max_rtt_ms']} ms")
    if row.get("max_carbon"):
        found.append(f"at most {row['max_carbon']} g")
    if row.get("carbon_intensity"):
        found.append(f"{row['carbon_intensity']} g")
    if row.get("listing_id"):
        found.append(f"from listing {row['listing_id']}")
    return "".join(f"; {term}" for term in found)


def _blocks(example: Example) -> Iterable[tuple[str, str, str]]:
    book = example.book
    many = len(book.get("block_options", [])) > len(book.get("block_orders", []))
    for order in book.get("block_orders", []):
        for option in book["block_options"]:
            if option["order_id"] != order["order_id"]:
                continue
            key = (option["order_id"], option["option_id"])
            legs = [r for r in book["block_legs"] if (r["order_id"], r["option_id"]) == key]
            name = "/".join(key) if many else key[0]
            parts = [
                f"{leg['quantity']} in {leg['period']}"
                if example.periods > 1
                else f"{leg['quantity']}"
                for leg in legs
            ]
            what = f"{order['side']}s all of {', '.join(parts)} at {option['limit_price']}"
            yield name, legs[0]["hub"], what + _logic(order)


def _logic(order: Row) -> str:
    found = ""
    if order["min_acceptance"] != "1":
        found += f", or a part from {order['min_acceptance']} up"
    if order.get("parent_order_id"):
        found += f"; child of {order['parent_order_id']}"
    if order.get("placement"):
        found += "; on one listing"
    return found


def _answer(example: Example) -> str:
    parts = _list("price", example.prices) + _list("delivered price", example.delivered)
    parts += _list("rent", example.rents) + _list("", example.trades)
    parts += [f"{name} {_word(known)}" for name, known in example.orders.items()]
    parts += [
        f"{name} pays {paid}, surplus {surplus}"
        if _side(example, name) == "buy"
        else f"{name} gets {paid}, surplus {surplus}"
        for name, (paid, surplus) in example.payments.items()
    ]
    parts += [f"{name.replace('_', ' ')} {value}" for name, value in example.sums.items()]
    return "; ".join(parts)


def _side(example: Example, name: str) -> str:
    orders = example.book.get("block_orders", [])
    return next((row["side"] for row in orders if row["order_id"] == name), "buy")


def _word(known: Any) -> str:
    if isinstance(known, str) and not known[0].isdigit():
        return known.replace("_", " ")
    return {"0": "rejected", "1": "accepted"}.get(str(known), f"accepted at {known}")


def _list(kind: str, known: Any) -> list[str]:
    out = []
    for name, value in known.items():
        text = f"{value[0]} to {value[1]}" if isinstance(value, tuple) else str(value)
        name = name.replace(" at ", " in ")
        out.append(f"**{kind} {name} {text}**" if kind else f"{name} {text}")
    return out


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
