"""The market's settlement summary (结算汇总): by delivery day, member, product or auction.

Its totals are compared with the ledger's postings of the same runs; when they differ there is no
summary.
"""

from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum

from django.db import connection

from marketplace.domain.errors import RuleBroken, gettext_noop


class SummaryBy(StrEnum):
    """What a row of the summary stands for."""

    PERIOD = "period"
    MEMBER = "member"
    PRODUCT = "product"
    AUCTION = "auction"


class SummaryDoesNotTie(RuleBroken):
    """The summary and the ledger differ: no summary is given out."""

    code = "summary_does_not_tie"
    message = gettext_noop("The summary does not agree with the ledger (%(columns)s).")
    status = 500


@dataclass(frozen=True)
class SummaryAmounts:
    """Volumes in unit-hours and sums in CNY; tax and gross say so, everything else is net."""

    sold_unit_hours: Decimal = Decimal(0)
    billed_unit_hours: Decimal = Decimal(0)
    buyer_net_cny: Decimal = Decimal(0)
    seller_net_cny: Decimal = Decimal(0)
    tariff_cny: Decimal = Decimal(0)
    congestion_rent_cny: Decimal = Decimal(0)
    buyer_fee_cny: Decimal = Decimal(0)
    seller_fee_cny: Decimal = Decimal(0)
    buyer_vat_cny: Decimal = Decimal(0)
    seller_vat_cny: Decimal = Decimal(0)
    seller_fee_vat_cny: Decimal = Decimal(0)
    buyer_adjustments_cny: Decimal = Decimal(0)
    seller_adjustments_cny: Decimal = Decimal(0)

    @property
    def buyer_gross_cny(self) -> Decimal:
        """What buyers were billed."""
        net = self.buyer_net_cny + self.buyer_adjustments_cny + self.buyer_fee_cny
        return net + self.buyer_vat_cny

    @property
    def seller_gross_cny(self) -> Decimal:
        """What suppliers are owed."""
        own = self.seller_net_cny + self.seller_adjustments_cny + self.seller_vat_cny
        return own - self.seller_fee_cny - self.seller_fee_vat_cny


@dataclass(frozen=True)
class SummaryRow:
    """A row of the summary with its key and its names."""

    key: str
    name_zh: str
    name_en: str
    amounts: SummaryAmounts


@dataclass(frozen=True)
class SettlementSummary:
    """Rows and their total, which the ledger confirms."""

    by: SummaryBy
    starts_on: date
    ends_on: date
    rows: tuple[SummaryRow, ...]
    total: SummaryAmounts


