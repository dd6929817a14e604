"""The national instance: ten hubs and eleven cities, real round-trip times, shared links."""

from dataclasses import dataclass

import numpy as np

from tools.instances import BlockRows, Columns, Instance, pick, reference_rows, terms, texts


@dataclass(frozen=True)
class NationalMarket:
    """Listings sell at the hubs; buyers sit in hubs and cities, half of them latency-limited.

    Counts are orders; a curve order has a row for each of its periods. `jobs` are flexible and
    interruptible orders. Of hubs and cities the first so many are taken, all where none is said.
    """

    seed: int
    products: int = 12
    periods: int = 24
    listings: int = 300
    curves: int = 80_000
    blocks: int = 10_000
    jobs: int = 0
    hubs: int | None = None
    cities: int | None = None

    def build(self) -> Instance:
        """Draw the instance."""
        return _NationalBuilder(self).build()


class _NationalBuilder:
    def __init__(self, market: NationalMarket) -> None:
        self._market = market
        self._dice = np.random.default_rng(market.seed)
        hubs = reference_rows("hubs")[: market.hubs]
        cities = reference_rows("demand_cities")[: market.cities]
        self._supply = [row["code"] for row in hubs if row["has_supply"] == "1"]
        self._places = [row["code"] for row in (*hubs, *cities)]
        given = reference_rows("products")
        self._given = [given[k % len(given)] for k in range(market.products)]
        self._names = [
            row["code"] if k < len(given) else f"{row['code']}-{k}"
            for k, row in enumerate(self._given)
        ]
        self._price = np.array([float(row["reference_price_cny"]) for row in self._given])
        self._tick = np.array([float(row["price_tick"]) for row in self._given])
        self._lot = np.array([float(row["quantity_lot"]) for row in self._given])
        self._digits = [len(row["price_tick"].partition(".")[2]) for row in self._given]
        # West is cheaper by a quarter than east, as list prices are.
        west = {row["code"] for row in hubs if row["side"] == "west"}
        self._level = np.array([0.8 if code in west else 1.05 for code in self._supply])

    def build(self) -> Instance:
        """Draw listings, curve bids and blocks."""
        market = self._market
        listings, room, sells = self._listings()
        buys = self._bids()
        links, capacities = self._links()
        curves: Columns = {name: [*sells[name], *buys[name]] for name in sells}
        name = f"C-{market.seed}-{market.curves}-{market.blocks}"
        return Instance(
            terms(name, market.periods),
            {
                "hubs": {"hub": self._places},
                "products": self._products(),
                "links": links,
                "link_capacities": capacities,
                **listings,
                "curve_orders": curves,
                **self._blocks(room),
                **self._jobs(room),
            },
        )

    def _products(self) -> Columns:
        given = self._given
        return {
            "product": self._names,
            "bandwidth_per_unit": [row["bandwidth_gbps_per_unit"] for row in given],
            "price_tick": [row["price_tick"] for row in given],
            "clearing_price_tick": [row["clearing_price_tick"] for row in given],
            "quantity_tick": [row["quantity_lot"] for row in given],
            "price_min": [row["price_min"] for row in given],
            "price_max": [row["price_max"] for row in given],
            "rtt_classes": [row["rtt_classes_ms"] for row in given],
        }

    def _links(self) -> tuple[Columns, Columns]:
        rows = [
            r
            for r in reference_rows("links")
            if {r["from_code"], r["to_code"]} <= set(self._places)
        ]
        ends = {
            "from_hub": [row["from_code"] for row in rows],
            "to_hub": [row["to_code"] for row in rows],
        }
        return (
            {
                **ends,
                "rtt_ms": [row["rtt_ms"] for row in rows],
                "tariff": [row["tariff_cny_per_gbps_hour"] for row in rows],
            },
            {
                **ends,
                "period": [""] * len(rows),
                "forward_capacity": [row["forward_gbps"] for row in rows],
                "reverse_capacity": [row["reverse_gbps"] for row in rows],
            },
        )

    def _listings(self) -> tuple[dict[str, Columns], np.ndarray, dict[str, list[str]]]:
        """Return listings, their units by product, and two price steps of each in every period."""
        market, dice, count = self._market, self._dice, self._market.listings
        hub = dice.integers(0, len(self._supply), count)
        product = np.arange(count) % market.products
        units = 2000.0 * np.exp(0.8 * dice.standard_normal(count)) / self._price[product]
        units = np.maximum(2, np.round(units / self._lot[product])) * self._lot[product]
        names = [f"L{k:04d}" for k in range(count)]
        level = self._price[product] * self._level[hub] * np.exp(0.12 * dice.standard_normal(count))
        rows: dict[str, list[str]] = {name: [] for name in _CURVE_COLUMNS}
        for step, (share, factor) in enumerate(((0.6, 1.0), (0.4, 1.15))):
            lots = np.round(share * units / self._lot[product])
            lots = units / self._lot[product] - lots if step else lots
            which = np.repeat(np.flatnonzero(lots > 0), market.periods)
            rows["order_id"] += [f"A{k:04d}" for k in which]
            rows["side"] += ["sell"] * len(which)
            rows["hub"] += pick(self._supply, hub[which])
            rows["product"] += pick(self._names, product[which])
            rows["period"] += texts(
                np.tile(np.arange(market.periods) + 1, len(which) // market.periods)
            )
            rows["price"] += self._prices(product[which], factor * level[which])
            rows["quantity"] += texts(lots[which] * self._lot[product[which]])
            rows["listing_id"] += pick(names, which)
            for name in ("max_rtt_ms", "carbon_intensity", "max_carbon"):
                rows[name] += [""] * len(which)
        tables: dict[str, Columns] = {
            "listings": {"listing_id": names, "hub": pick(self._supply, hub)},
            "listing_capacities": {
                "listing_id": names,
                "product": pick(self._names, product),
                "period": [""] * count,
                "capacity": texts(units),
            },
        }
        return tables, np.bincount(product, weights=units, minlength=market.products), rows

    def _prices(self, product: np.ndarray, price: np.ndarray) -> list[str]:
        tick = self._tick[product]
        price = np.maximum(1, np.round(price / tick)) * tick
        digits = np.array(self._digits)[product]
        out = np.empty(len(price), dtype=object)
        for count in np.unique(digits).tolist():
            out[digits == count] = texts(price[digits == count], count)
        return out.tolist()

    def _bids(self) -> dict[str, list[str]]:
        market, dice, count = self._market, self._dice, self._market.curves
        product = dice.integers(0, market.products, count)
        length = dice.integers(1, max(2, market.periods // 4), count)
        start = np.floor(dice.random(count) * (market.periods - length + 1)).astype(int)
        place = dice.integers(0, len(self._places), count)
        per_product = market.listings / market.products * 2000.0 * 1.4 / self._price[product]
        share = per_product * market.periods / (count / market.products * length.mean())
        size = share * np.exp(0.6 * dice.standard_normal(count) - 0.18)
        lots = np.maximum(1, np.round(0.8 * size / self._lot[product]))
        level = self._price[product] * np.maximum(0.4, 1.04 + 0.16 * dice.standard_normal(count))
        limits = [row["rtt_classes_ms"].split(";") for row in self._given]
        rank = dice.integers(0, 6, count)
        rtt = [
            limits[p][r] if r < 3 else ""
            for p, r in zip(product.tolist(), rank.tolist(), strict=True)
        ]
        which = np.repeat(np.arange(count), length)
        first = np.cumsum(length) - length
        hour = np.arange(len(which)) - first[which] + start[which]
        price = self._prices(product, level)
        blank = [""] * len(which)
        return {
            "order_id": pick([f"C{k:06d}" for k in range(count)], which),
            "side": ["buy"] * len(which),
            "hub": pick(self._places, place[which]),
            "product": pick(self._names, product[which]),
            "period": texts(hour + 1),
            "price": pick(price, which),
            "quantity": pick(texts(lots * self._lot[product]), which),
            "max_rtt_ms": pick(rtt, which),
            "listing_id": blank,
            "carbon_intensity": blank,
            "max_carbon": blank,
        }

    def _blocks(self, room: np.ndarray) -> dict[str, Columns]:
        """Training jobs of a third of a day to all of it; some on one listing or substitutes."""
        market, dice, count = self._market, self._dice, self._market.blocks
        rows = BlockRows()
        for k in range(count):
            product = int(dice.integers(0, market.products))
            length = int(dice.integers(max(1, market.periods // 3), market.periods + 1))
            first = int(dice.integers(0, market.periods - length + 1))
            place = int(dice.integers(0, len(self._places)))
            single = dice.random() < 1 / 3
            limits = self._given[product]["rtt_classes_ms"].split(";")
            rtt = limits[int(dice.integers(0, 3))] if dice.random() < 0.5 else ""
            parent = f"B{k - 1:05d}" if k and dice.random() < 0.05 else ""
            least = "1" if dice.random() < 0.7 else "0.5"
            rows.add_order(
                f"B{k:05d}",
                "buy",
                least,
                placement="single" if single else "",
                max_rtt_ms=rtt,
                parent_order_id=parent,
            )
            factor = float(np.exp(0.6 * dice.standard_normal() - 0.18))
            premium = max(0.4, 1.02 + 0.16 * float(dice.standard_normal()))
            for option in range(2 if dice.random() < 0.2 else 1):
                item = (product + option) % market.products
                if rtt and rtt not in self._given[item]["rtt_classes_ms"].split(";"):
                    continue
                share = 0.6 * room[item] * market.products / max(count, 1)
                lots = max(1, round(share * factor / self._lot[item]))
                price = np.array([self._price[item] * premium])
                rows.add_option(self._prices(np.array([item]), price)[0])
                hours = range(first + 1, first + length + 1)
                where = (self._places[place], self._names[item])
                rows.add_legs(*where, hours, f"{lots * self._lot[item]:.0f}")
        return rows.tables()

    def _jobs(self, room: np.ndarray) -> dict[str, Columns]:
        """Jobs that start when it is cheap, half of them in pieces; a third on one listing."""
        market, count = self._market, self._market.jobs
        if not count:
            return {}
        dice = np.random.default_rng((market.seed, count))
        product = dice.integers(0, market.products, count)
        duration = dice.integers(1, max(2, market.periods // 3 + 1), count)
        first = np.floor(dice.random(count) * (market.periods - duration + 1) / 2).astype(int)
        last = first + duration - 1
        last += np.floor(dice.random(count) * (market.periods - last)).astype(int)
        mean = _JOBS * room * market.products * market.periods / (count * duration.mean())
        size = mean[product] * np.exp(0.6 * dice.standard_normal(count) - 0.18)
        lots = np.maximum(1, np.round(size / self._lot[product]))
        premium = np.maximum(0.4, 1.02 + 0.16 * dice.standard_normal(count))
        limits = [row["rtt_classes_ms"].split(";") for row in self._given]
        rank = dice.integers(0, 6, count).tolist()
        columns: Columns = {
            "order_id": [f"J{k:05d}" for k in range(count)],
            "hub": pick(self._places, dice.integers(0, len(self._places), count)),
            "product": pick(self._names, product),
            "quantity": texts(lots * self._lot[product]),
            "duration": texts(duration),
            "earliest_period": texts(first + 1),
            "latest_period": texts(last + 1),
            "limit_price": self._prices(product, self._price[product] * premium),
            "min_acceptance": pick(("0.5", "1"), (dice.random(count) < 0.7).astype(int)),
            "interruptible": pick(("0", "1"), (dice.random(count) < 0.5).astype(int)),
            "placement": pick(("", "single"), (dice.random(count) < 1 / 3).astype(int)),
            "max_rtt_ms": [
                limits[p][r] if r < 3 else "" for p, r in zip(product.tolist(), rank, strict=True)
            ],
        }
        return {"flexible_orders": columns}


# What all jobs want together, over the capacity of a day.
_JOBS = 0.3
_CURVE_COLUMNS = (
    "order_id",
    "side",
    "hub",
    "product",
    "period",
    "price",
    "quantity",
    "max_rtt_ms",
    "listing_id",
    "carbon_intensity",
    "max_carbon",
)
