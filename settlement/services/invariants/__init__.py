"""The sweep: every rule that money, capacity and certificates must keep, asked of the database.

Each is one set-based query that finds offenders, or nothing. Constraints and triggers hold most of
them at every commit; they are asked all the same: the sweep finds what went around those.

To add a check, put it into the table of your topic's module here, and a new module's table into
`INVARIANTS`:

    CHECKS = (
        Invariant("I-24-lines", _("A bank line is imported once."), "SELECT id FROM … WHERE …"),
    )

where `_` is `gettext_noop` and the query returns one column, one row for each offender. A check
that SQL alone cannot ask gives a function instead of the query. The Chinese of the title goes into
the catalogue; the command `sweep`, the nightly task and the page show it without further ado.
"""

import time
from collections.abc import Iterable

import structlog
from django.db import transaction

from marketplace.selectors.snapshot import one_snapshot
from settlement.models import InvariantResult, InvariantRun, LedgerBlock
from settlement.services.invariants import (
    banking,
    billing,
    cases,
    corrections,
    journal,
    market,
    messages,
    months,
    recognition,
    serials,
    units,
)
from settlement.services.invariants.registry import Invariant, Outcome, check_invariant

__all__ = [
    "INVARIANTS",
    "Invariant",
    "Outcome",
    "broken_invariants",
    "ledger_is_trusted",
    "sweep_ledger",
]

logger = structlog.get_logger(__name__)

INVARIANTS: tuple[Invariant, ...] = tuple(
    sorted(
        (
            *journal.CHECKS,
            *months.CHECKS,
            *banking.CHECKS,
            *billing.CHECKS,
            *corrections.CHECKS,
            *market.CHECKS,
            *units.CHECKS,
            *serials.CHECKS,
            *recognition.CHECKS,
            *cases.CHECKS,
            *messages.CHECKS,
        ),
        key=lambda invariant: invariant.code,
    )
)

# What must hold of the books themselves before money leaves: asked anew at every payout.
_TRUST = frozenset({"I-01", "I-02", "I-03", "I-04", "I-05", "I-07", "I-10", "I-15", "I-23"})


def broken_invariants() -> list[dict[str, object]]:
    """Return each broken invariant with how many offenders it has and the first of them.

    All are read in one snapshot, so that work going on beside does not look like a fault.
    """
    return [_finding(outcome) for outcome in _check(INVARIANTS) if outcome.finding_count]


def sweep_ledger() -> InvariantRun:
    """Check every invariant and keep what each one showed.

    The head of the hash chain is kept and logged with it: the log is a copy outside of the
    database, which a chain made anew would contradict.
    """
    started = time.monotonic()
    outcomes = _check(INVARIANTS)
    head = LedgerBlock.objects.order_by("-number").first()
    findings = [_finding(outcome) for outcome in outcomes if outcome.finding_count]
    with transaction.atomic():
        run = InvariantRun.objects.create(
            passed=not findings,
            findings=findings,
            duration_ms=round((time.monotonic() - started) * 1000),
            chain_head=f"{head.number}:{head.block_hash}" if head else "",
        )
        InvariantResult.objects.bulk_create(_result(run, outcome) for outcome in outcomes)
    logger.info("ledger_swept", passed=run.passed, chain_head=run.chain_head)
    return run


def ledger_is_trusted() -> bool:
    """Tell whether the books may be paid out from: their own rules and their hash chain hold now.

    Asked before money leaves. It reads the books anew, because a payout is rare and what was paid
    on a forged entry is gone.
    """
    return not any(
        outcome.finding_count for outcome in _check(i for i in INVARIANTS if i.code in _TRUST)
    )


def _check(invariants: Iterable[Invariant]) -> list[Outcome]:
    with one_snapshot():
        return [check_invariant(invariant) for invariant in invariants]


def _finding(outcome: Outcome) -> dict[str, object]:
    return {
        "code": outcome.invariant.code,
        "promise": outcome.invariant.title,
        "count": outcome.finding_count,
        "sample": outcome.sample,
    }


def _result(run: InvariantRun, outcome: Outcome) -> InvariantResult:
    return InvariantResult(
        run=run,
        code=outcome.invariant.code,
        duration_ms=outcome.duration_ms,
        finding_count=outcome.finding_count,
        sample=outcome.sample,
    )
