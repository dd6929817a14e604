"""A member's statement: opening, every movement, closing, for each of its accounts, and its holds.

Amounts are the member's view: what it has or is owed is above zero.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.models import Organisation
from orders.models import Auction, AuctionCalendar

_ACCOUNTS = """
SELECT a.id, a.code, a.purpose, a.name_zh, a.name_en,
       -coalesce(sum(p.amount) FILTER (WHERE e.effective_on < %(starts)s), 0),
       -coalesce(sum(p.amount) FILTER (WHERE e.effective_on <= %(ends)s), 0)
  FROM settlement_account a
  LEFT JOIN (settlement_posting p JOIN settlement_journalentry e ON e.id = p.entry_id)
    ON p.account_id = a.id
 WHERE a.organisation_id = %(member)s AND a.asset_id = 'CNY' GROUP BY a.id ORDER BY a.code
"""
_MOVEMENTS = """
SELECT p.account_id, e.id, e.effective_on, e.recorded_at, e.kind, e.source_type, e.source_id,
       p.memo, -p.amount, i.number, i.net, i.vat, i.gross
  FROM settlement_posting p
  JOIN settlement_journalentry e ON e.id = p.entry_id
  LEFT JOIN settlement_invoice i ON i.entry_id = e.id AND i.organisation_id = %(member)s
 WHERE p.account_id = ANY(%(accounts)s) AND e.effective_on BETWEEN %(starts)s AND %(ends)s
 ORDER BY e.effective_on, e.id, p.line
"""
_HOLDS = """
SELECT h.reference, h.source_type, coalesce(o.public_id::text, h.source_id), auc.code,
       coalesce(o.submitted_at, h.recorded_at), h.placed,
       coalesce(sum(v.amount) FILTER (WHERE v.kind = 'capture'), 0),
       coalesce(sum(v.amount) FILTER (WHERE v.kind IN ('release', 'expire')), 0), h.remaining
  FROM settlement_hold h
  JOIN settlement_account a ON a.id = h.account_id AND a.organisation_id = %(member)s
  LEFT JOIN orders_order o ON o.hold_reference = h.reference
  LEFT JOIN orders_auction auc ON auc.id = o.auction_id
  LEFT JOIN settlement_holdevent v ON v.hold_id = h.id
 WHERE h.remaining > 0
    OR (coalesce(o.submitted_at, h.recorded_at) AT TIME ZONE 'Asia/Shanghai')::date
       BETWEEN %(starts)s AND %(ends)s
 GROUP BY h.id, o.id, auc.id ORDER BY 5, h.id
"""
# The same holds, one row an auction: a member may have tens of thousands of them. Its orders are
# read once and joined whole; a look for each hold by its reference takes three times as long.
_HOLDS_BY_AUCTION = """
WITH ordered AS MATERIALIZED (
    SELECT hold_reference, submitted_at, auction_id
      FROM orders_order WHERE organisation_id = %(member)s AND hold_reference IS NOT NULL),
held AS MATERIALIZED (
    SELECT h.id, o.auction_id, h.placed, h.remaining,
           coalesce(o.submitted_at, h.recorded_at) AS placed_at
      FROM settlement_hold h
      JOIN settlement_account a ON a.id = h.account_id AND a.organisation_id = %(member)s
      LEFT JOIN ordered o ON o.hold_reference = h.reference
     WHERE h.remaining > 0
        OR (coalesce(o.submitted_at, h.recorded_at)
                >= %(starts)s::date::timestamp AT TIME ZONE 'Asia/Shanghai'
            AND coalesce(o.submitted_at, h.recorded_at)
                < (%(ends)s::date + 1)::timestamp AT TIME ZONE 'Asia/Shanghai')),
moved AS (
    SELECT held.auction_id, sum(v.amount) FILTER (WHERE v.kind = 'capture') AS captured,
           sum(v.amount) FILTER (WHERE v.kind IN ('release', 'expire')) AS released
      FROM held JOIN settlement_holdevent v ON v.hold_id = held.id GROUP BY held.auction_id),
placed AS (
    SELECT auction_id, count(*) AS holds, min(placed_at) AS placed_at, sum(placed) AS placed,
           sum(remaining) AS remaining
      FROM held GROUP BY auction_id)
SELECT coalesce(auc.code, ''), placed.holds, placed.placed_at, placed.placed,
       coalesce(moved.captured, 0), coalesce(moved.released, 0), placed.remaining,
       auc.delivery_starts_at, auc.delivery_ends_at, c.kind, c.name_zh, c.name_en
  FROM placed
  LEFT JOIN moved ON moved.auction_id IS NOT DISTINCT FROM placed.auction_id
  LEFT JOIN orders_auction auc ON auc.id = placed.auction_id
  LEFT JOIN orders_auctioncalendar c ON c.id = auc.calendar_id
 ORDER BY placed.placed_at
"""


class StatementDoesNotTie(RuleBroken):
    """Opening and movements do not make the ledger's closing balance: no statement is given out."""

    code = "statement_does_not_tie"
    message = gettext_noop("The statement does not agree with the ledger (account %(account)s).")
    status = 500


