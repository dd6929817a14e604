"""Every address asks the database a fixed and recorded number of times, however much it shows.

The record is ``tests/web/lists/queries.tsv``; ``pytest tests/web/test_list_queries.py
--write-query-baselines`` writes it anew. An address that is added to the URLs and not measured
fails. The record also says whether an address showed more rows when there was more of everything,
so that a list which the test does not fill is seen to be such.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.http import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.api.callers import browser_of
from tests.web.lists import addresses, book_rows, market_rows, unit_rows
from tests.web.lists.no_list import GROWING, NO_LIST

RECORD = Path(__file__).parent / "lists" / "queries.tsv"
HEAD = "address\twho\tqueries\trows"
STAGES = (
    market_rows.add_trading,
    book_rows.add_settlement,
    book_rows.add_money,
    book_rows.add_cases,
    unit_rows.add_recognition,
    unit_rows.add_units,
    book_rows.add_files,
    market_rows.add_accounts,
    market_rows.add_proposals,
    market_rows.add_bids,
)
FEW, MORE = 2, 3
ROWS = re.compile(r"<(?:tr|li|option|dt|article)\b|type=\"checkbox\"")
Key = tuple[str, str]


@dataclass(frozen=True)
class Look:
    """What an address asked and how many rows it showed."""

    queries: int
    rows: int


def _add(world: market_rows.World) -> None:
    for stage in STAGES:
        stage(world)
    world.rounds += 1


def _rows_of(response: HttpResponseBase) -> int:
    kind = response.headers.get("Content-Type", "").split(";")[0]
    if kind == "application/json":
        body = response.json()  # type: ignore[attr-defined]
        parts = body.values() if isinstance(body, dict) else [body]
        return sum(len(part) for part in parts if isinstance(part, list))
    content = (
        b"".join(response.streaming_content)  # type: ignore[attr-defined]
        if response.streaming
        else response.content  # type: ignore[attr-defined]
    )
    if kind == "text/csv":
        return content.count(b"\n")
    return len(ROWS.findall(content.decode())) if kind == "text/html" else 0


def _looks(world: market_rows.World, keys: Collection[Key] = ()) -> dict[Key, Look]:
    """Return what each address asks for each person who may open it, or for these alone.

    A public page is looked at by a visitor and a buyer: nobody else sees more of it.
    """
    clients = {"visitor": Client(), **{w: browser_of(a).client for w, a in world.people.items()}}
    found: dict[Key, Look] = {}
    for name, url in addresses.addresses(world):
        for who, client in clients.items():
            is_public = (name, "visitor") in found and (name, "buyer") in found
            if is_public or (keys and (name, who) not in keys):
                continue
            connection.queries_log.clear()  # it keeps the last nine thousand only
            with CaptureQueriesContext(connection) as asked:
                response = client.get(url)
                rows = _rows_of(response)
            if response.status_code == 200:
                found[name, who] = Look(len(asked), rows)
    return found


def _recorded() -> dict[Key, tuple[int, str]]:
    lines = RECORD.read_text(encoding="utf-8").splitlines()[1:]
    cells = (line.split("\t") for line in lines)
    return {(name, who): (int(number), rows) for name, who, number, rows in cells}


def _write(found: dict[Key, tuple[int, str]]) -> None:
    lines = [f"{n}\t{w}\t{number}\t{rows}" for (n, w), (number, rows) in sorted(found.items())]
    RECORD.write_text("\n".join([HEAD, *lines, ""]), encoding="utf-8")


def test_every_address_is_measured_or_shows_no_list() -> None:
    named = {name for group in NO_LIST.values() for name in group.split()}

    assert addresses.measured() | named == set(addresses.patterns())
    assert addresses.measured() & named == set()


@pytest.mark.django_db
@pytest.mark.timeout(1500)  # seconds; on a machine that has nothing else to do, a tenth
def test_more_rows_do_not_mean_more_queries(
    pytestconfig: pytest.Config, settings, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path  # where contracts wait to be signed
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    ContentType.objects.get_for_models(*apps.get_models())  # kept by the process, not by the cache
    world = market_rows.World()
    for _ in range(FEW):
        _add(world)
    before = _looks(world)
    for _ in range(MORE):
        _add(world)
    after = _looks(world, before)
    found = {
        key: (look.queries, "more" if look.rows > before[key].rows else "same")
        for key, look in after.items()
    }
    if pytestconfig.getoption("--write-query-baselines"):
        _write(found)

    grown = {
        key: f"{before[key].queries} → {look.queries}"
        for key, look in after.items()
        if look.queries > before[key].queries
    }
    assert set(grown) == set(GROWING), f"more rows, more queries: {grown}"
    recorded = _recorded()
    assert set(before) == set(after) == set(recorded), "addresses opened by other people"
    assert {key: one for key, one in found.items() if one != recorded[key]} == {}
    assert sum(rows == "more" for _queries, rows in found.values()) > len(found) / 3
