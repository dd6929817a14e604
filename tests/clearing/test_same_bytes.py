"""The same bundle gives the same bytes: rows shuffled, another process, another hash seed."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random

from orders.clearing import Auction, write_bundle
from tests.clearing.books import RandomBook

# A book with links, classes, blocks of every kind and jobs.
SEED = 7


def shuffle_rows(bundle: Path, seed: int) -> None:
    """Put the rows of every file into another order."""
    shuffler = Random(seed)
    for path in sorted(bundle.glob("*.csv")):
        header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        shuffler.shuffle(rows)
        path.write_text("".join([header, *rows]), encoding="utf-8")


def cleared_in_a_process(auction: Auction, folder: Path, seed: int) -> dict[str, bytes]:
    """Clear a shuffled bundle with the command line and return the files that count."""
    bundle, result = folder / "bundle", folder / "result"
    write_bundle(auction, bundle)
    shuffle_rows(bundle, seed)
    subprocess.run(
        [sys.executable, "-m", "orders.clearing", "clear", str(bundle), str(result)],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
    )
    return {path.name: path.read_bytes() for path in result.iterdir() if path.name != "timing.json"}


def test_results_of_two_processes_are_byte_identical(tmp_path: Path) -> None:
    auction = RandomBook(SEED, carbon=True, curves=80, blocks=8, flexibles=6).auction()

    first = cleared_in_a_process(auction, tmp_path / "first", 1)
    second = cleared_in_a_process(auction, tmp_path / "second", 2)

    assert first == second
    assert len(first) >= 8
