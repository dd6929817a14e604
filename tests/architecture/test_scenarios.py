"""Every numbered fault and every numbered invariant has a test that says so in its first line."""

import ast
import re

SCENARIOS = {f"S-{n:02}" for n in (*range(9, 18), *range(20, 30))}
INVARIANTS = {f"INV-{n:02}" for n in range(1, 23)}
PAGE = "docs/explanation/settlement-faults.md"
_NAME = re.compile(r"\b(?:S-\d\d|INV-\d\d)\b")
_ROW = re.compile(r"^\| (S-\d\d) \|.*\| (`.*`) \|$", re.MULTILINE)


def _named(root):
    """Return the numbers that tests name, each with the files of these tests."""
    found: dict[str, set[str]] = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for name in _NAME.findall(ast.get_docstring(node) or ""):
                    found.setdefault(name, set()).add(path.relative_to(root / "tests").as_posix())
    return found


def test_every_number_is_named_by_a_test(root):
    assert (SCENARIOS | INVARIANTS) - set(_named(root)) == set()


def test_the_page_leads_from_each_fault_to_a_test_that_names_it(root):
    named = _named(root)
    rows = dict(_ROW.findall((root / PAGE).read_text(encoding="utf-8")))

    assert set(rows) == SCENARIOS
    wrong = {
        (number, file)
        for number, files in rows.items()
        for file in re.findall(r"`([^`]+)`", files)
        if file not in named[number]
    }
    assert wrong == set()
