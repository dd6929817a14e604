"""The Italian day-ahead auction of April 2025 must clear to the prices its exchange published.

Source: GME by way of rebase-energy/OpenEUPHEMIA, data/italy/2025-04. The files are not part of this
repository; the test is collected only where HENGSUAN_DATA names a folder that holds them.
"""

import csv
import gzip
import os
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orders.clearing import Auction, auction_from_tables, clear, verify

FOLDER = Path(os.environ.get("HENGSUAN_DATA", "")) / "auctions" / "gme_italy_2025-04-01_07"
DAYS = ["2025-04-01"] if FOLDER.is_dir() else []


def rows_of(name: str, day: str) -> list[dict[str, str]]:
    with gzip.open(FOLDER / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["delivery_day"] == day]


def lots(quantity: Decimal) -> str:
    return str(quantity.quantize(Decimal("0.001")))


class ItalianDay:
    """One day as an auction: zones are hubs, border zones trade at their published price."""

    def __init__(self, day: str) -> None:
        self.published = {
            (row["zone"], int(row["period"])): Decimal(row["price_eur_per_mwh"])
            for row in rows_of("published-prices", day)
        }
        bids = rows_of("bid-curves", day)
        self.zones = {row["zone"] for row in bids}
        self._tables: dict[str, list[dict[str, Any]]] = {
            "products": [{"product": "mwh", "bandwidth_per_unit": "1"}],
            "links": [],
            "link_capacities": [],
            "curve_orders": [],
        }
        self._add_bids(bids)
        self._add_links(rows_of("transfer-capacities", day))
        self._meta = {
            "bundle_version": 1,
            "auction_id": f"GME-{day}",
            "currency": "EUR",
            "period_minutes": 60,
            "first_period_start": f"{day}T00:00:00+02:00",
            "periods": 24,
            "price_min": "-500",
            "price_max": "4000",
            "price_tick": "0.00001",
            "clearing_price_tick": "0.00001",
            "quantity_tick": "0.001",
        }

    def auction(self) -> Auction:
        return auction_from_tables(self._meta, self._tables)

    def _add_bids(self, bids: list[dict[str, str]]) -> None:
        total: dict[tuple[str, str, str, Decimal], Decimal] = defaultdict(Decimal)
        for row in bids:
            price = Decimal(row["price_eur_per_mwh"]).quantize(Decimal("0.00001"))
            total[row["side"], row["zone"], row["period"], price] += Decimal(row["quantity_mwh"])
        for (side, zone, period, price), quantity in total.items():
            self._add(f"{side}-{zone}", side == "demand", zone, period, price, quantity)

    def _add(
        self, name: str, buys: bool, zone: str, period: str, price: Decimal, quantity: Decimal
    ) -> None:
        self._tables["curve_orders"].append(
            {
                "order_id": name,
                "side": "buy" if buys else "sell",
                "hub": zone,
                "product": "mwh",
                "period": period,
                "price": str(price),
                "quantity": lots(quantity),
            }
        )

    def _add_links(self, capacities: list[dict[str, str]]) -> None:
        links: set[tuple[str, str]] = set()
        border: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in capacities:
            ends = row["from_zone"], row["to_zone"]
            links.add(ends)
            forward = max(Decimal(0), Decimal(row["max_flow_mwh"]))
            reverse = max(Decimal(0), -Decimal(row["min_flow_mwh"]))
            self._tables["link_capacities"].append(
                {
                    "from_hub": ends[0],
                    "to_hub": ends[1],
                    "period": row["period"],
                    "forward_capacity": lots(forward),
                    "reverse_capacity": lots(reverse),
                }
            )
            for zone in ends:
                if zone not in self.zones:
                    border[zone, row["period"]] += forward + reverse
        for (zone, period), room in border.items():
            price = self.published[zone, int(period)]
            self._add(f"import-{zone}", False, zone, period, price, room)
            self._add(f"export-{zone}", True, zone, period, price, room)
        self._tables["links"] = [
            {"from_hub": start, "to_hub": end, "rtt_ms": "1", "tariff": "0"}
            for start, end in sorted(links)
        ]
        hubs = sorted(self.zones | {zone for ends in links for zone in ends})
        self._tables["hubs"] = [{"hub": hub} for hub in hubs]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Collect one test a day; without the data there is nothing to collect but the reason."""
    if "italian_day" in metafunc.fixturenames:
        metafunc.parametrize("italian_day", DAYS)


if DAYS:

    def test_all_zone_prices_equal_the_published_ones(italian_day: str) -> None:
        day = ItalianDay(italian_day)
        auction = day.auction()

        result = clear(auction)

        price = {(row.hub, row.period): row.price for row in result.prices}
        wrong = [
            key
            for key, published in day.published.items()
            if key[0] in day.zones and abs((price[key] or 0) - published) > Decimal("0.005")
        ]
        assert wrong == []
        assert len(day.zones) * 24 == 168
        assert verify(auction, result) == []
