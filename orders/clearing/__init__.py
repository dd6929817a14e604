"""The clearing engine: a pure library that couples a compute auction over all hubs.

It needs NumPy and HiGHS only. `python -m orders.clearing` is its command line.
"""

from orders.clearing import one_thread  # noqa: F401 - comes before anything that loads NumPy
from orders.clearing.bundle import (
    bundle_sha256,
    read_bundle,
    read_result,
    write_bundle,
    write_result,
)
from orders.clearing.engine import clear
from orders.clearing.errors import (
    BundleRefused,
    ClearingError,
    PartRefused,
    ResultUnreadable,
    SolverFailed,
)
from orders.clearing.parts import PartClearer, clear_part, split
from orders.clearing.types import Auction, Result, Violation
from orders.clearing.validation import auction_from_tables
from orders.clearing.verification import verify

__all__ = [
    "Auction",
    "BundleRefused",
    "ClearingError",
    "PartClearer",
    "PartRefused",
    "Result",
    "ResultUnreadable",
    "SolverFailed",
    "Violation",
    "auction_from_tables",
    "bundle_sha256",
    "clear",
    "clear_part",
    "read_bundle",
    "read_result",
    "split",
    "verify",
    "write_bundle",
    "write_result",
]
