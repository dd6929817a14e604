"""The file format: round trips, canonical hash, and refusals with file, line and reason."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from orders.clearing import (
    BundleRefused,
    ResultUnreadable,
    auction_from_tables,
    bundle_sha256,
    clear,
    read_bundle,
    read_result,
    verify,
    write_bundle,
    write_result,
)
from tests.clearing.books import META, RandomBook, Row, block, buy, job, sell, small_auction, tables


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_bundle_survives_writing_and_reading(tmp_path: Path, name: str) -> None:
    auction = RandomBook(7, carbon=True).auction()

    write_bundle(auction, tmp_path / name)

    again = read_bundle(tmp_path / name)
    assert bundle_sha256(again) == bundle_sha256(auction)
    assert clear(again) == clear(auction)


def test_same_auction_gives_the_same_archive_byte_for_byte(tmp_path: Path) -> None:
    auction = RandomBook(3).auction()

    write_bundle(auction, tmp_path / "a.zip")
    write_bundle(auction, tmp_path / "b.zip")

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_hash_ignores_how_a_number_is_written() -> None:
    plain = small_auction([buy("b", "10", 5)])
    padded = small_auction([buy("b", "10.00", 5, period="1")])

    assert bundle_sha256(plain) == bundle_sha256(padded)
    assert bundle_sha256(plain) != bundle_sha256(small_auction([buy("b", "10.01", 5)]))


def test_bundle_is_read_from_an_open_archive(tmp_path: Path) -> None:
    auction = RandomBook(3).auction()
    write_bundle(auction, tmp_path / "a.zip")

    again = read_bundle(io.BytesIO((tmp_path / "a.zip").read_bytes()))

    assert bundle_sha256(again) == bundle_sha256(auction)


@pytest.mark.parametrize("name", ["result", "result.zip"])
def test_result_survives_writing_and_reading(tmp_path: Path, name: str) -> None:
    auction = RandomBook(11).auction()
    result = clear(auction)

    write_result(result, tmp_path / name)

    again = read_result(tmp_path / name)
    assert again == result
    assert verify(auction, again) == []


def test_result_tables_have_the_columns_of_the_files() -> None:
    result = clear(RandomBook(2).auction())

    columns = {name: list(rows[0]) for name, rows in result.tables().items() if rows}

    assert columns["prices"] == ["hub", "product", "carbon_class", "period", "price"]
    assert columns["flows"][-2:] == ["forward_quantity", "reverse_quantity"]


def test_result_without_a_file_is_unreadable(tmp_path: Path) -> None:
    write_result(clear(small_auction([buy("b", "10", 5)])), tmp_path)
    (tmp_path / "flows.csv").unlink()

    with pytest.raises(ResultUnreadable, match=r"flows\.csv: the file is missing"):
        read_result(tmp_path)


BAD_CURVES = [
    (buy("b", "10.001", 5), "price: 10.001 is not a multiple of 0.01"),
    (buy("b", "101", 5), "price: 101 is outside 0 to 100"),
    (buy("b", "NaN", 5), "price: 'NaN' is not a finite number"),
    (buy("b", "1e9999", 5), "price: '1e9999' is out of range"),
    (buy("b", "１０", 5), "price: '１０' is not a decimal number"),
    (buy("b", "10", -5), "quantity: -5 is negative"),
    (buy("b", "10", "1.5"), "quantity: 1.5 is not a multiple of 1"),
    (buy("b", "10", 5, "X"), "hub: unknown 'X'"),
    (buy("b", "10", 5, period="2"), "period: 2 is outside 1 to 1"),
    (buy("b", "10", 5, product="cpu"), "product: unknown 'cpu'"),
    (buy("b", "10", 5, side="hold"), "side: 'hold' is neither buy nor sell"),
    (buy("b", "10", 5, max_rtt_ms="25"), "max_rtt_ms: 25 is not in the product's list"),
    (sell("s", "10", 5, max_rtt_ms="20"), "max_rtt_ms: a sell order has no latency limit"),
    (sell("s", "10", 5, listing_id="L"), "listing_id: unknown 'L'"),
    (buy("", "10", 5), "order_id: the id is empty"),
    (buy("b", "10", 5, colour="red"), "unknown column 'colour'"),
    (buy("b", 10.5, 5), "price: binary floats are not exact; use Decimal or text"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("row", "reason"), BAD_CURVES)
def test_bad_curve_order_is_refused_with_its_line(row: Row, reason: str) -> None:
    with pytest.raises(BundleRefused) as refusal:
        small_auction([buy("good", "10", 5), row], product={"rtt_classes": "20"})

    assert (refusal.value.file, refusal.value.line) == ("curve_orders.csv", 3)
    assert refusal.value.reason == reason


def test_duplicate_step_is_refused() -> None:
    with pytest.raises(BundleRefused, match=r"curve_orders\.csv:3: duplicate step of order 'b'"):
        small_auction([buy("b", "10", 5), buy("b", "10.00", 6)])


def test_steps_at_negative_prices_are_told_apart() -> None:
    prices = ["-0.01", "-0.03", "-0.05", "-0.02"]
    steps = [sell("A", prices[0], 1), *(sell("B", price, 1) for price in prices[1:])]

    auction = auction_from_tables({**META, "price_min": "-1"}, tables(steps))

    assert auction.curves.order_id == ("A", "B", "B", "B")
    assert auction.curves.price_ticks.tolist() == [-1, -5, -3, -2]


def test_circle_of_linked_blocks_is_refused() -> None:
    first = block("a", "buy", "6", [("W", 1, 1)], parent_order_id="b")
    second = block("b", "buy", "6", [("W", 1, 1)], parent_order_id="a")

    with pytest.raises(BundleRefused, match="the links form a circle"):
        small_auction([], first, second)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("price_tick", "0", "price_tick: 0 must be above zero"),
        ("first_period_start", "2026-11-23T00:00:00", "first_period_start has no offset"),
        ("bundle_version", 2, "bundle_version must be 1"),
        ("periods", "0", "periods: 0 is outside 1 to 10000"),
        ("colour", "red", "unknown key 'colour'"),
    ],
)
def test_bad_terms_are_refused(key: str, value: Any, reason: str) -> None:
    with pytest.raises(BundleRefused) as refusal:
        auction_from_tables({**META, key: value}, tables([]))

    assert (refusal.value.file, refusal.value.reason) == ("auction.json", reason)


def test_unknown_file_is_refused(tmp_path: Path) -> None:
    write_bundle(small_auction([]), tmp_path)
    (tmp_path / "extra.csv").write_text("a\n1\n")

    with pytest.raises(BundleRefused, match=r"extra\.csv: unknown file"):
        read_bundle(tmp_path)


def test_broken_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hubs.csv", "hub\nW\n")

    with pytest.raises(BundleRefused, match=r"auction\.json: the file is missing"):
        read_bundle(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"duration": 4}, "duration"),
        ({"latest_period": 0}, "latest_period"),
        ({"quantity": "0"}, "quantity"),
        ({"limit_price": "100.5"}, "limit_price"),
        ({"min_acceptance": "1.5"}, "min_acceptance"),
        ({"interruptible": "2"}, "interruptible"),
        ({"placement": "two"}, "placement"),
        ({"eligible_listings": "nobody"}, "eligible_listings"),
        ({"hub": "X"}, "hub"),
    ],
)
def test_broken_flexible_order_is_refused_with_its_line(change: Row, reason: str) -> None:
    rows = [job("e", "5", 1, 1, (1, 1)), {**job("f", "5", 1, 2, (1, 3)), **change}]

    with pytest.raises(BundleRefused, match=rf"^flexible_orders\.csv:3: {reason}"):
        small_auction([], periods=3, flexible_orders=rows)
