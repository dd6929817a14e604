-- The checks per entry come back; the functions that post stay, they keep those rules as well.
DROP TRIGGER entries_checked ON settlement_journalentry;
DROP FUNCTION ledger_check_entries();

CREATE OR REPLACE FUNCTION ledger_stamp_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held record;
BEGIN
    SELECT book, days, state INTO held
      FROM settlement_bookperiod WHERE id = NEW.period_id FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no month %', NEW.period_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'entry_month';
    END IF;
    IF held.book <> NEW.book OR NOT held.days @> NEW.effective_on THEN
        RAISE EXCEPTION 'period % does not hold % of book %',
            NEW.period_id, NEW.effective_on, NEW.book USING ERRCODE = '23L05';
    END IF;
    IF held.state = 'hard_closed'
        OR (held.state = 'soft_closed' AND (NEW.kind <> 'adjustment' OR NEW.actor_id IS NULL))
    THEN
        RAISE EXCEPTION 'period % is closed', held.days USING ERRCODE = '23L05';
    END IF;
    NEW.transaction_number := pg_current_xact_id()::text::bigint;
    NEW.recorded_at := clock_timestamp();
    RETURN NEW;
END $$;

CREATE FUNCTION ledger_check_balanced() RETURNS trigger
    LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF (SELECT count(*) FROM settlement_posting WHERE entry_id = NEW.id) < 2 OR EXISTS (
        SELECT FROM settlement_posting WHERE entry_id = NEW.id
         GROUP BY asset_id HAVING sum(amount) <> 0
    ) THEN
        RAISE EXCEPTION 'entry % is not balanced', NEW.id USING ERRCODE = '23L01';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER entry_balanced AFTER INSERT ON settlement_journalentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_balanced();
