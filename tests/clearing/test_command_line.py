"""The command line and the promise that the engine needs nothing but NumPy and HiGHS."""

import subprocess
import sys
from pathlib import Path

from orders.clearing import clear, write_bundle, write_result
from orders.clearing.bundle import bundle_sha256, result_sha256
from tests.clearing.books import buy, sell, small_auction
from tests.clearing.test_properties import tamper

ROOT = Path(__file__).parents[2]
_BLOCK = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"django", "celery", "rest_framework", "scipy", "marketplace",
                                  "settlement", "config"}:
            raise ImportError("blocked: " + name)

sys.meta_path.insert(0, Refuse())
sys.argv = ["clearing", *sys.argv[1:]]
import runpy
runpy.run_module("orders.clearing", run_name="__main__")
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command in an interpreter where the rest of the project cannot be imported."""
    return subprocess.run(
        [sys.executable, "-c", _BLOCK, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_clears_and_verifies_without_django(tmp_path: Path) -> None:
    write_bundle(small_auction([sell("s", "2", 5), buy("b", "9", 5)]), tmp_path / "bundle.zip")

    cleared = run("clear", tmp_path / "bundle.zip", tmp_path / "result")
    verified = run("verify", tmp_path / "bundle.zip", tmp_path / "result")

    assert (cleared.returncode, cleared.stderr) == (0, "")
    assert cleared.stdout == "status cleared, welfare 35, gap 0\n"
    assert (verified.returncode, verified.stdout) == (0, "valid\n")


def test_tampered_result_exits_with_one_and_names_rule_and_order(tmp_path: Path) -> None:
    auction = small_auction([sell("s", "2", 5), buy("b", "9", 5)])
    write_bundle(auction, tmp_path / "bundle")
    broken = tamper(clear(auction), ("curve_results", 0, "accepted_quantity"), -1)
    write_result(broken, tmp_path / "result")

    done = run("verify", tmp_path / "bundle", tmp_path / "result")

    assert done.returncode == 1
    assert "rule 1: buy b//W/gpu/1: assigned 5 of 4" in done.stdout


def test_unreadable_input_exits_with_two_and_says_where(tmp_path: Path) -> None:
    write_bundle(small_auction([buy("b", "9", 5)]), tmp_path / "bundle")
    with (tmp_path / "bundle" / "curve_orders.csv").open("a") as file:
        file.write("c,buy,W,gpu,1,9.001,5,,,,,\n")

    done = run("clear", tmp_path / "bundle", tmp_path / "result")

    assert done.returncode == 2
    assert done.stderr == "curve_orders.csv:3: price: 9.001 is not a multiple of 0.01\n"
    assert not (tmp_path / "result").exists()


def test_wrong_usage_exits_with_two() -> None:
    done = run("clear")

    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m orders.clearing clear BUNDLE RESULT")


def test_prints_the_hashes_that_the_market_publishes(tmp_path: Path) -> None:
    auction = small_auction([sell("s", "2", 5), buy("b", "9", 5)])
    write_bundle(auction, tmp_path / "bundle.zip")
    for name in ("once.zip", "twice.zip"):
        write_result(clear(auction), tmp_path / name)

    bundle = run("hash", tmp_path / "bundle.zip")
    once, twice = (run("hash", tmp_path / name).stdout for name in ("once.zip", "twice.zip"))

    assert bundle.stdout == f"{bundle_sha256(auction)}  {tmp_path / 'bundle.zip'}\n"
    assert once.split()[0] == twice.split()[0] == result_sha256(tmp_path / "once.zip")
    assert run("hash", tmp_path / "nothing.zip").returncode == 2
