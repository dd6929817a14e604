"""The Italian day-ahead auction of April 2025 must clear to the prices its exchange published.

The first day runs with every test run, all seven in the fuller suite. Without the data the tests
skip and say which folder they miss; with `--require-market-data`, as continuous integration runs
them, they fail instead. Each day leaves what became of the paradoxically rejected blocks in
`var/artifacts/italian-auction` (or below HENGSUAN_ARTIFACTS).
"""

import csv
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from config import env
from orders.clearing import Result, clear, verify
from tests.clearing.italian_auction import DAYS, FOLDER, HOURS, ItalianDay

PENNY = Decimal("0.005")
ONE_DAY = DAYS[1]


@pytest.fixture
def market_data(request: pytest.FixtureRequest) -> Path:
    """The folder of the real auctions."""
    if not FOLDER.is_dir():
        missing = f"real auction data (MARKET_DATA) not found at {FOLDER}"
        if request.config.getoption("--require-market-data"):
            pytest.fail(missing)
        pytest.skip(missing)
    return FOLDER


@cache
def cleared(day: str) -> tuple[ItalianDay, Result]:
    """Clear a day with its blocks left to the engine."""
    italian = ItalianDay(day)
    return italian, clear(italian.open())


def wrong_prices(italian: ItalianDay, result: Result) -> list[tuple[str, int]]:
    """Return the zone-hours whose price is not the published one."""
    price = {(row.hub, row.period): row.price for row in result.prices}
    ours = [key for key in italian.published if key[0] in italian.zones]
    assert len(ours) == 7 * HOURS
    return [key for key in ours if abs((price[key] or 0) - italian.published[key]) > PENNY]


def check_day(day: str) -> None:
    italian, result = cleared(day)

    assert wrong_prices(italian, result) == []
    assert verify(italian.open(), result) == []
    acceptance = {row.order_id: row.acceptance for row in result.block_results}
    decided = {name: italian.verdict(name) for name in italian.blocks}
    assert [n for n, word in decided.items() if word == "ACC" and acceptance[n] != 1] == []
    assert [n for n, word in decided.items() if word == "REJ" and acceptance[n] != 0] == []
    assert result.summary.welfare >= italian.published_welfare(clear)


def list_paradoxes(day: str) -> list[tuple[str, str, Decimal]]:
    """Write and return (block, our decision, its surplus) of what the exchange rejected so."""
    italian, result = cleared(day)
    rows = [
        (row.order_id, row.status, row.surplus)
        for row in result.block_results
        if italian.verdict(row.order_id) == "PREJ"
    ]
    artifacts = Path(env.text("HENGSUAN_ARTIFACTS") or env.BASE_DIR / "var" / "artifacts")
    folder = artifacts / "italian-auction"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{day}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["block", "decision", "surplus_eur"])
        writer.writerows(rows)
    return rows


def test_one_real_day(market_data: Path) -> None:
    check_day(ONE_DAY)
    paradoxes = list_paradoxes(ONE_DAY)

    assert len(paradoxes) == 2
    # A surplus is stated for what is accepted; nobody may lose.
    assert all(surplus >= 0 for _, _, surplus in paradoxes)


@pytest.mark.fuller
@pytest.mark.parametrize("day", DAYS)
def test_seven_real_days_with_the_blocks_left_to_the_engine(market_data: Path, day: str) -> None:
    check_day(day)
    listed = {name for name, _, _ in list_paradoxes(day)}

    italian, _ = cleared(day)
    assert listed == {name for name in italian.blocks if italian.verdict(name) == "PREJ"}


@pytest.mark.fuller
@pytest.mark.parametrize("day", DAYS)
def test_seven_real_days_with_the_accepted_blocks_in_the_curves(
    market_data: Path, day: str
) -> None:
    italian = ItalianDay(day)
    auction = italian.folded()

    result = clear(auction)

    assert wrong_prices(italian, result) == []
    assert verify(auction, result) == []
