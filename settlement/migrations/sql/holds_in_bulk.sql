-- Hold events are carried into holds and balances by the statement, not by the row. A published auction
-- reduces as many holds of a member as it had orders; each of these changed the same balance once
-- more, and every change has to find its way past all earlier ones of the transaction.

DROP TRIGGER hold_event_applied ON settlement_holdevent;

-- Definer's rights: the runtime role itself may not write holds and balances.
CREATE OR REPLACE FUNCTION ledger_apply_hold_event() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    odd bigint;
BEGIN
    -- Balance before hold, as everywhere, and in id order.
    PERFORM ledger_lock(ARRAY(
        SELECT DISTINCT h.account_id FROM new_events e JOIN settlement_hold h ON h.id = e.hold_id));
    -- Several events of a hold in one statement follow each other: amounts are above zero, so the last
    -- of them is the one that may end it, and all before it leave something.
    WITH asked AS (
        SELECT e.hold_id, e.kind = 'place' AS is_place, sum(e.amount) AS amount,
               (array_agg(e.kind ORDER BY e.id DESC))[1] AS kind, count(*) AS events
          FROM new_events e GROUP BY 1, 2
    ), placed AS (
        SELECT a.hold_id, a.is_place, h.account_id, a.amount, a.events
          FROM asked a JOIN settlement_hold h ON h.id = a.hold_id AND h.placed = a.amount
         WHERE a.is_place
    ), moved AS (
        UPDATE settlement_hold h
           SET remaining = h.remaining - a.amount,
               state = CASE
                   WHEN h.remaining > a.amount THEN h.state
                   WHEN a.kind = 'capture' THEN 'captured'
                   WHEN a.kind = 'expire' THEN 'expired'
                   ELSE 'released' END
          FROM asked a
         WHERE NOT a.is_place AND h.id = a.hold_id AND h.state = 'open' AND h.remaining >= a.amount
        RETURNING a.hold_id, a.is_place, h.account_id, -a.amount AS amount, a.events
    ), carried AS (
        SELECT * FROM placed UNION ALL SELECT * FROM moved
    ), applied AS (
        UPDATE settlement_accountbalance b
           SET pending = b.pending + s.amount, version = b.version + s.events
          FROM (SELECT c.account_id, sum(c.amount) AS amount, sum(c.events) AS events
                  FROM carried c GROUP BY c.account_id) AS s
         WHERE b.account_id = s.account_id
        RETURNING b.account_id
    )
    SELECT left_over.hold_id INTO odd
      FROM (SELECT a.hold_id, a.is_place FROM asked a
            EXCEPT
            SELECT c.hold_id, c.is_place FROM carried c JOIN applied USING (account_id)) AS left_over
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'hold % has ended or has less left than is asked', odd
            USING ERRCODE = '23L07';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER hold_event_applied AFTER INSERT ON settlement_holdevent
    REFERENCING NEW TABLE AS new_events
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply_hold_event();
