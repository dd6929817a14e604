"""What money on a bank statement probably was: one clear candidate, or none.

A reference beats an account number, an account number beats a name. A tie proposes nothing: a
person decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

_PUNCTUATION = re.compile(r"[\s()\-_.,·]+")
_SHORTEST_REFERENCE = 4


class Ground(StrEnum):
    """Why a candidate fits."""

    REFERENCE = "reference"
    ACCOUNT = "account"
    NAME = "name"


_WEIGHT = {Ground.REFERENCE: 4, Ground.ACCOUNT: 2, Ground.NAME: 1}


@dataclass(frozen=True)
class Money:
    """A booking as matching sees it, CNY, in above zero."""

    amount: Decimal
    texts: tuple[str, ...]
    account: str
    name: str


@dataclass(frozen=True)
class Candidate:
    """Something a booking can have been for.

    Attributes:
        kind: kind of match.
        subject: what it is, for the caller.
        amount: the only amount that fits; None when any does.
        references: texts that name it.
        account: bank account of the other side.
        name: name of the other side.
        needs_reference: whether account and name are not enough.
    """

    kind: str
    subject: Any
    amount: Decimal | None
    references: tuple[str, ...] = ()
    account: str = ""
    name: str = ""
    needs_reference: bool = False


@dataclass(frozen=True)
class Proposal:
    """The candidate that fits best, and why."""

    candidate: Candidate
    ground: Ground


def best_candidate(money: Money, candidates: Iterable[Candidate]) -> Proposal | None:
    """Return the one candidate that fits best; None when none does, or two do equally well."""
    scored = [
        (score, candidate, ground)
        for candidate in candidates
        for score, ground in [_score(money, candidate)]
        if ground is not None
    ]
    if not scored:
        return None
    top = max(score for score, _, _ in scored)
    best = [(candidate, ground) for score, candidate, ground in scored if score == top]
    return Proposal(*best[0]) if len(best) == 1 and best[0][1] else None


def normal_name(name: str) -> str:
    """Return a name without blanks, brackets and letter width, for comparison."""
    return _PUNCTUATION.sub("", unicodedata.normalize("NFKC", name)).casefold()


def _score(money: Money, candidate: Candidate) -> tuple[int, Ground | None]:
    if candidate.amount is not None and candidate.amount != money.amount:
        return 0, None
    grounds = [ground for ground in Ground if _fits(ground, money, candidate)]
    if not grounds or (candidate.needs_reference and Ground.REFERENCE not in grounds):
        return 0, None
    # An exact amount is a tie-breaker only: many payments have the same sum.
    score = 2 * sum(_WEIGHT[ground] for ground in grounds) + (candidate.amount is not None)
    return score, grounds[0]


def _fits(ground: Ground, money: Money, candidate: Candidate) -> bool:
    if ground is Ground.REFERENCE:
        return any(_names(reference, money.texts) for reference in candidate.references)
    if ground is Ground.ACCOUNT:
        return bool(candidate.account) and _digits(candidate.account) == _digits(money.account)
    return bool(candidate.name) and normal_name(candidate.name) == normal_name(money.name)


def _names(reference: str, texts: tuple[str, ...]) -> bool:
    """Tell whether a text holds the reference as a word of its own, not as part of a longer one."""
    if len(reference) < _SHORTEST_REFERENCE:
        return False
    pattern = rf"(?<![0-9A-Za-z-]){re.escape(reference)}(?![0-9A-Za-z-])"
    return any(re.search(pattern, text, re.IGNORECASE) for text in texts)


def _digits(account: str) -> str:
    return re.sub(r"\W", "", account)
