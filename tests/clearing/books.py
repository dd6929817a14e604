"""Plain builders of auctions: the least an auction needs, and random ones with every order type."""

from random import Random
from typing import Any

from orders.clearing import Auction, auction_from_tables

Row = dict[str, Any]
META: Row = {
    "bundle_version": 1,
    "auction_id": "A-1",
    "currency": "CNY",
    "period_minutes": 60,
    "first_period_start": "2026-11-23T00:00:00+08:00",
    "periods": 1,
    "price_min": "0",
    "price_max": "100",
    "price_tick": "0.01",
    "quantity_tick": "1",
}


def buy(order_id: str, price: str, quantity: int, hub: str = "W", **more: Any) -> Row:
    """One step of a buy."""
    return {"side": "buy", **_step(order_id, price, quantity, hub), **more}


def sell(order_id: str, price: str, quantity: int, hub: str = "W", **more: Any) -> Row:
    """One step of a sell."""
    return {"side": "sell", **_step(order_id, price, quantity, hub), **more}


def _step(order_id: str, price: str, quantity: int, hub: str) -> Row:
    return {
        "order_id": order_id,
        "hub": hub,
        "product": "gpu",
        "period": 1,
        "price": price,
        "quantity": quantity,
    }


def block(
    order_id: str, side: str, limit: str, legs: list[tuple[str, int, int]], **more: Any
) -> dict[str, list[Row]]:
    """A block with one option; legs are (hub, period, quantity)."""
    return {
        "block_orders": [{"order_id": order_id, "side": side, "min_acceptance": "1", **more}],
        "block_options": [{"order_id": order_id, "option_id": "1", "limit_price": limit}],
        "block_legs": [
            {
                "order_id": order_id,
                "option_id": "1",
                "hub": hub,
                "product": "gpu",
                "period": period,
                "quantity": quantity,
            }
            for hub, period, quantity in legs
        ],
    }


def job(
    order_id: str, limit: str, quantity: int, duration: int, window: tuple[int, int], **more: Any
) -> Row:
    """A flexible order at hub W; `interruptible="1"` makes it an interruptible one."""
    return {
        "order_id": order_id,
        "hub": "W",
        "product": "gpu",
        "quantity": quantity,
        "duration": duration,
        "earliest_period": window[0],
        "latest_period": window[1],
        "limit_price": limit,
        "min_acceptance": "1",
        "interruptible": "0",
        **more,
    }


def tables(
    curves: list[Row],
    *blocks: dict[str, list[Row]],
    hubs: str = "W E",
    links: list[tuple[str, str, str, str, str]] | None = None,
    product: Row | None = None,
    **more: list[Row],
) -> dict[str, list[Row]]:
    """Tables of a small auction; links are (from, to, rtt, tariff, capacity both ways)."""
    out: dict[str, list[Row]] = {
        "hubs": [{"hub": hub} for hub in hubs.split()],
        "products": [{"product": "gpu", "bandwidth_per_unit": "1", **(product or {})}],
        "links": [],
        "link_capacities": [],
        "curve_orders": curves,
        **more,
    }
    for start, end, rtt, tariff, capacity in links or []:
        ends = {"from_hub": start, "to_hub": end}
        out["links"].append({**ends, "rtt_ms": rtt, "tariff": tariff})
        out["link_capacities"].append(
            {**ends, "period": "", "forward_capacity": capacity, "reverse_capacity": capacity}
        )
    for parts in blocks:
        for name, rows in parts.items():
            out.setdefault(name, []).extend(rows)
    return out


def small_auction(
    curves: list[Row], *blocks: dict[str, list[Row]], periods: int = 1, **more: Any
) -> Auction:
    """An auction over hubs W and E (or others) and the product gpu."""
    return auction_from_tables({**META, "periods": periods}, tables(curves, *blocks, **more))


