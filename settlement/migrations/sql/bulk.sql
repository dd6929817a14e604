-- What a posting refers to is checked once per statement, for all of its rows together; a foreign key
-- asks once per row, which was more than half of what a settlement batch cost. What it would also
-- have held, that nothing referred to goes away or changes its key, is held by triggers: entries are
-- never rewritten (0002), and accounts keep their key and asset (below).

ALTER TABLE settlement_posting DROP CONSTRAINT posting_account_asset;

CREATE FUNCTION ledger_keep_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.asset_id) = (OLD.id, OLD.asset_id) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'account % stays as long as the books', OLD.id
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER account_kept BEFORE UPDATE OR DELETE ON settlement_account
    FOR EACH ROW EXECUTE FUNCTION ledger_keep_account();
CREATE TRIGGER account_table_kept BEFORE TRUNCATE ON settlement_account
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- Definer's rights: the runtime role itself may not write balances.
CREATE OR REPLACE FUNCTION ledger_apply_postings() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    odd record;
BEGIN
    -- One question for all rules: each statement of a trigger has its price.
    SELECT p.entry_id, p.account_id, p.asset_id, e.id IS NULL AS entry_is_unknown,
           e.transaction_number <> pg_current_xact_id()::text::bigint AS entry_is_made,
           a.id IS NULL AS account_is_unknown INTO odd
      FROM new_postings p
      LEFT JOIN settlement_journalentry e ON e.id = p.entry_id
      LEFT JOIN settlement_account a ON a.id = p.account_id AND a.asset_id = p.asset_id
      LEFT JOIN settlement_asset s ON s.code = a.asset_id
     WHERE e.transaction_number IS DISTINCT FROM pg_current_xact_id()::text::bigint
        OR a.id IS NULL OR p.amount <> round(p.amount, s.scale)
     LIMIT 1;
    IF NOT FOUND THEN
        NULL;
    ELSIF odd.entry_is_unknown THEN
        RAISE EXCEPTION 'there is no entry %', odd.entry_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'posting_entry';
    ELSIF odd.entry_is_made THEN
        RAISE EXCEPTION 'an entry takes postings only while it is being made'
            USING ERRCODE = '23L02';
    ELSIF odd.account_is_unknown THEN
        RAISE EXCEPTION 'there is no account % of asset % (posting_account_asset)',
            odd.account_id, odd.asset_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'posting_account_asset';
    ELSE
        RAISE EXCEPTION 'an amount has more decimals than its asset' USING ERRCODE = '23L03';
    END IF;
    PERFORM FROM settlement_accountbalance
      WHERE account_id IN (SELECT account_id FROM new_postings)
      ORDER BY account_id FOR NO KEY UPDATE;
    UPDATE settlement_accountbalance b
       SET debit = b.debit + s.debit, credit = b.credit + s.credit, version = b.version + 1
      FROM (SELECT account_id,
                   coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS debit,
                   coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS credit
              FROM new_postings GROUP BY account_id) AS s
     WHERE b.account_id = s.account_id;
    RETURN NULL;
END $$;

-- Most entries are in one asset: one sum tells that they are in order.
CREATE OR REPLACE FUNCTION ledger_check_balanced() RETURNS trigger
    LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    line_count bigint;
    total numeric;
    is_one_asset boolean;
    unbalanced text;
BEGIN
    SELECT count(*), sum(amount), min(asset_id) = max(asset_id)
      INTO line_count, total, is_one_asset
      FROM settlement_posting WHERE entry_id = NEW.id;
    IF line_count > 1 AND is_one_asset AND total = 0 THEN
        RETURN NULL;
    END IF;
    SELECT string_agg(asset_id, ', ') INTO unbalanced
      FROM (SELECT asset_id FROM settlement_posting WHERE entry_id = NEW.id
             GROUP BY asset_id HAVING sum(amount) <> 0) AS assets;
    IF line_count < 2 OR unbalanced IS NOT NULL THEN
        RAISE EXCEPTION 'entry % is not balanced (% postings; %)', NEW.id, line_count, unbalanced
            USING ERRCODE = '23L01';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ledger_stamp_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held record;
BEGIN
    -- Shared with every other entry; closing the period needs the row for itself.
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

-- Post many balanced entries of a book in one statement: the write path of settlement runs. Keys come
-- first and in their order, so that two batches never wait for each other crosswise; the trigger of
-- the postings locks balances in id order before it carries anything into them. An entry whose key
-- was used before keeps what it has. A line is [account, amount, memo].
CREATE OR REPLACE FUNCTION ledger_post_many(p_book text, p_entries jsonb)
    RETURNS TABLE (entry_key text, entry_id bigint)
    LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    made_count bigint;
    reused text;
BEGIN
    RETURN QUERY
    WITH given AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(p_entries) AS e (
            kind text, effective_on date, source_type text, source_id text,
            key text, fingerprint text, reason text, actor bigint, lines jsonb)
    ), months AS MATERIALIZED (
        SELECT d.effective_on, ledger_period(p_book, d.effective_on) AS period_id
          FROM (SELECT DISTINCT g.effective_on FROM given g) AS d
    ), made AS (
        INSERT INTO settlement_journalentry (
            public_id, book, kind, effective_on, period_id, recorded_at, source_type, source_id,
            idempotency_key, fingerprint, reason, actor_id, transaction_number
        )
        SELECT gen_random_uuid(), p_book, g.kind, g.effective_on, m.period_id, clock_timestamp(),
               g.source_type, g.source_id, g.key, g.fingerprint, g.reason, g.actor, 0
          FROM given g JOIN months m USING (effective_on)
         ORDER BY g.key
        ON CONFLICT (book, idempotency_key) DO NOTHING
        RETURNING id, idempotency_key
    ), accounts AS MATERIALIZED (
        SELECT id, asset_id FROM settlement_account
    ), posted AS (
        INSERT INTO settlement_posting (entry_id, line, account_id, asset_id, amount, memo)
        SELECT m.id, l.line, (l.item ->> 0)::bigint, a.asset_id, (l.item ->> 1)::numeric,
               l.item ->> 2
          FROM made m
          JOIN given g ON g.key = m.idempotency_key
          CROSS JOIN LATERAL jsonb_array_elements(g.lines) WITH ORDINALITY AS l (item, line)
          LEFT JOIN accounts a ON a.id = (l.item ->> 0)::bigint
         ORDER BY m.id, l.line
    )
    SELECT m.idempotency_key::text, m.id FROM made m;
    GET DIAGNOSTICS made_count = ROW_COUNT;
    IF made_count = jsonb_array_length(p_entries) THEN
        RETURN;
    END IF;
    SELECT e.idempotency_key INTO reused
      FROM jsonb_to_recordset(p_entries) AS g (key text, fingerprint text)
      JOIN settlement_journalentry e ON e.book = p_book AND e.idempotency_key = g.key
     WHERE e.fingerprint <> g.fingerprint LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'key % was used for another entry', reused USING ERRCODE = '23L04';
    END IF;
    RETURN QUERY
        SELECT e.idempotency_key::text, e.id
          FROM jsonb_to_recordset(p_entries) AS g (key text)
          JOIN settlement_journalentry e ON e.book = p_book AND e.idempotency_key = g.key;
END $$;
