"""Seeded instances for the benchmarks: neutral markets of any size, and the national network.

Everything is drawn with NumPy from one seed, as text columns of a bundle, so that even a million
orders are made in seconds and pass through the same reading as a member's file.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from orders.clearing.raw_tables import RawTable
from orders.clearing.types import Auction
from orders.clearing.validation import auction_from_raw_tables

REFERENCE = Path(__file__).resolve().parents[1] / "marketplace" / "reference"
Columns = dict[str, Sequence[str]]


@dataclass(frozen=True)
class Instance:
    """Terms and text columns of an auction."""

    meta: dict[str, Any]
    tables: dict[str, Columns]

    def raw_tables(self) -> dict[str, RawTable]:
        """Return the tables as a reader of files would hold them."""
        return {
            name: RawTable(name, columns, len(next(iter(columns.values()), ())))
            for name, columns in self.tables.items()
        }

    def auction(self) -> Auction:
        """Check the columns and return the auction."""
        return auction_from_raw_tables(self.meta, self.raw_tables())

    def write(self, folder: Path) -> None:
        """Write the bundle's files."""
        (folder / "auction.json").write_text(json.dumps(self.meta), encoding="utf-8")
        for name, columns in self.tables.items():
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(columns)
                writer.writerows(zip(*columns.values(), strict=True))


def terms(name: str, periods: int, **more: str) -> dict[str, Any]:
    """Return the terms of an auction of hours."""
    return {
        "bundle_version": 1,
        "auction_id": name,
        "currency": "CNY",
        "period_minutes": 60,
        "first_period_start": "2026-12-01T00:00:00+08:00",
        "periods": periods,
        "price_min": "0",
        "price_max": "1000",
        "price_tick": "0.01",
        "clearing_price_tick": "0.0001",
        "quantity_tick": "1",
        **more,
    }


def texts(values: np.ndarray, digits: int = 0) -> list[str]:
    """Return numbers as text with a fixed number of decimals."""
    return np.char.mod(f"%.{digits}f", values).tolist()


def pick(names: Sequence[str], positions: np.ndarray) -> list[str]:
    """Return names by position."""
    return np.array(names, dtype=object)[positions].tolist()


@dataclass(frozen=True)
class NeutralMarket:
    """Hubs on a ring with chords, divisible orders, blocks in three families.

    `share` is what all blocks want together, over what divisible orders trade without them; `near`
    how far their limits scatter around the price of their hours. Few large blocks close to the
    price are hard: a share of 1 and near of 0.03.
    """

    seed: int
    hubs: int = 10
    products: int = 1
    periods: int = 24
    curves: int = 24_000
    blocks: int = 0
    share: float = 0.3
    near: float = 0.1
    jobs: int = 0

    def build(self) -> Instance:
        """Draw the instance."""
        return _NeutralBuilder(self).build()