class RandomBook:
    """A random auction: scarce links, listings, curves, blocks of every kind."""

    def __init__(
        self,
        seed: int,
        *,
        hubs: int = 4,
        products: int = 2,
        periods: int = 3,
        curves: int = 60,
        blocks: int = 6,
        flexibles: int = 5,
        carbon: bool = False,
    ) -> None:
        self._random = Random(seed)
        self._periods = periods
        self._carbon = carbon
        self._hubs = [f"H{k:02d}" for k in range(hubs)]
        self._products = [f"p{k}" for k in range(products)]
        self._level = {hub: self._random.uniform(0.7, 1.5) for hub in self._hubs}
        self._listings = [
            {
                "listing_id": f"L{k}",
                "hub": self._random.choice(self._hubs),
                "carbon_intensity": self._random.choice(["", "0", "100", "500"]),
            }
            for k in range(max(2, hubs))
        ]
        self.meta = {**META, "periods": periods, "price_max": "200", "auction_id": f"R-{seed}"}
        self.tables = self._tables(curves, blocks)
        self.tables["flexible_orders"] = [self._flexible(k) for k in range(flexibles)]

    def auction(self) -> Auction:
        """Build the auction."""
        return auction_from_tables(self.meta, self.tables)

    def _tables(self, curves: int, blocks: int) -> dict[str, list[Row]]:
        pick = self._random.choice
        links, capacities = self._network()
        out: dict[str, list[Row]] = {
            "hubs": [{"hub": hub} for hub in self._hubs],
            "products": [
                {
                    "product": name,
                    "bandwidth_per_unit": pick(["0", "0.5", "1", "0.7"]),
                    "rtt_classes": "10;30;60",
                    "carbon_classes": "0;200" if self._carbon else "",
                }
                for name in self._products
            ],
            "links": links,
            "link_capacities": capacities,
            "listings": [dict(row) for row in self._listings],
            "listing_capacities": [
                {
                    "listing_id": row["listing_id"],
                    "product": name,
                    "period": "",
                    "capacity": self._random.randint(3, 40),
                }
                for row in self._listings
                for name in self._products
                if self._random.random() < 0.7
            ],
            "curve_orders": [row for k in range(curves) for row in self._curve(k)],
            "block_orders": [],
            "block_options": [],
            "block_legs": [],
        }
        for k in range(blocks):
            self._block(k, out)
        return out

    def _network(self) -> tuple[list[Row], list[Row]]:
        pick = self._random.choice
        links, capacities = [], []
        for k, start in enumerate(self._hubs):
            for end in self._hubs[k + 1 :]:
                if self._random.random() > 0.75:
                    continue
                ends = {"from_hub": start, "to_hub": end}
                rtt = str(pick([5, 10, 20, 25, 40]))
                links.append({**ends, "rtt_ms": rtt, "tariff": pick(["0", "0.05", "0.1", "0.3"])})
                capacities.append(
                    {
                        **ends,
                        "period": "",
                        "forward_capacity": pick(["0", "3", "7.3", "10", "1000"]),
                        "reverse_capacity": pick(["0", "3", "5.5", "10", "1000"]),
                    }
                )
        return links, capacities

    def _price(self, product: str, hub: str, factor: float, digits: int = 2) -> str:
        base = 10 * (1 + self._products.index(product)) * self._level[hub]
        return str(round(base * factor, digits))

    def _curve(self, number: int) -> list[Row]:
        pick = self._random.choice
        side, product, hub = pick(["buy", "sell"]), pick(self._products), pick(self._hubs)
        terms: Row = {}
        if side == "buy":
            terms["max_rtt_ms"] = pick(["", "", "10", "30", "60"])
            terms["max_carbon"] = pick(["", "", "0", "200"]) if self._carbon else ""
        elif self._random.random() < 0.5:
            listing = pick(self._listings)
            terms["listing_id"], hub = listing["listing_id"], listing["hub"]
        else:
            terms["carbon_intensity"] = pick(["", "0", "150", "400"])
        period = self._random.randint(1, self._periods)
        rows: dict[str, Row] = {}
        for _ in range(self._random.randint(1, 3)):
            factor = (1.3 if side == "buy" else 1.0) * self._random.uniform(0.6, 1.4)
            price = self._price(product, hub, factor, pick([0, 1, 2]))
            rows[str(float(price))] = {
                "order_id": f"o{number:04d}",
                "side": side,
                "hub": hub,
                "product": product,
                "period": str(period),
                "price": price,
                "quantity": str(self._random.randint(1, 12)),
                **terms,
            }
        return list(rows.values())

    def _block(self, number: int, out: dict[str, list[Row]]) -> None:
        pick = self._random.choice
        name, side = f"b{number:03d}", pick(["buy", "buy", "sell"])
        is_buy = side == "buy"
        listing = pick(self._listings) if not is_buy and self._random.random() < 0.5 else None
        has_parent = number > 0 and self._random.random() < 0.2
        out["block_orders"].append(
            {
                "order_id": name,
                "side": side,
                "min_acceptance": pick(["1", "1", "0.5", "0.25"]),
                "parent_order_id": f"b{self._random.randrange(number):03d}" if has_parent else "",
                "placement": "single" if is_buy and self._random.random() < 0.4 else "",
                "max_rtt_ms": pick(["", "30"]) if is_buy else "",
                "max_carbon": pick(["", "200"]) if is_buy and self._carbon else "",
                "listing_id": listing["listing_id"] if listing else "",
            }
        )
        for option in range(pick([1, 1, 2])):
            product = pick(self._products)
            hub = listing["hub"] if listing else pick(self._hubs)
            factor = (1.3 if is_buy else 1.0) * self._random.uniform(0.7, 1.2)
            key = {"order_id": name, "option_id": f"x{option}"}
            out["block_options"].append({**key, "limit_price": self._price(product, hub, factor)})
            count = self._random.randint(1, self._periods)
            for period in sorted(self._random.sample(range(1, self._periods + 1), count)):
                out["block_legs"].append(
                    {
                        **key,
                        "hub": hub,
                        "product": product,
                        "period": str(period),
                        "quantity": str(self._random.randint(1, 15)),
                    }
                )

    def _flexible(self, number: int) -> Row:
        pick = self._random.choice
        product, hub = pick(self._products), pick(self._hubs)
        first = self._random.randint(1, self._periods)
        last = self._random.randint(first, self._periods)
        return {
            "order_id": f"f{number:03d}",
            "hub": hub,
            "product": product,
            "quantity": str(self._random.randint(1, 12)),
            "duration": str(self._random.randint(1, last - first + 1)),
            "earliest_period": str(first),
            "latest_period": str(last),
            "limit_price": self._price(product, hub, 1.3 * self._random.uniform(0.7, 1.2)),
            "min_acceptance": pick(["1", "1", "0.5", "0.25"]),
            "interruptible": pick(["0", "1"]),
            "placement": pick(["", "", "single"]),
            "max_rtt_ms": pick(["", "", "30"]),
            "max_carbon": pick(["", "200"]) if self._carbon else "",
            "eligible_listings": "L0;L1" if self._random.random() < 0.1 else "",
        }
