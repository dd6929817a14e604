"""Times the ledger: single entries by several clients, batches, deadlocks, and the sweep.

Clients are processes with connections of their own, as the role that serves requests, against a
database with every constraint and trigger on. An entry has four postings: a member's limited funds,
trade clearing, fee and tax.
"""

import json
import multiprocessing
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, connections

from config.benches.database import collect_statistics
from marketplace.models import Organisation, OrganisationState
from settlement.models import JournalEntry, Posting
from settlement.services.accounts import account_for, open_member_accounts, open_platform_accounts
from settlement.services.chain import seal_blocks
from settlement.services.invariants import sweep_ledger
from settlement.services.ledger import PostingLine, post_entry
from settlement.services.ledger_batches import EntryDraft, post_entries

DAY = date(2026, 11, 23)
MEMBERS = 200
BATCH = 2_500
BATCH_CLIENTS = 2  # auctions are settled by two worker processes
POSTINGS = 1_000_000
_PARTS = (Decimal("106.53"), Decimal("-100.00"), Decimal("-0.50"), Decimal("-6.03"))
_POST = "SELECT entry_id FROM ledger_post(%s::jsonb, %s::bigint[], %s::numeric[], %s::text[])"


@dataclass(frozen=True)
class Finding:
    """One line of the table: what was timed, its figure, and what is asked of it."""

    what: str
    figure: str
    wanted: str


@dataclass(frozen=True)
class Chart:
    """The accounts that the bench posts on."""

    funds: tuple[int, ...]
    others: tuple[int, int, int]


def measure_ledger(seconds: float, postings: int = POSTINGS) -> Iterator[Finding]:
    """Fill an empty ledger and say how fast it was.

    Raises:
        CommandError: the ledger has entries already; the bench belongs on a database of its own.
    """
    if JournalEntry.objects.exists():
        raise CommandError("The ledger is not empty: run the bench on a database of its own.")
    chart = _prepare()
    rate, _failed = _rate(_call_function, chart, clients=4, seconds=seconds)
    yield Finding(
        "four-posting entries, one function call each, 4 clients", f"{rate:,.0f}/s", "≥ 1,000/s"
    )
    rate, _failed = _rate(_call_service, chart, clients=4, seconds=seconds)
    yield Finding("the same through `post_entry`, 4 clients", f"{rate:,.0f}/s", "≥ 500/s")
    before = _deadlocks()
    rate, failed = _rate(_transfer, chart, clients=16, seconds=seconds)
    yield Finding("transfers among four members in any order, 16 clients", f"{rate:,.0f}/s", "")
    yield Finding("deadlocks and other failures of these", f"{_deadlocks() - before + failed}", "0")
    yield _batches(chart, postings)
    yield from _sweep()


def _prepare() -> Chart:
    open_platform_accounts()
    funds = []
    for number in range(MEMBERS):
        member = Organisation.objects.create(
            code=f"LB{number:04}",
            name_zh=f"账簿{number}",
            credit_code=f"91310000LB{number:08}",
            is_buyer=True,
            is_supplier=True,
            state=OrganisationState.APPROVED,
        )
        open_member_accounts(member)
        funds.append(account_for("member_funds", organisation=member).pk)
    bank = account_for("bank").pk
    post_entries(
        entries=[
            EntryDraft(
                kind="deposit",
                effective_on=DAY,
                source_type="bench",
                source_id=str(account),
                idempotency_key=f"deposit:{account}",
                postings=[
                    PostingLine(bank, Decimal(900_000_000)),
                    PostingLine(account, Decimal(-900_000_000)),
                ],
            )
            for account in funds
        ]
    )
    others = [account_for(purpose).pk for purpose in ("trade_clearing", "fee_income", "vat_output")]
    return Chart(tuple(funds), (others[0], others[1], others[2]))


