"""The verifier shares no more with the engine than the shapes of what both read.

A fault in code that both use would be made twice and found by nobody.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

OURS = ("config", "marketplace", "orders", "settlement", "tools", "tests")
OWN = "orders.clearing.verification"
# Module -> the names that may be taken from it; None: all of them.
SHARED: dict[str, set[str] | None] = {
    "orders.clearing.types": None,
    "orders.clearing.row_tables": {"Column", "RowTable"},
    "orders.clearing.bundle": {"bundle_sha256"},
}
LOADERS = {"__import__", "import_module"}


def borrowed(source: str) -> Iterator[str]:
    """Yield everything that a module takes from the engine and is not shared."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in OURS)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if not _is_own(module):
                allowed = SHARED.get(module, set())
                names = [alias.name for alias in node.names]
                yield from (
                    f"{module}.{n}" for n in names if allowed is not None and n not in allowed
                )
        elif isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in LOADERS:
                yield name


def _is_own(module: str) -> bool:
    """Whether a module is the verifier's, or none of the project's."""
    is_ours = module.startswith(".") or module.split(".")[0] in OURS
    return not is_ours or module == OWN or module.startswith(f"{OWN}_")


def _modules(root: Path) -> list[Path]:
    return sorted((root / "orders" / "clearing").glob("verification*.py"))


def test_the_verifier_borrows_nothing_from_the_engine(root: Path) -> None:
    modules = _modules(root)

    assert len(modules) >= 10
    assert {
        path.name: found
        for path in modules
        if (found := list(borrowed(path.read_text(encoding="utf-8"))))
    } == {}


def test_nothing_is_shared_that_the_verifier_does_not_use(root: Path) -> None:
    texts = "\n".join(path.read_text(encoding="utf-8") for path in _modules(root))

    assert [module for module in SHARED if f"from {module} import" not in texts] == []


@pytest.mark.parametrize(
    "line",
    [
        "from orders.clearing.row_tables import Column, column_of",
        "from orders.clearing.fields import whole_steps",
        "from orders.clearing import fields",
        "from orders.clearing import clear",
        "from orders.clearing.verificationless import x",
        "from .routes import least_routes",
        "from . import routes",
        "import orders.clearing.routes",
        "from marketplace.domain.money import round_money",
        "import importlib\nimportlib.import_module('orders.clearing.routes')",
        "routes = __import__('orders.clearing.routes')",
        "def late():\n    from orders.clearing.bundle import read_bundle",
    ],
)
def test_what_is_borrowed_is_found(line: str) -> None:
    assert len(list(borrowed(line))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "from orders.clearing.types import Auction, Result",
        "from orders.clearing.row_tables import RowTable",
        "from orders.clearing.verification_facts import Facts",
        "import numpy as np",
        "from decimal import Decimal",
    ],
)
def test_what_is_shared_is_allowed(line: str) -> None:
    assert list(borrowed(line)) == []
