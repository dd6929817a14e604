"""Every amount of a settlement, derived a second time by other means.

The service rates in Python from objects; this module asks PostgreSQL to compute readings ×
allocated prices from the raw rows and compares the result with what was stored, line by line, bill
by bill and with the ledger. It shares no code with the services.

A run of a later sequence is checked with everything before it: the sequences up to it must add up
to what the readings known to it come to.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection, transaction

# What was delivered in each period, by the written rule of docs/explanation/settlement.md.
_DERIVED = """
CREATE TEMPORARY TABLE derived_delivery ON COMMIT DROP AS
WITH newest AS (
    SELECT DISTINCT ON (m.delivery_id, m.starts_at, m.ends_at) m.*
      FROM settlement_settlementrun s
      JOIN orders_allocation a ON a.auction_id = s.auction_id
      JOIN settlement_delivery d ON d.allocation_id = a.id
      JOIN settlement_meterreading m ON m.delivery_id = d.id
     WHERE s.id = %(run)s AND (s.last_reading_id IS NULL OR m.id <= s.last_reading_id)
     ORDER BY m.delivery_id, m.starts_at, m.ends_at, m.revision DESC
), spans AS (
    SELECT p.id, d.id AS delivery_id, d.state, d.handed_over_at, d.failure_reason, p.starts_at,
           p.ends_at, min(p.starts_at) OVER (PARTITION BY d.id) AS first_starts_at, a.product_id,
           (u.gate_closes_at AT TIME ZONE 'Asia/Shanghai')::date AS terms_on, p.quantity,
           p.buyer_price, p.seller_price, p.tariff_price,
           extract(epoch FROM p.ends_at - p.starts_at) AS seconds,
           coalesce(r.seconds, 0) AS read_seconds, coalesce(r.unit_seconds, 0) AS unit_seconds
      FROM settlement_settlementrun s
      JOIN orders_auction u ON u.id = s.auction_id
      JOIN orders_allocation a ON a.auction_id = s.auction_id
      JOIN settlement_delivery d ON d.allocation_id = a.id
      JOIN orders_allocationperiod p ON p.allocation_id = a.id
      LEFT JOIN LATERAL (
          SELECT sum(o.seconds) AS seconds, sum(o.seconds * n.quantity) AS unit_seconds
            FROM newest n CROSS JOIN LATERAL (
                SELECT extract(epoch FROM least(n.ends_at, p.ends_at)
                                          - greatest(n.starts_at, p.starts_at)) AS seconds) AS o
           WHERE n.delivery_id = d.id AND o.seconds > 0) AS r ON true
     WHERE s.id = %(run)s
), billed AS (
    SELECT *, seconds / 3600 AS hours, least(quantity, CASE
        WHEN failure_reason <> '' THEN 0
        WHEN read_seconds = 0 AND (handed_over_at IS NULL OR ends_at <= handed_over_at) THEN 0
        ELSE round((unit_seconds + quantity * (seconds - read_seconds)) / seconds, 3)
    END) AS units
      FROM spans
), served AS (
    SELECT b.delivery_id, b.quantity * b.hours * b.buyer_price AS worth, t.cap_share,
           b.hours * b.buyer_price * CASE
               WHEN b.starts_at < b.handed_over_at
                    AND b.handed_over_at > b.first_starts_at + t.late_minutes * interval '1 minute'
                   THEN t.late_rate * b.quantity
               WHEN b.units = 0 THEN t.lost_rate * b.quantity
               WHEN b.units < b.quantity * t.short_threshold
                   THEN t.short_rate * (b.quantity - b.units)
               ELSE 0 END AS cost
      FROM billed b
      JOIN LATERAL (SELECT * FROM settlement_slaterms
                     WHERE product_id = b.product_id AND valid_from <= b.terms_on
                     ORDER BY valid_from DESC LIMIT 1) AS t ON true
), penalties AS (
    SELECT delivery_id, least(round(sum(cost), 2), trunc(sum(worth) * max(cap_share), 2)) AS penalty
      FROM served GROUP BY delivery_id
), sums AS (
    SELECT delivery_id, sum(units * hours) AS unit_hours,
           round(sum(units * hours * buyer_price), 2) AS buyer_net,
           round(sum(units * hours * seller_price), 2) AS seller_net,
           round(sum(units * hours * tariff_price), 2) AS tariff
      FROM billed GROUP BY delivery_id
)
SELECT sums.*, coalesce(penalties.penalty, 0) AS penalty, al.buyer_id, al.seller_id,
       vat.rate AS vat_rate, rules.fee_vat_rate,
       round(buyer_net * rules.buyer_fee_rate, 2) AS buyer_fee,
       round(seller_net * rules.seller_fee_rate, 2) AS seller_fee
  FROM sums
  LEFT JOIN penalties ON penalties.delivery_id = sums.delivery_id
  JOIN settlement_delivery d ON d.id = sums.delivery_id
  JOIN orders_allocation al ON al.id = d.allocation_id
  JOIN orders_auction au ON au.id = al.auction_id
 CROSS JOIN LATERAL (
      SELECT rate FROM marketplace_productvatrate
       WHERE product_id = al.product_id AND valid_from <= (
           (au.delivery_ends_at - interval '1 microsecond') AT TIME ZONE 'Asia/Shanghai')::date
       ORDER BY valid_from DESC LIMIT 1) AS vat
 CROSS JOIN LATERAL (
      SELECT * FROM marketplace_marketrules WHERE valid_from <= au.gate_closes_at
       ORDER BY valid_from DESC LIMIT 1) AS rules
