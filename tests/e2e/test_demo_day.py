"""`make demo-once`: a whole trading day by real processes, judged by its report."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """Play the day once; return the command's result and its report."""
    folder = tmp_path_factory.mktemp("demo")
    report = folder / "report.json"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("HENGSUAN_")
    } | {"HENGSUAN_VAR": str(folder / "var")}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--once", "--report", str(report)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout, json.loads(report.read_text())


@pytest.mark.processes
@pytest.mark.timeout(600)
def test_every_check_of_the_day_passes(day):
    _printed, report = day

    assert len(report["checks"]) == 5
    assert all(report["checks"].values()), report["checks"]


@pytest.mark.processes
@pytest.mark.timeout(600)
def test_the_day_is_lively(day):
    _printed, report = day
    lively = report["liveliness"]

    assert lively["hubs_trading"] >= 8
    assert lively["full_links"] >= 1
    assert lively["blocks_accepted"] >= 1
    assert lively["blocks_paradoxically_rejected"] >= 1
    assert lively["short_deliveries"] >= 1


@pytest.mark.processes
@pytest.mark.timeout(600)
def test_the_summary_names_flows_money_and_sign_ins(day):
    printed, report = day

    for words in ("东数西算", "congestion rent", "tCO2", "trial balance", report["auction"]):
        assert words in printed
    assert "finance@hengsuan.example" in printed