@dataclass(frozen=True)
class StatementLine:
    """A movement; the document's net, tax and gross stand beside it where there is one."""

    entry_id: int
    effective_on: date
    recorded_at: datetime
    kind: str
    source_type: str
    source_id: str
    memo: str
    amount_cny: Decimal
    balance_cny: Decimal
    document: str
    net_cny: Decimal | None
    vat_cny: Decimal | None
    gross_cny: Decimal | None


@dataclass(frozen=True)
class StatementAccount:
    """One account of the member over the span."""

    code: str
    purpose: str
    name_zh: str
    name_en: str
    opening_cny: Decimal
    lines: tuple[StatementLine, ...]
    closing_cny: Decimal


@dataclass(frozen=True)
class StatementHold:
    """Money set aside: what became of it until now."""

    reference: str
    source_type: str
    source_id: str
    auction: str
    placed_at: datetime
    placed_cny: Decimal
    captured_cny: Decimal
    released_cny: Decimal
    remaining_cny: Decimal


@dataclass(frozen=True)
class HeldForAuction:
    """Money set aside for one auction, or for withdrawals where the code is empty.

    `named` holds what the auction's name is made of and nothing else; it was never loaded.
    """

    auction: str
    count: int
    first_placed_at: datetime
    placed_cny: Decimal
    captured_cny: Decimal
    released_cny: Decimal
    remaining_cny: Decimal
    named: Auction | None = None


@dataclass(frozen=True)
class Statement:
    """A member's statement from one date to another, both included."""

    organisation: Organisation
    starts_on: date
    ends_on: date
    accounts: tuple[StatementAccount, ...]
    holds: tuple[StatementHold, ...]

    @property
    def held_cny(self) -> Decimal:
        """What is still set aside."""
        return sum((hold.remaining_cny for hold in self.holds), Decimal(0))


def participant_statement(organisation: Organisation, starts_on: date, ends_on: date) -> Statement:
    """Return a member's statement, checked against the ledger.

    Holds are those placed in the span and those still open, as they stand now.

    Raises:
        StatementDoesNotTie: it does not agree with the ledger.
    """
    span = _span(organisation, starts_on, ends_on)
    with connection.cursor() as cursor:
        cursor.execute(_HOLDS, span)
        holds = [
            StatementHold(str(r[0]), r[1], r[2], r[3] or "", *r[4:]) for r in cursor.fetchall()
        ]
    accounts = statement_accounts(organisation, starts_on, ends_on)
    return Statement(organisation, starts_on, ends_on, accounts, tuple(holds))


def statement_accounts(
    organisation: Organisation, starts_on: date, ends_on: date
) -> tuple[StatementAccount, ...]:
    """Return the accounts of a member's statement with their movements.

    Raises:
        StatementDoesNotTie: they do not agree with the ledger.
    """
    span = _span(organisation, starts_on, ends_on)
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS, span)
        accounts = cursor.fetchall()
        cursor.execute(_MOVEMENTS, {**span, "accounts": [row[0] for row in accounts]})
        movements: dict[int, list[tuple[Any, ...]]] = {}
        for account_id, *movement in cursor.fetchall():
            movements.setdefault(account_id, []).append(tuple(movement))
    return tuple(_account(row, movements.get(row[0], [])) for row in accounts)


def held_by_auction(
    organisation: Organisation, starts_on: date, ends_on: date
) -> list[HeldForAuction]:
    """Return the holds placed in a span and those still open, summed for each auction."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDS_BY_AUCTION, _span(organisation, starts_on, ends_on))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return [HeldForAuction(*one) for one in map(_with_auction, rows)]


def _with_auction(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put the auction in the place of what its name is made of."""
    return *row[:7], _named(row[0], *row[7:])


def _named(
    code: str,
    starts_at: datetime | None,
    ends_at: datetime | None,
    kind: str,
    name_zh: str,
    name_en: str,
) -> Auction | None:
    if starts_at is None or ends_at is None:
        return None
    calendar = AuctionCalendar(kind=kind, name_zh=name_zh, name_en=name_en)
    return Auction(
        code=code, calendar=calendar, delivery_starts_at=starts_at, delivery_ends_at=ends_at
    )


def _span(organisation: Organisation, starts_on: date, ends_on: date) -> dict[str, Any]:
    return {"member": organisation.pk, "starts": starts_on, "ends": ends_on}


def _account(row: tuple[Any, ...], movements: list[tuple[Any, ...]]) -> StatementAccount:
    _id, code, purpose, name_zh, name_en, opening, closing = row
    lines, balance = [], opening
    for head in movements:
        balance += head[7]
        lines.append(StatementLine(*(*head[:8], balance, head[8] or "", *head[9:])))
    if balance != closing:
        raise StatementDoesNotTie(account=code)
    return StatementAccount(code, purpose, name_zh, name_en, opening, tuple(lines), closing)
