"""Draws large books, has them cleared by one worker and by two, and writes the page's part.

Each book is drawn by a process of its own; database, broker and workers live in a directory that is
thrown away.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.bench_page import ROOT, write_part
from tools.national import NationalMarket

BOOKS = {
    "national, divisible orders only: 80,000 bids": NationalMarket(1, blocks=0),
    "a larger day: 635 listings, 950 bids, 200 blocks": NationalMarket(
        1, products=7, listings=635, curves=950, blocks=200
    ),
}


def main() -> None:
    """Draw, measure, write."""
    with TemporaryDirectory() as folder:
        top = Path(folder)
        top.chmod(0o755)  # servers run as another user
        options = []
        for number, (name, market) in enumerate(BOOKS.items()):
            book = top / f"book-{number}"
            book.mkdir()
            market.build().write(book)
            options += ["--book", f"{name}={book}"]
        var = top / "var"
        var.mkdir(mode=0o755)
        table = top / "table.md"
        subprocess.run(
            [sys.executable, "manage.py", "bench_parts", *options, "--out", str(table)],
            cwd=ROOT,
            env={**os.environ, "HENGSUAN_VAR": str(var)},
            check=True,
        )
        write_part("parts", table.read_text())


if __name__ == "__main__":
    main()