"""
# The run and every sequence of its auction before it.
_UNTIL = """
CREATE TEMPORARY TABLE derived_until ON COMMIT DROP AS
SELECT e.id FROM settlement_settlementrun e
  JOIN settlement_settlementrun s ON s.auction_id = e.auction_id AND e.sequence <= s.sequence
 WHERE s.id = %(run)s
"""
_LINES = """
WITH lines AS (
    SELECT delivery_id, sum(billed_unit_hours) AS billed_unit_hours,
           sum(buyer_net_cny) AS buyer_net_cny, sum(seller_net_cny) AS seller_net_cny,
           sum(tariff_cny) AS tariff_cny, sum(congestion_rent_cny) AS congestion_rent_cny
      FROM settlement_ratedline WHERE run_id IN (SELECT id FROM derived_until) GROUP BY delivery_id
), charged AS (
    SELECT delivery_id, sum(posted_cny) AS penalty
      FROM settlement_slapenalty WHERE run_id IN (SELECT id FROM derived_until) GROUP BY delivery_id
)
SELECT al.number, c.what, c.derived, c.stored
  FROM lines l
  JOIN settlement_delivery d ON d.id = l.delivery_id
  JOIN orders_allocation al ON al.id = d.allocation_id
  LEFT JOIN charged p ON p.delivery_id = d.id
  LEFT JOIN derived_delivery x ON x.delivery_id = d.id
 CROSS JOIN LATERAL (VALUES
     ('billed_unit_hours', x.unit_hours, l.billed_unit_hours),
     ('buyer_net_cny', x.buyer_net, l.buyer_net_cny),
     ('seller_net_cny', x.seller_net, l.seller_net_cny),
     ('tariff_cny', x.tariff, l.tariff_cny),
     ('congestion_rent_cny', x.buyer_net - x.seller_net - x.tariff, l.congestion_rent_cny),
     ('penalty_cny', x.penalty, coalesce(p.penalty, 0))
 ) AS c (what, derived, stored)
