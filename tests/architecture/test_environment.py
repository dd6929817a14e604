"""What must be, or must not be, installed."""

import importlib.util
import re
import subprocess
import sys


def test_psycopg3_is_absent():
    # Django would silently use it instead of psycopg2, and COPY would fail.
    assert importlib.util.find_spec("psycopg") is None


def test_solver_libraries_share_one_process(root):
    done = subprocess.run(
        [sys.executable, "-c", "import scipy.optimize, highspy; highspy.Highs()"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_every_pin_has_a_hash(root):
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (root / name).read_text()
        pins = re.findall(r"^[A-Za-z0-9_.\[\]-]+==.*\n?(?:    .*\n?)*", text, flags=re.MULTILINE)

        assert pins
        assert [pin.splitlines()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_development_pins_contain_the_run_time_pins(root):
    def pins(name):
        return set(
            re.findall(r"^([A-Za-z0-9_.-]+==[^\s;\\]+)", (root / name).read_text(), re.MULTILINE)
        )

    assert pins("requirements.txt") - pins("requirements-dev.txt") == set()


def test_environment_variables_are_read_in_one_place(root):
    reads = re.compile(r"os\.(environ|getenv)")
    allowed = {"config/env.py", "config/celery.py", "config/wsgi.py", "config/asgi.py"}
    allowed |= {"config/settings/test.py"}  # sets its own cluster before the settings are read
    allowed |= {"config/embedded/postgres.py", "config/supervision/supervisor.py"}  # for children

    found = {
        path.relative_to(root).as_posix()
        for folder in ("config", "marketplace", "orders", "settlement")
        for path in (root / folder).rglob("*.py")
        if reads.search(path.read_text(encoding="utf-8"))
    }

    assert found - allowed == set()
