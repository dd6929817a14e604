"""The layers hold, and the engine stands alone."""

import subprocess
import sys
from pathlib import Path

import pytest

BLOCKED_IMPORT = """
import sys
from pathlib import Path

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"django", "celery", "rest_framework", "psycopg2", "kombu"}:
            raise ImportError("blocked: " + name)

sys.meta_path.insert(0, Blocked())
import MODULE
"""


def test_import_contracts_hold(root):
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "module", ["orders.clearing", "orders.domain", "marketplace.domain", "settlement.domain"]
)
def test_pure_packages_import_without_the_web_framework(root, module):
    # A convenience import in an app's __init__ would break this and leave every contract green.
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED_IMPORT.replace("MODULE", module)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_modules_of_pure_packages_import_without_the_web_framework(root):
    folders = ["orders/clearing", "orders/domain", "marketplace/domain", "settlement/domain"]
    modules = [
        path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
        for folder in folders
        for path in sorted((root / folder).glob("*.py"))
        if path.stem not in {"__init__", "__main__"}
    ]

    done = subprocess.run(
        [sys.executable, "-c", BLOCKED_IMPORT.replace("MODULE", ", ".join(modules))],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert modules
    assert done.returncode == 0, done.stderr
