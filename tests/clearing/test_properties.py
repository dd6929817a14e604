"""Properties that every clearing has, on random books with every order type."""

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.clearing import Result, auction_from_tables, clear, verify
from orders.clearing.result_files import result_files
from tests.clearing.books import RandomBook

SOME = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
SEEDS = st.integers(min_value=0, max_value=100_000)


def published(result: Result) -> dict[str, bytes]:
    files = result_files(result)
    del files["timing.json"]
    return files


@SOME
@given(seed=SEEDS, carbon=st.booleans())
def test_every_result_passes_the_verifier(seed: int, carbon: bool) -> None:
    auction = RandomBook(seed, carbon=carbon).auction()

    assert verify(auction, clear(auction)) == []


@SOME
@given(seed=SEEDS)
def test_supply_and_consumption_balance_exactly(seed: int) -> None:
    result = clear(RandomBook(seed).auction())

    assigned: dict[str, Decimal] = defaultdict(Decimal)
    for row in result.assignments:
        assigned[row.buy_order_id] += row.quantity
        assigned[row.sell_order_id] += row.quantity
    for curve in result.curve_results:
        assigned[curve.order_id] -= curve.accepted_quantity
    indivisible = {row.order_id for row in (*result.block_results, *result.flexible_results)}
    assert {k: v for k, v in assigned.items() if v and k not in indivisible} == {}
    summary = result.summary
    assert summary.buyer_payments == (
        summary.seller_receipts + summary.congestion_rent + summary.tariffs
    )


@SOME
@given(seed=SEEDS)
def test_nobody_trades_beyond_quantity_and_no_block_loses(seed: int) -> None:
    book = RandomBook(seed)
    for row in book.tables["block_orders"]:
        row["parent_order_id"] = ""

    result = clear(book.auction())

    assert all(0 <= row.accepted_quantity <= row.quantity for row in result.curve_results)
    assert all(row.surplus >= 0 for row in result.block_results)
    assert all(row.surplus >= 0 for row in result.flexible_results)


@SOME
@given(seed=SEEDS)
def test_result_does_not_depend_on_the_order_of_rows(seed: int) -> None:
    book = RandomBook(seed)
    first = clear(book.auction())
    shuffler = Random(seed)
    shuffled = {}
    for name, rows in book.tables.items():
        shuffled[name] = list(rows)
        shuffler.shuffle(shuffled[name])

    second = clear(auction_from_tables(book.meta, shuffled))

    assert published(first) == published(second)


def _numbers(result: Result) -> list[tuple[str, int, str]]:
    """Return (table, row, column) of every published number whose value matters."""
    out = []
    names = ("curve_results", "block_results", "flexible_results", "assignments", "flows")
    for name in (*names, "delivered_prices"):
        for number, row in enumerate(getattr(result, name)):
            for column, value in row._asdict().items():
                if isinstance(value, Decimal) and column not in ("max_rtt_ms", "max_carbon"):
                    out.append((name, number, column))
    for column in result.summary._fields:
        value = getattr(result.summary, column)
        if isinstance(value, (Decimal, int)) and column != "share_of_block_gain":
            out.append(("summary", 0, column))
    return out


def tamper(result: Result, place: tuple[str, int, str], by: Decimal) -> Result:
    """Return the result with one number changed."""
    table, number, column = place
    if table == "summary":
        value = getattr(result.summary, column) + by
        return replace(result, summary=result.summary._replace(**{column: value}))
    rows: list[Any] = list(getattr(result, table))
    rows[number] = rows[number]._replace(**{column: getattr(rows[number], column) + by})
    return replace(result, **{table: tuple(rows)})


@SOME
@given(seed=SEEDS, where=st.randoms(use_true_random=False), up=st.booleans())
def test_any_tampered_number_is_rejected(seed: int, where: Random, up: bool) -> None:
    auction = RandomBook(seed).auction()
    result = clear(auction)
    place = where.choice(_numbers(result))

    broken = tamper(result, place, Decimal(1 if up else -1))

    assert verify(auction, broken), place


@SOME
@given(seed=SEEDS, where=st.randoms(use_true_random=False))
def test_a_supply_price_that_pays_somebody_cannot_be_changed(seed: int, where: Random) -> None:
    auction = RandomBook(seed).auction()
    result = clear(auction)
    paid = {(row.hub_of_supply, row.product, row.period) for row in result.assignments}
    places = [
        ("prices", number, "price")
        for number, row in enumerate(result.prices)
        if (row.hub, row.product, row.period) in paid
    ]
    if places:
        assert verify(auction, tamper(result, where.choice(places), Decimal("0.5")))
