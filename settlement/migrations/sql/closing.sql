-- Months of the books: their states move only as listed, a month that is closed for good is never
-- touched again, and closing one writes the balance of every account at its end.
--
-- Posting and closing meet on the month's row: an entry holds it FOR SHARE until it commits, the
-- close needs it for itself. Whoever comes second sees what the first one did.

CREATE FUNCTION ledger_guard_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a month of the books is never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        -- A month opened behind a closed one would change what the closed one ends with.
        IF NEW.state <> 'open' OR EXISTS (
            SELECT FROM settlement_bookperiod p
             WHERE p.book = NEW.book AND p.state = 'hard_closed' AND p.days >> NEW.days
        ) THEN
            RAISE EXCEPTION 'month % begins closed or lies before a closed one', NEW.days
                USING ERRCODE = '23L05';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'hard_closed' OR NEW.book <> OLD.book OR NEW.days <> OLD.days
        OR (NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
            ('open', 'soft_closed'), ('soft_closed', 'open'), ('soft_closed', 'hard_closed')))
    THEN
        RAISE EXCEPTION 'month % does not go from % to %', OLD.days, OLD.state, NEW.state
            USING ERRCODE = '23L30';
    END IF;
    IF NEW.state = 'hard_closed' AND EXISTS (
        SELECT FROM settlement_bookperiod p
         WHERE p.book = NEW.book AND p.state <> 'hard_closed' AND p.days << NEW.days
    ) THEN
        RAISE EXCEPTION 'a month before % is still open', NEW.days USING ERRCODE = '23L31';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER period_guarded BEFORE INSERT OR UPDATE OR DELETE ON settlement_bookperiod
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_period();
CREATE TRIGGER period_table_kept BEFORE TRUNCATE ON settlement_bookperiod
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- Definer's rights: the runtime role itself may not write snapshots.
CREATE FUNCTION ledger_snapshot_period() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- An older snapshot of the database would not see the entries that the close has waited for.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a month is closed in READ COMMITTED only' USING ERRCODE = '23L32';
    END IF;
    INSERT INTO settlement_balancesnapshot (period_id, account_id, debit, credit, last_entry_id)
        SELECT NEW.id, account_id, sum(debit), sum(credit), max(last_entry)
          FROM (
            SELECT s.account_id, s.debit, s.credit, s.last_entry_id AS last_entry
              FROM settlement_balancesnapshot s
             WHERE s.period_id = (
                SELECT p.id FROM settlement_bookperiod p
                 WHERE p.book = NEW.book AND p.days << NEW.days ORDER BY p.days DESC LIMIT 1)
            UNION ALL
            SELECT p.account_id, greatest(p.amount, 0), greatest(-p.amount, 0), p.entry_id
              FROM settlement_posting p
              JOIN settlement_journalentry e ON e.id = p.entry_id
             WHERE e.period_id = NEW.id
          ) AS parts
         GROUP BY account_id;
    RETURN NULL;
END $$;

CREATE TRIGGER period_snapshot AFTER UPDATE ON settlement_bookperiod
    FOR EACH ROW WHEN (NEW.state = 'hard_closed' AND OLD.state <> 'hard_closed')
    EXECUTE FUNCTION ledger_snapshot_period();
