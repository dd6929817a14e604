DROP TRIGGER hold_event_applied ON settlement_holdevent;
CREATE OR REPLACE FUNCTION ledger_apply_hold_event() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    -- Balance before hold, as everywhere.
    PERFORM FROM settlement_accountbalance
      WHERE account_id = (SELECT account_id FROM settlement_hold WHERE id = NEW.hold_id)
      FOR NO KEY UPDATE;
    IF NEW.kind = 'place' THEN
        UPDATE settlement_accountbalance b
           SET pending = b.pending + NEW.amount, version = b.version + 1
          FROM settlement_hold h
         WHERE h.id = NEW.hold_id AND h.placed = NEW.amount AND b.account_id = h.account_id;
    ELSE
        WITH moved AS (
            UPDATE settlement_hold h
               SET remaining = h.remaining - NEW.amount,
                   state = CASE
                       WHEN h.remaining > NEW.amount THEN h.state
                       WHEN NEW.kind = 'capture' THEN 'captured'
                       WHEN NEW.kind = 'expire' THEN 'expired'
                       ELSE 'released' END
             WHERE h.id = NEW.hold_id AND h.state = 'open' AND h.remaining >= NEW.amount
            RETURNING h.account_id)
        UPDATE settlement_accountbalance b
           SET pending = b.pending - NEW.amount, version = b.version + 1
          FROM moved WHERE b.account_id = moved.account_id;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'hold % has ended or has less than % left', NEW.hold_id, NEW.amount
            USING ERRCODE = '23L07';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER hold_event_applied AFTER INSERT ON settlement_holdevent
    FOR EACH ROW EXECUTE FUNCTION ledger_apply_hold_event();
