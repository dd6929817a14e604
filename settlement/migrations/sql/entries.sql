-- Journal entries: stamped by the database, dated into an open period, balanced when the
-- transaction commits, and, when they reverse another entry, its exact negation.

CREATE FUNCTION ledger_stamp_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    book_period settlement_bookperiod%ROWTYPE;
BEGIN
    -- Shared with every other entry; closing the period needs the row for itself.
    SELECT * INTO book_period FROM settlement_bookperiod WHERE id = NEW.period_id FOR SHARE;
    IF book_period.book <> NEW.book OR NOT book_period.days @> NEW.effective_on THEN
        RAISE EXCEPTION 'period % does not hold % of book %',
            NEW.period_id, NEW.effective_on, NEW.book USING ERRCODE = '23L05';
    END IF;
    IF book_period.state = 'hard_closed'
        OR (book_period.state = 'soft_closed'
            AND (NEW.kind <> 'adjustment' OR NEW.actor_id IS NULL))
    THEN
        RAISE EXCEPTION 'period % is closed', book_period.days USING ERRCODE = '23L05';
    END IF;
    NEW.transaction_number := pg_current_xact_id()::text::bigint;
    NEW.recorded_at := clock_timestamp();
    RETURN NEW;
END $$;

CREATE TRIGGER entry_stamped BEFORE INSERT ON settlement_journalentry
    FOR EACH ROW EXECUTE FUNCTION ledger_stamp_entry();

CREATE FUNCTION ledger_check_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line_count integer;
    unbalanced text;
BEGIN
    SELECT coalesce(sum(lines), 0), string_agg(asset_id, ', ') FILTER (WHERE total <> 0)
      INTO line_count, unbalanced
      FROM (SELECT asset_id, count(*) AS lines, sum(amount) AS total
              FROM settlement_posting WHERE entry_id = NEW.id GROUP BY asset_id) AS assets;
    IF line_count < 2 OR unbalanced IS NOT NULL THEN
        RAISE EXCEPTION 'entry % is not balanced (% postings; %)', NEW.id, line_count, unbalanced
            USING ERRCODE = '23L01';
    END IF;
    RETURN NULL;
END $$;

-- Once per entry, not once per posting: half the price at bulk (settlement benchmarks).
CREATE CONSTRAINT TRIGGER entry_balanced AFTER INSERT ON settlement_journalentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_balanced();

CREATE FUNCTION ledger_check_reversal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM settlement_posting
         WHERE entry_id IN (NEW.id, NEW.reverses_id)
         GROUP BY account_id, asset_id HAVING sum(amount) <> 0
    ) OR NOT EXISTS (
        SELECT FROM settlement_journalentry WHERE id = NEW.reverses_id AND book = NEW.book
    ) THEN
        RAISE EXCEPTION 'entry % is not the negation of entry %', NEW.id, NEW.reverses_id
            USING ERRCODE = '23L06';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER entry_reversal AFTER INSERT ON settlement_journalentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.reverses_id IS NOT NULL)
    EXECUTE FUNCTION ledger_check_reversal();