class _NeutralBuilder:
    def __init__(self, market: NeutralMarket) -> None:
        self._market = market
        self._dice = np.random.default_rng(market.seed)
        self._hubs = [f"H{k:02d}" for k in range(market.hubs)]
        self._products = [f"P{k}" for k in range(market.products)]
        self._base = 1 + 0.6 * self._dice.random(market.hubs)
        self._scale = np.array([1.0, 20.0, 4.0])[np.arange(market.products) % 3]
        self._load = 1 + 0.3 * np.sin(2 * np.pi * (np.arange(market.periods) - 8) / 24)

    def build(self) -> Instance:
        """Draw divisible orders, then the network and the blocks that their trade scales."""
        market = self._market
        curves, price, traded = self._curves()
        links, capacities = self._links(float(traded.mean()))
        meta = terms(f"N-{market.seed}-{market.curves}-{market.blocks}", market.periods)
        return Instance(
            meta,
            {
                "hubs": {"hub": self._hubs},
                "products": {
                    "product": self._products,
                    "bandwidth_per_unit": ["1"] * market.products,
                },
                "links": links,
                "link_capacities": capacities,
                "curve_orders": curves,
                **self._blocks(price, float(traded.sum())),
                **self._jobs(price, float(traded.sum())),
            },
        )

    def _curves(self) -> tuple[Columns, np.ndarray, np.ndarray]:
        market, dice, count = self._market, self._dice, self._market.curves
        buys = dice.random(count) < 0.5
        hub = dice.integers(0, market.hubs, count)
        product = dice.integers(0, market.products, count)
        period = dice.integers(0, market.periods, count)
        z = dice.standard_normal(count)
        quantity = np.round(1 + dice.gamma(2.0, 10.0, count))
        supply = self._base[hub] * np.exp(0.30 * z)
        demand = 1.5 * self._load[period] * np.exp(0.50 * z)
        price = self._scale[product] * np.where(buys, demand, supply)
        price = np.maximum(np.round(price, 2), 0.01)
        cell = (hub * market.products + product) * market.periods + period
        cells = market.hubs * market.products * market.periods
        reference, traded = _crossings(cell, cells, buys, price, quantity)
        columns: Columns = {
            "order_id": [f"C{k:07d}" for k in range(count)],
            "side": pick(("sell", "buy"), buys.astype(np.int64)),
            "hub": pick(self._hubs, hub),
            "product": pick(self._products, product),
            "period": texts(period + 1),
            "price": texts(price, 2),
            "quantity": texts(quantity),
        }
        for name in ("max_rtt_ms", "listing_id", "carbon_intensity", "max_carbon"):
            columns[name] = [""] * count
        shape = (market.hubs, market.products, market.periods)
        return columns, reference.reshape(shape), traded

    def _jobs(self, price: np.ndarray, traded: float) -> dict[str, Columns]:
        """Draw jobs that may start anywhere in a window; one in four may be interrupted."""
        market, dice, count = self._market, self._dice, self._market.jobs
        if not count:
            return {}
        hub = dice.integers(0, market.hubs, count)
        product = dice.integers(0, market.products, count)
        duration = dice.integers(1, min(8, market.periods) + 1, count)
        first = np.floor(dice.random(count) * (market.periods - duration + 1) / 2).astype(int)
        last = first + duration - 1
        last += np.floor(dice.random(count) * (market.periods - last)).astype(int)
        near = 1 + market.near * dice.standard_normal(count)
        mean = market.share * traded / (count * duration.mean())
        size = np.maximum(1, np.round(mean * np.exp(0.8 * dice.standard_normal(count) - 0.32)))
        limit = price.mean(axis=2)[hub, product] * near
        whole = dice.random(count) < 0.8
        interruptible = dice.random(count) < 0.25
        columns: Columns = {
            "order_id": [f"J{k:05d}" for k in range(count)],
            "hub": pick(self._hubs, hub),
            "product": pick(self._products, product),
            "quantity": texts(size),
            "duration": texts(duration),
            "earliest_period": texts(first + 1),
            "latest_period": texts(last + 1),
            "limit_price": texts(np.maximum(limit, 0.01), 2),
            "min_acceptance": pick(("0.5", "1"), whole.astype(np.int64)),
            "interruptible": pick(("0", "1"), interruptible.astype(np.int64)),
        }
        return {"flexible_orders": columns}

    def _links(self, volume: float) -> tuple[Columns, Columns]:
        hubs = self._market.hubs
        pairs = [(k, (k + 1) % hubs) for k in range(hubs if hubs > 2 else hubs - 1)]
        if hubs >= 7:
            pairs += [(k, (k + 3) % hubs) for k in range(hubs)]
        products = self._market.products
        room = [round((0.05 + 0.20 * self._dice.random()) * volume * products) for _ in pairs]
        tariff = [f"{0.01 + 0.04 * self._dice.random():.3f}" for _ in pairs]
        ends: Columns = {
            "from_hub": [self._hubs[a] for a, _ in pairs],
            "to_hub": [self._hubs[b] for _, b in pairs],
        }
        return (
            {**ends, "rtt_ms": ["5"] * len(pairs), "tariff": tariff},
            {
                **ends,
                "period": [""] * len(pairs),
                "forward_capacity": [str(r) for r in room],
                "reverse_capacity": [str(r) for r in room],
            },
        )

    def _blocks(self, price: np.ndarray, traded: float) -> dict[str, Columns]:
        market, dice, count = self._market, self._dice, self._market.blocks
        rows = BlockRows()
        if count:
            buys = dice.random(count) < 0.7
            hub = dice.integers(0, market.hubs, count)
            product = dice.integers(0, market.products, count)
            length = dice.integers(2, min(12, market.periods) + 1, count)
            start = np.floor(dice.random(count) * (market.periods - length + 1)).astype(int)
            near = 1 + market.near * dice.standard_normal(count)
            mean = market.share * traded / (count * length.mean())
            size = np.exp(0.8 * dice.standard_normal(count) - 0.32)
            size = np.maximum(1, np.round(mean * size)).astype(int)
            whole = dice.random(count) < np.where(buys, 0.8, 0.6)
            groups = _groups_of_three(buys)
            for k in range(count):
                kind, others = groups.get(k, ("", 0))
                if kind == "member":
                    continue
                least = "1" if whole[k] else "0.5"
                rows.add_order(f"B{k:05d}", "buy" if buys[k] else "sell", least)
                for option in range(1 + others):
                    first, place = int(start[k]), int(hub[k])
                    if kind == "starts":
                        first = (first + 4 * option) % (market.periods - int(length[k]) + 1)
                    elif kind == "hubs":
                        place = (place + option) % market.hubs
                    last = first + int(length[k])
                    level = float(price[place, product[k], first:last].mean() * near[k])
                    rows.add_option(f"{max(level, 0.01):.2f}")
                    where = (self._hubs[place], self._products[product[k]])
                    rows.add_legs(*where, range(first + 1, last + 1), str(size[k]))
        return rows.tables()


