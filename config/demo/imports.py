"""Real input for the demonstration: published price lists as asks, job traces as bids."""

from collections.abc import Callable
from pathlib import Path

from marketplace.domain.imports.price_lists import read_specs
from marketplace.management.commands.import_supply import date_in_name
from marketplace.services.supply_import import import_supply
from orders.models import Auction
from orders.services.demand_import import import_demand

SPECS = "supply/instance_specs.csv.gz"
# File and the most asks of it, so that a day stays watchable; every provider keeps its share.
PRICE_LISTS = (
    ("supply/gcp_instance_prices_2026-07-30.csv.gz", 360),
    ("supply/aws_ondemand_us-east-1_and_cn.csv", 120),
    ("supply/multicloud_specs_prices_2025-06.csv", 120),
    ("supply/gpu_rental_quotes_2026-09-29.csv", None),
)
# Trace, the most orders of it, and the most blocks among them.
JOB_TRACES = (
    ("demand/openb_pod_list_gpuspec33.csv", 450, 20),
    ("demand/azure_vm_100k.csv.gz", 400, 15),
    ("demand/cerit_wagap_2013.swf.gz", 300, 15),
)


class DataMissing(FileNotFoundError):
    """The data directory does not hold what the demonstration reads; names the file."""


def require_files(directory: str) -> Path:
    """Return the directory if it holds every file the demonstration reads.

    Raises:
        DataMissing: names the first file that is not there.
    """
    root = Path(directory)
    for name in (SPECS, *(name for name, *_ in PRICE_LISTS), *(name for name, *_ in JOB_TRACES)):
        if not (root / name).is_file():
            raise DataMissing(f"{root / name} is missing; DATA must name a directory that has it.")
    return root


def import_asks(say: Callable[[str], None], root: Path) -> int:
    """List the price lists' asks; return how many."""
    specs = read_specs(root / SPECS)
    asks = 0
    for name, most in PRICE_LISTS:
        path = root / name
        made = import_supply(path=path, on=date_in_name(path), specs=specs, limit=most, days=4)
        say(f"  {path.name}: {made.rows} 行 rows → {made.asks} 笔供给 asks")
        asks += made.asks
    return asks


def import_bids(say: Callable[[str], None], root: Path, auction: Auction) -> int:
    """Put the traces' orders into an open auction; return how many."""
    orders = 0
    for name, most, blocks in JOB_TRACES:
        path = root / name
        made = import_demand(path=path, auction_code=auction.code, limit=most, most_blocks=blocks)
        say(f"  {path.name}: {made.jobs} 个作业 jobs → {made.orders} 笔申报 orders")
        orders += made.orders
    return orders