def _rate(
    work: Callable[[Chart, Random], None], chart: Chart, *, clients: int, seconds: float
) -> tuple[float, int]:
    """Return how many calls a second all clients made together, and how many failed."""
    connections.close_all()
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(clients), context.SimpleQueue()
    processes = [
        context.Process(target=_client, args=(work, chart, seed, seconds, start, results))
        for seed in range(clients)
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return sum(done for done, _failed in found) / seconds, sum(failed for _done, failed in found)


def _client(
    work: Callable[[Chart, Random], None],
    chart: Chart,
    seed: int,
    seconds: float,
    start: Any,
    results: Any,
) -> None:
    _serve()
    dice, done, failed = Random(seed), 0, 0  # noqa: S311 - a bench's dice, not a secret
    start.wait()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            work(chart, dice)
            done += 1
        except DatabaseError:
            failed += 1
    connections.close_all()
    results.put((done, failed))


def _call_function(chart: Chart, dice: Random) -> None:
    key = str(uuid.uuid4())
    header = {
        "book": "main",
        "kind": "bench",
        "effective_on": DAY.isoformat(),
        "source_type": "bench",
        "source_id": key,
        "reverses": None,
        "key": key,
        "fingerprint": key,
        "public_id": key,
        "reason": "",
        "actor": None,
    }
    accounts = [dice.choice(chart.funds), *chart.others]
    with connection.cursor() as cursor:
        cursor.execute(_POST, [json.dumps(header), accounts, list(_PARTS), [""] * 4])


def _call_service(chart: Chart, dice: Random) -> None:
    key = str(uuid.uuid4())
    post_entry(
        kind="bench",
        effective_on=DAY,
        source_type="bench",
        source_id=key,
        idempotency_key=key,
        postings=_lines(dice.choice(chart.funds), chart),
    )


def _transfer(chart: Chart, dice: Random) -> None:
    key = str(uuid.uuid4())
    signs = (1, -1, 2, -2)
    lines = zip(dice.sample(chart.funds[:16], 4), signs, strict=True)
    post_entry(
        kind="bench",
        effective_on=DAY,
        source_type="bench",
        source_id=key,
        idempotency_key=key,
        postings=[PostingLine(account, Decimal(sign)) for account, sign in lines],
    )


def _lines(funds: int, chart: Chart) -> list[PostingLine]:
    accounts = (funds, *chart.others)
    return [PostingLine(account, part) for account, part in zip(accounts, _PARTS, strict=True)]


def _deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def _batches(chart: Chart, postings: int) -> Finding:
    """Bring the ledger to so many postings, in batches as settlement runs post them."""
    missing = -(-(postings - Posting.objects.count()) // len(_PARTS))
    each = -(-missing // BATCH_CLIENTS)
    connections.close_all()
    context = multiprocessing.get_context("fork")
    start = context.Barrier(BATCH_CLIENTS + 1)
    processes = [
        context.Process(target=_fill, args=(chart, seed, each, start))
        for seed in range(BATCH_CLIENTS)
    ]
    for process in processes:
        process.start()
    start.wait()
    begun = time.perf_counter()
    for process in processes:
        process.join()
    rate = each * BATCH_CLIENTS / (time.perf_counter() - begun)
    if any(process.exitcode for process in processes):
        raise CommandError("A client could not post its batches.")
    return Finding(
        f"settlement batches of {BATCH:,} entries (`post_entries`), {BATCH_CLIENTS} clients",
        f"{rate:,.0f} entries/s",
        "≥ 10,000/s",
    )


def _fill(chart: Chart, seed: int, count: int, start: Any) -> None:
    _serve()
    dice = Random(seed)  # noqa: S311 - a bench's dice, not a secret
    start.wait()
    for first in range(0, count, BATCH):
        post_entries(
            entries=[
                EntryDraft(
                    kind="bench",
                    effective_on=DAY + timedelta(days=number % 7),
                    source_type="bench",
                    source_id=str(number),
                    idempotency_key=f"batch:{seed}:{number}",
                    postings=_lines(dice.choice(chart.funds), chart),
                )
                for number in range(first, min(first + BATCH, count))
            ]
        )
    connections.close_all()


def _serve() -> None:
    """Open the connection of a client, as the role that serves requests."""
    role = settings.DATABASE_ROLES["runtime"]
    connection.settings_dict.update(
        {name: role.get(name, "") for name in ("USER", "PASSWORD", "OPTIONS")}
    )
    connection.ensure_connection()


def _sweep() -> Iterator[Finding]:
    collect_statistics()
    begun = time.perf_counter()
    seal_blocks()
    took = time.perf_counter() - begun
    entries, postings = JournalEntry.objects.count(), Posting.objects.count()
    yield Finding(f"sealing {entries:,} entries into the hash chain", f"{took:.1f} s", "")
    begun = time.perf_counter()
    run = sweep_ledger()
    took = time.perf_counter() - begun
    if not run.passed:
        raise CommandError(f"The sweep found something: {run.findings}")
    yield Finding(
        f"sweep of {run.results.count()} invariants over {postings:,} postings, chain included",
        f"{took:.1f} s",
        "< 10 s",
    )
    slow = run.results.order_by("-duration_ms").first()
    if slow is not None:
        yield Finding(f"the slowest of them, {slow.code}", f"{slow.duration_ms:,} ms", "")