def _groups_of_three(buys: np.ndarray) -> dict[int, tuple[str, int]]:
    """The first fifth of the buys in threes are one job with three starts, the next tenth hubs."""
    own = np.flatnonzero(buys).tolist()
    first, second = len(own) // 5 // 3, len(own) // 10 // 3
    found: dict[int, tuple[str, int]] = {}
    for number in range(first + second):
        head, *members = own[3 * number : 3 * number + 3]
        found[head] = ("starts" if number < first else "hubs", 2)
        found.update((member, ("member", 0)) for member in members)
    return found


def _crossings(
    cell: np.ndarray, cells: int, buys: np.ndarray, price: np.ndarray, quantity: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return price and volume where supply meets demand in each cell on its own."""
    reference, traded = np.ones(cells), np.zeros(cells)
    order = np.lexsort((price, cell))
    bounds = np.searchsorted(cell[order], np.arange(cells + 1))
    for number in range(cells):
        own = order[bounds[number] : bounds[number + 1]]
        if not len(own):
            continue
        supply = np.cumsum(np.where(buys[own], 0.0, quantity[own]))
        wanted = np.where(buys[own], quantity[own], 0.0)
        demand = wanted.sum() - np.cumsum(wanted) + wanted
        at = min(int(np.searchsorted(supply >= demand, True)), len(own) - 1)
        reference[number] = price[own][at]
        traded[number] = min(supply[at], demand[at])
    return reference, traded


class BlockRows:
    """Collects the three tables of block orders."""

    def __init__(self) -> None:
        self._orders: list[dict[str, str]] = []
        self._options: list[dict[str, str]] = []
        self._legs: list[dict[str, str]] = []
        self._number = 0

    def add_order(self, name: str, side: str, least: str, **more: str) -> None:
        """Add an order; its options follow."""
        row = dict.fromkeys(("parent_order_id", "placement", "max_rtt_ms", "max_carbon"), "")
        row |= dict.fromkeys(("listing_id", "carbon_intensity"), "")
        self._orders.append(
            {"order_id": name, "side": side, "min_acceptance": least, **row, **more}
        )
        self._number = 0

    def add_option(self, limit: str) -> None:
        """Add an option of the last order."""
        self._number += 1
        key = {"order_id": self._orders[-1]["order_id"], "option_id": str(self._number)}
        self._options.append({**key, "limit_price": limit})

    def add_legs(self, hub: str, product: str, periods: Sequence[int], quantity: str) -> None:
        """Add legs of the last option."""
        key = {name: self._options[-1][name] for name in ("order_id", "option_id")}
        where = {"hub": hub, "product": product}
        for period in periods:
            self._legs.append({**key, **where, "period": str(period), "quantity": quantity})

    def tables(self) -> dict[str, Columns]:
        """Return the tables as columns."""
        found = {
            "block_orders": self._orders,
            "block_options": self._options,
            "block_legs": self._legs,
        }
        return {
            name: {column: [row[column] for row in rows] for column in rows[0]}
            for name, rows in found.items()
            if rows
        }


def reference_rows(name: str) -> list[dict[str, str]]:
    """Return a table of the project's reference data."""
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