"""
_BILLS = """
WITH ordered AS (
    SELECT delivery_id, sum(buyer_net_cny) AS buyer, sum(seller_net_cny) AS seller
      FROM settlement_adjustment WHERE run_id IN (SELECT id FROM derived_until) GROUP BY delivery_id
), shares AS (
    SELECT buyer_id AS member_id, 'receivable' AS direction, false AS apart,
           buyer_net - penalty + coalesce(o.buyer, 0) AS net, vat_rate AS rate
      FROM derived_delivery LEFT JOIN ordered o USING (delivery_id)
    UNION ALL
    SELECT buyer_id, 'receivable', false, buyer_fee, fee_vat_rate FROM derived_delivery
    UNION ALL
    SELECT seller_id, 'payable', false,
           seller_net - penalty + coalesce(o.seller, 0), vat_rate
      FROM derived_delivery LEFT JOIN ordered o USING (delivery_id)
    UNION ALL
    SELECT seller_id, 'payable', true, -seller_fee, fee_vat_rate FROM derived_delivery
), taxed AS (
    SELECT member_id, direction, sum(net) AS net, round(sum(net) * rate, 2) AS vat
      FROM shares GROUP BY member_id, direction, apart, rate
), bills AS (
    SELECT member_id, direction, sum(net) AS net, sum(vat) AS vat FROM taxed GROUP BY 1, 2
), issued AS (
    SELECT i.organisation_id, i.direction, max(i.number) FILTER (WHERE i.kind = 'bill') AS number,
           sum(i.net) AS net, sum(i.vat) AS vat, sum(i.gross) AS gross,
           coalesce(sum(e.amount), 0) AS amount
      FROM settlement_invoice i
      LEFT JOIN LATERAL (
          SELECT sum(p.amount) AS amount
            FROM settlement_posting p JOIN settlement_account a ON a.id = p.account_id
           WHERE p.entry_id = i.entry_id AND a.organisation_id = i.organisation_id) AS e ON true
     WHERE i.run_id IN (SELECT id FROM derived_until) GROUP BY 1, 2
)
SELECT coalesce(i.number, m.code), c.what, c.derived, c.stored
  FROM bills b
  JOIN marketplace_organisation m ON m.id = b.member_id
  FULL JOIN issued i ON i.organisation_id = b.member_id AND i.direction = b.direction
 CROSS JOIN LATERAL (VALUES
     ('net', b.net, i.net), ('vat', b.vat, i.vat), ('gross', b.net + b.vat, i.gross),
     ('ledger', CASE i.direction WHEN 'receivable' THEN b.net + b.vat ELSE -b.net - b.vat END,
      i.amount)
 ) AS c (what, derived, stored)
"""
_TOTALS = """
WITH stored AS (
    SELECT sum(buyer_net_cny) AS buyers, sum(seller_net_cny) AS sellers,
           sum(tariffs_cny) AS tariffs, sum(congestion_rent_cny) AS rent, sum(fees_cny) AS fees,
           sum(penalties_cny) AS penalties
      FROM settlement_settlementrun WHERE id IN (SELECT id FROM derived_until)
)
SELECT r.number, c.what, c.derived, c.stored
  FROM settlement_settlementrun r
 CROSS JOIN stored s
 CROSS JOIN (SELECT coalesce(sum(buyer_net), 0) AS buyers, coalesce(sum(seller_net), 0) AS sellers,
                    coalesce(sum(tariff), 0) AS tariffs,
                    coalesce(sum(buyer_fee + seller_fee), 0) AS fees,
                    coalesce(sum(penalty), 0) AS penalties FROM derived_delivery) AS x
 CROSS JOIN LATERAL (VALUES
     ('buyer_net_cny', x.buyers, s.buyers), ('seller_net_cny', x.sellers, s.sellers),
     ('tariffs_cny', x.tariffs, s.tariffs), ('fees_cny', x.fees, s.fees),
     ('congestion_rent_cny', x.buyers - x.sellers - x.tariffs, s.rent),
     ('penalties_cny', x.penalties, s.penalties)
 ) AS c (what, derived, stored)
 WHERE r.id = %(run)s
"""


@dataclass(frozen=True)
class Comparison:
    """One stored amount beside the derived one.

    Attributes:
        subject: number of the confirmation, bill or run.
        what: name of the amount; `ledger` is the posting on the member's accounts.
        derived: computed here; None when nothing should be there.
        stored: what the market wrote; None when it is missing.
    """

    subject: str
    what: str
    derived: Decimal | None
    stored: Decimal | None

    @property
    def agrees(self) -> bool:
        """Say whether both are the same number."""
        return self.derived is not None and self.derived == self.stored


@dataclass(frozen=True)
class Rederivation:
    """All comparisons of a run."""

    comparisons: tuple[Comparison, ...]

    @property
    def differences(self) -> tuple[Comparison, ...]:
        """The comparisons that fail: none, or something is wrong."""
        return tuple(each for each in self.comparisons if not each.agrees)


def rederive_run(run_id: int) -> Rederivation:
    """Derive every amount of a settlement run again and compare it with what is stored."""
    span = {"run": run_id}
    found: list[Comparison] = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.derived_delivery, pg_temp.derived_until")
        cursor.execute(_DERIVED, span)
        cursor.execute(_UNTIL, span)
        for query in (_LINES, _BILLS, _TOTALS):
            cursor.execute(query, span)
            found += [Comparison(*row) for row in cursor.fetchall()]
    return Rederivation(tuple(found))
