"""Every kind of journal entry has words: pages and reports never show a code."""

import ast
from collections.abc import Iterator

from config.env import BASE_DIR
from settlement.exports.entry_words import ENTRY_KINDS
from settlement.models import BankMatchKind, MovementKind, WaterfallSource

WRITERS = ("post_entry", "EntryDraft", "_post")


def test_every_kind_that_a_service_posts_has_words() -> None:
    found = set(_posted())
    assert {"deposit", "adjustment", "netting_cash"} <= found
    assert found - set(ENTRY_KINDS) == set()


def test_every_kind_that_is_made_of_a_list_has_words() -> None:
    made = {
        *(f"units_{kind}" for kind in MovementKind.values),
        *(f"default_{source}" for source in WaterfallSource.values),
        *(f"bank_{kind}" for kind in BankMatchKind.values),
    }
    assert made - set(ENTRY_KINDS) == set()


def _posted() -> Iterator[str]:
    for path in (BASE_DIR / "settlement" / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in WRITERS:
                for given in node.keywords:
                    if given.arg == "kind" and isinstance(given.value, ast.Constant):
                        yield str(given.value.value)
