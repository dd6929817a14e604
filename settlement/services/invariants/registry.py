"""What an invariant is, and how one is run."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import translation
from django.utils.translation import gettext

SAMPLE = 5


@dataclass(frozen=True)
class Invariant:
    """A rule that always holds.

    Attributes:
        code: stable name; checks of one rule share its beginning, such as `I-11-numbers`.
        title: what holds, in English; its Chinese stands in the catalogue like every text.
        offenders: a query with one column and one row for each thing that breaks the rule, or a
            function that returns these things.
    """

    code: str
    title: str
    offenders: str | Callable[[], Iterable[object]]

    def title_in(self, language: str) -> str:
        """Return what holds, in a language."""
        with translation.override(language):
            return gettext(self.title)


@dataclass(frozen=True)
class Outcome:
    """What one invariant showed: how many offenders, the first of them, and how long it took."""

    invariant: Invariant
    finding_count: int
    sample: list[str]
    duration_ms: int


def check_invariant(invariant: Invariant) -> Outcome:
    """Look for what breaks a rule."""
    started = time.monotonic()
    if callable(invariant.offenders):
        found = [str(offender) for offender in invariant.offenders()]
        count, sample = len(found), found[:SAMPLE]
    else:
        count, sample = _count(invariant.offenders)
    return Outcome(invariant, count, sample, round((time.monotonic() - started) * 1000))


def offenders_of(query: str, parameters: Sequence[Any]) -> list[object]:
    """Return the first column of a query; for checks that need parameters."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [row[0] for row in cursor.fetchall()]


def _count(query: str) -> tuple[int, list[str]]:
    with connection.cursor() as cursor:
        # The query is one of the table's own, never a visitor's text.
        cursor.execute(
            f"WITH offenders (offender) AS MATERIALIZED ({query})"  # noqa: S608
            f" SELECT count(*), (array_agg(offender::text))[1:{SAMPLE}] FROM offenders"
        )
        count, sample = cursor.fetchone()
    return int(count), list(sample or [])
