"""The page of benchmarks: parts that are measured by their own commands and written in place.

`python -m tools.bench_page NAME FILE` puts a table that `manage.py bench_*` wrote under its
heading, with the day, the commit and the machine; other parts stay as they were measured.
"""

import argparse
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "benchmarks.md"
HEAD = """# Benchmarks

`make bench` measures everything; each part can be measured alone by the command that it names.
Figures are of the machine that the part names, with nothing else running on it.
"""
PARTS = {
    "engine": ("The clearing engine", ""),
    "market": (
        "The market",
        "Wall time on the service as `make demo` starts it: web server, worker, database and broker"
        " on one machine. A page is asked\nfor over HTTP by a signed-in person; the figure is the"
        " median of 15 whole answers.\n\n",
    ),
    "parts": (
        "Books in parts",
        "Wall time from the first message to the stored result of a frozen book, with real workers,"
        " database and broker on one machine.\nThe search for indivisible orders is one worker's"
        " work; only what comes before it is shared. Times are the shorter of two; each gave the"
        " same bytes.\n\n",
    ),
    "books": (
        "The books",
        "Wall time on a database of its own, every constraint and trigger on. What an entry refers"
        " to and how it is held stands in\n[the ledger](../explanation/ledger.md).\n\n",
    ),
}


def write_part(name: str, text: str) -> None:
    """Replace a part of the page by what was measured now; the other parts stay.

    Raises:
        KeyError: the page has no such part.
    """
    title, introduction = PARTS[name]
    found = _parts(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
    found[name] = f"## {title}\n\n{_origin(name)}\n\n{introduction}{text.strip()}\n"
    kept = "\n".join(f"<!-- {key} -->\n{found[key]}" for key in PARTS if key in found)
    PAGE.write_text(f"{HEAD}\n{kept}", encoding="utf-8")


def _parts(page: str) -> dict[str, str]:
    cut = re.split(r"^<!-- (\w+) -->\n", page, flags=re.MULTILINE)
    return {name: text.rstrip() + "\n" for name, text in zip(cut[1::2], cut[2::2], strict=True)}


def _origin(name: str) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    ).stdout.strip()
    return (
        f"Written by `make bench-{name}` on {datetime.now(UTC):%Y-%m-%d} at commit"
        f" {commit or 'unknown'}: {os.cpu_count()} cores, {platform.machine()},"
        f" Python {platform.python_version()}."
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=PARTS)
    parser.add_argument("tables", type=Path, nargs="+", help="what the measurements wrote")
    chosen = parser.parse_args()
    write_part(chosen.name, "\n\n".join(one.read_text().strip() for one in chosen.tables))