# One row per delivery and side: a buyer's sums or a supplier's. Volumes and the network's part
# stand on the buyer's row, so that nothing is counted twice except by member, where both count.
_FACTS = """
WITH facts AS (
    SELECT (d.starts_at AT TIME ZONE 'Asia/Shanghai')::date AS day, al.product_id, al.auction_id,
           side.member_id, side.is_buyer, l.sold_unit_hours, l.billed_unit_hours,
           l.buyer_net_cny, l.seller_net_cny, l.tariff_cny, l.congestion_rent_cny,
           coalesce(n.fee, 0) AS fee, coalesce(n.compute_vat, 0) AS compute_vat,
           coalesce(n.fee_vat, 0) AS fee_vat, coalesce(n.adjusted, 0) AS adjusted
      FROM settlement_settlementrun r
      JOIN settlement_ratedline l ON l.run_id = r.id
      JOIN settlement_delivery d ON d.id = l.delivery_id
      JOIN orders_allocation al ON al.id = d.allocation_id
     CROSS JOIN LATERAL (VALUES (al.buyer_id, true, 'receivable'), (al.seller_id, false, 'payable'))
           AS side (member_id, is_buyer, direction)
      LEFT JOIN LATERAL (
          SELECT sum(il.net_cny) FILTER (WHERE il.kind = 'fee') AS fee,
                 sum(il.vat_cny) FILTER (WHERE NOT o.is_fee) AS compute_vat,
                 sum(il.vat_cny) FILTER (WHERE o.is_fee) AS fee_vat,
                 sum(il.net_cny) FILTER (WHERE il.kind IN ('sla_penalty', 'adjustment'))
                     AS adjusted
            FROM settlement_invoiceline il JOIN settlement_invoice i ON i.id = il.invoice_id
           CROSS JOIN LATERAL (SELECT il.kind = 'fee' OR (
               il.kind = 'rounding' AND il.product_id IS NULL) AS is_fee) AS o
           WHERE il.delivery_id = d.id AND i.run_id = r.id AND i.direction = side.direction
      ) AS n ON true
     WHERE r.state = 'posted' AND r.settled_on BETWEEN %(starts)s AND %(ends)s)
SELECT {key}, {name_zh}, {name_en},
       coalesce(sum(f.sold_unit_hours) {volumes}, 0),
       coalesce(sum(f.billed_unit_hours) {volumes}, 0),
       coalesce(sum(f.buyer_net_cny) FILTER (WHERE f.is_buyer), 0),
       coalesce(sum(f.seller_net_cny) FILTER (WHERE NOT f.is_buyer), 0),
       coalesce(sum(f.tariff_cny) FILTER (WHERE f.is_buyer), 0),
       coalesce(sum(f.congestion_rent_cny) FILTER (WHERE f.is_buyer), 0),
       coalesce(sum(f.fee) FILTER (WHERE f.is_buyer), 0),
       coalesce(-sum(f.fee) FILTER (WHERE NOT f.is_buyer), 0),
       coalesce(sum(f.compute_vat + f.fee_vat) FILTER (WHERE f.is_buyer), 0),
       coalesce(sum(f.compute_vat) FILTER (WHERE NOT f.is_buyer), 0),
       coalesce(-sum(f.fee_vat) FILTER (WHERE NOT f.is_buyer), 0),
       coalesce(sum(f.adjusted) FILTER (WHERE f.is_buyer), 0),
       coalesce(sum(f.adjusted) FILTER (WHERE NOT f.is_buyer), 0)
  FROM facts f {joins} GROUP BY 1, 2, 3 ORDER BY 1
"""
_BUYERS_ONLY = "FILTER (WHERE f.is_buyer)"
_SHAPES = {
    SummaryBy.PERIOD: {
        "key": "f.day::text",
        "name_zh": "f.day::text",
        "name_en": "f.day::text",
        "volumes": _BUYERS_ONLY,
        "joins": "",
    },
    SummaryBy.MEMBER: {
        "key": "m.code",
        "name_zh": "m.name_zh",
        "name_en": "coalesce(nullif(m.name_en, ''), m.name_zh)",
        "volumes": "",
        "joins": "JOIN marketplace_organisation m ON m.id = f.member_id",
    },
    SummaryBy.PRODUCT: {
        "key": "p.code",
        "name_zh": "p.name_zh",
        "name_en": "p.name_en",
        "volumes": _BUYERS_ONLY,
        "joins": "JOIN marketplace_product p ON p.id = f.product_id",
    },
    SummaryBy.AUCTION: {
        "key": "a.code",
        "name_zh": "a.code",
        "name_en": "a.code",
        "volumes": _BUYERS_ONLY,
        "joins": "JOIN orders_auction a ON a.id = f.auction_id",
    },
}
# The same runs as the ledger has them, by the purpose of the account and the kind of the entry.
_LEDGER = """
WITH runs AS (
    SELECT id, number FROM settlement_settlementrun
     WHERE state = 'posted' AND settled_on BETWEEN %(starts)s AND %(ends)s
), entries AS (
    SELECT entry_id AS id, direction AS part FROM settlement_invoice
     WHERE run_id IN (SELECT id FROM runs)
    UNION ALL
    SELECT e.id, 'network' FROM settlement_journalentry e
      JOIN runs ON e.source_type = 'settlement_run' AND e.source_id = runs.number
), sums AS (
    SELECT a.purpose, e.part, sum(p.amount) AS total
      FROM entries e JOIN settlement_posting p ON p.entry_id = e.id
      JOIN settlement_account a ON a.id = p.account_id GROUP BY 1, 2
)
SELECT coalesce(-sum(total) FILTER (WHERE purpose = 'trade_clearing' AND part = 'receivable'), 0),
       coalesce(sum(total) FILTER (WHERE purpose = 'trade_clearing' AND part = 'payable'), 0),
       coalesce(-sum(total) FILTER (WHERE purpose = 'link_tariffs'), 0),
       coalesce(-sum(total) FILTER (WHERE purpose IN ('congestion_rent', 'rounding')), 0),
       coalesce(-sum(total) FILTER (WHERE purpose = 'fee_income' AND part = 'receivable'), 0),
       coalesce(-sum(total) FILTER (WHERE purpose = 'fee_income' AND part = 'payable'), 0),
       coalesce(-sum(total) FILTER (WHERE purpose = 'vat_output' AND part = 'receivable'), 0),
       coalesce(sum(total) FILTER (WHERE purpose = 'vat_input_pending'), 0),
       coalesce(-sum(total) FILTER (WHERE purpose = 'vat_output' AND part = 'payable'), 0),
       coalesce(-sum(total) FILTER (
           WHERE purpose = 'settlement_adjustments' AND part = 'receivable'), 0),
       coalesce(sum(total) FILTER (
           WHERE purpose = 'settlement_adjustments' AND part = 'payable'), 0)
  FROM sums
"""
_VOLUMES = 2


def settlement_summary(
    starts_on: date, ends_on: date, *, by: SummaryBy | str = SummaryBy.MEMBER
) -> SettlementSummary:
    """Return the summary of what was settled from one date to another, both included.

    A member that buys and sells has one row; its volumes count both sides.

    Raises:
        SummaryDoesNotTie: the totals differ from the ledger.
        ValueError: `by` is none of `SummaryBy`.
    """
    grouping = SummaryBy(by)
    span = {"starts": starts_on, "ends": ends_on}
    with connection.cursor() as cursor:
        # The parts of the query come from the table above, never from a caller.
        cursor.execute(_FACTS.format(**_SHAPES[grouping]), span)
        rows = [SummaryRow(r[0], r[1], r[2], SummaryAmounts(*r[3:])) for r in cursor.fetchall()]
        cursor.execute(_LEDGER, span)
        booked = cursor.fetchone()
    total = _total(rows)
    _require_tie(total, booked)
    return SettlementSummary(grouping, starts_on, ends_on, tuple(rows), total)


def _total(rows: list[SummaryRow]) -> SummaryAmounts:
    return SummaryAmounts(
        **{
            column.name: sum((getattr(row.amounts, column.name) for row in rows), Decimal(0))
            for column in fields(SummaryAmounts)
        }
    )


def _require_tie(total: SummaryAmounts, booked: tuple[Decimal, ...]) -> None:
    names = [column.name for column in fields(SummaryAmounts)][_VOLUMES:]
    off = [
        name for name, amount in zip(names, booked, strict=True) if getattr(total, name) != amount
    ]
    if off:
        raise SummaryDoesNotTie(columns=", ".join(off))
