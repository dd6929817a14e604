"""The Italian day-ahead auction of April 2025 as auctions of this engine.

Source: GME by way of rebase-energy/OpenEUPHEMIA, data/italy/2025-04. The files are not part of this
repository; `MARKET_DATA` names the folder that holds `auctions/gme_italy_2025-04-01_07`.

Zones are hubs, hours are periods, transfer limits are links without tariff. Neighbouring markets
trade at their published price as much as their border lets through.
"""

import csv
import gzip
import os
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from config.env import BASE_DIR
from orders.clearing import Auction, Result, auction_from_tables

DEFAULT = BASE_DIR.parent / "shared" / "data"
FOLDER = Path(os.environ.get("MARKET_DATA") or DEFAULT) / "auctions" / "gme_italy_2025-04-01_07"
DAYS = tuple(f"2025-04-0{number}" for number in range(1, 8))
HOURS = 24
LOWEST, HIGHEST = Decimal(-500), Decimal(4000)
# Lots of a kWh and prices to the thousandth of a cent, as they are published.
LOT, TICK = Decimal("0.001"), Decimal("0.00001")
Row = dict[str, Any]


@cache
def rows_of(name: str, day: str) -> tuple[dict[str, str], ...]:
    """Return the rows of one delivery day of a file."""
    with gzip.open(FOLDER / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        return tuple(row for row in csv.DictReader(file) if row["delivery_day"] == day)


def lots(quantity: Decimal) -> Decimal:
    """Round a quantity in MWh to the lot."""
    return quantity.quantize(LOT)


class ItalianDay:
    """One delivery day."""

    def __init__(self, day: str) -> None:
        self.day = day
        self.published = {
            (row["zone"], int(row["period"])): Decimal(row["price_eur_per_mwh"])
            for row in rows_of("published-prices", day)
        }
        self.zones = {row["zone"] for row in rows_of("simple-bid-curves", day)}
        self.blocks: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in rows_of("block-orders", day):
            self.blocks[row["block_id"]].append(row)

    def verdict(self, block: str) -> str:
        """Return what the exchange decided: ACC, REJ or PREJ."""
        return self.blocks[block][0]["published_status"]

    def folded(self) -> Auction:
        """Return the auction whose accepted blocks are folded into the curves."""
        return self._auction(rows_of("bid-curves", self.day), ())

    def open(self) -> Auction:
        """Return the auction in which the blocks are left to the engine."""
        return self._auction(rows_of("simple-bid-curves", self.day), self.blocks)

    def published_welfare(self, clear: Any) -> Decimal:
        """Return the welfare of the exchange's own choice of blocks.

        Its accepted blocks trade at any price; what that is worth is taken out of the welfare and
        their own value put in.
        """
        accepted = [name for name in self.blocks if self.verdict(name) == "ACC"]
        legs = [leg for name in accepted for leg in self.blocks[name]]
        forced = []
        correction = Decimal(0)
        for leg in legs:
            buys = leg["side"] == "demand"
            extreme, quantity = HIGHEST if buys else LOWEST, lots(Decimal(leg["quantity_mwh"]))
            forced.append({**leg, "price_eur_per_mwh": str(extreme)})
            gain = (Decimal(leg["price_eur_per_mwh"]) - extreme) * quantity
            correction += gain if buys else -gain
        curves = (*rows_of("simple-bid-curves", self.day), *forced)
        result: Result = clear(self._auction(curves, ()))
        return result.summary.welfare + correction

    def _auction(self, curves: Iterable[dict[str, str]], blocks: Iterable[str]) -> Auction:
        tables = _Tables(self.zones, self.published)
        tables.add_curves(curves)
        tables.add_links(rows_of("transfer-capacities", self.day))
        for name in blocks:
            tables.add_block(name, self.blocks[name])
        meta = {
            "bundle_version": 1,
            "auction_id": f"GME-{self.day}",
            "currency": "EUR",
            "period_minutes": 60,
            "first_period_start": f"{self.day}T00:00:00+02:00",
            "periods": HOURS,
            "price_min": str(LOWEST),
            "price_max": str(HIGHEST),
            "price_tick": str(TICK),
            "clearing_price_tick": str(TICK),
            "quantity_tick": str(LOT),
        }
        return auction_from_tables(meta, tables.rows)


class _Tables:
    """The tables of a bundle, filled row by row."""

    def __init__(self, zones: set[str], published: dict[tuple[str, int], Decimal]) -> None:
        self._zones = zones
        self._published = published
        self.rows: dict[str, list[Row]] = {
            "hubs": [],
            "products": [{"product": "mwh", "bandwidth_per_unit": "1"}],
            "links": [],
            "link_capacities": [],
            "curve_orders": [],
            "block_orders": [],
            "block_options": [],
            "block_legs": [],
        }

    def add_curves(self, bids: Iterable[dict[str, str]]) -> None:
        """Add steps; those of one side, zone, hour and price become one."""
        total: dict[tuple[str, str, str, Decimal], Decimal] = defaultdict(Decimal)
        for row in bids:
            price = Decimal(row["price_eur_per_mwh"]).quantize(TICK)
            total[row["side"], row["zone"], row["period"], price] += Decimal(row["quantity_mwh"])
        for (side, zone, period, price), quantity in total.items():
            self._add(f"{side}-{zone}", side == "demand", zone, period, price, quantity)

    def _add(
        self, name: str, buys: bool, zone: str, period: str, price: Decimal, quantity: Decimal
    ) -> None:
        self.rows["curve_orders"].append(
            {
                "order_id": name,
                "side": "buy" if buys else "sell",
                "hub": zone,
                "product": "mwh",
                "period": period,
                "price": str(price),
                "quantity": str(lots(quantity)),
            }
        )

    def add_links(self, capacities: Iterable[dict[str, str]]) -> None:
        """Add limits, and the neighbours as price takers within them."""
        links: set[tuple[str, str]] = set()
        border: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in capacities:
            ends = row["from_zone"], row["to_zone"]
            links.add(ends)
            forward = max(Decimal(0), Decimal(row["max_flow_mwh"]))
            reverse = max(Decimal(0), -Decimal(row["min_flow_mwh"]))
            self.rows["link_capacities"].append(
                {
                    "from_hub": ends[0],
                    "to_hub": ends[1],
                    "period": row["period"],
                    "forward_capacity": str(lots(forward)),
                    "reverse_capacity": str(lots(reverse)),
                }
            )
            for zone in ends:
                if zone not in self._zones:
                    border[zone, row["period"]] += forward + reverse
        for (zone, period), room in border.items():
            price = self._published[zone, int(period)]
            self._add(f"import-{zone}", False, zone, period, price, room)
            self._add(f"export-{zone}", True, zone, period, price, room)
        self.rows["links"] = [
            {"from_hub": start, "to_hub": end, "rtt_ms": "1", "tariff": "0"}
            for start, end in sorted(links)
        ]
        hubs = sorted(self._zones | {zone for ends in links for zone in ends})
        self.rows["hubs"] = [{"hub": hub} for hub in hubs]

    def add_block(self, name: str, legs: list[dict[str, str]]) -> None:
        """Add a fill-or-kill block."""
        side = "buy" if legs[0]["side"] == "demand" else "sell"
        key = {"order_id": name, "option_id": "1"}
        self.rows["block_orders"].append({"order_id": name, "side": side, "min_acceptance": "1"})
        limit = str(Decimal(legs[0]["price_eur_per_mwh"]).quantize(TICK))
        self.rows["block_options"].append({**key, "limit_price": limit})
        for leg in legs:
            self.rows["block_legs"].append(
                {
                    **key,
                    "hub": leg["zone"],
                    "product": "mwh",
                    "period": leg["period"],
                    "quantity": str(lots(Decimal(leg["quantity_mwh"]))),
                }
            )
